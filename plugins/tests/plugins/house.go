// The house protocol in plain Go, without an SDK: what Go's runtime asks of WASI is what this is a test of, so
// it looks at the clock, takes random numbers, reads its environment and arguments, prints, and lets goroutines
// wait for each other.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"os"
	"sync"
	"time"
	"unsafe"
)

//go:wasmimport deepflow vm_read_ctx_base
func readContext(to unsafe.Pointer, room uint32) int32

//go:wasmimport deepflow vm_read_payload
func readPayload(to unsafe.Pointer, room uint32) int32

//go:wasmimport deepflow host_read_l7_protocol_info
func handRecords(from unsafe.Pointer, length uint32) int32

//go:wasmimport deepflow host_read_str_result
func handName(from unsafe.Pointer, length uint32) int32

const (
	head     = 6
	request  = 1
	response = 2
	number   = 7
)

var (
	context [1024]byte
	payload [20480]byte
	bitmap  = [16]byte{15: 1}
	name    = []byte("\x00\x04Demo")
	// What the runtime has told, by its name.
	told = map[string]int{}
)

//go:wasmexport get_hook_bitmap
func getHookBitmap() unsafe.Pointer { return unsafe.Pointer(&bitmap[0]) }

//go:wasmexport on_http_req
func onHTTPReq() int32 { return 0 }

//go:wasmexport on_http_resp
func onHTTPResp() int32 { return 0 }

// message is what the payload begins with: kind and text.
func message() (kind byte, text []byte, whole bool) {
	length := readPayload(unsafe.Pointer(&payload[0]), uint32(len(payload)))
	if length < head || string(payload[:2]) != "DM" {
		return 0, nil, false
	}
	end := head + int32(binary.BigEndian.Uint16(payload[4:]))
	if length < end {
		return payload[2], nil, false
	}
	return payload[2], payload[head:end], true
}

//go:wasmexport check_payload
func checkPayload() int32 {
	kind, _, _ := message()
	if kind != request && kind != response {
		return 0
	}
	askRuntime()
	handName(unsafe.Pointer(&name[0]), uint32(len(name)))
	return number | int32(kind)<<8
}

// askRuntime takes from WASI what plugins take.
func askRuntime() {
	var seed [16]byte
	if _, err := rand.Read(seed[:]); err != nil {
		panic(err)
	}
	began := time.Now()
	if began.Year() < 2024 || len(os.Environ()) != 0 || len(os.Args) > 1 {
		panic("this is not the world that a plugin lives in")
	}
	if _, err := os.Open("/etc/passwd"); err == nil {
		panic("there is a file")
	}
	println("printed", began.Unix())
	os.Stdout.WriteString("and this, too\n")
	var both sync.WaitGroup
	both.Add(2)
	results := make(chan int, 2)
	for i := range 2 {
		go func() {
			defer both.Done()
			time.Sleep(time.Microsecond)
			results <- i
		}()
	}
	both.Wait()
	told["sum"] += <-results + <-results
	told["steady"] += int(time.Since(began).Milliseconds())
}

func field(key byte, value []byte) []byte {
	return append(binary.AppendUvarint([]byte{key}, uint64(len(value))), value...)
}

//go:wasmexport parse_payload
func parsePayload() int32 {
	readContext(unsafe.Pointer(&context[0]), uint32(len(context)))
	kind, text, whole := message()
	if !whole || told["sum"] == 0 {
		return 0
	}
	// req_len is field 1 and resp_len field 2, as the kinds are.
	record := binary.AppendUvarint([]byte{'P', 'B', kind << 3}, uint64(head+len(text)))
	record = binary.AppendUvarint(append(record, 3<<3), uint64(payload[3]))
	if kind == request {
		record = append(record, field(10<<3|2, field(4<<3|2, text))...)
	} else {
		record = append(record, field(11<<3|2, append([]byte{1 << 3, 0}, field(4<<3|2, text)...))...)
	}
	batch := append(binary.BigEndian.AppendUint16(nil, uint16(len(record))), record...)
	handRecords(unsafe.Pointer(&batch[0]), uint32(len(batch)))
	return 1
}

func main() {}
