// A house protocol: "DM", kind (1 request, 2 response), id, length (16 bits, big-endian), text.
import { Batch, Claim, Context, OK, PARSE, Payload, Plugin, serve } from "./plugin";

export { check_payload, get_hook_bitmap, on_http_req, on_http_resp, parse_payload } from "./plugin";

const HEAD: i32 = 6;
const REQUEST: i32 = 1;
const RESPONSE: i32 = 2;
const NUMBER: u8 = 7;

class House extends Plugin {
  hooks(): i32 {
    return PARSE;
  }

  isHead(payload: Payload): bool {
    const kind = payload.at(2);
    return payload.length >= HEAD && payload.u16(0) == 0x444d && (kind == REQUEST || kind == RESPONSE);
  }

  check(_context: Context, payload: Payload, claim: Claim): bool {
    if (!this.isHead(payload)) return false;
    claim.number = NUMBER;
    claim.fromServer = payload.at(2) == RESPONSE;
    claim.name("Demo");
    return true;
  }

  parse(context: Context, payload: Payload, batch: Batch): bool {
    // Payloads of other plugins' protocols come by, too.
    if (context.protocol != NUMBER || !this.isHead(payload)) return false;
    const text = payload.u16(4);
    // Not whole yet: it is shown again with what follows.
    if (payload.length < HEAD + text) return false;
    batch.begin();
    batch.id(payload.at(3));
    if (payload.at(2) == REQUEST) {
      batch.requestLength(HEAD + text);
      batch.request();
      batch.resource(payload.address + HEAD, text);
    } else {
      batch.responseLength(HEAD + text);
      batch.response(OK);
      batch.result(payload.address + HEAD, text);
    }
    return true;
  }
}

serve(new House());
