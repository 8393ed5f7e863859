// A plugin of DeepFlow's Wasm interface in AssemblyScript.
//
// Extend Plugin, call serve() with it at the top of your module, and re-export the functions that the host
// calls (see house.ts). Build:
//
//   npx asc house.ts -O --runtime stub --exportStart _start --use abort= -o house.wasm

// @ts-ignore: decorator
@external("deepflow", "wasm_log") declare function hostLog(ptr: usize, len: i32, level: i32): void;
// @ts-ignore: decorator
@external("deepflow", "vm_read_ctx_base") declare function hostContext(ptr: usize, room: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "vm_read_payload") declare function hostPayload(ptr: usize, room: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "vm_read_http_req_info") declare function hostRequest(ptr: usize, room: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "vm_read_http_resp_info") declare function hostResponse(ptr: usize, room: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "vm_read_custom_message_info") declare function hostMessage(ptr: usize, room: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "host_read_l7_protocol_info") declare function hostRecords(ptr: usize, len: i32): i32;
// @ts-ignore: decorator
@external("deepflow", "host_read_str_result") declare function hostName(ptr: usize, len: i32): i32;

/** Hooks: what a plugin wants to be called for. */
export const PARSE: i32 = 1;
export const HTTP_REQUEST: i32 = 2;
export const HTTP_RESPONSE: i32 = 4;
export const MESSAGE: i32 = 8;

/** Protocols whose messages a plugin can be shown. */
export const DUBBO: u8 = 40;
export const NATS: u8 = 104;
export const ZMTP: u8 = 106;
export const ROCKETMQ: u8 = 107;

/** How an exchange went. */
export const OK: i32 = 0;
export const TIMEOUT: i32 = 2;
export const SERVER_ERROR: i32 = 3;
export const CLIENT_ERROR: i32 = 4;
export const UNKNOWN: i32 = 5;

// Memory is taken once, so the stub runtime, which never gives any back, is enough: what you make with `new`,
// make once as well, and not in each call.
const CONTEXT: usize = memory.data(1024, 8);
const PAYLOAD: usize = memory.data(20480, 8);
const EVENT: usize = memory.data(65536, 8);
const RECORDS: usize = memory.data(16384, 8);
const NAME: usize = memory.data(66, 8);
const BITMAP: usize = memory.data(16, 8);
const FILTER: usize = memory.data(8, 8);
const ROOM: i32 = 16384;

function big(at: usize, bytes: i32): u64 {
  let value: u64 = 0;
  for (let i = 0; i < bytes; i++) value = (value << 8) | load<u8>(at + i);
  return value;
}

/** What every call is about. */
export class Context {
  fromServer: bool = false;
  l4: u8 = 0;
  /** The number that check gave; 0 before. */
  protocol: u8 = 0;
  srcPort: u16 = 0;
  dstPort: u16 = 0;
  timeUs: u64 = 0;
  flowId: u64 = 0;

  read(): bool {
    const len = hostContext(CONTEXT, 1024);
    const ip: i32 = load<u8>(CONTEXT) == 6 ? 16 : 4;
    if (len < 28 + 2 * ip) return false;
    const at = CONTEXT + 1 + 2 * ip;
    this.srcPort = <u16>big(at, 2);
    this.dstPort = <u16>big(at + 2, 2);
    this.l4 = load<u8>(at + 4);
    this.protocol = load<u8>(at + 5);
    this.timeUs = big(at + 7, 8);
    this.fromServer = load<u8>(at + 15) == 1;
    this.flowId = big(at + 17 + load<u8>(at + 16), 8);
    return true;
  }
}

/** Bytes of a message: at(i) is one of them, address + i where it lies. */
export class Payload {
  address: usize = PAYLOAD;
  length: i32 = 0;

  /** Becomes the bytes of another one from `start` up to `end`, as far as there are any. */
  view(whole: Payload, start: i32, end: i32 = i32.MAX_VALUE): void {
    start = min(start, whole.length);
    end = min(end, whole.length);
    this.address = whole.address + start;
    this.length = max(end - start, 0);
  }

  /** Where `text` begins, from `start` on; -1 where it does not. */
  find(text: string, start: i32 = 0): i32 {
    for (let i = start; i + text.length <= this.length; i++) {
      let same = 0;
      while (same < text.length && this.at(i + same) == text.charCodeAt(same)) same++;
      if (same == text.length) return i;
    }
    return -1;
  }

  at(i: i32): i32 {
    return i < this.length ? <i32>load<u8>(this.address + i) : 0;
  }

  /** Two bytes, big-endian. */
  u16(i: i32): i32 {
    return (this.at(i) << 8) | this.at(i + 1);
  }
}

// What the host has read of a message, from the front.
class Event {
  at: usize = EVENT;
  end: usize = EVENT;

  read(len: i32): bool {
    this.at = EVENT;
    this.end = EVENT + max(len, 0);
    return len > 0;
  }

  number(bytes: i32): u32 {
    const value = this.at + bytes <= this.end ? <u32>big(this.at, bytes) : 0;
    this.at += bytes;
    return value;
  }

  bytes(len: u32, to: Payload): void {
    to.address = this.at;
    to.length = this.at + len <= this.end ? len : 0;
    this.at += len;
  }

  text(to: Payload): void {
    this.bytes(this.number(2), to);
  }
}

/** A request as the host has read it; what is not there is empty. */
export class HttpRequest {
  path: Payload = new Payload();
  host: Payload = new Payload();
  userAgent: Payload = new Payload();
  referer: Payload = new Payload();

  read(): bool {
    if (!event.read(hostRequest(EVENT, 65536))) return false;
    event.text(this.path);
    event.text(this.host);
    event.text(this.userAgent);
    event.text(this.referer);
    return true;
  }
}

/** A response. */
export class HttpResponse {
  /** 0: there is none. */
  code: u16 = 0;
  /** What the code means: OK, or another outcome. */
  status: i32 = OK;
  /** Of the request. */
  endpoint: Payload = new Payload();

  read(): bool {
    if (!event.read(hostResponse(EVENT, 65536))) return false;
    this.code = <u16>event.number(2);
    this.status = event.number(1);
    event.text(this.endpoint);
    return true;
  }
}

/** A message of another protocol. */
export class Message {
  /** DUBBO, or another of them. */
  protocol: u8 = 0;
  /** What the host tells of it, in protobuf, where it tells something. */
  told: Payload = new Payload();

  read(): bool {
    if (!event.read(hostMessage(EVENT, 65536))) return false;
    event.number(2);
    this.protocol = <u8>event.number(4);
    event.bytes(event.number(4), this.told);
    return true;
  }
}

/** What check says of a payload that it takes. */
export class Claim {
  number: u8 = 0;
  fromServer: bool = false;

  /** `proto` of records, up to 64 bytes of UTF-8. */
  name(text: string): void {
    let len = String.UTF8.byteLength(text);
    if (len > 64) len = 0;
    else String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, NAME + 2);
    store<u8>(NAME, 0);
    store<u8>(NAME + 1, <u8>len);
    hostName(NAME, 2 + len);
  }
}

/** Records on their way to the host, in protobuf. */
export class Batch {
  len: i32 = 0;
  record: i32 = 0;
  part: i32 = 0;
  /** Something did not fit: nothing is handed over. */
  cut: bool = false;

  private put(byte: i32): void {
    if (this.len < ROOM) store<u8>(RECORDS + this.len++, <u8>byte);
    else this.cut = true;
  }

  private varint(value: u64): void {
    for (; value > 127; value >>= 7) this.put(<i32>(value & 0x7f) | 0x80);
    this.put(<i32>value);
  }

  // Lengths inside a record stand in three bytes, which protobuf allows: they are known only behind.
  private open(field: i32): i32 {
    this.varint((field << 3) | 2);
    for (let i = 0; i < 3; i++) this.put(0);
    return this.len;
  }

  private close(at: i32): void {
    if (this.cut) return;
    const len = this.len - at;
    store<u8>(RECORDS + at - 3, <u8>((len & 0x7f) | 0x80));
    store<u8>(RECORDS + at - 2, <u8>(((len >> 7) & 0x7f) | 0x80));
    store<u8>(RECORDS + at - 1, <u8>((len >> 14) & 0x7f));
  }

  private endPart(): void {
    if (this.part) this.close(this.part);
    this.part = 0;
  }

  reset(): void {
    this.len = this.record = this.part = 0;
    this.cut = false;
  }

  /** Begins a record: a request or response. Several may follow each other. */
  begin(): void {
    this.end();
    this.put(0);
    this.put(0);
    this.record = this.len;
    this.put(0x50);
    this.put(0x42);
  }

  end(): void {
    this.endPart();
    if (this.record && !this.cut) {
      const len = this.len - this.record;
      store<u8>(RECORDS + this.record - 2, <u8>(len >> 8));
      store<u8>(RECORDS + this.record - 1, <u8>len);
    }
    this.record = 0;
  }

  handOver(): void {
    this.end();
    if (this.len && !this.cut) hostRecords(RECORDS, this.len);
  }

  private number(field: i32, value: u64): void {
    this.varint(field << 3);
    this.varint(value);
  }

  /** A text of `len` bytes at `address`. */
  text(field: i32, address: usize, len: i32): void {
    this.varint((field << 3) | 2);
    this.varint(len);
    for (let i = 0; i < len; i++) this.put(load<u8>(address + i));
  }

  // Of the whole record, before request() or response().
  requestLength(bytes: i32): void { this.number(1, bytes); }
  responseLength(bytes: i32): void { this.number(2, bytes); }
  id(id: u32): void { this.number(3, id); }

  /** More of the record: a key of letters, and a value. */
  attribute(key: string, address: usize, len: i32): void {
    this.endPart();
    const at = this.open(31);
    const bytes = String.UTF8.byteLength(key);
    this.varint((1 << 3) | 2);
    this.varint(bytes);
    if (this.len + bytes > ROOM) this.cut = true;
    else this.len += <i32>String.UTF8.encodeUnsafe(changetype<usize>(key), key.length, RECORDS + this.len);
    this.text(2, address, len);
    this.close(at);
  }

  trace(trace: Payload, span: Payload): void {
    this.endPart();
    const at = this.open(12);
    this.text(1, trace.address, trace.length);
    this.text(2, span.address, span.length);
    this.close(at);
  }

  /** Begins the request's fields. */
  request(): void {
    this.endPart();
    this.part = this.open(10);
  }

  /** Begins the response's fields. */
  response(status: i32): void {
    this.endPart();
    this.part = this.open(11);
    this.number(1, status);
  }

  // Of a request.
  type(address: usize, len: i32): void { this.text(2, address, len); }
  domain(address: usize, len: i32): void { this.text(3, address, len); }
  resource(address: usize, len: i32): void { this.text(4, address, len); }
  endpoint(address: usize, len: i32): void { this.text(5, address, len); }

  // Of a response.
  code(code: i32): void { this.number(2, <u64>(<i64>code)); }
  exception(address: usize, len: i32): void { this.text(3, address, len); }
  result(address: usize, len: i32): void { this.text(4, address, len); }
}

/** What a plugin does; each function returns whether it takes the payload. */
export abstract class Plugin {
  abstract hooks(): i32;
  check(_context: Context, _payload: Payload, _claim: Claim): bool { return false; }
  parse(_context: Context, _payload: Payload, _batch: Batch): bool { return false; }
  httpRequest(_context: Context, _request: HttpRequest, _payload: Payload, _batch: Batch): bool { return false; }
  httpResponse(_context: Context, _response: HttpResponse, _payload: Payload, _batch: Batch): bool { return false; }
  /** With the hook MESSAGE: the protocol whose messages it is shown. */
  messages(): u8 { return 0; }
  message(_context: Context, _message: Message, _payload: Payload, _batch: Batch): bool { return false; }
}

const event = new Event();
const request = new HttpRequest();
const response = new HttpResponse();
const message = new Message();

const context = new Context();
const payload = new Payload();
const claim = new Claim();
const batch = new Batch();
let plugin: Plugin | null = null;

/** Says which plugin this module is. */
export function serve(it: Plugin): void {
  plugin = it;
  const hooks = it.hooks();
  const http = (hooks & HTTP_REQUEST ? 0x80 : 0) | (hooks & HTTP_RESPONSE ? 0x40 : 0);
  store<u8>(BITMAP, <u8>(http | (hooks & MESSAGE ? 0x20 : 0)));
  store<u8>(BITMAP + 15, <u8>(hooks & PARSE));
  store<u8>(FILTER + 7, it.messages());
}

/** A line in Tapir's log. */
export function log(text: string): void {
  const line = String.UTF8.encode(text);
  hostLog(changetype<usize>(line), line.byteLength, 0);
}

function read(): bool {
  if (!context.read()) return false;
  payload.length = hostPayload(PAYLOAD, 20480);
  batch.reset();
  return payload.length >= 0;
}

export function get_hook_bitmap(): i32 {
  return <i32>BITMAP;
}

export function check_payload(): i32 {
  if (!read() || !plugin!.check(context, payload, claim)) return 0;
  return <i32>claim.number | ((claim.fromServer ? 2 : 1) << 8);
}

export function parse_payload(): i32 {
  if (!read() || !plugin!.parse(context, payload, batch)) return 0;
  batch.handOver();
  return 1;
}

export function on_http_req(): i32 {
  if (!read() || !request.read() || !plugin!.httpRequest(context, request, payload, batch)) return 0;
  batch.handOver();
  return 1;
}

export function on_http_resp(): i32 {
  if (!read() || !response.read() || !plugin!.httpResponse(context, response, payload, batch)) return 0;
  batch.handOver();
  return 1;
}

// These two are exported by plugins with the hook MESSAGE.

export function get_custom_message_hook(): i32 {
  return <i32>FILTER;
}

export function on_custom_message(): i32 {
  if (!read() || !message.read() || !plugin!.message(context, message, payload, batch)) return 0;
  batch.handOver();
  return 1;
}
