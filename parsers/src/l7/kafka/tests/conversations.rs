//! What each kind of conversation is told as.

use super::{Wire, batch, flexible, request, response, session};
use crate::field::Field;
use crate::testing::Told;

/// Kind, API, version, resource, endpoint, status and code.
type Brief<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str, &'a str, Option<i64>);

fn brief(told: &[Told]) -> Vec<Brief<'_>> {
    told.iter()
        .map(|t| {
            (
                t.kind,
                t.text(Field::ReqType),
                t.text(Field::Version),
                t.text(Field::Resource),
                t.text(Field::Endpoint),
                t.status,
                t.code,
            )
        })
        .collect()
}

/// A Produce request of version 7 with one batch for each partition of each topic.
fn produce(correlation: i32, acks: i16, topics: &[(&str, &[i32])], records: &[u8]) -> Vec<u8> {
    let mut wire = request(0, 7, correlation)
        .int16(-1)
        .int16(acks)
        .int32(30_000)
        .int32(topics.len() as i32);
    for (topic, partitions) in topics {
        wire = wire.text(topic).int32(partitions.len() as i32);
        for partition in *partitions {
            wire = wire.int32(*partition).int32(records.len() as i32).bytes(records);
        }
    }
    wire.message()
}

/// The response to it.
fn produced(correlation: i32, topic: &str, partitions: &[(i32, i16, i64)]) -> Vec<u8> {
    let mut wire = response(correlation)
        .int32(1)
        .text(topic)
        .int32(partitions.len() as i32);
    for (partition, error, offset) in partitions {
        wire = wire
            .int32(*partition)
            .int16(*error)
            .int64(*offset)
            .int64(-1)
            .int64(0);
    }
    wire.int32(0).message()
}

#[test]
fn records_are_produced() {
    let records = batch(
        0,
        b"a message",
        &[(
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        )],
    );
    let script = session()
        .client(produce(1, -1, &[("orders", &[3])], &records))
        .server(produced(1, "orders", &[(3, 0, 4711)]))
        .client(produce(2, 1, &[("orders", &[3, 4]), ("bills", &[0])], &records))
        .server(produced(2, "orders", &[(3, 0, 4712), (4, 6, -1)]));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "Produce", "7", "orders", "orders-3", "ok", Some(0)),
            (
                "matched",
                "Produce",
                "7",
                "orders,bills",
                "orders-3",
                "server_error",
                Some(6)
            ),
        ]
    );
    assert_eq!(told[0].text(Field::Domain), "shop");
    assert_eq!(told[0].attr("offset"), "4711");
    assert_eq!(told[0].text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(told[0].text(Field::SpanId), "00f067aa0ba902b7");
    assert_eq!(told[1].text(Field::Exception), "NOT_LEADER_OR_FOLLOWER");
    assert_eq!((told[0].request_id, told[0].truncated), (Some(1), false));
    script.check();
}

#[test]
fn nobody_answers_what_asks_for_no_acknowledgement() {
    let script = session()
        .client(produce(1, 0, &[("logs", &[0])], b""))
        .client(produce(2, 0, &[("logs", &[1])], b""))
        .client(produce(3, 1, &[("logs", &[1])], b""))
        .server(produced(3, "logs", &[(1, 0, 9)]));
    assert_eq!(
        brief(&script.replay()),
        [
            ("oneway", "Produce", "7", "logs", "logs-0", "unknown", None),
            ("oneway", "Produce", "7", "logs", "logs-1", "unknown", None),
            ("matched", "Produce", "7", "logs", "logs-1", "ok", Some(0)),
        ]
    );
    script.check();
}

#[test]
fn answers_come_in_any_order_and_each_by_its_own_layout() {
    let script = session()
        .client(
            request(12, 0, 7)
                .text("billing")
                .int32(5)
                .text("member")
                .message(),
        )
        .client(
            request(8, 2, 8)
                .text("billing")
                .int32(5)
                .text("member")
                .int64(-1)
                .int32(1)
                .text("orders")
                .int32(1)
                .int32(2)
                .int64(100)
                .text("")
                .message(),
        )
        .client(
            flexible(3, 9, 9)
                .unsigned_varint(2)
                .compact("orders")
                .no_tags()
                .int8(1)
                .int8(0)
                .int8(0)
                .no_tags()
                .message(),
        )
        .server(
            response(9)
                .no_tags()
                .int32(0)
                .unsigned_varint(2)
                .int32(1)
                .compact("broker")
                .int32(9092)
                .int8(0)
                .no_tags()
                .compact("cluster")
                .int32(1)
                .unsigned_varint(2)
                .int16(3)
                .compact("orders")
                .int8(0)
                .unsigned_varint(1)
                .int32(0)
                .no_tags()
                .int32(0)
                .no_tags()
                .message(),
        )
        .server(response(7).int16(27).message())
        .server(
            response(8)
                .int32(1)
                .text("orders")
                .int32(1)
                .int32(2)
                .int16(0)
                .message(),
        );
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            (
                "matched",
                "Metadata",
                "9",
                "orders",
                "orders",
                "server_error",
                Some(3)
            ),
            ("matched", "Heartbeat", "0", "", "", "server_error", Some(27)),
            (
                "matched",
                "OffsetCommit",
                "2",
                "orders",
                "orders-2",
                "ok",
                Some(0)
            ),
        ]
    );
    assert_eq!(told[1].attr("group_id"), "billing");
    assert_eq!(told[2].attr("offset"), "100");
    script.check();
}

#[test]
fn a_long_request_is_passed_and_what_follows_its_records_is_read() {
    let records = batch(0, &[b'x'; 5000], &[("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1")]);
    let script = session()
        .client(produce(1, 1, &[("first", &[0, 1]), ("second", &[7])], &records))
        .server(produced(1, "first", &[(0, 0, 1)]));
    let told = script.replay();
    assert_eq!(told[0].text(Field::Resource), "first,second");
    assert_eq!(told[0].text(Field::TraceId), "80f198ee56343ba8");
    assert_eq!(told[0].req_len, Some(15_404));
    script.check();
}

#[test]
fn compressed_batches_stay_closed() {
    let records = batch(4, b"", &[("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1")]);
    let script = session()
        .client(produce(1, 1, &[("orders", &[0])], &records))
        .server(produced(1, "orders", &[(0, 0, 1)]));
    let told = script.replay();
    assert_eq!(told[0].text(Field::TraceId), "");
    assert_eq!(told[0].text(Field::Resource), "orders");
    script.check();
}

#[test]
fn topics_are_named_by_their_ids() {
    let id = [7u8; 16];
    let fetch = |correlation| {
        flexible(1, 13, correlation)
            .int32(-1)
            .int32(500)
            .int32(1)
            .int32(1 << 20)
            .int8(0)
            .int32(0)
            .int32(0)
            .unsigned_varint(2)
            .bytes(id)
            .unsigned_varint(2)
            .int32(0)
            .int32(-1)
            .int64(42)
            .int32(-1)
            .int64(0)
            .int32(1 << 20)
            .no_tags()
            .no_tags()
            .unsigned_varint(1)
            .compact("")
            .no_tags()
            .message()
    };
    let fetched = |correlation| {
        response(correlation)
            .no_tags()
            .int32(0)
            .int16(0)
            .int32(0)
            .unsigned_varint(1)
            .no_tags()
    };
    let script = session()
        .client(fetch(1))
        .server(fetched(1).message())
        .client(
            flexible(3, 12, 2)
                .unsigned_varint(0)
                .int8(0)
                .int8(0)
                .no_tags()
                .message(),
        )
        .server(
            response(2)
                .no_tags()
                .int32(0)
                .unsigned_varint(1)
                .compact("cluster")
                .int32(1)
                .unsigned_varint(2)
                .int16(0)
                .compact("orders")
                .bytes(id)
                .int8(0)
                .unsigned_varint(1)
                .int32(0)
                .no_tags()
                .no_tags()
                .message(),
        )
        .client(fetch(3))
        .server(fetched(3).message());
    let told = script.replay();
    let topics: Vec<_> = told.iter().map(|t| t.text(Field::Endpoint)).collect();
    assert_eq!(topics, ["BwcHBwcHBwcHBwcHBwcHBw-0", "", "orders-0"]);
    assert_eq!(told[2].attr("offset"), "42");
    // Without the names, which come in one response, ids stand in their place: no gap leaves all as it was.
    let unnamed = session().client(fetch(1)).server(fetched(1).message());
    unnamed.check();
}

#[test]
fn a_session_of_fetches_is_told_by_what_comes() {
    let script = session()
        .client(
            request(1, 7, 5)
                .int32(-1)
                .int32(500)
                .int32(1)
                .int32(1 << 20)
                .int8(0)
                .int32(77)
                .int32(3)
                .int32(0)
                .int32(0)
                .message(),
        )
        .server(
            response(5)
                .int32(0)
                .int16(0)
                .int32(77)
                .int32(1)
                .text("orders")
                .int32(2)
                .int32(4)
                .int16(0)
                .int64(10)
                .int64(10)
                .int64(0)
                .int32(-1)
                .int32(3)
                .bytes("abc")
                .int32(5)
                .int16(1)
                .int64(-1)
                .int64(-1)
                .int64(0)
                .int32(0)
                .int32(-1)
                .message(),
        );
    assert_eq!(
        brief(&script.replay()),
        [(
            "matched",
            "Fetch",
            "7",
            "orders",
            "orders-4",
            "server_error",
            Some(1)
        )]
    );
    script.check();
}

#[test]
fn tokens_without_headers_follow_the_first_sasl() {
    let script = session()
        .client(request(17, 0, 1).text("PLAIN").message())
        .server(response(1).int16(0).int32(1).text("PLAIN").message())
        .client(Wire::default().bytes("\0alice\0secret").message())
        .server(Wire::default().message())
        .client(request(16, 0, 2).message())
        .server(response(2).int16(0).int32(0).message());
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "SaslHandshake", "0", "", "", "ok", Some(0)),
            ("matched", "SaslToken", "", "", "", "ok", None),
            ("matched", "ListGroups", "0", "", "", "ok", Some(0)),
        ]
    );
    assert_eq!(told[0].attr("mechanism"), "PLAIN");
    assert_eq!((told[1].req_len, told[1].resp_len), (Some(17), Some(4)));
    script.check();
}

#[test]
fn a_broker_that_does_not_know_the_version_says_so_in_its_own() {
    let script = session()
        .client(
            flexible(18, 9, 1)
                .compact("java")
                .compact("9.0")
                .no_tags()
                .message(),
        )
        .server(
            response(1)
                .int16(35)
                .int32(1)
                .int16(18)
                .int16(0)
                .int16(2)
                .message(),
        )
        .client(request(18, 2, 2).message())
        .server(
            response(2)
                .int16(0)
                .int32(1)
                .int16(18)
                .int16(0)
                .int16(2)
                .int32(0)
                .message(),
        );
    assert_eq!(
        brief(&script.replay()),
        [
            ("matched", "ApiVersions", "9", "", "", "server_error", Some(35)),
            ("matched", "ApiVersions", "2", "", "", "ok", Some(0)),
        ]
    );
    script.check();
}

#[test]
fn coordinators_are_found_for_groups_and_transactions() {
    let found = |correlation| {
        response(correlation)
            .int32(0)
            .int16(0)
            .int16(-1)
            .int32(1)
            .text("broker")
            .int32(9092)
    };
    let script = session()
        .client(request(10, 1, 1).text("billing").int8(0).message())
        .server(found(1).message())
        .client(request(10, 2, 2).text("pay").int8(1).message())
        .server(found(2).message())
        .client(
            flexible(10, 4, 3)
                .int8(0)
                .unsigned_varint(3)
                .compact("a")
                .compact("b")
                .no_tags()
                .message(),
        )
        .server(
            response(3)
                .no_tags()
                .int32(0)
                .unsigned_varint(2)
                .compact("a")
                .int32(-1)
                .compact("")
                .int32(-1)
                .int16(15)
                .compact("no coordinator")
                .no_tags()
                .no_tags()
                .message(),
        );
    let told = script.replay();
    let keys: Vec<_> = told
        .iter()
        .map(|t| (t.attr("group_id"), t.attr("transactional_id"), t.code))
        .collect();
    assert_eq!(
        keys,
        [
            ("billing", "", Some(0)),
            ("", "pay", Some(0)),
            ("a", "", Some(15))
        ]
    );
    assert_eq!(told[2].text(Field::Exception), "COORDINATOR_NOT_AVAILABLE");
    assert_eq!(told[2].attr("error_message"), "no coordinator");
    script.check();
}
