//! What is taken for Redis, what is not, and what a hole leaves of it.

use super::tests::*;
use super::*;
use crate::field::Field;
use crate::parser::Speaker;
use crate::testing::{Told, noise};

fn probe_of(bytes: &[u8], on_known_port: bool, direction: Option<Direction>) -> Probe {
    Redis::probe(
        bytes,
        &ProbeContext {
            transport: Transports::TCP,
            direction: direction.unwrap_or(Direction::ToServer),
            direction_is_sure: direction.is_some(),
            on_known_port,
            at_stream_start: true,
            behind_unknown: false,
            complete: false,
        },
    )
}

#[test]
fn probes_see_both_sides() {
    let ask = words("GET key");
    assert_eq!(probe_of(&ask, false, None), Probe::Match(Speaker::Client));
    assert_eq!(
        probe_of(&ask, true, Some(Direction::ToServer)),
        Probe::Match(Speaker::Client)
    );
    for length in 0..11 {
        assert_eq!(probe_of(&ask[..length], false, None), Probe::NeedMore, "{length}");
    }
    for (reply, alone) in [
        ("$5\r\nhello\r\n", true),
        ("*2\r\n$1\r\na\r\n:1\r\n", true),
        ("-WRONGTYPE x\r\n", true),
        ("%1\r\n+a\r\n+b\r\n", true),
        ("+OK\r\n", false),
        (":12\r\n", false),
        ("-ERR x\r\n", false),
        ("_\r\n", false),
        ("$-1\r\n", false),
        ("#t\r\n", false),
    ] {
        let told = |condition| {
            if condition {
                Probe::Match(Speaker::Server)
            } else {
                Probe::NoMatch
            }
        };
        assert_eq!(probe_of(reply.as_bytes(), false, None), told(alone), "{reply:?}");
        assert_eq!(probe_of(reply.as_bytes(), true, None), told(true), "{reply:?}");
        assert_eq!(
            probe_of(reply.as_bytes(), true, Some(Direction::ToServer)),
            Probe::NoMatch,
            "{reply:?}"
        );
    }
    assert_eq!(probe_of(b"PING\r\n", true, None), Probe::Match(Speaker::Client));
    assert_eq!(probe_of(b"PING\r\n", false, None), Probe::NoMatch);
}

#[test]
fn probes_see_nothing_in_other_protocols() {
    for text in [
        &b"+OK POP3 ready\r\n"[..],
        b"-ERR [AUTH] failed\r\n",
        b"+OK\r\n",
        b"PING\r\n",
        b"get key\r\n",
        b"* OK IMAP4rev1 ready\r\n",
        b"220 smtp.example.com ESMTP\r\n",
        b":irc.example.com 001 x :hi\r\n",
        b"$MyNick x|$Lock y|",
        b"INFO {\"server_id\":1}\r\n",
        b"*\r\n$4\r\nPING\r\n",
        b"*1\r\n$4\r\nXXXX\r\n",
        b"(success ( 2 2 ( ) ) ) ",
        b"#!/bin/sh\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        assert_eq!(
            probe_of(text, false, Some(Direction::ToServer)),
            Probe::NoMatch,
            "{:?}",
            text.escape_ascii()
        );
    }
    assert_eq!(
        probe_of(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", true, None),
        Probe::NoMatch
    );
    for seed in 0..20_000 {
        let random = noise(seed, 600);
        assert_eq!(probe_of(&random, false, None), Probe::NoMatch, "{seed}");
        assert_eq!(probe_of(&random, true, None), Probe::NoMatch, "{seed}");
    }
}

#[test]
fn replies_seen_before_a_hole_is_given_up_find_their_commands() {
    use crate::engine::{Begin, Chunk, Engine, Standing};
    let chunk = |bytes, offset, peer, time_ns| Chunk {
        bytes,
        time_ns,
        offset,
        peer_offset: Some(peer),
    };
    let ping = words("PING");
    let burst = [
        command(&["LONG", &"v".repeat(3000)]),
        words("LOST"),
        words("ECHO END"),
    ]
    .concat();
    let (seen, lost) = burst.split_at(2896);
    let next = words("LRANGE l 0 -1");
    let burst_end = (ping.len() + burst.len()) as u64;
    let mut engine = Engine::new(crate::settings::Settings::default(), |_| true);
    let mut records: Vec<Vec<u8>> = Vec::new();
    let standing = Standing {
        direction_is_sure: true,
        at_stream_start: true,
        recognised_before: false,
        behind_loss: false,
        other_offset: None,
    };
    let facts = crate::record::FlowFacts {
        server_port: 6379,
        ..Default::default()
    };
    let first = chunk(&ping, 0, 0, 1);
    let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, standing, &first, &mut records) else {
        panic!("not seen")
    };
    // Nobody asked for the second of these: it waits, and must not stand in the way of others.
    engine.data(
        id,
        Direction::ToClient,
        &chunk(b"+PONG\r\n+LATE\r\n", 0, 15, 2),
        &mut records,
    );
    engine.data(id, Direction::ToServer, &chunk(seen, 14, 14, 3), &mut records);
    let replies = b"-ERR LONG\r\n-ERR LOST\r\n$3\r\nEND\r\n";
    engine.data(
        id,
        Direction::ToClient,
        &chunk(replies, 14, burst_end, 4),
        &mut records,
    );
    engine.gap(id, Direction::ToServer, lost.len() as u64, 5, &mut records);
    let replied = 14 + replies.len() as u64;
    engine.data(
        id,
        Direction::ToServer,
        &chunk(&next, burst_end, replied, 6),
        &mut records,
    );
    let array = chunk(b"*0\r\n", replied, burst_end + next.len() as u64, 7);
    engine.data(id, Direction::ToClient, &array, &mut records);
    engine.close(id, crate::field::Ended::Fin, 8, &mut records);
    let told: Vec<_> = records.iter().map(|entry| Told::new(entry)).collect();
    let mut pairs: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.text(Field::ReqType), t.text(Field::Result)))
        .collect();
    pairs.sort_unstable();
    assert_eq!(
        pairs,
        [
            ("matched", "LONG", "SimpleError"),
            ("matched", "LRANGE", "Array"),
            ("matched", "PING", "SimpleString"),
            ("orphan", "", "BulkString"),
            ("orphan", "", "SimpleError"),
            ("orphan", "", "SimpleString"),
        ]
    );
}

#[test]
fn commands_of_any_name_are_found_between_others() {
    use super::probe::find_command;
    let renamed = command(&["x9-flush", "now"]);
    let behind = |before: &[u8], after: &[u8]| find_command(&[before, &renamed, after].concat());
    assert_eq!(behind(b"", b""), Some(0));
    assert_eq!(behind(b"rest of a value\r\n", b""), Some(17));
    assert_eq!(behind(b"rest of a value\r\n", b"*1\r\n$4\r\nP"), Some(17));
    // Within a value, or followed by what no client sends, it may be anything.
    assert_eq!(behind(b"rest of a value", b""), None);
    assert_eq!(behind(b"rest of a value\r\n", b"\r\n"), None);
    assert_eq!(behind(b"", b"\r\nand more"), None);
    assert_eq!(find_command(&renamed[..renamed.len() - 1]), None);
    // A known name needs no more than itself.
    assert_eq!(find_command(b"e\r\n*2\r\n$3\r\nGET\r\n$9\r\n"), Some(3));
}
