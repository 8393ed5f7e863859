//! MQTT in the frames of WebSockets.

use super::{acknowledge, connect, publish};
use crate::field::Field;
use crate::l7::Protocol;
use crate::testing::{Script, Told};

const FIN: u8 = 0x80;
const BINARY: u8 = 2;

/// A frame with the first byte given; masked as clients do.
fn frame(first: u8, payload: &[u8], masked: bool) -> Vec<u8> {
    let mask = if masked { 0x80 } else { 0 };
    let mut bytes = vec![first];
    if payload.len() < 126 {
        bytes.push(mask | payload.len() as u8);
    } else {
        bytes.push(mask | 126);
        bytes.extend((payload.len() as u16).to_be_bytes());
    }
    let key = if masked { [0x11, 0xA2, 0x33, 0xC4] } else { [0; 4] };
    if masked {
        bytes.extend(key);
    }
    bytes.extend(
        payload
            .iter()
            .zip(key.iter().cycle())
            .map(|(byte, key)| byte ^ key),
    );
    bytes
}

pub(in super::super) fn from_client(payload: &[u8]) -> Vec<u8> {
    frame(FIN | BINARY, payload, true)
}

fn from_server(payload: &[u8]) -> Vec<u8> {
    frame(FIN | BINARY, payload, false)
}

fn upgraded(agreed: &str) -> Script {
    Script::tcp(9001)
        .client(
            "GET /mqtt HTTP/1.1\r\nHost: broker.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        )
        .server(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{agreed}\r\n"
        ))
}

/// Protocol, kind, type, resource, request length.
fn brief(told: &[Told]) -> Vec<(&str, &str, &str, &str, Option<u64>)> {
    told.iter()
        .map(|t| {
            let (req_type, resource) = (t.text(Field::ReqType), t.text(Field::Resource));
            (t.proto, t.kind, req_type, resource, t.req_len)
        })
        .collect()
}

/// Every way to cut packets into frames.
fn conversation() -> Script {
    let one = publish(2, "t/1", 1, b"one");
    let large = publish(2, "t/large", 3, &[7; 1500]);
    let (head, rest) = large.split_at(7);
    let (middle, tail) = rest.split_at(700);
    upgraded("Sec-WebSocket-Protocol: mqtt\r\n")
        .client(from_client(&connect("MQTT", 4, "probe-ws")))
        .server(from_server(b"\x20\x02\x00\x00"))
        // Two packets in a frame, and one in two frames.
        .client(from_client(&[&one[..], &publish(2, "t/2", 2, b"two")].concat()))
        .server(from_server(b"\x40\x02\x00"))
        .server(from_server(b"\x01\x40\x02\x00\x02"))
        // One in fragments, with a ping between them.
        .client(frame(BINARY, head, true))
        .client(frame(FIN | 9, b"still there?", true))
        .server(frame(FIN | 10, b"still there?", false))
        .client(frame(0, middle, true))
        .client(frame(FIN, tail, true))
        .server(from_server(&acknowledge(0x40, 3)))
        .server(from_server(&publish(2, "down", 1, &[9; 300])))
        .client(from_client(&acknowledge(0x40, 1)))
        .client(from_client(b"\xE0\x00"))
        .client(frame(FIN | 8, b"\x03\xE8", true))
}

#[test]
fn packets_are_told_and_not_their_frames() {
    let script = conversation();
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("http1", "matched", "GET", "/mqtt", Some(139)),
            ("mqtt", "matched", "CONNECT", "", Some(22)),
            ("mqtt", "matched", "PUBLISH", "t/1", Some(12)),
            ("mqtt", "matched", "PUBLISH", "t/2", Some(12)),
            ("mqtt", "matched", "PUBLISH", "t/large", Some(1514)),
            ("mqtt", "matched", "PUBLISH", "down", Some(311)),
            ("mqtt", "oneway", "DISCONNECT", "", Some(2)),
        ]
    );
    assert!(told[1..].iter().all(|t| t.text(Field::Domain) == "probe-ws"));
    assert!(told.iter().all(|t| !t.truncated && t.gap_bytes == 0));
    script.check();
}

#[test]
fn frames_may_come_with_the_upgrade() {
    let mut script = upgraded("sec-websocket-protocol: mqttv3.1\r\n");
    // A server that speaks first: not MQTT's way, but another protocol's may be.
    script.messages[1]
        .1
        .extend(from_server(&publish(0, "early", 1, b"")));
    let told = script.client(from_client(b"\xE0\x00")).replay();
    assert_eq!(
        brief(&told)[1..],
        [
            ("mqtt", "oneway", "PUBLISH", "early", Some(11)),
            ("mqtt", "oneway", "DISCONNECT", "", Some(2)),
        ]
    );
}

#[test]
fn what_is_not_agreed_wanted_or_readable_stays_a_websocket() {
    let hello = from_client(&connect("MQTT", 4, "x"));
    for agreed in [
        "",
        "Sec-WebSocket-Protocol: chat\r\n",
        "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
    ] {
        let told = upgraded(agreed).client(&hello).replay();
        assert_eq!(
            brief(&told)[1],
            ("websocket", "stream", "binary", "/mqtt", Some(21))
        );
    }
    let mut unwanted = upgraded("Sec-WebSocket-Protocol: mqtt\r\n").client(&hello);
    unwanted.wanted = |protocol| protocol != Protocol::Mqtt;
    assert_eq!(unwanted.replay()[1].proto, "websocket");
    // Wanted alone, it is found all the same.
    let mut alone = upgraded("Sec-WebSocket-Protocol: mqtt\r\n").client(&hello);
    alone.wanted = |protocol| protocol == Protocol::Mqtt;
    assert_eq!(
        brief(&alone.replay()),
        [("mqtt", "no_response", "CONNECT", "", Some(15))]
    );
}

#[test]
fn lost_frames_take_no_more_than_themselves() {
    let script = conversation();
    let whole = script.replay();
    for lost in 2..script.messages.len() {
        let got = script.run(|_, bytes| vec![bytes.len()], Some(lost), 0);
        // At most its own exchange, and the one that shares a frame or a packet with it.
        let kept = whole.iter().filter(|told| got.contains(told)).count();
        // Without CONNECT nobody knows who it was.
        let needed = if lost == 2 { 1 } else { whole.len() - 2 };
        assert!(kept >= needed, "without message {lost}: {got:#?}");
    }
}

#[test]
fn a_gap_within_a_payload_costs_nothing_behind_it() {
    let script = upgraded("Sec-WebSocket-Protocol: mqtt\r\n")
        .client(from_client(&connect("MQTT", 4, "probe-ws")))
        .server(from_server(b"\x20\x02\x00\x00"));
    let large = from_client(&publish(2, "t/large", 3, &[7; 9000]));
    let (head, rest) = large.split_at(1000);
    let (lost, tail) = rest.split_at(5000);
    let script = script
        .client(head)
        .client(lost)
        .client(tail)
        .server(from_server(&acknowledge(0x40, 3)))
        .client(from_client(b"\xE0\x00"));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(5), 0);
    assert_eq!(
        brief(&told)[2..],
        [
            ("mqtt", "matched", "PUBLISH", "t/large", Some(9014)),
            ("mqtt", "oneway", "DISCONNECT", "", Some(2)),
        ]
    );
    assert_eq!(told[2].gap_bytes, 5000);
}

#[test]
fn frames_that_never_become_readable_are_given_up() {
    let mut script = upgraded("Sec-WebSocket-Protocol: mqtt\r\n")
        .client(from_client(&connect("MQTT", 4, "probe-ws")))
        .server(from_server(b"\x20\x02\x00\x00"));
    for _ in 0..20 {
        // Compressed, though that was not agreed.
        script = script.client(frame(FIN | 0x40 | BINARY, &[1; 200], true));
    }
    assert_eq!(script.replay().len(), 2);
    assert_eq!(script.run(|_, bytes| vec![1; bytes.len()], None, 0).len(), 2);
}
