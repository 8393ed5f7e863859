//! Loss, garbage, and what only looks like MongoDB.

use super::build::*;
use crate::field::Field;
use crate::l7::mongodb::MongoDb;
use crate::parser::{Direction, Parser, Probe, ProbeContext, Speaker, Transports};
use crate::testing::{Script, noise};

fn probe(head: &[u8], complete: bool) -> Probe {
    let context = ProbeContext {
        transport: Transports::TCP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: false,
        behind_unknown: false,
        complete,
    };
    MongoDb::probe(head, &context)
}

#[test]
fn the_first_bytes_of_every_message_tell() {
    use Speaker::{Client, Server};
    let empty = [document(&[])];
    let messages = [
        (ask(1, &[int("ping", 1)]), Client),
        (tell(1, &[ok()]), Server),
        (tell(0, &[ok()]), Server),
        (query(1, 0, "admin.$cmd", &[int("ismaster", 1)]), Client),
        (reply(0, 8, 0, &empty), Server),
        (reply(0, 8, 0, &[]), Server),
        (packed(Method::Snappy, &ask(1, &[int("ping", 1)])), Client),
        (packed(Method::Zlib, &tell(1, &[ok()])), Server),
        (packed(Method::Zstd, &tell(1, &[ok()])), Server),
    ];
    for (message, speaker) in messages {
        let want = match probe(&message, true) {
            // Who sends a packed request without a number is told by the port.
            Probe::Match(found) => found == speaker,
            _ => false,
        };
        assert!(want, "{:?} of {speaker:?}: {message:02x?}", probe(&message, true));
        for len in 0..message.len() {
            let told = probe(&message[..len], false);
            assert!(
                told == Probe::NeedMore || told == probe(&message, true),
                "{len} bytes: {told:?}"
            );
        }
    }
}

#[test]
fn what_is_no_message_is_not_taken_for_one() {
    let good = ask(1, &[int("ping", 1)]);
    assert_eq!(probe(&good, true), Probe::Match(Speaker::Client));
    // Length, operation, flags, kind, length and type of the first element.
    for (at, byte) in [
        (3, 0x7F),
        (0, 20),
        (12, 0),
        (16, 4),
        (20, 9),
        (21, 1),
        (25, 0x55),
        (26, 7),
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        assert_eq!(probe(&bad, true), Probe::NoMatch, "byte {at}");
    }
    for seed in 0..2000 {
        assert!(
            !matches!(probe(&noise(seed, 200), true), Probe::Match(_)),
            "noise {seed}"
        );
    }
}

#[test]
fn lost_bytes_cost_the_message_that_they_are_of() {
    let documents: Vec<_> = (0..9).map(|i| stored(i, 1000)).collect();
    let long = tell(1, &[inner("cursor", &[array("firstBatch", &documents)]), ok()]);
    let (first, rest) = long.split_at(2000);
    let (middle, last) = rest.split_at(3000);
    let script = session()
        .client(ask(1, &[text("find", "items")]))
        .server(first)
        .server(middle)
        .server(last)
        .client(ask(2, &[int("ping", 1)]))
        .server(tell(2, &[ok()]));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(2), 0);
    let seen: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.truncated, t.gap_bytes, t.resp_len))
        .collect();
    assert_eq!(
        seen,
        [
            ("matched", true, 3000, Some(long.len() as u64)),
            ("matched", false, 0, Some(38)),
        ]
    );
    // The end of it: it is as long as it said, and that it had a cursor tells how the command went.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(3), 0);
    let seen: Vec<_> = told.iter().map(|t| (t.status, t.gap_bytes, t.resp_len)).collect();
    let lost = (long.len() - 5000) as u64;
    assert_eq!(
        seen,
        [("ok", lost, Some(long.len() as u64)), ("ok", 0, Some(38)),]
    );
    script.check();
}

#[test]
fn a_flow_is_found_again_behind_garbage() {
    let script = session()
        .client(ask(1, &[int("ping", 1)]))
        .server(tell(1, &[ok()]))
        .client([noise(3, 300), ask(2, &[text("find", "items")])].concat())
        .server(tell(2, &[ok()]))
        .client(ask(3, &[int("ping", 1)]))
        .server([noise(4, 300), tell(3, &[ok()])].concat());
    let told = script.replay();
    let kinds: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::ReqType))).collect();
    assert_eq!(
        kinds,
        [("matched", "ping"), ("matched", "find"), ("matched", "ping")]
    );
    script.check();
}

#[test]
fn documents_that_lie_end_nothing_but_their_message() {
    let good = [int("ping", 1)];
    let lies: Vec<Vec<u8>> = (20..40)
        .flat_map(|at| {
            [0u8, 1, 0x7F, 0xFF].map(|byte| {
                let mut lie = ask(5, &[text("find", "items"), inner("filter", &[int("a", 1)])]);
                lie[at] = byte;
                lie
            })
        })
        .collect();
    for lie in lies {
        let script: Script = session()
            .client(ask(1, &good))
            .server(tell(1, &[ok()]))
            .client(lie)
            .client(ask(2, &good))
            .server(tell(2, &[ok()]));
        let told = script.replay();
        let pings = told
            .iter()
            .filter(|t| t.kind == "matched" && t.text(Field::ReqType) == "ping");
        assert_eq!(pings.count(), 2);
    }
}

#[test]
fn nothing_is_too_deep_or_too_long() {
    let mut deep = vec![];
    for _ in 0..200 {
        deep = vec![inner("$query", &deep)];
    }
    let name = "n".repeat(3000);
    let many: Vec<_> = (0..3000).map(|i| int(&format!("field{i}"), i)).collect();
    let script = session()
        .client(query(1, 0, "shop.$cmd", &deep))
        .server(reply(1, 8, 0, &[document(&[ok()])]))
        .client(ask(2, &[[&[text("find", "items")][..], &many].concat()].concat()))
        .server(tell(2, &[[&many[..], &[ok()]].concat()].concat()))
        .client(ask(3, &[int(&name, 1)]))
        .server(tell(3, &[ok()]))
        .client(ask(4, &[text("find", &name)]))
        .server(tell(4, &[double("ok", 0.0), text("errmsg", &name)]));
    let told = script.replay();
    let finds: Vec<_> = told.iter().filter(|t| t.text(Field::ReqType) == "find").collect();
    assert_eq!(finds.len(), 2);
    assert_eq!((finds[0].status, finds[0].text(Field::Domain)), ("ok", "shop"));
    assert!(finds[1].truncated && finds[1].text(Field::Exception).len() <= 1024);
}
