//! The example plugins of `sdk/`, as scripts/plugins builds them: the same protocol in each language. And one
//! in plain Go, for what a large runtime asks of the host.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{demo, replay, spec, with};
use std::path::Path;
use std::sync::Arc;
use tapir_parsers::field::Field;
use tapir_parsers::testing::Script;
use tapir_plugins::metrics::{Export, Reason};
use tapir_plugins::{Host, PluginSpec};

/// A host of the module that scripts/plugins built, if it did. With `framed`, it tells the lengths of messages.
fn built(name: &str, framed: bool) -> Option<Arc<Host>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../target/plugins/{name}.wasm"));
    if !path.is_file() {
        println!("skipped: no target/plugins/{name}.wasm; scripts/plugins builds it");
        return None;
    }
    let host = Host::new().unwrap().with_budget(None);
    let spec = PluginSpec {
        framed,
        path,
        ..spec(name)
    };
    let refused = host.load(&[spec]);
    assert!(refused.is_empty(), "{refused:?}");
    Some(Arc::new(host))
}

fn reads_the_house_protocol(name: &str) {
    let Some(host) = built(name, true) else { return };
    let long = "x".repeat(200);
    let script = Script::tcp(7700)
        .client(demo(1, 1, "question"))
        .client(demo(1, 2, &long))
        .server(demo(2, 2, ""))
        .server(demo(2, 1, "answer"));
    let script = with(script, &host);
    let told: Vec<_> = script
        .replay()
        .iter()
        .map(|t| {
            let text = |field| t.text(field).to_owned();
            let texts = [Field::Proto, Field::Resource, Field::Result].map(text);
            (t.kind, t.request_id, texts, t.req_len)
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                "matched",
                Some(2),
                ["Demo".to_owned(), long, String::new()],
                Some(206)
            ),
            (
                "matched",
                Some(1),
                ["Demo", "question", "answer"].map(str::to_owned),
                Some(14)
            ),
        ]
    );
    script.check();
}

#[test]
fn in_c() {
    reads_the_house_protocol("house_c");
}

#[test]
fn in_assemblyscript() {
    reads_the_house_protocol("house_as");
}

#[test]
fn in_rust() {
    reads_the_house_protocol("house_rust");
}

#[test]
fn in_plain_go() {
    reads_the_house_protocol("house_go");
}

/// A question for the address of www.example.com, and its answer.
const QUESTION: &[u8] = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";
const ANSWER: &[u8] = b"\x12\x34\x81\x80\0\x01\0\x01\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01\
    \xc0\x0c\0\x01\0\x01\0\0\x0e\x10\0\x04\x5d\xb8\xd8\x22";
/// As the answer, but that there is no such name.
const NO_SUCH_NAME: &[u8] = b"\x12\x35\x81\x83\0\x01\0\0\0\0\0\0\x03www\x07example\x03com\0\0\x01\0\x01";

#[test]
fn a_plugin_takes_dns_over_from_the_built_in_parser() {
    let Some(host) = built("dns_rust", false) else {
        return;
    };
    let mut second = QUESTION.to_vec();
    second[1] = 0x35;
    let script = || {
        Script::udp(53)
            .client(QUESTION)
            .client(&second)
            .server(NO_SUCH_NAME)
            .server(ANSWER)
    };
    let told: Vec<_> = replay(script(), &host)
        .iter()
        .map(|t| {
            let texts = [Field::Proto, Field::ReqType, Field::Resource, Field::Result];
            let texts = texts.map(|field| t.text(field).to_owned());
            (t.kind, t.request_id, t.status, t.code, texts)
        })
        .collect();
    let texts = |result: &str| ["house-dns", "A", "www.example.com.", result].map(str::to_owned);
    assert_eq!(
        told,
        [
            ("matched", Some(0x1235), "client_error", Some(3), texts("")),
            ("matched", Some(0x1234), "ok", Some(0), texts("93.184.216.34")),
        ]
    );
    // Where there is no plugin, or its time is used up, the built-in one reads it.
    assert!(script().replay().iter().all(|t| t.proto == "dns"));
    // What only looks like DNS is left.
    let noise: Vec<_> = (0..200)
        .map(|seed| tapir_parsers::testing::noise(seed, 64))
        .collect();
    let noisy = noise.iter().fold(Script::udp(53), Script::client);
    replay(noisy, &host);
    let failures: u64 = host.metrics()[0].exports.iter().flat_map(|e| e.failures).sum();
    assert_eq!(failures, 0);
}

#[test]
fn a_plugin_in_rust_adds_attributes_and_traces_to_http() {
    adds_to_http("http_rust");
}

#[test]
fn a_plugin_in_c_adds_attributes_and_traces_to_http() {
    adds_to_http("http_c");
}

#[test]
fn a_plugin_in_assemblyscript_adds_attributes_and_traces_to_http() {
    adds_to_http("http_as");
}

fn adds_to_http(name: &str) {
    let Some(host) = built(name, false) else {
        return;
    };
    let script = Script::tcp(80)
        .client("GET /cart?full=1&user=ada HTTP/1.1\r\nHost: shop\r\nX-House-Trace: 4bf9/00f0\r\n\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        .client("POST /cart HTTP/1.1\r\nHost: shop\r\nContent-Length: 20\r\n\r\nX-House-Trace: body\r\n")
        .server("HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n{\"error\":\"out of stock\"}");
    let script = with(script, &host);
    let told: Vec<_> = script
        .replay()
        .iter()
        .map(|t| {
            let texts =
                [Field::TraceId, Field::SpanId, Field::Exception].map(|field| t.text(field).to_owned());
            (
                t.proto,
                t.status,
                t.code,
                texts,
                t.attr("user").to_owned(),
                t.attr("asked").to_owned(),
            )
        })
        .collect();
    let texts = |texts: [&str; 3]| texts.map(str::to_owned);
    assert_eq!(
        told,
        [
            (
                "http1",
                "ok",
                Some(200),
                texts(["4bf9", "00f0", ""]),
                "ada".to_owned(),
                String::new()
            ),
            (
                "http1",
                "server_error",
                Some(200),
                texts(["", "", "out of stock"]),
                String::new(),
                "/cart".to_owned()
            ),
        ]
    );
    script.check();
}

#[test]
fn a_plugin_in_c_adds_to_dubbo() {
    adds_to_dubbo("dubbo_c");
}

#[test]
fn a_plugin_in_assemblyscript_adds_to_dubbo() {
    adds_to_dubbo("dubbo_as");
}

#[test]
fn a_plugin_in_rust_adds_to_dubbo() {
    adds_to_dubbo("dubbo_rust");
}

/// A frame of Dubbo: flags, status, id and body.
fn frame(flags: u8, status: u8, id: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    let head = [0xDA, 0xBB, flags, status, 0, 0, 0, 0, 0, 0, 0, id];
    [&head[..], &len, body].concat()
}

fn adds_to_dubbo(name: &str) {
    let Some(host) = built(name, false) else {
        return;
    };
    let call = |id, attachments: &[u8]| {
        let hello = b"\x052.0.2\x07svc.Foo\x050.0.0\x05hello\x00";
        frame(0xC2, 0, id, &[&hello[..], attachments].concat())
    };
    let answer = |id| frame(0x02, 20, id, b"\x94\x02ok");
    let script = Script::tcp(20880)
        .client(call(1, b"H\x06tenant\x04acmeZ"))
        .server(answer(1))
        .client(call(2, b"HZ"))
        .server(answer(2))
        // Longer than what is left of the message.
        .client(call(3, b"H\x06tenant\x1facme"))
        .server(answer(3));
    let told: Vec<_> = with(script, &host)
        .replay()
        .iter()
        .map(|t| {
            (
                t.proto,
                t.kind,
                t.text(Field::ReqType).to_owned(),
                t.attr("tenant").to_owned(),
            )
        })
        .collect();
    let call = |tenant: &str| ("dubbo", "matched", "hello".to_owned(), tenant.to_owned());
    assert_eq!(told, [call("acme"), call(""), call("")]);
    let metrics = &host.metrics()[0];
    assert_eq!(metrics.exports[Export::OnCustomMessage as usize].calls, 6);
    assert!(Reason::ALL.iter().all(|reason| metrics.failures(*reason) == 0));
}
