/* A house protocol: "DM", kind (1 request, 2 response), id, length (16 bits, big-endian), text. */
#include "tapir_plugin.h"

enum { HEAD = 6, REQUEST = 1, RESPONSE = 2, NUMBER = 7 };

TP_HOOKS(TP_PARSE)

static int is_head(const uint8_t *payload, size_t len) {
    return len >= HEAD && payload[0] == 'D' && payload[1] == 'M' &&
           (payload[2] == REQUEST || payload[2] == RESPONSE);
}

int tp_check(const tp_context *c, const uint8_t *payload, size_t len, tp_claim *claim) {
    (void)c;
    if (!is_head(payload, len)) return 0;
    claim->number = NUMBER;
    claim->name = "Demo";
    claim->from_server = payload[2] == RESPONSE;
    return 1;
}

int tp_parse(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch) {
    /* Payloads of other plugins' protocols come by, too. */
    if (c->protocol != NUMBER || !is_head(payload, len)) return 0;
    size_t text = (size_t)payload[4] << 8 | payload[5];
    if (len < HEAD + text) return 0; /* not whole yet: it is shown again with what follows */
    tp_begin(batch);
    tp_id(batch, payload[3]);
    if (payload[2] == REQUEST) {
        tp_request_length(batch, (uint32_t)(HEAD + text));
        tp_request(batch);
        tp_resource(batch, payload + HEAD, text);
    } else {
        tp_response_length(batch, (uint32_t)(HEAD + text));
        tp_response(batch, TP_OK);
        tp_result(batch, payload + HEAD, text);
    }
    return 1;
}
