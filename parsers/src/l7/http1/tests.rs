//! Conversations, and what must be told of them.

use crate::field::Field;
use crate::testing::{Script, Told};

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: example.com\r\nUser-Agent: test/1\r\n\r\n")
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// kind, req_type, resource, code, req_len, resp_len
type Summary<'a> = (&'static str, &'a str, &'a str, Option<i64>, Option<u64>, Option<u64>);

fn summary(told: &[Told]) -> Vec<Summary<'_>> {
    told.iter()
        .map(|t| {
            let (req_type, resource) = (t.text(Field::ReqType), t.text(Field::Resource));
            (t.kind, req_type, resource, t.code, t.req_len, t.resp_len)
        })
        .collect()
}

#[test]
fn one_exchange_tells_everything() {
    let request = "POST /api/v1/orders/7?full=1 HTTP/1.1\r\nhost: shop.example:8080\r\nUSER-AGENT:  curl/8 \r\n\
        Referer: http://shop.example/\r\nX-Forwarded-For: 10.0.0.1, 10.0.0.2\r\nX-Request-ID: r-1\r\n\
        traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nContent-Length: 4\r\n\r\nbody";
    let response = "HTTP/1.1 503 Service Unavailable\r\nServer: x\r\nContent-Length: 2\r\n\r\nno";
    let script = Script::tcp(80).client(request).server(response);
    let told = script.replay();
    assert_eq!(told.len(), 1);
    let record = &told[0];
    assert_eq!((record.proto, record.kind, record.ended), ("http1", "matched", "response"));
    assert_eq!((record.code, record.status), (Some(503), "server_error"));
    assert_eq!(record.text(Field::ReqType), "POST");
    assert_eq!(record.text(Field::Domain), "shop.example:8080");
    assert_eq!(record.text(Field::Resource), "/api/v1/orders/7?full=1");
    assert_eq!(record.text(Field::Endpoint), "/api/v1");
    assert_eq!(record.text(Field::Version), "1.1");
    assert_eq!(record.text(Field::UserAgent), "curl/8");
    assert_eq!(record.text(Field::Referer), "http://shop.example/");
    assert_eq!(record.text(Field::ForwardedFor), "10.0.0.1, 10.0.0.2");
    assert_eq!(record.text(Field::XRequestId), "r-1");
    assert_eq!(record.text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record.text(Field::SpanId), "00f067aa0ba902b7");
    assert_eq!(record.req_len, Some(request.len() as u64));
    assert_eq!(record.resp_len, Some(response.len() as u64));
    assert!(!record.truncated);
    script.check();
}

#[test]
fn keep_alive_and_pipelines_pair_in_order() {
    let script = Script::tcp(80)
        .client(get("/1"))
        .server(ok("one"))
        .client(get("/2") + &get("/3"))
        .server(ok("") + &ok("three"));
    let told = script.replay();
    let resources: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::Resource), t.resp_len)).collect();
    assert_eq!(
        resources,
        [("matched", "/1", Some(41)), ("matched", "/2", Some(38)), ("matched", "/3", Some(43))]
    );
    script.check();
}

#[test]
fn chunked_bodies_are_framed() {
    let request = "POST /u HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n\
        4\r\nwiki\r\n5;a=b\r\npedia\r\n0\r\nExpires: never\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let script = Script::tcp(80).client(request).server(response).client(get("/next")).server(ok("x"));
    let told = script.replay();
    assert_eq!(
        summary(&told),
        [
            ("matched", "POST", "/u", Some(200), Some(request.len() as u64), Some(response.len() as u64)),
            ("matched", "GET", "/next", Some(200), Some(61), Some(39)),
        ]
    );
    script.check();
}

#[test]
fn responses_without_body_end_with_their_head() {
    let head = "HEAD /h HTTP/1.1\r\n\r\n";
    let announced = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n";
    let script = Script::tcp(80)
        .client(head)
        .server(announced)
        .client(get("/a"))
        .server("HTTP/1.1 204 No Content\r\n\r\n")
        .client(get("/b"))
        .server("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")
        .client(get("/c"))
        .server(ok("c"));
    let codes: Vec<_> = script.replay().iter().map(|t| (t.kind, t.code)).collect();
    let matched = |code| ("matched", Some(code));
    assert_eq!(codes, [matched(200), matched(204), matched(304), matched(200)]);
    script.check();
}
