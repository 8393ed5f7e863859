/* Tells which tenant calls over Dubbo, by the attachment `tenant` of the call. */
#include "tapir_plugin.h"

TP_HOOKS(TP_MESSAGE)
TP_MESSAGES(TP_DUBBO)

/* A short string of Hessian 2 is its length in one byte, up to 31, and its letters. */
static const char KEY[] = "\6tenant";
enum { KEY_BYTES = sizeof KEY - 1, SHORT_MAX = 31 };

int tp_message(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch) {
    tp_message_info message;
    if (c->from_server || !tp_message_of(&message) || message.protocol != TP_DUBBO) return 0;
    for (size_t at = 0; at + KEY_BYTES < len; at++) {
        size_t same = 0;
        while (same < KEY_BYTES && payload[at + same] == (uint8_t)KEY[same]) same++;
        size_t text = payload[at + KEY_BYTES];
        if (same < KEY_BYTES || text > SHORT_MAX || at + KEY_BYTES + 1 + text > len) continue;
        tp_begin(batch);
        tp_attribute(batch, "tenant", payload + at + KEY_BYTES + 1, text);
        return 1;
    }
    return 0;
}
