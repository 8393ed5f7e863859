/* Adds to HTTP what only this house knows: who asked, by the query; which trace a request belongs to, by a header
 * of its own (X-House-Trace: TRACE/SPAN); and how it really went, by the body that comes with code 200. */
#include "tapir_plugin.h"

TP_HOOKS(TP_HTTP_REQUEST | TP_HTTP_RESPONSE)

static const char TRACE[] = "x-house-trace:";
/* What a body begins with when something went wrong, before the message and `"}`. */
static const char WRONG[] = "{\"error\":\"";

/* Whether text begins with these letters, in upper case or lower. */
static int begins(tp_view text, const char *letters) {
    for (size_t i = 0; letters[i]; i++) {
        uint8_t byte = i < text.len ? text.at[i] : 0;
        if (byte >= 'A' && byte <= 'Z') byte += 'a' - 'A';
        if (byte != (uint8_t)letters[i]) return 0;
    }
    return 1;
}

static tp_view from(tp_view text, size_t start) {
    if (start > text.len) start = text.len;
    return (tp_view){text.at + start, text.len - start};
}

/* As far as the first of these bytes. */
static tp_view until(tp_view text, uint8_t end) {
    size_t len = 0;
    while (len < text.len && text.at[len] != end) len++;
    return (tp_view){text.at, len};
}

/* The value of the parameter `user` in the query. */
static tp_view user_of(tp_view path) {
    tp_view rest = from(path, until(path, '?').len + 1);
    while (rest.len) {
        tp_view pair = until(rest, '&');
        if (begins(pair, "user=")) return from(pair, 5);
        rest = from(rest, pair.len + 1);
    }
    return rest;
}

int tp_http_request(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch) {
    (void)c;
    tp_request_info request;
    if (!tp_request_of(&request)) return 0;
    tp_view user = user_of(request.path), trace = {0, 0}, rest = {payload, len};
    /* Up to the empty line before the body. */
    for (tp_view line = until(rest, '\n'); line.len > 1; line = until(rest, '\n')) {
        if (begins(line, TRACE)) trace = until(from(line, sizeof TRACE), '\r');
        rest = from(rest, line.len + 1);
    }
    if (!user.len && !trace.len) return 0;
    tp_begin(batch);
    if (user.len) tp_attribute(batch, "user", user.at, user.len);
    tp_view id = until(trace, '/');
    if (trace.len) tp_trace(batch, id, from(trace, id.len + 1));
    return 1;
}

int tp_http_response(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch) {
    (void)c;
    tp_response_info response;
    if (!tp_response_of(&response) || response.code != 200) return 0;
    tp_view rest = {payload, len};
    while (rest.len && !begins(rest, "\r\n\r\n")) rest = from(rest, 1);
    tp_view body = from(rest, 4);
    if (!begins(body, WRONG)) return 0;
    tp_view message = until(from(body, sizeof WRONG - 1), '"');
    tp_begin(batch);
    tp_attribute(batch, "asked", response.endpoint.at, response.endpoint.len);
    tp_response(batch, TP_SERVER_ERROR);
    tp_exception(batch, message.at, message.len);
    return 1;
}
