//! Conversations in every form, and what must not be misread.

mod attachments;
mod codings;

use super::Dubbo;
use super::samples::*;
use crate::field::Field;
use crate::l7::hessian2::encoder::{int, map, object, string, string_in_pieces};
use crate::limits::DUBBO_HEAD_BYTES_MAX;
use crate::parser::{Direction, Parser, Probe, ProbeContext, Speaker, Transports};
use crate::testing::{Script, Told};

fn hessian_call(id: u64, types: &str, arguments: &[u8], attachments: &[u8]) -> Vec<u8> {
    message(
        REQUEST | HESSIAN2,
        0,
        id,
        &call_body(types, arguments, attachments),
    )
}

fn only(script: &Script) -> Told {
    let told = script.replay();
    assert_eq!(told.len(), 1, "{told:#?}");
    told[0].clone()
}

#[test]
fn a_call_and_its_answer() {
    let script = Script::tcp(20880)
        .client(call(0x1_0000_0007))
        .server(answer(0x1_0000_0007));
    let told = only(&script);
    assert_eq!((told.kind, told.status, told.code), ("matched", "ok", Some(20)));
    assert_eq!(told.request_id, Some(7));
    assert_eq!(told.text(Field::Version), "2.0.2");
    assert_eq!(told.text(Field::ReqType), "find");
    assert_eq!(told.text(Field::Domain), "org.example.Users");
    assert_eq!(told.text(Field::Resource), "org.example.Users");
    assert_eq!(told.text(Field::Endpoint), "org.example.Users/find");
    assert_eq!(told.text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(told.text(Field::SpanId), "00f067aa0ba902b7");
    assert_eq!(told.text(Field::XRequestId), "r-17");
    assert_eq!(told.attr("serialization"), "hessian2");
    assert_eq!(told.attr("service_version"), "1.2.0");
    assert_eq!(told.attr("parameter_types"), "Ljava/lang/String;");
    assert_eq!(told.req_len, Some(call(1).len() as u64));
    assert_eq!(told.resp_len, Some(answer(1).len() as u64));
    assert!(!told.truncated);
    script.check();
}

#[test]
fn calls_on_their_way_together_find_their_answers_by_the_whole_id() {
    let script = Script::tcp(20880)
        .client([call(1), call(2)].concat())
        .client(call(1 << 32 | 1))
        .server(answer(1 << 32 | 1))
        .server([answer(2), answer(1)].concat());
    let told = script.replay();
    let seen: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.request_id, t.times.0 / 1_000_000 % 100))
        .collect();
    assert_eq!(
        seen,
        [
            ("matched", Some(1), 2),
            ("matched", Some(2), 1),
            ("matched", Some(1), 1)
        ]
    );
    script.check();
}

#[test]
fn a_response_alone_says_what_it_can() {
    let told = only(&Script::tcp(20880).server(answer(5)));
    assert_eq!((told.kind, told.status, told.code), ("orphan", "ok", Some(20)));
    assert_eq!(
        (told.request_id, told.attr("serialization")),
        (Some(5), "hessian2")
    );
}

#[test]
fn a_call_without_an_answer_is_one_way() {
    let body = call_body("", b"", &map(&[("async", "false")]));
    let script = Script::tcp(20880).client(message(ONE_WAY | HESSIAN2, 0, 9, &body));
    let told = only(&script);
    assert_eq!((told.kind, told.request_id), ("oneway", Some(9)));
    assert_eq!(told.text(Field::Endpoint), "org.example.Users/find");
    script.check();
}

#[test]
fn heartbeats_are_counted_and_make_no_records_unless_asked_for() {
    let mut script = Script::tcp(20880)
        .client(message(REQUEST | EVENT | HESSIAN2, 0, 1, b"N"))
        .server(message(RESPONSE | EVENT | HESSIAN2, OK, 1, b"N"))
        .client(call(2))
        .server(answer(2))
        .server(message(REQUEST | EVENT | HESSIAN2, 0, 1, b"N"))
        .client(message(RESPONSE | EVENT | HESSIAN2, OK, 1, b"N"))
        .server(message(ONE_WAY | EVENT | HESSIAN2, 0, 2, b"\x01R"));
    assert_eq!(only(&script).text(Field::ReqType), "find");
    script.check();
    script.settings.keepalive_records = true;
    let told = script.replay();
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::ReqType))).collect();
    assert_eq!(
        seen,
        [
            ("matched", "heartbeat"),
            ("matched", "find"),
            ("matched", "heartbeat"),
            ("oneway", "readonly")
        ]
    );
    script.check();
}

#[test]
fn a_server_calls_back_with_ids_of_its_own() {
    let script = Script::tcp(20880)
        .client(call(1))
        .server(call(1))
        .client(answer(1))
        .server(answer(1));
    let told = script.replay();
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.ports.1, t.times.2)).collect();
    assert_eq!(
        seen,
        [
            ("matched", 20880, Some(1_000_000)),
            ("matched", 20880, Some(3_000_000))
        ]
    );
    script.check();
}

#[test]
fn who_calls_is_the_client_even_where_heartbeats_came_first() {
    // Joined mid-stream, with the ports the wrong way round.
    let script = Script::tcp(20880)
        .client("nothing that is known")
        .client(message(REQUEST | EVENT | HESSIAN2, 0, 1, b"N"))
        .server(message(RESPONSE | EVENT | HESSIAN2, OK, 1, b"N"))
        .server(call(2))
        .client(answer(2));
    let told = script.run(|_, bytes| vec![bytes.len()], None, 1);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!((told[0].kind, told[0].ports), ("matched", (20880, 40_000)));
}

#[test]
fn every_status_tells_who_failed() {
    for (status, told_status) in [
        (20, "ok"),
        (25, "server_error"),
        (30, "client_error"),
        (31, "server_error"),
        (35, "server_error"),
        (40, "client_error"),
        (50, "server_error"),
        (60, "server_error"),
        (70, "server_error"),
        (80, "server_error"),
        (90, "client_error"),
        (100, "server_error"),
    ] {
        let body = string("java.lang.IllegalStateException: too busy\n\tat org.example.Pool.run");
        let script = Script::tcp(20880)
            .client(call(3))
            .server(message(HESSIAN2, status, 3, &body));
        let told = only(&script);
        assert_eq!((told.status, told.code), (told_status, Some(i64::from(status))));
        let exception = if status == 20 {
            ""
        } else {
            "java.lang.IllegalStateException: too busy"
        };
        assert_eq!(told.text(Field::Exception), exception);
    }
    let long = string_in_pieces(&format!("broken {}", "x".repeat(40_000)), 0x8000);
    let script = Script::tcp(20880)
        .client(call(3))
        .server(message(HESSIAN2, 80, 3, &long));
    let told = only(&script);
    assert!(told.text(Field::Exception).starts_with("broken xxx") && told.truncated);
    assert_eq!(told.resp_len, Some(16 + long.len() as u64));
    script.check();
}

#[test]
fn what_a_service_throws_is_told_by_class_and_text() {
    let thrown = object(
        0,
        "org.example.NoSuchUser",
        &[
            ("code", int(404)),
            ("cause", object(1, "x", &[("list", b"\x7B\x90NQ\x90".to_vec())])),
            ("detailMessage", string("no user anna")),
            ("stackTrace", vec![b'N']),
        ],
    );
    for kind in [0x90, 0x93] {
        let body = [&[kind][..], &thrown, &map(&[("dubbo", "2.0.2")])].concat();
        let script = Script::tcp(20880)
            .client(call(3))
            .server(message(HESSIAN2, OK, 3, &body));
        let told = only(&script);
        assert_eq!((told.status, told.code), ("ok", Some(20)));
        assert_eq!(
            told.text(Field::Exception),
            "org.example.NoSuchUser: no user anna"
        );
        script.check();
    }
    let without_text = [
        &b"\x90"[..],
        &object(0, "org.example.Gone", &[("cause", vec![b'N'])]),
    ]
    .concat();
    let script = Script::tcp(20880)
        .client(call(3))
        .server(message(HESSIAN2, OK, 3, &without_text));
    assert_eq!(only(&script).text(Field::Exception), "org.example.Gone");
}

#[test]
fn a_head_without_end_is_given_up() {
    let body = [
        &string("2.0.2")[..],
        b"S\x7F\xFF",
        &vec![b'x'; 2 * DUBBO_HEAD_BYTES_MAX],
    ]
    .concat();
    let script = Script::tcp(20880)
        .client(message(REQUEST | HESSIAN2, 0, 3, &body))
        .server(answer(3));
    let told = only(&script);
    assert!(told.truncated && told.kind == "matched" && told.text(Field::Version) == "2.0.2");
    script.check();
}

#[test]
fn probes_are_strict() {
    let context = ProbeContext {
        transport: Transports::TCP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: false,
        behind_unknown: false,
        complete: false,
    };
    let probe = |bytes: &[u8]| Dubbo::probe(bytes, &context);
    assert_eq!(probe(&call(1)), Probe::Match(Speaker::Client));
    assert_eq!(probe(&answer(1)), Probe::Match(Speaker::Server));
    for len in 0..17 {
        assert_eq!(probe(&call(1)[..len]), Probe::NeedMore, "{len}");
    }
    assert_eq!(
        probe(&message(REQUEST | EVENT | HESSIAN2, 0, 1, b"N")),
        Probe::Match(Speaker::Either)
    );
    for wrong in [
        message(REQUEST, 0, 1, b""),
        message(0x40 | HESSIAN2, OK, 1, b""),
        message(HESSIAN2, 0, 1, b""),
        message(HESSIAN2, 21, 1, b""),
        message(REQUEST | HESSIAN2, 30, 1, b"\x00"),
        message(REQUEST | HESSIAN2, 0, 1, b"N"),
        b"\xDA\xBB\xC2\x00\x00\x00\x00\x00\x00\x00\x00\x01\xFF\x00\x00\x00".to_vec(),
        b"\xDA\xBA".to_vec(),
    ] {
        assert_eq!(probe(&wrong), Probe::NoMatch, "{wrong:02x?}");
    }
}
