//! Plugins that add to what built-in parsers read, and that take flows over from them.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{DEMO, MESSAGE, PARSE, REQUEST, RESPONSE, host, host_of, plugin, replay, spec};
use std::fmt::Write;
use tapir_parsers::field::Field;
use tapir_parsers::testing::Script;

/// Text of WAT for these bytes.
fn data(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "\\{byte:02x}");
        text
    })
}

/// Protobuf: a field of bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let key = u16::from(number) << 3 | 2;
    let key = if key < 128 {
        vec![key as u8]
    } else {
        vec![key as u8 & 0x7F | 0x80, (key >> 7) as u8]
    };
    [&key[..], &[bytes.len() as u8], bytes].concat()
}

fn batch(fields: &[Vec<u8>]) -> Vec<u8> {
    let record = [b"PB".to_vec(), fields.concat()].concat();
    [&(record.len() as u16).to_be_bytes()[..], &record].concat()
}

/// A plugin that hands this batch over in the function `name`, if what it reads first is as wanted.
fn telling(hook: u128, name: &str, read: &str, wanted: &[u8], batch: &[u8]) -> String {
    let functions = format!(
        r#"(data (i32.const 1024) "{}") (data (i32.const 2048) "{}")
        (func (export "{name}") (result i32)
          (local $i i32)
          (if (i32.ne (call {read} (i32.const 65536) (i32.const 65536)) (i32.const {len}))
            (then (return (i32.const 0))))
          (loop $next
            (if (i32.ne (i32.load8_u (i32.add (local.get $i) (i32.const 1024)))
                        (i32.load8_u (i32.add (local.get $i) (i32.const 65536))))
              (then (return (i32.const 0))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const {len}))))
          (drop (call $records (i32.const 2048) (i32.const {batch_len})))
          (i32.const 1))"#,
        data(wanted),
        data(batch),
        len = wanted.len(),
        batch_len = batch.len(),
    );
    plugin(hook, &functions)
}

const ASK: &str = "POST /test?a=1 HTTP/1.1\r\nHost: abc.com\r\nUser-Agent: deepflow\r\nReferer: aaa.com\r\n\
                   Content-Length: 5\r\n\r\nhello";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfailed";

fn texts(strings: &[&str]) -> Vec<u8> {
    strings
        .iter()
        .flat_map(|text| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat())
        .collect()
}

#[test]
fn a_request_is_rewritten_and_traced() {
    let info = texts(&["/test?a=1", "abc.com", "deepflow", "aaa.com"]);
    let request = [field(2, b"PUT"), field(3, b"house"), field(5, b"/end")].concat();
    let trace = [field(1, b"trace-1"), field(2, b"span-1"), field(4, b"x-1")].concat();
    let told = batch(&[
        field(10, &request),
        field(12, &trace),
        field(31, &[field(1, b"user"), field(2, b"17")].concat()),
        field(33, b"B-1"),
        vec![0x80, 2, 9],
    ]);
    let plugin = telling(REQUEST, "on_http_req", "$request", &info, &told);
    let records = replay(Script::tcp(80).client(ASK).server(ANSWER), &host(&plugin));
    let record = &records[0];
    assert_eq!(
        (record.proto, record.kind, record.status),
        ("http1", "matched", "ok")
    );
    let text = |field| record.text(field);
    assert_eq!(
        [
            text(Field::ReqType),
            text(Field::Domain),
            text(Field::Resource),
            text(Field::Endpoint)
        ],
        ["PUT", "house", "/test?a=1", "/end"]
    );
    assert_eq!(
        [text(Field::TraceId), text(Field::SpanId), text(Field::XRequestId)],
        ["trace-1", "span-1", "x-1"]
    );
    assert_eq!(
        [
            record.attr("user"),
            record.attr("biz_code"),
            record.attr("biz_type")
        ],
        ["17", "B-1", "9"]
    );
    assert_eq!(record.req_len, Some(ASK.len() as u64));
}

#[test]
fn a_response_is_told_with_its_requests_endpoint_and_gets_another_status() {
    let info = [&[0, 200, 0][..], &texts(&["/test"])].concat();
    let response = [vec![8, 3, 16, 0xF4, 3], field(3, b"boom")].concat();
    let plugin = telling(
        RESPONSE,
        "on_http_resp",
        "$response",
        &info,
        &batch(&[field(11, &response)]),
    );
    let records = replay(Script::tcp(80).client(ASK).server(ANSWER), &host(&plugin));
    let record = &records[0];
    assert_eq!((record.status, record.code), ("server_error", Some(500)));
    assert_eq!(record.text(Field::Exception), "boom");
}

#[test]
fn a_payload_is_the_whole_message_however_it_came() {
    let seen = batch(&[field(31, &[field(1, b"whole"), field(2, b"yes")].concat())]);
    let plugin = telling(REQUEST, "on_http_req", "$payload", ASK.as_bytes(), &seen);
    let script = Script::tcp(80).client(ASK).server(ANSWER);
    let script = common::with(script, &host(&plugin));
    for at in [1, 20, ASK.len() - 3] {
        let records = script.run(
            |i, bytes| {
                if i == 0 {
                    vec![at, bytes.len() - at]
                } else {
                    vec![bytes.len()]
                }
            },
            None,
            0,
        );
        assert_eq!((records.len(), records[0].attr("whole")), (1, "yes"), "{at}");
    }
    script.check();
}

#[test]
fn the_first_to_take_a_message_is_the_last_to_be_asked() {
    let told = |value: &[u8]| batch(&[field(31, &[field(1, b"by"), field(2, value)].concat())]);
    let info = texts(&["/test?a=1", "abc.com", "deepflow", "aaa.com"]);
    let of = |wanted: &[u8], by: &[u8]| telling(REQUEST, "on_http_req", "$request", wanted, &told(by));
    let (picky, first, second) = (of(b"other", b"picky"), of(&info, b"first"), of(&info, b"second"));
    let host = host_of(&[(spec("p"), &picky), (spec("a"), &first), (spec("b"), &second)]);
    let records = replay(Script::tcp(80).client(ASK).server(ANSWER), &host);
    assert_eq!(records[0].attr("by"), "first");
    let calls: Vec<_> = host.metrics().iter().map(|m| m.exports[2].calls).collect();
    assert_eq!(calls, [1, 1, 0]);
}

#[test]
fn http_is_not_taken_over_and_other_protocols_are() {
    // One that claims everything.
    let greedy = plugin(
        PARSE,
        "(data (i32.const 64) \"\\00\\03Own\") (data (i32.const 96) \"\\00\\04PB\\18\\07\")
         (func (export \"check_payload\") (result i32)
           (drop (call $name (i32.const 64) (i32.const 5))) (i32.const 9))
         (func (export \"parse_payload\") (result i32)
           (drop (call $records (i32.const 96) (i32.const 6))) (i32.const 1))",
    );
    let http = replay(Script::tcp(80).client(ASK).server(ANSWER), &host(&greedy));
    assert_eq!(http[0].proto, "http1");
    let redis = Script::tcp(6379)
        .client("*1\r\n$4\r\nPING\r\n")
        .server("+PONG\r\n");
    let told = replay(redis.clone(), &host(&greedy));
    assert_eq!(
        (told[0].proto, told[0].text(Field::Proto), told[0].request_id),
        ("custom", "Own", Some(7))
    );
    let none = replay(redis.clone(), &host(DEMO));
    let plain = redis.replay();
    assert_eq!(none, plain);
}

#[test]
fn records_without_ids_pair_in_order() {
    let nameless = plugin(
        PARSE,
        "(data (i32.const 64) \"\\00\\08PBj\\04Demo\") (data (i32.const 96) \"\\00\\06PBZ\\02\\08\\00\")
         (func (export \"check_payload\") (result i32) (i32.const 1))
         (func (export \"parse_payload\") (result i32)
           (drop (call $context (i32.const 2048) (i32.const 1024)))
           (if (i32.load8_u (i32.const 2072))
             (then (drop (call $records (i32.const 96) (i32.const 8))))
             (else (drop (call $records (i32.const 64) (i32.const 10)))))
           (i32.const 1))",
    );
    let script = Script::tcp(7700)
        .client("a")
        .server("b")
        .client("c")
        .server("d")
        .client("e");
    let told = replay(script, &host(&nameless));
    let all: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.proto, t.status, t.request_id))
        .collect();
    assert_eq!(
        all,
        [
            ("matched", "custom", "ok", None),
            ("matched", "custom", "ok", None),
            ("no_response", "custom", "unknown", None),
        ]
    );
}

#[test]
fn a_dubbo_call_gets_attributes_and_another_outcome() {
    let call = [
        b"\xda\xbb\xc2\x00\0\0\0\0\0\0\0\x05\0\0\0\x1d".as_slice(),
        b"\x052.0.2\x07svc.Foo\x050.0.0\x05hello\x00HZ",
    ]
    .concat();
    let answer = b"\xda\xbb\x02\x14\0\0\0\0\0\0\0\x05\0\0\0\x04\x94\x02ok";
    let failed = [vec![8, 3, 16, 0xF4, 3], field(3, b"boom")].concat();
    let told = batch(&[
        field(31, &[field(1, b"k"), field(2, b"v")].concat()),
        field(11, &failed),
    ]);
    let info = [0, 0, 0, 0, 0, 40, 0, 0, 0, 0];
    // Of the protocol 40, and of no other.
    for (filter, attr, status) in [(40u64, "v", "server_error"), (104, "", "ok")] {
        let functions = telling(MESSAGE, "on_custom_message", "$message", &info, &told);
        let hook = format!(
            "(data (i32.const 512) \"{}\")
             (func (export \"get_custom_message_hook\") (result i32) (i32.const 512))",
            data(&filter.to_be_bytes())
        );
        let end = functions.rfind(')').unwrap();
        let plugin = format!("{}{hook})", &functions[..end]);
        let script = Script::tcp(20880).client(&call).server(answer);
        let records = replay(script, &host(&plugin));
        let record = &records[0];
        assert_eq!(
            (record.proto, record.kind, record.status),
            ("dubbo", "matched", status)
        );
        assert_eq!((record.attr("k"), record.text(Field::ReqType)), (attr, "hello"));
    }
}
