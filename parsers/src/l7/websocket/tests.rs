//! Conversations, and what must be told of them.

use super::find_frames;
use crate::field::Field;
use crate::parser::Direction;
use crate::testing::{Script, Told};

const FIN: u8 = 0x80;

/// A frame with the first byte given; masked as clients do.
fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(mask | len as u8),
        len @ 126..0x1_0000 => {
            bytes.push(mask | 126);
            bytes.extend((len as u16).to_be_bytes());
        }
        len => {
            bytes.push(mask | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    let key = [0x11, 0xA2, 0x33, 0xC4];
    if masked {
        bytes.extend(key);
        bytes.extend(
            payload
                .iter()
                .zip(key.iter().cycle())
                .map(|(byte, key)| byte ^ key),
        );
    } else {
        bytes.extend(payload);
    }
    bytes
}

fn upgraded() -> Script {
    Script::tcp(80)
        .client(
            "GET /chat/room/7?key=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: WebSocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
}

fn told_of(script: &Script) -> Vec<Told> {
    let mut told = script.replay();
    let first = told.remove(0);
    assert_eq!(
        (first.proto, first.kind, first.code),
        ("http1", "matched", Some(101))
    );
    assert!(told.iter().all(|t| t.proto == "websocket" && t.kind == "stream"));
    told
}

fn types(told: &[Told]) -> Vec<(&str, Option<u64>)> {
    told.iter().map(|t| (t.text(Field::ReqType), t.req_len)).collect()
}

#[test]
fn messages_of_every_length_are_told() {
    let script = upgraded()
        .server(frame(FIN | 1, b"", false))
        .client(frame(FIN | 1, b"hello", true))
        .client(frame(FIN | 0x40 | 2, &[7; 300], true))
        .server(frame(FIN | 2, &[7; 70_000], false));
    let told = told_of(&script);
    assert_eq!(
        types(&told),
        [
            ("text", Some(2)),
            ("text", Some(11)),
            ("binary", Some(308)),
            ("binary", Some(70_010))
        ]
    );
    for record in &told {
        assert_eq!(record.text(Field::Domain), "example.com");
        assert_eq!(record.text(Field::Resource), "/chat/room/7?key=1");
        assert_eq!(record.text(Field::Endpoint), "/chat/room");
        assert_eq!((record.status, record.code), ("ok", None));
    }
    script.check();
}

#[test]
fn frames_may_come_with_the_upgrade() {
    let mut script = upgraded();
    script.messages[1].1.extend(frame(FIN | 1, b"welcome", false));
    assert_eq!(types(&told_of(&script)), [("text", Some(9))]);
    script.check();
}

#[test]
fn fragments_make_one_message_around_control_frames() {
    let script = upgraded()
        .client(frame(1, b"one", true))
        .client(frame(FIN | 9, b"ping", true))
        .server(frame(FIN | 10, b"ping", false))
        .client(frame(0, b"two", true))
        .client(frame(FIN | 9, b"", true))
        .client(frame(FIN | 9, b"", true))
        .client(frame(FIN, b"three", true))
        .client(frame(FIN | 1, b"next", true));
    let told = told_of(&script);
    let want = [
        ("ping", Some(10)),
        ("pong", Some(6)),
        ("ping", Some(6)),
        ("ping", Some(6)),
        ("text", Some(29)),
        ("text", Some(10)),
    ];
    assert_eq!(types(&told), want);
    assert!(told.iter().all(|t| !t.truncated));
    assert!(
        told[4].times.0 < told[0].times.0,
        "a message begins with its first fragment"
    );
    script.check();
}

#[test]
fn a_close_tells_why() {
    let reason = [&[0x03, 0xF3][..], b"broken disk"].concat();
    let script =
        upgraded()
            .server(frame(FIN | 8, &reason, false))
            .client(frame(FIN | 8, &[0x03, 0xE8], true));
    let told = told_of(&script);
    assert_eq!((told[0].code, told[0].status), (Some(1011), "server_error"));
    assert_eq!(told[0].text(Field::Exception), "broken disk");
    assert_eq!((told[1].code, told[1].status), (Some(1000), "ok"));
    script.check();
    let empty = upgraded().server(frame(FIN | 8, b"", false));
    assert_eq!((told_of(&empty)[0].code, told_of(&empty)[0].status), (None, "ok"));
}

#[test]
fn a_message_without_end_or_beginning_is_cut() {
    let script = upgraded()
        .client(frame(1, b"one", true))
        .client(frame(FIN | 1, b"two", true));
    let told = told_of(&script);
    assert_eq!(
        told.iter().map(|t| t.truncated).collect::<Vec<_>>(),
        [true, false]
    );
    let stray = upgraded()
        .client(frame(FIN, b"stray", true))
        .client(frame(FIN | 1, b"two", true));
    assert_eq!(types(&told_of(&stray)), [("text", Some(9))]);
    for script in [script, stray] {
        script.check();
    }
}

#[test]
fn after_a_gap_frames_are_found_by_their_lengths() {
    let frames = [frame(FIN | 1, b"one", true), frame(FIN | 2, &[5; 200], true)].concat();
    assert_eq!(find_frames(Direction::ToServer, &frames), Some(0));
    assert_eq!(find_frames(Direction::ToClient, &frames), None);
    let torn = [&b"torn"[..], &frames].concat();
    assert_eq!(find_frames(Direction::ToServer, &torn), Some(4));
    assert_eq!(find_frames(Direction::ToServer, b"GET / HTTP/1.1\r\n"), None);
    // Would be walked for minutes if every frame were a new beginning.
    let pings = [[FIN | 9, 0].repeat(500_000), vec![0xFF]].concat();
    assert_eq!(find_frames(Direction::ToClient, &pings), None);
    let script = upgraded()
        .client(frame(FIN | 1, b"lost", true))
        .client(frame(FIN | 1, b"found", true));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(2), 0);
    assert_eq!(types(&told[1..]), [("text", Some(11))]);
}

#[test]
fn nonsense_after_an_upgrade_is_no_message() {
    let script = upgraded()
        .client([FIN | 3, 0, 0, 0])
        .client([FIN | 8, 126, 0, 200])
        .server([0xF1, 0]);
    assert!(told_of(&script).is_empty());
    script.check();
}
