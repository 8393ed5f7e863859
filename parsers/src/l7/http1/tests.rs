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
type Summary<'a> = (
    &'static str,
    &'a str,
    &'a str,
    Option<i64>,
    Option<u64>,
    Option<u64>,
);

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
    assert_eq!(
        (record.proto, record.kind, record.ended),
        ("http1", "matched", "response")
    );
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
    let resources: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.text(Field::Resource), t.resp_len))
        .collect();
    assert_eq!(
        resources,
        [
            ("matched", "/1", Some(41)),
            ("matched", "/2", Some(38)),
            ("matched", "/3", Some(43))
        ]
    );
    script.check();
}

#[test]
fn chunked_bodies_are_framed() {
    let request = "POST /u HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n\
        4\r\nwiki\r\n5;a=b\r\npedia\r\n0\r\nExpires: never\r\n\r\n";
    let response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n";
    let script = Script::tcp(80)
        .client(request)
        .server(response)
        .client(get("/next"))
        .server(ok("x"));
    let told = script.replay();
    assert_eq!(
        summary(&told),
        [
            (
                "matched",
                "POST",
                "/u",
                Some(200),
                Some(request.len() as u64),
                Some(response.len() as u64)
            ),
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

/// kind and resource, or code where there is no request.
fn outline(told: &[Told]) -> Vec<(&'static str, String)> {
    told.iter()
        .map(|t| {
            let resource = t.text(Field::Resource).to_owned();
            let code = t.code.map_or_else(String::new, |code| code.to_string());
            (t.kind, if resource.is_empty() { code } else { resource })
        })
        .collect()
}

fn matched(resource: &str) -> (&'static str, String) {
    ("matched", resource.to_owned())
}

#[test]
fn interim_responses_are_passed() {
    let last = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
    let script = Script::tcp(80)
        .client("PUT /f HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        .server("HTTP/1.1 100 Continue\r\n\r\n")
        .client("data")
        .server("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        .server(last)
        .client(get("/next"))
        .server(ok(""));
    let told = script.replay();
    assert_eq!(outline(&told), [matched("/f"), matched("/next")]);
    assert_eq!(
        (told[0].code, told[0].resp_len),
        (Some(201), Some(last.len() as u64))
    );
    script.check();
}

#[test]
fn a_body_without_length_lasts_until_close() {
    let response = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHTTP/1.1 404 no message\r\n\r\n";
    let script = Script::tcp(80)
        .client("GET /old HTTP/1.0\r\n\r\n")
        .server(response)
        .server("more");
    let told = script.replay();
    assert_eq!(outline(&told), [matched("/old")]);
    assert_eq!(
        (told[0].code, told[0].ended, told[0].truncated),
        (Some(200), "response", false)
    );
    assert_eq!(told[0].resp_len, Some(response.len() as u64 + 4));
    assert_eq!(told[0].text(Field::Version), "1.0");
    script.check();
}

#[test]
fn a_tunnel_is_inferred_anew() {
    let script = Script::tcp(8080)
        .client("CONNECT inner.example:443 HTTP/1.1\r\nHost: inner.example:443\r\n\r\n")
        .server("HTTP/1.1 200 Connection established\r\n\r\n")
        .client(get("/inside"))
        .server(ok("x"));
    let told = script.replay();
    assert_eq!(outline(&told), [matched("inner.example:443"), matched("/inside")]);
    assert_eq!(told[0].text(Field::Domain), "inner.example:443");
    script.check();
    let told = script.run(|_, bytes| vec![bytes.len()], None, 1);
    assert_eq!(outline(&told), [("orphan", "200".to_owned()), matched("/inside")]);
    let refused = Script::tcp(8080)
        .client("CONNECT inner.example:443 HTTP/1.1\r\n\r\n")
        .server("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        .client(get("/plain"))
        .server(ok("x"));
    assert_eq!(
        outline(&refused.replay()),
        [matched("inner.example:443"), matched("/plain")]
    );
    refused.check();
}

#[test]
fn behind_another_handshake_messages_are_found() {
    // SOCKS5: all of it could be the beginning of a message of some other protocol.
    let script = Script::tcp(1080)
        .client([5, 2, 0, 1])
        .server([5, 0])
        .client("name and password\n")
        .client(get("/behind"))
        .server(ok("x"));
    assert_eq!(outline(&script.replay()), [matched("/behind")]);
}

#[test]
fn tunnels_within_tunnels_end() {
    let established = "HTTP/1.1 200 Connection established\r\n\r\n".repeat(2000);
    let script = Script::tcp(8080).server(established);
    assert!(script.replay().len() < 20);
}

#[test]
fn an_upgrade_to_http2_hands_over() {
    let script = Script::tcp(80)
        .client("GET /h2 HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
        .server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
    let told = script.replay();
    assert_eq!(outline(&told), [matched("/h2")]);
    assert_eq!((told[0].code, told[0].status), (Some(101), "ok"));
    script.check();
}

#[test]
fn lenient_line_ends_are_read() {
    let script = Script::tcp(80)
        .client("\r\n\r\nGET /lf HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n\r\nGET /2 HTTP/1.1\n\n")
        .server("HTTP/1.1 200\nContent-Length:0\n\n\r\n")
        .server(ok(""));
    let told = script.replay();
    assert_eq!(outline(&told), [matched("/lf"), matched("/2")]);
    assert_eq!(told[0].text(Field::Domain), "a");
    script.check();
}

#[test]
fn folded_values_are_unfolded() {
    let script = Script::tcp(80)
        .client(
            "GET / HTTP/1.1\r\nUser-Agent: one\r\n two\r\n\tthree\r\nContent-Length:\r\n 2\r\nHost: h\r\n\r\nok",
        )
        .server(ok(""));
    let told = script.replay();
    assert_eq!(outline(&told), [matched("/")]);
    assert_eq!(told[0].text(Field::UserAgent), "one two three");
    assert_eq!(told[0].text(Field::Domain), "h");
    script.check();
}

#[test]
fn targets_in_absolute_form_name_their_host() {
    let script = Script::tcp(3128)
        .client("GET http://user:secret@origin.example:81/a/b/c?d HTTP/1.1\r\nHost: proxy\r\n\r\n")
        .server(ok(""))
        .client("OPTIONS * HTTP/1.1\r\nHost: any\r\n\r\n")
        .server(ok(""));
    let told = script.replay();
    let texts: Vec<_> = told
        .iter()
        .map(|t| {
            (
                t.text(Field::Domain),
                t.text(Field::Resource),
                t.text(Field::Endpoint),
            )
        })
        .collect();
    assert_eq!(
        texts,
        [("origin.example:81", "/a/b/c?d", "/a/b"), ("any", "*", "*")]
    );
    script.check();
}

#[test]
fn lengths_that_contradict_end_the_message() {
    for (field, whole) in [
        ("Content-Length: 2\r\nContent-Length: 2", true),
        ("Content-Length: 2, 2", true),
        ("Content-Length: 2\r\nContent-Length: 3", false),
        ("Content-Length: +2", false),
        ("Content-Length: 99999999999999999999", false),
        ("Content-Length:", false),
        ("Transfer-Encoding: gzip", false),
    ] {
        let script = Script::tcp(80)
            .client(format!("POST /p HTTP/1.1\r\n{field}\r\n\r\nok"))
            .server(ok(""))
            .client(get("/next"))
            .server(ok(""));
        let told = script.replay();
        assert_eq!(told[0].text(Field::Resource), "/p", "{field}");
        // Of the others nobody can tell where the body ends; servers close the connection.
        assert!(
            !whole || outline(&told) == [matched("/p"), matched("/next")],
            "{field}"
        );
        assert_eq!(told[0].truncated, !whole, "{field}");
        script.check();
    }
}

#[test]
fn responses_joined_mid_stream_stand_alone() {
    let script = Script::tcp(80)
        .server(ok("w") + &ok("x"))
        .client(get("/known"))
        .server(ok("y"));
    let told = script.replay();
    let orphan = ("orphan", "200".to_owned());
    assert_eq!(outline(&told), [orphan.clone(), orphan, matched("/known")]);
    script.check();
}

#[test]
fn endless_heads_are_cut_and_the_next_request_is_found() {
    for head in [
        "GET /long HTTP/1.1\r\nHost: a\r\n".to_owned() + &"X-Filler: 0123456789abcdef\r\n".repeat(1500),
        format!("GET /long{} HTTP/1.1\r\nHost: a\r\n", "/x".repeat(20_000)),
        format!(
            "GET /long HTTP/1.1\r\nCookie: {}\r\nHost: a\r\n",
            "c".repeat(40_000)
        ),
    ] {
        let script = Script::tcp(80)
            .client(head + "\r\n")
            .server(ok(""))
            .client(get("/next"))
            .server(ok(""));
        for step in [97, 700, 1448, 60_000] {
            let split = |_: usize, bytes: &[u8]| bytes.chunks(step).map(<[u8]>::len).collect();
            let told = script.run(split, None, 0);
            assert_eq!(told.len(), 2, "{step}: {told:#?}");
            assert!(told[0].text(Field::Resource).starts_with("/long"));
            assert!(told[0].truncated || step == 60_000, "{step}");
            assert_eq!(outline(&told[1..]), [matched("/next")]);
        }
    }
}

#[test]
fn secrets_are_redacted() {
    let mut script = Script::tcp(80)
        .client("GET /a?token=secret HTTP/1.1\r\nUser-Agent: secret\r\nReferer: secret\r\nX-Forwarded-For: secret\r\n\r\n")
        .server(ok(""));
    script.settings.redaction.url_query = true;
    script.settings.redaction.http_headers = true;
    let told = script.replay();
    assert_eq!(told[0].text(Field::Resource), "/a?token=?");
    assert!(!format!("{:?}", told[0]).contains("secret"));
    assert_eq!(told[0].text(Field::Referer), "?");
    script.check();
}

#[test]
fn messages_are_found_behind_a_body_that_was_lost_in_part() {
    let script = Script::tcp(80)
        .client("POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        .client("29\r\nGET /in/body ")
        .client("of this chunk there is no line end")
        .server(ok("1"))
        .client(get("/2"))
        .server(ok("2"))
        .server("torn".to_owned() + &ok("3"));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(1), 0);
    assert_eq!(outline(&told[..2]), [matched("/up"), matched("/2")]);
    use super::start_line::{find_request, find_response};
    let lost = "x".repeat(90) + &get("/3");
    assert_eq!(find_request(lost.as_bytes()), Some(90));
    assert_eq!(find_request(b"xUNLOCK /3 HTTP/1.1\r\n\r\n"), Some(1));
    assert_eq!(find_request(b"\nUNLOCK /3 HTTP/1.1\r\nab c"), Some(1));
    assert_eq!(find_request(b"xUNLOCK /3 HTTP/1.1\r\nab c"), None);
    assert_eq!(find_response(b"xHTTP/1.1 200 OK\r\nA: b"), Some(1));
    assert_eq!(find_response(b"as HTTP/1.1 200 OK\r\nsays"), None);
    // Searches that would be hopeless if they cost the square of the input.
    for hay in ["GET / HTTP/1.1", "HTTP/1.1 200 "] {
        let hay = hay.repeat(500_000);
        assert_eq!(find_request(hay.as_bytes()), None);
        assert_eq!(find_response(hay.as_bytes()), None);
    }
}

#[test]
fn a_gap_within_a_body_costs_only_what_needed_it() {
    let body = "b".repeat(3000);
    let length = format!("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n{}", &body[..1000]);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nBB8\r\n{}",
        &body[..1000]
    );
    for (head, tail) in [(length, ""), (chunked, "\r\n0\r\n\r\n")] {
        let script = Script::tcp(80)
            .client(get("/1"))
            .server(&head)
            .server(&body[..1000])
            .server(body[..1000].to_owned() + tail)
            .client(get("/2"))
            .server(ok("2"));
        let whole = script.replay();
        assert_eq!(outline(&whole), [matched("/1"), matched("/2")]);
        let told = script.run(|_, bytes| vec![bytes.len()], Some(2), 0);
        assert_eq!(outline(&told), [matched("/1"), matched("/2")]);
        assert_eq!((told[0].gap_bytes, told[0].resp_len), (1000, whole[0].resp_len));
        script.check();
    }
}

#[test]
fn what_is_not_http_is_left_alone() {
    use super::start_line::probe;
    use crate::parser::{Probe, Speaker};
    for no in [
        "SIP/2.0 200 OK\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\n",
        "DESCRIBE rtsp://h/s RTSP/1.0\r\n",
        "GET /media RTSP/1.0\r\n",
        "RTSP/1.0 200 OK\r\n",
        "ICY 200 OK\r\n",
        "HTTP/2.0 200 OK\r\n",
        "HTTP/1.1 2000\r\n",
        "HTTP/1.1 20x\r\n",
        "PRI * HTTP/2.0\r\n",
        "GET / HTTP/0.9\r\n",
        "GET /\r\n",
        "GET / http/1.1\r\n",
        "EHLO host\r\n",
        "USER name\r\n",
        "SSH-2.0-x\r\n",
        "PING\r\n",
        "get key\r\n",
        "bodyGET / HTTP/1.1\r\n",
        "GET\0/ HTTP/1.1\r\n",
        "GET /\x01 HTTP/1.1\r\n",
        " GET / HTTP/1.1\r\n",
    ] {
        assert_eq!(probe(no.as_bytes()), Probe::NoMatch, "{no:?}");
    }
    for (yes, speaker) in [
        ("GET / HTTP/1.1\r\n", Speaker::Client),
        ("\r\nPROPFIND /dav HTTP/1.0\r\n", Speaker::Client),
        ("FROB /x HTTP/1.1\r\n", Speaker::Client),
        ("GET /x HTTP/1.1\n", Speaker::Client),
        ("CONNECT h:1 HTTP/1.1\r\n", Speaker::Client),
        ("GET /a b HTTP/1.1 \r\n", Speaker::Client),
        ("HTTP/1.1 200 OK\r\n", Speaker::Server),
        ("HTTP/1.0 404\r\n", Speaker::Server),
        ("HTTP/1.1 200 ", Speaker::Server),
    ] {
        assert_eq!(probe(yes.as_bytes()), Probe::Match(speaker), "{yes:?}");
    }
    for more in [
        "",
        "G",
        "GET",
        "GET ",
        "GET /a",
        "HTTP",
        "HTTP/1.1 20",
        "HTTP/1.1 200",
        "\r",
        "GET http://h/ HTTP/1.1",
    ] {
        assert_eq!(probe(more.as_bytes()), Probe::NeedMore, "{more:?}");
    }
    let long = format!("GET /{}", "x".repeat(600));
    assert_eq!(probe(long.as_bytes()), Probe::Match(Speaker::Client));
    let long = format!("GET sip:{}", "x".repeat(600));
    assert_eq!(probe(long.as_bytes()), Probe::NoMatch);
}

fn grpc_web_call(path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: api.example\r\nContent-Type: application/grpc-web+proto\r\n\
         Content-Length: 5\r\n\r\n\0\0\0\0\0"
    )
}

#[test]
fn calls_of_browsers_are_grpc() {
    let trailers = "grpc-status:5\r\ngrpc-message:no%20cup\r\n";
    let message = |flags: u8, content: &str| {
        let mut bytes = vec![flags];
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(content.as_bytes());
        bytes
    };
    let body = [message(0, "answer"), message(0x80, trailers)].concat();
    let whole = [
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web+proto\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .as_bytes(),
        &body,
    ]
    .concat();
    let chunk = |content: &[u8]| [format!("{:x}\r\n", content.len()).as_bytes(), content, b"\r\n"].concat();
    let chunked = [
        &b"HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
        &chunk(&message(0, &"long".repeat(2000))),
        &chunk(&message(0x80, "grpc-status: 0\r\n")),
        b"0\r\n\r\n",
    ]
    .concat();
    // The same trailers in base64, behind a message that was encoded by itself.
    let text = "AAAAAAF4gAAAABBncnBjLXN0YXR1czoxMw0K";
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web-text\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
    let failed = "HTTP/1.1 200 OK\r\nContent-Type: application/grpc-web\r\ngrpc-status: 7\r\nContent-Length: 0\r\n\r\n";
    let refused = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let script = Script::tcp(80)
        .client(grpc_web_call("/shop.Cart/Get"))
        .server(whole)
        .client(grpc_web_call("/shop.Cart/List"))
        .server(chunked)
        .client(grpc_web_call("/shop.Cart/Add"))
        .server(text)
        .client(grpc_web_call("/shop.Cart/Pay"))
        .server(failed)
        .client(grpc_web_call("/shop.Cart/Ship"))
        .server(refused);
    let told = script.replay();
    let seen: Vec<_> = told
        .iter()
        .map(|t| {
            (
                t.proto,
                t.text(Field::Resource),
                t.text(Field::Endpoint),
                t.code,
                t.status,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("grpc", "shop.Cart", "/shop.Cart/Get", Some(5), "client_error"),
            ("grpc", "shop.Cart", "/shop.Cart/List", Some(0), "ok"),
            ("grpc", "shop.Cart", "/shop.Cart/Add", Some(13), "server_error"),
            ("grpc", "shop.Cart", "/shop.Cart/Pay", Some(7), "client_error"),
            ("grpc", "shop.Cart", "/shop.Cart/Ship", Some(14), "server_error"),
        ]
    );
    assert_eq!(told[0].text(Field::Exception), "no cup");
    assert_eq!(
        (told[4].attr("http_status"), told[0].text(Field::Version)),
        ("503", "1.1")
    );
    script.check();
}
