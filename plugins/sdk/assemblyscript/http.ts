// Adds to HTTP what only this house knows: who asked, by the query; which trace a request belongs to, by a header
// of its own (X-House-Trace: TRACE/SPAN); and how it really went, by the body that comes with code 200.
import {
  Batch, Context, HTTP_REQUEST, HTTP_RESPONSE, HttpRequest, HttpResponse, Payload, Plugin, SERVER_ERROR, serve,
} from "./plugin";

export { check_payload, get_hook_bitmap, on_http_req, on_http_resp, parse_payload } from "./plugin";

const TRACE = "x-house-trace:";
// What a body begins with when something went wrong, before the message and `"}`.
const WRONG = '{"error":"';

// Views are made once: the stub runtime gives no memory back.
const user = new Payload();
const head = new Payload();
const trace = new Payload();
const span = new Payload();
const body = new Payload();

/** Where `byte` stands from `start` on, or the end. */
function until(text: Payload, byte: i32, start: i32): i32 {
  while (start < text.length && text.at(start) != byte) start++;
  return start;
}

/** Whether the line at `start` begins with these letters, in upper case or lower. */
function begins(text: Payload, start: i32, letters: string): bool {
  for (let i = 0; i < letters.length; i++) {
    let byte = text.at(start + i);
    if (byte >= 0x41 && byte <= 0x5a) byte += 0x20;
    if (byte != letters.charCodeAt(i)) return false;
  }
  return true;
}

/** The value of the parameter `user` in the query. */
function readUser(path: Payload): void {
  user.length = 0;
  for (let at = until(path, 0x3f, 0) + 1; at < path.length; ) {
    const end = until(path, 0x26, at);
    if (begins(path, at, "user=")) {
      user.view(path, at + 5, end);
      return;
    }
    at = end + 1;
  }
}

function readTrace(message: Payload): void {
  trace.length = span.length = 0;
  // Up to the empty line before the body.
  const end = message.find("\r\n\r\n");
  head.view(message, 0, end < 0 ? message.length : end);
  for (let at = 0; at < head.length; at = until(head, 0x0a, at) + 1) {
    if (!begins(head, at, TRACE)) continue;
    let start = at + TRACE.length;
    if (head.at(start) == 0x20) start++;
    const last = until(head, 0x0d, start);
    const slash = min(until(head, 0x2f, start), last);
    trace.view(head, start, slash);
    span.view(head, slash + 1, last);
  }
}

class Http extends Plugin {
  hooks(): i32 {
    return HTTP_REQUEST | HTTP_RESPONSE;
  }

  httpRequest(_context: Context, request: HttpRequest, payload: Payload, batch: Batch): bool {
    readUser(request.path);
    readTrace(payload);
    if (!user.length && !trace.length) return false;
    batch.begin();
    if (user.length) batch.attribute("user", user.address, user.length);
    if (trace.length) batch.trace(trace, span);
    return true;
  }

  httpResponse(_context: Context, response: HttpResponse, payload: Payload, batch: Batch): bool {
    const end = payload.find("\r\n\r\n");
    if (response.code != 200 || end < 0) return false;
    body.view(payload, end + 4);
    if (!begins(body, 0, WRONG)) return false;
    const message = WRONG.length;
    batch.begin();
    batch.attribute("asked", response.endpoint.address, response.endpoint.length);
    batch.response(SERVER_ERROR);
    batch.exception(body.address + message, until(body, 0x22, message) - message);
    return true;
  }
}

serve(new Http());
