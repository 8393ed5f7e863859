//! What is taken for Kafka, and what is not.

use super::{Wire, flexible, request, response, session};
use crate::l7::kafka::layouts;
use crate::l7::kafka::probe::{find_request, find_response, probe};
use crate::l7::kafka::request::Tag;
use crate::l7::kafka::under_way::UnderWay;
use crate::parser::{Direction, Probe, ProbeContext, Speaker, Transports};
use crate::testing::noise;

fn context() -> ProbeContext {
    ProbeContext {
        transport: Transports::TCP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: true,
        behind_unknown: false,
        complete: false,
    }
}

fn versions(correlation: i32) -> Vec<u8> {
    let mut wire = response(correlation).int16(0).int32(20);
    for key in 0..20 {
        wire = wire.int16(key).int16(0).int16(7);
    }
    wire.message()
}

fn metadata(correlation: i32) -> Vec<u8> {
    response(correlation)
        .int32(1)
        .int32(0)
        .text("kafka-0.shop.example")
        .int32(9092)
        .int32(1)
        .int16(0)
        .text("orders")
        .int32(1)
        .int16(0)
        .int32(0)
        .int32(0)
        .int32(1)
        .int32(0)
        .int32(1)
        .int32(0)
        .message()
}

#[test]
fn requests_tell_themselves() {
    for message in [
        request(18, 0, 0).message(),
        flexible(18, 4, 1)
            .compact("librdkafka")
            .compact("2.3.0")
            .no_tags()
            .message(),
        flexible(18, 7, 1)
            .compact("librdkafka")
            .compact("9.3.0")
            .no_tags()
            .message(),
        request(3, 1, 2).int32(-1).message(),
        request(16, 0, 2).message(),
        // Without a name.
        Wire::default().int16(16).int16(0).int32(7).int16(-1).message(),
    ] {
        assert_eq!(
            probe(&message, &context()),
            Probe::Match(Speaker::Client),
            "{message:?}"
        );
        for short in 0..message.len() {
            let judged = probe(&message[..short], &context());
            assert_ne!(judged, Probe::NoMatch, "{message:?} at {short}");
        }
    }
}

#[test]
fn answers_tell_themselves_where_they_say_enough() {
    let mut context = context();
    for message in [versions(1), metadata(9)] {
        assert_eq!(
            probe(&message, &context),
            Probe::Match(Speaker::Server),
            "{message:?}"
        );
    }
    let heartbeat = response(1200).int32(0).int16(0).message();
    // What says too little waits for the other side.
    assert_eq!(probe(&heartbeat, &context), Probe::NeedMore);
    context.complete = true;
    assert_eq!(probe(&heartbeat, &context), Probe::NoMatch);
    context.complete = false;
    context.on_known_port = true;
    assert_eq!(probe(&heartbeat, &context), Probe::Match(Speaker::Server));
    (context.direction_is_sure, context.direction) = (true, Direction::ToServer);
    assert_eq!(probe(&metadata(9), &context), Probe::NoMatch);
}

#[test]
fn an_answer_that_says_little_is_told_once_a_request_has_said_more() {
    let mut script = session()
        .server(response(6).int32(0).int16(0).message())
        .client(request(16, 0, 7).message())
        .server(response(7).int16(0).int32(0).message());
    script.server_port = 4711;
    let told = script.run(|_, bytes| vec![bytes.len()], None, 0);
    let brief: Vec<_> = told.iter().map(|t| (t.kind, t.request_id, t.ports)).collect();
    assert_eq!(
        brief,
        [
            ("matched", Some(7), (40_000, 4711)),
            ("orphan", Some(6), (40_000, 4711)),
        ]
    );
}

#[test]
fn the_first_answers_to_a_client_are_no_requests_to_produce() {
    // With the correlation id as key and version, a count as correlation id, and a topic as client's name.
    for correlation in 0..14 {
        for error in [0, 3] {
            let produced = response(correlation)
                .int32(1)
                .text("quickstart-events")
                .int32(1)
                .int32(0)
                .int16(error)
                .int64(4711)
                .int64(-1)
                .message();
            let judged = probe(&produced, &context());
            assert_eq!(judged, Probe::Match(Speaker::Server), "{correlation} {error}");
            assert_eq!(find_request(&produced), None);
        }
    }
}

#[test]
fn numbers_in_an_answer_are_no_other_answer() {
    // API 23 from version 0 to 1, API 24 from version 0 on: a length, correlation id 1, and an error.
    let mut under_way = UnderWay::NONE;
    under_way.add(1, Tag::new(18, 3));
    let mut wire = response(2).int16(0).int32(30);
    for key in 0..30 {
        wire = wire.int16(key).int16(0).int16(1);
    }
    assert_eq!(find_response(&wire.message(), &under_way), None);
    assert_eq!(find_response(&versions(1), &under_way), Some(0));
    let behind = [&b"the end of another"[..], &versions(1)].concat();
    assert_eq!(find_response(&behind, &under_way), Some(18));
}

#[test]
fn others_are_not_taken_for_it() {
    let others: [&[u8]; 7] = [
        // OpenWire: a wire format, a keep-alive.
        b"\x00\x00\x00\x2a\x01ActiveMQ\x00\x00\x00\x0c\x01\x00\x00\x00\x14\x00\x00\x00\x01\x00\x0fCacheEnabled\x01\x01",
        b"\x00\x00\x00\x0b\x0a\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00",
        // DNS over TCP, NetBIOS, SMB2.
        b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x01\x00\x01",
        b"\x00\x00\x00\x2f\xffSMBr\x00\x00\x00\x00\x18\x01\x28",
        b"\x00\x00\x00\x6c\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00",
        // SSH agent, Thrift.
        b"\x00\x00\x00\x01\x0b",
        b"\x00\x00\x00\x11\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x01\x00",
    ];
    let mut context = context();
    context.complete = true;
    for other in others {
        assert_eq!(probe(other, &context), Probe::NoMatch, "{other:?}");
    }
    for seed in 0..2000 {
        let mut bytes = noise(seed, 60);
        let length = bytes.len() as u32 - 4;
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        assert_eq!(probe(&bytes, &context), Probe::NoMatch, "{bytes:?}");
        // As numbers in other binary protocols are: mostly zeros.
        for byte in bytes.iter_mut().skip(4).filter(|byte| **byte & 7 > 0) {
            *byte = 0;
        }
        assert_eq!(probe(&bytes, &context), Probe::NoMatch, "{bytes:?}");
    }
}

#[test]
fn messages_are_found_behind_the_rest_of_another() {
    let ask = request(3, 1, 2).int32(1).text("orders").message();
    let behind = [&[b'x'; 100][..], &ask].concat();
    assert_eq!(find_request(&behind), Some(100));
    assert_eq!(find_request(&behind[..100]), None);
    let answers = [&[b'x'; 100][..], &metadata(9), &metadata(10)].concat();
    let mut under_way = UnderWay::NONE;
    assert_eq!(find_response(&answers, &under_way), None);
    for correlation in 0..30 {
        under_way.add(correlation, Tag::new(12, 0));
    }
    assert_eq!(find_response(&answers, &under_way), None);
    under_way.add(10, Tag::new(3, 0));
    assert_eq!(find_response(&answers, &under_way), Some(100 + metadata(9).len()));
    under_way.add(9, Tag::new(3, 0));
    assert_eq!(find_response(&answers, &under_way), Some(100));
    under_way.remove(9);
    under_way.remove(10);
    assert_eq!(find_response(&answers, &under_way), None);
}

#[test]
fn layouts_stand_at_their_keys_and_lists_have_something_in_each_structure() {
    use crate::l7::kafka::layout::{Field, Kind};
    fn check(fields: &'static [Field], version: u8, depth: usize, name: &str) {
        assert!(depth < 8, "{name} is too deep");
        for field in fields.iter().filter(|field| field.is_in(version)) {
            if let Kind::List(fields) | Kind::Values(fields) | Kind::Group(fields) | Kind::Maybe(fields) =
                field.kind
            {
                assert!(
                    fields.iter().any(|field| field.is_in(version)),
                    "{name} version {version} has a list of nothing"
                );
                check(fields, version, depth + 1, name);
            }
        }
    }
    for (place, api) in layouts::all().enumerate() {
        assert_eq!(usize::from(api.key), place, "{}", api.name);
        for version in 0..=api.newest {
            check(api.request, version, 1, api.name);
            check(api.response, version, 1, api.name);
        }
    }
    assert_eq!(layouts::all().count(), 93);
}
