// Tells which tenant calls over Dubbo, by the attachment `tenant` of the call.
import { Batch, Context, DUBBO, MESSAGE, Message, Payload, Plugin, serve } from "./plugin";

export { check_payload, get_hook_bitmap, on_http_req, on_http_resp, parse_payload } from "./plugin";
export { get_custom_message_hook, on_custom_message } from "./plugin";

// A short string of Hessian 2 is its length in one byte, up to 31, and its letters.
const KEY = "\x06tenant";
const SHORT_MAX: i32 = 31;

class Dubbo extends Plugin {
  hooks(): i32 {
    return MESSAGE;
  }

  messages(): u8 {
    return DUBBO;
  }

  message(context: Context, message: Message, payload: Payload, batch: Batch): bool {
    const at = payload.find(KEY);
    if (context.fromServer || message.protocol != DUBBO || at < 0) return false;
    const text = at + KEY.length + 1;
    const len = payload.at(text - 1);
    if (len > SHORT_MAX || text + len > payload.length) return false;
    batch.begin();
    batch.attribute("tenant", payload.address + text, len);
    return true;
  }
}

serve(new Dubbo());
