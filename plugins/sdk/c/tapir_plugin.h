/* A plugin of DeepFlow's Wasm interface in C, without a C library.
 *
 * Include this once, define the functions below that you want, and say so in TP_HOOKS:
 *
 *   TP_HOOKS(TP_PARSE | TP_HTTP_REQUEST)
 *   int tp_check(const tp_context *c, const uint8_t *payload, size_t len, tp_claim *claim);
 *   int tp_parse(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch);
 *   int tp_http_request(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch);
 *   int tp_http_response(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch);
 *
 * and, with TP_MESSAGE among the hooks, which protocol's messages it is shown:
 *
 *   TP_MESSAGES(TP_DUBBO)
 *   int tp_message(const tp_context *c, const uint8_t *payload, size_t len, tp_batch *batch);
 *
 * Each returns 1 to take the payload and 0 to leave it to the next plugin. Those that are not defined leave
 * everything. Build:
 *
 *   clang --target=wasm32 -O2 -nostdlib -ffreestanding -Wl,--no-entry -o house.wasm house.c
 */
#ifndef TAPIR_PLUGIN_H
#define TAPIR_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* Hooks: bits of TP_HOOKS. */
#define TP_PARSE 1
#define TP_HTTP_REQUEST 2
#define TP_HTTP_RESPONSE 4
#define TP_MESSAGE 8

/* Protocols of TP_MESSAGES. */
enum { TP_DUBBO = 40, TP_NATS = 104, TP_ZMTP = 106, TP_ROCKETMQ = 107 };

/* Outcomes, for tp_status. */
enum { TP_OK = 0, TP_TIMEOUT = 2, TP_SERVER_ERROR = 3, TP_CLIENT_ERROR = 4, TP_UNKNOWN = 5 };

/* Most payload that is read, bytes. */
#define TP_PAYLOAD_MAX 20480
/* Records of one call, bytes. */
#define TP_BATCH_MAX 16384
/* What the host has read of a message, bytes. */
#define TP_EVENT_MAX 65536

typedef struct {
    int from_server;     /* 0: the client sent it */
    uint8_t l4;          /* 6 TCP, 17 UDP */
    uint8_t protocol;    /* the number that tp_check gave; 0 before */
    uint16_t src_port, dst_port;
    uint64_t time_us;    /* capture time */
    uint64_t flow_id;
} tp_context;

/* What tp_check says of a payload that it takes. */
typedef struct {
    uint8_t number;      /* yours, 1 to 255 */
    int from_server;     /* 1: the payload is a response */
    const char *name;    /* `proto` of records, up to 64 bytes */
} tp_claim;

/* Records on their way to the host, in protobuf. */
typedef struct {
    uint8_t bytes[TP_BATCH_MAX];
    size_t len;
    size_t record;       /* where the record begins; 0: there is none */
    size_t part;         /* where its request, response or trace begins; 0: none */
    int cut;             /* something did not fit: nothing is handed over */
} tp_batch;

/* Text of a message, which has no zero at its end. */
typedef struct {
    const uint8_t *at;
    size_t len;
} tp_view;

/* What the host has read of a request; what is not there is empty. */
typedef struct {
    tp_view path, host, user_agent, referer;
} tp_request_info;

/* Of a response. */
typedef struct {
    uint16_t code;       /* 0: there is none */
    int status;          /* what the code means */
    tp_view endpoint;    /* of the request */
} tp_response_info;

/* Of a message of another protocol. */
typedef struct {
    uint32_t protocol;   /* TP_DUBBO and the like */
    tp_view told;        /* what the host has read of it, in protobuf, where it tells something */
} tp_message_info;

#define TP_IMPORT(name) __attribute__((import_module("deepflow"), import_name(#name)))
#define TP_EXPORT(name) __attribute__((export_name(#name)))

TP_IMPORT(wasm_log) void tp_host_log(const char *text, size_t len, int level);
TP_IMPORT(vm_read_ctx_base) int tp_host_context(void *to, size_t room);
TP_IMPORT(vm_read_payload) int tp_host_payload(void *to, size_t room);
TP_IMPORT(vm_read_http_req_info) int tp_host_request(void *to, size_t room);
TP_IMPORT(vm_read_http_resp_info) int tp_host_response(void *to, size_t room);
TP_IMPORT(vm_read_custom_message_info) int tp_host_message(void *to, size_t room);
TP_IMPORT(host_read_l7_protocol_info) int tp_host_records(const void *from, size_t len);
TP_IMPORT(host_read_str_result) int tp_host_name(const void *from, size_t len);

__attribute__((weak)) int tp_check(const tp_context *c, const uint8_t *p, size_t n, tp_claim *claim);
__attribute__((weak)) int tp_parse(const tp_context *c, const uint8_t *p, size_t n, tp_batch *batch);
__attribute__((weak)) int tp_http_request(const tp_context *c, const uint8_t *p, size_t n, tp_batch *batch);
__attribute__((weak)) int tp_http_response(const tp_context *c, const uint8_t *p, size_t n, tp_batch *batch);
__attribute__((weak)) int tp_message(const tp_context *c, const uint8_t *p, size_t n, tp_batch *batch);

static inline size_t tp_length(const char *text) {
    size_t len = 0;
    while (text[len]) len++;
    return len;
}

/* A line in Tapir's log. */
static inline void tp_log(const char *text) { tp_host_log(text, tp_length(text), 0); }

/* ---- Records ---- */

static inline void tp_put(tp_batch *b, uint8_t byte) {
    if (b->len < TP_BATCH_MAX) b->bytes[b->len++] = byte;
    else b->cut = 1;
}

static inline void tp_varint(tp_batch *b, uint64_t value) {
    for (; value > 127; value >>= 7) tp_put(b, (uint8_t)value | 0x80);
    tp_put(b, (uint8_t)value);
}

/* Lengths inside a record stand in three bytes, which protobuf allows: they are known only behind. */
static inline void tp_close(tp_batch *b, size_t at) {
    size_t len = b->len - at;
    b->bytes[at - 3] = (uint8_t)(len & 0x7F) | 0x80;
    b->bytes[at - 2] = (uint8_t)(len >> 7 & 0x7F) | 0x80;
    b->bytes[at - 1] = (uint8_t)(len >> 14 & 0x7F);
}

static inline size_t tp_open(tp_batch *b, uint32_t field) {
    tp_varint(b, field << 3 | 2);
    for (int i = 0; i < 3; i++) tp_put(b, 0);
    return b->len;
}

static inline void tp_end_part(tp_batch *b) {
    if (b->part && !b->cut) tp_close(b, b->part);
    b->part = 0;
}

static inline void tp_end(tp_batch *b) {
    tp_end_part(b);
    if (b->record && !b->cut) {
        size_t len = b->len - b->record;
        b->bytes[b->record - 2] = (uint8_t)(len >> 8);
        b->bytes[b->record - 1] = (uint8_t)len;
    }
    b->record = 0;
}

/* Begins a record: a request or response. Several may follow each other. */
static inline void tp_begin(tp_batch *b) {
    tp_end(b);
    tp_put(b, 0), tp_put(b, 0);
    b->record = b->len;
    tp_put(b, 'P'), tp_put(b, 'B');
}

static inline void tp_number(tp_batch *b, uint32_t field, uint64_t value) {
    tp_varint(b, field << 3);
    tp_varint(b, value);
}

static inline void tp_text(tp_batch *b, uint32_t field, const void *text, size_t len) {
    tp_varint(b, field << 3 | 2);
    tp_varint(b, len);
    for (size_t i = 0; i < len; i++) tp_put(b, ((const uint8_t *)text)[i]);
}

/* Of the whole record, before tp_request or tp_response. */
static inline void tp_request_length(tp_batch *b, uint32_t bytes) { tp_number(b, 1, bytes); }
static inline void tp_response_length(tp_batch *b, uint32_t bytes) { tp_number(b, 2, bytes); }
static inline void tp_id(tp_batch *b, uint32_t id) { tp_number(b, 3, id); }

static inline void tp_attribute(tp_batch *b, const char *key, const void *value, size_t len) {
    tp_end_part(b);
    size_t at = tp_open(b, 31);
    tp_text(b, 1, key, tp_length(key));
    tp_text(b, 2, value, len);
    if (!b->cut) tp_close(b, at);
}

static inline void tp_trace(tp_batch *b, tp_view trace, tp_view span) {
    tp_end_part(b);
    size_t at = tp_open(b, 12);
    tp_text(b, 1, trace.at, trace.len);
    tp_text(b, 2, span.at, span.len);
    if (!b->cut) tp_close(b, at);
}

/* Begins the request's fields, or the response's. */
static inline void tp_request(tp_batch *b) { tp_end_part(b); b->part = tp_open(b, 10); }
static inline void tp_response(tp_batch *b, int status) {
    tp_end_part(b);
    b->part = tp_open(b, 11);
    tp_number(b, 1, (uint64_t)status);
}

/* Of a request. */
static inline void tp_version(tp_batch *b, const void *text, size_t len) { tp_text(b, 1, text, len); }
static inline void tp_type(tp_batch *b, const void *text, size_t len) { tp_text(b, 2, text, len); }
static inline void tp_domain(tp_batch *b, const void *text, size_t len) { tp_text(b, 3, text, len); }
static inline void tp_resource(tp_batch *b, const void *text, size_t len) { tp_text(b, 4, text, len); }
static inline void tp_endpoint(tp_batch *b, const void *text, size_t len) { tp_text(b, 5, text, len); }

/* Of a response. */
static inline void tp_code(tp_batch *b, int32_t code) { tp_number(b, 2, (uint64_t)(int64_t)code); }
static inline void tp_exception(tp_batch *b, const void *text, size_t len) { tp_text(b, 3, text, len); }
static inline void tp_result(tp_batch *b, const void *text, size_t len) { tp_text(b, 4, text, len); }

/* ---- What the host calls ---- */

static uint8_t tp_payload_room[TP_PAYLOAD_MAX];
static uint8_t tp_context_room[1024];
static uint8_t tp_name_room[66];
static tp_batch tp_records;

/* clang makes calls of these, even without a C library. */
__attribute__((weak)) void *memset(void *to, int byte, size_t len) {
    volatile uint8_t *at = to;
    while (len--) *at++ = (uint8_t)byte;
    return to;
}
__attribute__((weak)) void *memcpy(void *to, const void *from, size_t len) {
    volatile uint8_t *at = to;
    const uint8_t *source = from;
    while (len--) *at++ = *source++;
    return to;
}

static inline uint64_t tp_big(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

/* Context and payload of the call; the payload's length, or -1. */
static int tp_read(tp_context *c) {
    int len = tp_host_context(tp_context_room, sizeof tp_context_room);
    const uint8_t *at = tp_context_room;
    size_t ip = at[0] == 6 ? 16 : 4;
    if (len < (int)(28 + 2 * ip)) return -1;
    at += 1 + 2 * ip;
    c->src_port = (uint16_t)tp_big(at, 2);
    c->dst_port = (uint16_t)tp_big(at + 2, 2);
    c->l4 = at[4];
    c->protocol = at[5];
    c->time_us = tp_big(at + 7, 8);
    c->from_server = at[15];
    c->flow_id = tp_big(at + 17 + at[16], 8);
    return tp_host_payload(tp_payload_room, sizeof tp_payload_room);
}

/* Text behind its length of 16 bits; `*left` bytes lie from `*at` on. */
static inline tp_view tp_next(const uint8_t **at, size_t *left) {
    tp_view view = {0, 0};
    size_t len = *left < 2 ? 0 : tp_big(*at, 2);
    if (*left < 2 + len) return view;
    view.at = *at + 2;
    view.len = len;
    *at += 2 + len;
    *left -= 2 + len;
    return view;
}

/* In tp_http_request: the request; 0 when there is none. It lasts until the next call. */
static inline int tp_request_of(tp_request_info *to) {
    static uint8_t room[TP_EVENT_MAX];
    int len = tp_host_request(room, sizeof room);
    const uint8_t *at = room;
    size_t left = len > 0 ? (size_t)len : 0;
    to->path = tp_next(&at, &left);
    to->host = tp_next(&at, &left);
    to->user_agent = tp_next(&at, &left);
    to->referer = tp_next(&at, &left);
    return len > 0;
}

/* In tp_http_response: the response, as above. */
static inline int tp_response_of(tp_response_info *to) {
    static uint8_t room[TP_EVENT_MAX];
    int len = tp_host_response(room, sizeof room);
    const uint8_t *at = room + 3;
    size_t left = len > 3 ? (size_t)len - 3 : 0;
    to->code = (uint16_t)tp_big(room, 2);
    to->status = room[2];
    to->endpoint = tp_next(&at, &left);
    return len > 0;
}

/* In tp_message: the message, as above. */
static inline int tp_message_of(tp_message_info *to) {
    static uint8_t room[TP_EVENT_MAX];
    int len = tp_host_message(room, sizeof room);
    if (len < 10) return 0;
    to->protocol = (uint32_t)tp_big(room + 2, 4);
    to->told.at = room + 10;
    to->told.len = tp_big(room + 6, 4);
    return to->told.len <= (size_t)len - 10;
}

static int tp_call(int (*function)(const tp_context *, const uint8_t *, size_t, tp_batch *)) {
    tp_context c;
    int len = function ? tp_read(&c) : -1;
    tp_records.len = tp_records.record = tp_records.part = 0;
    tp_records.cut = 0;
    if (len < 0 || !function(&c, tp_payload_room, (size_t)len, &tp_records)) return 0;
    tp_end(&tp_records);
    if (tp_records.len && !tp_records.cut) tp_host_records(tp_records.bytes, tp_records.len);
    return 1;
}

TP_EXPORT(_start) void tp_start(void) {}

TP_EXPORT(check_payload) int tp_check_payload(void) {
    tp_context c;
    tp_claim claim = {0, 0, ""};
    int len = tp_check ? tp_read(&c) : -1;
    if (len < 0 || !tp_check(&c, tp_payload_room, (size_t)len, &claim)) return 0;
    size_t name = tp_length(claim.name);
    if (name > 64) name = 64;
    tp_name_room[0] = 0;
    tp_name_room[1] = (uint8_t)name;
    for (size_t i = 0; i < name; i++) tp_name_room[2 + i] = (uint8_t)claim.name[i];
    tp_host_name(tp_name_room, 2 + name);
    return claim.number | (claim.from_server ? 2 : 1) << 8;
}

TP_EXPORT(parse_payload) int tp_parse_payload(void) { return tp_call(tp_parse); }
TP_EXPORT(on_http_req) int tp_on_http_req(void) { return tp_call(tp_http_request); }
TP_EXPORT(on_http_resp) int tp_on_http_resp(void) { return tp_call(tp_http_response); }
TP_EXPORT(on_custom_message) int tp_on_custom_message(void) { return tp_call(tp_message); }

#define TP_HOOKS(hooks)                                                                        \
    static const uint8_t tp_bitmap[16] = {                                                     \
        ((hooks) & TP_HTTP_REQUEST ? 0x80 : 0) | ((hooks) & TP_HTTP_RESPONSE ? 0x40 : 0)       \
            | ((hooks) & TP_MESSAGE ? 0x20 : 0),                                               \
        [15] = (hooks) & TP_PARSE ? 1 : 0};                                                    \
    TP_EXPORT(get_hook_bitmap) const uint8_t *tp_get_hook_bitmap(void) { return tp_bitmap; }

#define TP_MESSAGES(protocol)                                                                  \
    static const uint8_t tp_filter[8] = {[7] = (protocol)};                                    \
    TP_EXPORT(get_custom_message_hook) const uint8_t *tp_get_custom_message_hook(void) { return tp_filter; }

#endif
