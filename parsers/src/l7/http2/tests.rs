//! Conversations, and what must be told of them.

use super::PREFACE;
use super::hpack::encoder::{Write, block};
use crate::field::Field;
use crate::testing::{Script, Told};
use Write::{Added, AddedAt, Indexed, NeverAt, Plain};

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const PRIORITY: u8 = 0x20;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, l2, l1, l0] = (payload.len() as u32).to_be_bytes();
    let head = [&[l2, l1, l0, kind, flags][..], &stream.to_be_bytes()].concat();
    [&head[..], payload].concat()
}

pub(super) fn data(stream: u32, flags: u8, len: usize) -> Vec<u8> {
    frame(0, flags, stream, &vec![b'd'; len])
}

/// HEADERS of these fields, Huffman-coded.
pub(super) fn headers(stream: u32, flags: u8, fields: &[Write<'_>]) -> Vec<u8> {
    frame(1, flags | END_HEADERS, stream, &block(fields, true))
}

pub(super) fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(3, 0, stream, &code.to_be_bytes())
}

/// What a connection begins with, on both sides.
pub(super) fn connected() -> Script {
    let settings = frame(4, 0, 0, &[0, 3, 0, 0, 0, 100, 0, 4, 0, 0, 0xFF, 0xFF]);
    Script::tcp(8080)
        .client([&PREFACE[..], &settings].concat())
        .server([&settings[..], &frame(4, 1, 0, &[])].concat())
        .client([frame(4, 1, 0, &[]), frame(8, 0, 0, &[0, 1, 0, 0])].concat())
}

pub(super) fn get<'a>(path: &'a str) -> [Write<'a>; 4] {
    [
        Indexed(2),
        Indexed(6),
        AddedAt(1, "example.com"),
        NeverAt(4, path),
    ]
}

pub(super) fn call(path: &str) -> [Write<'_>; 6] {
    [
        Indexed(3),
        Indexed(6),
        Plain(":path", path),
        Plain(":authority", "svc:50051"),
        Plain("content-type", "application/grpc+proto"),
        Plain("te", "trailers"),
    ]
}

pub(super) const CALL_ANSWERED: [Write<'static>; 2] = [Indexed(8), Plain("content-type", "application/grpc")];

pub(super) type Outline<'a> = (&'a str, &'a str, Option<u64>, &'a str, Option<i64>, &'a str);

/// proto, kind, request_id, resource, code, status
pub(super) fn outline(told: &[Told]) -> Vec<Outline<'_>> {
    told.iter()
        .map(|t| {
            (
                t.proto,
                t.kind,
                t.request_id,
                t.text(Field::Resource),
                t.code,
                t.status,
            )
        })
        .collect()
}

#[test]
fn one_exchange_tells_everything() {
    let fields = block(
        &[
            Indexed(2),
            Indexed(7),
            AddedAt(1, "shop.example:8080"),
            Added(":path", "/api/v1/orders/7?full=1"),
            Added("user-agent", "curl/8"),
            AddedAt(51, "http://shop.example/"),
            Added("x-forwarded-for", "10.0.0.1, 10.0.0.2"),
            Added("x-request-id", "r-1"),
            Added(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            ),
            Added("cookie", "unread"),
        ],
        true,
    );
    let padded = [&[3, 0, 0, 0, 0, 16][..], &fields, &[0; 3]].concat();
    let request = frame(1, END_STREAM | END_HEADERS | PADDED | PRIORITY, 1, &padded);
    let response = headers(1, 0, &[AddedAt(8, "503"), Added("server", "x")]);
    let body = data(1, END_STREAM, 20);
    let script = connected()
        .client(&request)
        .server([&response[..], &body].concat());
    let told = script.replay();
    assert_eq!(told.len(), 1, "{told:#?}");
    let record = &told[0];
    assert_eq!(
        (record.proto, record.kind, record.ended),
        ("http2", "matched", "response")
    );
    assert_eq!((record.code, record.status), (Some(503), "server_error"));
    assert_eq!(record.request_id, Some(1));
    assert_eq!(record.text(Field::ReqType), "GET");
    assert_eq!(record.text(Field::Domain), "shop.example:8080");
    assert_eq!(record.text(Field::Resource), "/api/v1/orders/7?full=1");
    assert_eq!(record.text(Field::Endpoint), "/api/v1");
    assert_eq!(record.text(Field::Version), "2");
    assert_eq!(record.text(Field::UserAgent), "curl/8");
    assert_eq!(record.text(Field::Referer), "http://shop.example/");
    assert_eq!(record.text(Field::ForwardedFor), "10.0.0.1, 10.0.0.2");
    assert_eq!(record.text(Field::XRequestId), "r-1");
    assert_eq!(record.text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record.text(Field::SpanId), "00f067aa0ba902b7");
    assert_eq!(record.req_len, Some(request.len() as u64));
    assert_eq!(record.resp_len, Some((response.len() + body.len()) as u64));
    assert!(!record.truncated);
    script.check();
}

/// Servers of gRPC send their SETTINGS when a client connects, before its preface is there.
#[test]
fn a_server_may_allow_long_frames_before_the_client_begins() {
    let allowing = frame(4, 0, 0, &[0, 5, 0, 0x40, 0, 0]);
    let opening = [&PREFACE[..], &frame(4, 0, 0, &[])].concat();
    let long = |stream| {
        [
            headers(stream, 0, &call("/p.S/M")),
            data(stream, END_STREAM, 100_000),
        ]
        .concat()
    };
    let answer = |stream| headers(stream, END_STREAM, &[Indexed(8), Plain("grpc-status", "0")]);
    let script = Script::tcp(8080)
        .server(&allowing)
        .client(opening)
        .client(long(1))
        .server(answer(1))
        .client(long(3))
        .server(answer(3));
    let told = script.replay();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told.iter().all(|t| t.req_len > Some(100_000) && !t.truncated),
        "{told:#?}"
    );
    // Without them all that can be said is that they may have been lost.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(0), 0);
    assert!(
        told.iter().all(|t| t.kind == "matched" && !t.truncated),
        "{told:#?}"
    );
}

#[test]
fn streams_interleave() {
    let script = connected()
        .client([headers(1, 0, &get("/1")), headers(3, END_STREAM, &get("/3"))].concat())
        .client(
            [
                data(1, 0, 10),
                headers(5, END_STREAM, &get("/5")),
                data(1, END_STREAM, 5),
            ]
            .concat(),
        )
        .server([headers(5, 0, &[Indexed(8)]), headers(1, 0, &[Indexed(9)])].concat())
        .server([data(5, 0, 100), data(1, 0, 7), data(5, END_STREAM, 100)].concat())
        .server([headers(3, END_STREAM, &[Indexed(13)]), data(1, END_STREAM, 0)].concat());
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http2", "matched", Some(5), "/5", Some(200), "ok"),
            ("http2", "matched", Some(3), "/3", Some(404), "client_error"),
            ("http2", "matched", Some(1), "/1", Some(204), "ok"),
        ]
    );
    // Every frame counts with its head, and to its own stream.
    let resp: Vec<_> = told.iter().map(|t| t.resp_len).collect();
    assert_eq!(resp, [Some(10 + 2 * 109), Some(10), Some(10 + 16 + 9)]);
    assert!(
        told.iter()
            .all(|t| t.text(Field::Domain) == "example.com" && !t.truncated)
    );
    script.check();
}

#[test]
fn blocks_of_several_frames_are_one() {
    let fields = block(
        &[
            Indexed(2),
            Added(":path", "/continued"),
            Added("user-agent", "a".repeat(300).as_str()),
        ],
        true,
    );
    let (first, rest) = fields.split_at(5);
    let (second, third) = rest.split_at(100);
    let request = [
        frame(1, END_STREAM, 1, first),
        frame(9, 0, 1, second),
        frame(9, END_HEADERS, 1, third),
    ]
    .concat();
    let script = connected()
        .client(&request)
        .server(headers(1, END_STREAM, &[Indexed(8)]))
        .client(headers(3, END_STREAM, &[Indexed(2), Indexed(63)]))
        .server(headers(3, END_STREAM, &[Indexed(8)]));
    let told = script.replay();
    let whole = |id| ("http2", "matched", Some(id), "/continued", Some(200), "ok");
    assert_eq!(outline(&told), [whole(1), whole(3)]);
    assert_eq!(told[0].text(Field::UserAgent).len(), 300);
    assert_eq!(told[0].req_len, Some(request.len() as u64));
    script.check();
}

#[test]
fn interim_responses_and_trailers_belong_to_the_response() {
    let script = connected()
        .client(headers(1, 0, &get("/upload")))
        .server(headers(1, 0, &[AddedAt(8, "100")]))
        .server(headers(1, 0, &[AddedAt(8, "103"), Plain("link", "</style.css>")]))
        .client([data(1, 0, 50), headers(1, END_STREAM, &[Plain("checksum", "1")])].concat())
        .server([headers(1, 0, &[Indexed(8)]), data(1, 0, 5)].concat())
        .server(headers(1, END_STREAM, &[Plain("server-timing", "x")]));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [("http2", "matched", Some(1), "/upload", Some(200), "ok")]
    );
    assert!(!told[0].truncated);
    script.check();
}

#[test]
fn a_push_is_a_stream_record() {
    let promise = [&2u32.to_be_bytes()[..], &block(&get("/style.css"), true)].concat();
    let script = connected()
        .client(headers(1, END_STREAM, &get("/")))
        .server(frame(5, END_HEADERS, 1, &promise))
        .server([headers(1, 0, &[Indexed(8)]), headers(2, 0, &[Indexed(8)])].concat())
        .server([data(2, END_STREAM, 30), data(1, END_STREAM, 3)].concat());
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http2", "stream", Some(2), "/style.css", Some(200), "ok"),
            ("http2", "matched", Some(1), "/", Some(200), "ok"),
        ]
    );
    assert_eq!(told[0].req_len, Some(9 + promise.len() as u64));
    script.check();
}

#[test]
fn a_reset_ends_its_stream_alone() {
    let script = connected()
        .client(
            [
                headers(1, END_STREAM, &get("/1")),
                headers(3, END_STREAM, &get("/3")),
            ]
            .concat(),
        )
        .client([headers(5, 0, &get("/5")), headers(7, END_STREAM, &get("/7"))].concat())
        .server(headers(3, 0, &[Indexed(8)]))
        .server([reset(1, 7), reset(3, 2)].concat())
        .client(reset(7, 8))
        // Sent before the reset came.
        .server(headers(7, END_STREAM, &[Indexed(8)]))
        .server([headers(5, END_STREAM, &[Indexed(14)]), reset(5, 0)].concat());
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http2", "no_response", Some(1), "/1", None, "server_error"),
            ("http2", "matched", Some(3), "/3", Some(200), "server_error"),
            ("http2", "matched", Some(7), "/7", Some(200), "ok"),
            ("http2", "matched", Some(5), "/5", Some(500), "server_error"),
        ]
    );
    let ends: Vec<_> = told
        .iter()
        .map(|t| (t.ended, t.text(Field::Exception), t.attr("reset_by")))
        .collect();
    assert_eq!(
        ends,
        [
            ("rst", "REFUSED_STREAM", "server"),
            ("rst", "INTERNAL_ERROR", "server"),
            ("response", "CANCEL", "client"),
            ("response", "", ""),
        ]
    );
    script.check();
}

#[test]
fn what_a_client_gives_up_without_answer_ends_as_reset() {
    let script = connected()
        .client(headers(1, END_STREAM, &get("/slow")))
        .client(reset(1, 8));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [("http2", "no_response", Some(1), "/slow", None, "unknown")]
    );
    assert_eq!((told[0].ended, told[0].text(Field::Exception)), ("rst", "CANCEL"));
    script.check();
}

#[test]
fn an_upgrade_goes_on_with_stream_1() {
    let script = Script::tcp(80)
        .client(
            "GET /first?q=1 HTTP/1.1\r\nHost: a.example\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        )
        .server("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        .server(frame(4, 0, 0, &[]))
        .client([&PREFACE[..], &frame(4, 0, 0, &[])].concat())
        .server([headers(1, 0, &[Indexed(8)]), data(1, END_STREAM, 4)].concat())
        .client(headers(3, END_STREAM, &get("/second")))
        .server(headers(3, END_STREAM, &[Indexed(13)]));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http1", "matched", None, "/first?q=1", Some(101), "ok"),
            ("http2", "matched", Some(3), "/second", Some(404), "client_error"),
            ("http2", "orphan", Some(1), "/first?q=1", Some(200), "ok"),
        ]
    );
    assert_eq!(told[2].text(Field::Domain), "a.example");
    script.check();
}

#[test]
fn joined_in_the_middle_it_tells_what_it_can() {
    // Both tables were in use before.
    let script = Script::tcp(8080)
        .client(headers(
            1001,
            END_STREAM,
            &[
                Indexed(2),
                Indexed(70),
                Plain(":path", "/a/b/c"),
                AddedAt(71, "?"),
            ],
        ))
        .server(
            [
                headers(1001, 0, &[Indexed(8), Indexed(64)]),
                data(1001, END_STREAM, 9),
            ]
            .concat(),
        )
        .client(headers(
            1003,
            END_STREAM,
            &[Indexed(2), Indexed(62), AddedAt(1, "known")],
        ))
        .server(headers(1003, END_STREAM, &[Indexed(8)]))
        .client(headers(1005, END_STREAM, &[Indexed(2), Indexed(62), Indexed(4)]))
        .server(headers(1005, END_STREAM, &[Indexed(8)]));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http2", "matched", Some(1001), "/a/b/c", Some(200), "ok"),
            ("http2", "matched", Some(1003), "", Some(200), "ok"),
            ("http2", "matched", Some(1005), "/", Some(200), "ok"),
        ]
    );
    let details: Vec<_> = told
        .iter()
        .map(|t| (t.truncated, t.text(Field::Domain)))
        .collect();
    assert_eq!(details, [(true, ""), (true, "known"), (false, "known")]);
    script.check();
}

#[test]
fn a_call_tells_service_and_status() {
    let mut request = call("/shop.v1.Cart/Add%20Item").to_vec();
    request.extend([Plain("grpc-timeout", "5S"), Plain("user-agent", "grpc-go/1.60")]);
    let script = connected()
        .client([headers(1, 0, &request), data(1, END_STREAM, 25)].concat())
        .server([headers(1, 0, &CALL_ANSWERED), data(1, 0, 10)].concat())
        .server(headers(
            1,
            END_STREAM,
            &[Plain("grpc-status", "0"), Plain("grpc-message", "")],
        ));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [("grpc", "matched", Some(1), "shop.v1.Cart", Some(0), "ok")]
    );
    let record = &told[0];
    assert_eq!(record.text(Field::Endpoint), "/shop.v1.Cart/Add%20Item");
    assert_eq!(record.text(Field::ReqType), "POST");
    assert_eq!(record.text(Field::Domain), "svc:50051");
    assert_eq!(record.text(Field::UserAgent), "grpc-go/1.60");
    assert_eq!(record.attr("timeout"), "5S");
    script.check();
}

#[test]
fn calls_fail_in_trailers_alone_by_http_and_by_reset() {
    let failed = [
        Indexed(8),
        Plain("content-type", "application/grpc"),
        Plain("grpc-status", "5"),
        Plain("grpc-message", "no%20such%20cup"),
    ];
    let refused = [Plain(":status", "503"), Plain("content-type", "text/html")];
    let script = connected()
        .client(
            [
                headers(1, END_STREAM, &call("/s/a")),
                headers(3, END_STREAM, &call("/s/b")),
            ]
            .concat(),
        )
        .client(
            [
                headers(5, END_STREAM, &call("/s/c")),
                headers(7, END_STREAM, &call("/s/d")),
            ]
            .concat(),
        )
        .server(headers(1, END_STREAM, &failed))
        .server(headers(3, END_STREAM, &refused))
        .server(reset(5, 7))
        .client(reset(7, 8));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("grpc", "matched", Some(1), "s", Some(5), "client_error"),
            ("grpc", "matched", Some(3), "s", Some(14), "server_error"),
            ("grpc", "no_response", Some(5), "s", Some(14), "server_error"),
            ("grpc", "no_response", Some(7), "s", Some(1), "client_error"),
        ]
    );
    assert_eq!(told[0].text(Field::Exception), "no such cup");
    assert_eq!(told[1].attr("http_status"), "503");
    assert_eq!(told[3].text(Field::Exception), "CANCEL");
    script.check();
}

#[test]
fn streaming_calls_are_one_exchange() {
    let script = connected()
        .client(headers(1, 0, &call("/s/Both")))
        .server(headers(1, 0, &CALL_ANSWERED))
        .client(data(1, 0, 10))
        .server(data(1, 0, 20))
        .client(data(1, 0, 10))
        .server(
            [
                data(1, 0, 20),
                headers(1, END_STREAM, &[Plain("grpc-status", "0")]),
            ]
            .concat(),
        )
        .client(data(1, END_STREAM, 0));
    let told = script.replay();
    assert_eq!(outline(&told), [("grpc", "matched", Some(1), "s", Some(0), "ok")]);
    assert!(!told[0].truncated);
    script.check();
}

#[test]
fn fields_of_triple_tell_it() {
    let mut request = call("/org.Greeter/greet").to_vec();
    request.extend([
        Plain("tri-service-version", "1.0.0"),
        Plain("tri-consumer-appname", "app"),
    ]);
    let script = connected().client(headers(1, END_STREAM, &request)).server(
        [
            headers(1, 0, &CALL_ANSWERED),
            headers(1, END_STREAM, &[Plain("grpc-status", "2")]),
        ]
        .concat(),
    );
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [(
            "triple",
            "matched",
            Some(1),
            "org.Greeter",
            Some(2),
            "server_error"
        )]
    );
    assert_eq!(told[0].attr("service_version"), "1.0.0");
    script.check();
}

#[test]
fn only_what_is_wanted_becomes_a_record() {
    use crate::l7::Protocol;
    let mut script = connected()
        .client(
            [
                headers(1, END_STREAM, &get("/page")),
                headers(3, END_STREAM, &call("/s/a")),
            ]
            .concat(),
        )
        .server(
            [
                headers(1, END_STREAM, &[Indexed(8)]),
                headers(3, END_STREAM, &[Indexed(8), Plain("grpc-status", "0")]),
            ]
            .concat(),
        );
    let mut only = |wanted| {
        script.wanted = wanted;
        let told = script.replay();
        told.iter().map(|t| (t.proto, t.request_id)).collect::<Vec<_>>()
    };
    assert_eq!(only(|p| p == Protocol::Grpc), [("grpc", Some(3))]);
    assert_eq!(only(|p| p == Protocol::Http2), [("http2", Some(1))]);
    assert_eq!(only(|p| p == Protocol::Triple), []);
}
