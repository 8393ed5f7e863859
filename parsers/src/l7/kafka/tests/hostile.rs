//! What is lost, lies, or is meant to hurt.

use super::{Wire, batch, flexible, request, response, session};
use crate::field::Field;
use crate::testing::{Told, noise};

fn heartbeat(correlation: i32) -> Vec<u8> {
    request(12, 0, correlation)
        .text("billing")
        .int32(5)
        .text("member")
        .message()
}

fn beaten(correlation: i32) -> Vec<u8> {
    response(correlation).int16(0).message()
}

/// A Fetch response of version 4 with two partitions, and what is before the records of the first.
fn fetched(correlation: i32) -> (Vec<u8>, usize) {
    let records = batch(0, &[b'x'; 3000], &[("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1")]);
    let partition = |wire: Wire, number: i32, error: i16| {
        wire.int32(number)
            .int16(error)
            .int64(9)
            .int64(9)
            .int32(-1)
            .int32(records.len() as i32)
            .bytes(&records)
    };
    let head = response(correlation).int32(0).int32(1).text("orders").int32(2);
    let before = head.0.len() + 4 + 30;
    (partition(partition(head, 0, 0), 1, 3).message(), before)
}

fn fetch(correlation: i32) -> Vec<u8> {
    request(1, 4, correlation)
        .int32(-1)
        .int32(500)
        .int32(1)
        .int32(1 << 20)
        .int8(0)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(0)
        .int64(42)
        .int32(1 << 20)
        .message()
}

fn ids(told: &[Told]) -> Vec<(&str, Option<u64>, &str)> {
    told.iter().map(|t| (t.kind, t.request_id, t.status)).collect()
}

/// A conversation around a long response, which comes in three segments of which the second is lost.
fn without_the_middle(from: usize, to: usize) -> Vec<Told> {
    without(4, from, to)
}

/// A conversation around a long response in three segments, without message `lost`.
fn without(lost: usize, from: usize, to: usize) -> Vec<Told> {
    let (long, _) = fetched(2);
    let mut script = session().client(heartbeat(1)).server(beaten(1)).client(fetch(2));
    for part in [&long[..from], &long[from..to], &long[to..]] {
        script = script.server(part);
    }
    let script = script.client(heartbeat(3)).server(beaten(3));
    script.run(|_, bytes| vec![bytes.len()], Some(lost), 0)
}

#[test]
fn records_that_are_lost_cost_nothing_but_themselves() {
    let (_, before) = fetched(2);
    let told = without_the_middle(before + 200, before + 1700);
    assert_eq!(
        ids(&told),
        [
            ("matched", Some(1), "ok"),
            ("matched", Some(2), "server_error"),
            ("matched", Some(3), "ok"),
        ]
    );
    assert_eq!(
        (told[1].code, told[1].gap_bytes, told[1].truncated),
        (Some(3), 1500, false)
    );
}

#[test]
fn fields_that_are_lost_cost_their_message_alone() {
    let (long, before) = fetched(2);
    let told = without_the_middle(before - 20, before + 100);
    assert_eq!(
        ids(&told),
        [
            ("matched", Some(1), "ok"),
            ("matched", Some(2), "unknown"),
            ("matched", Some(3), "ok"),
        ]
    );
    assert_eq!((told[1].gap_bytes, told[1].truncated), (120, true));
    assert_eq!(told[1].resp_len, Some(long.len() as u64));
}

#[test]
fn what_is_lost_up_to_its_end_is_as_long_as_it_said() {
    let (long, before) = fetched(2);
    for from in [before - 30, before + 300, long.len() - 1] {
        let told = without(5, 20, from);
        let brief: Vec<_> = told.iter().map(|t| (t.kind, t.request_id)).collect();
        let matched = |id| ("matched", Some(id));
        assert_eq!(brief, [matched(1), matched(2), matched(3)]);
        let lost = (long.len() - from) as u64;
        assert_eq!(told[1].gap_bytes, lost);
        assert_eq!(told[1].resp_len, Some(long.len() as u64));
        // It ends with the last byte that was seen: before the next request.
        assert!(told[1].times.1 < told[2].times.0);
    }
}

#[test]
fn after_a_gap_answers_are_found_by_what_is_under_way() {
    let told = session()
        .client(heartbeat(1))
        .server(beaten(1))
        .client([heartbeat(2), heartbeat(3), heartbeat(4)].concat())
        .server(beaten(2))
        .server([beaten(3), beaten(4)].concat())
        .run(|_, bytes| vec![bytes.len()], Some(3), 0);
    assert_eq!(
        ids(&told),
        [
            ("matched", Some(1), "ok"),
            ("matched", Some(3), "ok"),
            ("matched", Some(4), "ok"),
            ("no_response", Some(2), "unknown"),
        ]
    );
}

#[test]
fn lies_end_with_their_message() {
    // Topics, partitions and texts beyond the end; a text of length -2; an error in the middle of nowhere.
    let asked = |wire: Wire| wire.message();
    let lies = [
        asked(request(3, 1, 5).int32(i32::MAX)),
        asked(request(3, 1, 5).int32(1).int16(500).bytes("orders")),
        asked(request(3, 1, 5).int32(1).int16(-2).bytes("orders")),
        asked(
            request(0, 7, 5)
                .int16(-1)
                .int16(1)
                .int32(0)
                .int32(1)
                .text("orders")
                .int32(2)
                .int32(0)
                .int32(1 << 30),
        ),
        asked(flexible(3, 9, 5).bytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])),
    ];
    for lie in lies {
        let script = session()
            .client(heartbeat(1))
            .server(beaten(1))
            .client(lie)
            .client(heartbeat(6))
            .server(beaten(6));
        let told = script.replay();
        let of_lie = told.iter().find(|t| t.request_id == Some(5)).unwrap();
        assert!(of_lie.truncated, "{of_lie:?}");
        assert!(ids(&told).contains(&("matched", Some(6), "ok")), "{told:?}");
        script.check();
    }
}

#[test]
fn headers_of_records_that_lie_are_passed() {
    let good = batch(0, b"value", &[("b3", "80f198ee56343ba8-e457b5a2e4d86bd1-1")]);
    let topics = |records: &[u8]| {
        request(0, 7, 1)
            .int16(-1)
            .int16(1)
            .int32(0)
            .int32(2)
            .text("orders")
            .int32(1)
            .int32(0)
            .int32(records.len() as i32)
            .bytes(records)
            .text("bills")
            .int32(0)
            .message()
    };
    for place in 61..good.len() {
        for value in [0x00, 0x7F, 0xFF] {
            let mut records = good.clone();
            records[place] = value;
            let told = session().client(topics(&records)).replay();
            assert_eq!(told[0].text(Field::Resource), "orders,bills", "{place} {value}");
        }
    }
    for length in 0..good.len() {
        let told = session().client(topics(&good[..length])).replay();
        assert_eq!(told[0].text(Field::Resource), "orders,bills", "{length}");
    }
}

#[test]
fn long_names_are_cut_and_what_follows_is_read() {
    let name = "n".repeat(9000);
    let wire = Wire::default().int16(10).int16(1).int32(1).text(&name);
    let script = session()
        .client(heartbeat(0))
        .server(beaten(0))
        .client(wire.text(&name).int8(0).message())
        .server(
            response(1)
                .int32(0)
                .int16(0)
                .int16(-1)
                .int32(1)
                .text("broker")
                .int32(9092)
                .message(),
        );
    let told = script.replay();
    assert_eq!((told[1].status, told[1].truncated), ("ok", true));
    assert_eq!(told[1].text(Field::Domain).len(), 1024);
    assert_eq!(told[1].attr("group_id").len(), 1024);
    script.check();
}

#[test]
fn noise_within_messages_hurts_nobody() {
    let (fetched, _) = fetched(2);
    let whole = [fetch(2), heartbeat(3)].concat();
    for seed in 0..400u64 {
        let dice = noise(seed, 8);
        let mut asks = whole.clone();
        let mut tells = fetched.clone();
        for pair in dice.chunks(2) {
            let place = usize::from(pair[0]) % asks.len();
            asks[place] = pair[1];
            let place = (usize::from(pair[0]) * 13 + usize::from(pair[1])) % 120;
            tells[place] = pair[0];
        }
        let _ = session()
            .client(heartbeat(1))
            .server(beaten(1))
            .client(asks)
            .server(tells)
            .replay();
    }
}
