//! Calls of which a backend knows less than of others: what is missing for that is counted.

use crate::host::{backend, client, folder, free_port, redis, skipped};
use crate::matching::exactly;
use crate::running::Running;
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};
use tapir_sidecar::kernel::Backend;
use tapir_sidecar::limits::LOOK_NS;

/// Says PING, the second time by a system call of 32-bit processes, which a 64-bit one may make as well.
const BY_32_BITS: &str = r#"
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
MAP_PRIVATE, MAP_ANONYMOUS, MAP_32BIT = 2, 32, 64
low = libc.mmap(None, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0)
def call(number, *arguments):
    registers = zip([b"\xb8", b"\xbb", b"\xb9", b"\xba"], [number, *arguments])
    code = b"\x53" + b"".join(move + struct.pack("<I", value) for move, value in registers) + b"\xcd\x80\x5b\xc3"
    ctypes.memmove(low, code, len(code))
    return ctypes.CFUNCTYPE(ctypes.c_int)(low)()
WRITE = 4
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
ping = b"*1\r\n$4\r\nPING\r\n"
s.sendall(ping)
assert s.recv(100) == b"+PONG\r\n"
ctypes.memmove(low + 2048, ping, len(ping))
assert call(WRITE, s.fileno(), low + 2048, len(ping)) == len(ping)
assert s.recv(100) == b"+PONG\r\n"
"#;

/// One thread sends more than the socket takes, and another one some bytes in between; then all is sent that is needed for
/// an answer.
const TWO_AT_ONCE: &str = r#"
import socket, sys, threading, time
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(server.getsockname())
other, _ = server.accept()
first = threading.Thread(target=lambda: client.send(b"x" * (32 << 20)))
client.sendall(b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n")
other.recv(100)
other.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
client.recv(100)
first.start()
time.sleep(0.2)
read, sent = 0, 0
while not sent:
    read += len(other.recv(1 << 16))
    try:
        sent = client.send(b"y" * 10, socket.MSG_DONTWAIT)
    except BlockingIOError:
        time.sleep(0.001)
while read < (32 << 20) + sent:
    read += len(other.recv(1 << 20))
first.join()
print((32 << 20) + sent)
client.close()
"#;

/// The sidecar must count `expected` in the end: what it serves to Prometheus is as old as its last look.
fn counts(metrics: u16, what: &str, expected: u64) {
    // By then, what should not be counted would be.
    std::thread::sleep(Duration::from_nanos(3 * LOOK_NS));
    let begin = Instant::now();
    while counted(metrics, what) != expected && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(counted(metrics, what), expected, "{what}");
}

/// A number that the sidecar serves to Prometheus.
fn counted(metrics: u16, what: &str) -> u64 {
    let text = client(&["curl", "-s", &format!("http://127.0.0.1:{metrics}/metrics")]);
    let name = format!("tapir_sidecar_kernel_total{{what=\"{what}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&name));
    value
        .unwrap_or_else(|| panic!("no {what}: {text}"))
        .parse()
        .unwrap()
}

#[test]
#[cfg(target_arch = "x86_64")]
fn what_32_bit_calls_move_is_counted() {
    let Some(folder) = folder(&["redis-server", "python3", "curl"]) else {
        return;
    };
    let (port, metrics) = (free_port(), free_port());
    let (text, at) = (port.to_string(), format!("127.0.0.1:{metrics}"));
    let _server = redis(port);
    let arguments = ["--side", "client", "--port", &text, "--metrics", &at];
    let Some(running) = Running::start(folder.path(), &arguments) else {
        return;
    };
    client(&["python3", "-c", BY_32_BITS, &text]);
    counts(metrics, "missing_compat", 1);
    running.interrupt();
}

/// Who looks when a call is over can't tell whose bytes came first, and says so; the others know.
#[test]
fn what_calls_move_at_once_is_counted() {
    let Some(folder) = folder(&["python3", "curl"]) else {
        return;
    };
    let (port, metrics) = (free_port(), free_port());
    let (text, at) = (port.to_string(), format!("127.0.0.1:{metrics}"));
    let arguments = ["--side", "client", "--port", &text, "--metrics", &at];
    let Some(running) = Running::start(folder.path(), &arguments) else {
        return;
    };
    let sent: u64 = client(&["python3", "-c", TWO_AT_ONCE, &text])
        .trim()
        .parse()
        .unwrap();
    let expected = if backend() == Some(Backend::Tracepoint) {
        sent
    } else {
        0
    };
    counts(metrics, "bytes_unplaced", expected);
    running.interrupt();
}

/// A program that has an io_uring, as Node.js does for its files, speaks by other calls nevertheless.
#[test]
#[cfg(target_arch = "x86_64")]
fn a_process_that_has_an_io_uring() {
    let Some(folder) = folder(&["python3", "curl"]) else {
        return;
    };
    let (port, metrics) = (free_port(), free_port());
    let (text, at) = (port.to_string(), format!("127.0.0.1:{metrics}"));
    let Some(running) = Running::start(folder.path(), &["--port", &text, "--metrics", &at]) else {
        return;
    };
    let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/peers/io_uring.py");
    let status = Command::new("python3").args([peer, &text]).status().unwrap();
    if status.code() == Some(77) {
        return skipped("no io_uring here");
    }
    assert!(status.success());
    let counted = u64::from(backend() != Some(Backend::Tracepoint));
    counts(metrics, "missing_syscall", counted);
    let records = running.interrupt().of_port(port);
    let is_matched = |record: &&serde_json::Value| record["kind"] == "matched";
    let matched: Vec<_> = records.iter().filter(is_matched).cloned().collect();
    let expected =
        json!({"proto": "http1", "resource": "/call", "code": 200, "process": {"comm": "python3"}});
    exactly(&matched, &[expected]);
}
