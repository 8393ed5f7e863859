//! Connections that are joined in the middle, and packets that are lost.

use super::super::Mqtt;
use super::{acknowledge, brief, connect, connected, packet, publish, text};
use crate::field::Field;
use crate::parser::{Direction, Parser, Probe, ProbeContext, Speaker, Transports};
use crate::testing::Script;

fn joined(script: &Script) -> Vec<crate::testing::Told> {
    script.run(|_, bytes| vec![bytes.len()], None, 2)
}

#[test]
fn the_version_is_told_by_content() {
    let script = connected()
        .client(publish(2, "sensors/7", 7, b"{\"t\":21}"))
        .server(acknowledge(0x40, 7))
        .client(packet(0x82, &[b"\x00\x08", &text("a/b"), b"\x01"]))
        .server(b"\x90\x03\x00\x08\x01");
    let told = joined(&script);
    assert_eq!(
        brief(&told),
        [
            ("matched", "PUBLISH", "sensors/7", Some(7)),
            ("matched", "SUBSCRIBE", "a/b", Some(8)),
        ]
    );
    // 3.1 or 3.1.1 can't be told.
    assert!(told.iter().all(|t| t.text(Field::Version).is_empty()));

    let script = super::connected_v5()
        .client(packet(
            0x32,
            &[&text("sensors/7"), b"\x00\x07\x02\x01\x01", b"{}"],
        ))
        .server(packet(0x40, &[b"\x00\x07\x10"]))
        .client(packet(0x82, &[b"\x00\x08\x00", &text("a/b"), b"\x2D"]))
        .server(b"\x90\x04\x00\x08\x00\x01");
    let told = joined(&script);
    assert_eq!(
        brief(&told),
        [
            ("matched", "PUBLISH", "sensors/7", Some(7)),
            ("matched", "SUBSCRIBE", "a/b", Some(8)),
        ]
    );
    assert!(told.iter().all(|t| t.text(Field::Version) == "5"));
    assert_eq!((told[0].code, told[1].code), (Some(16), Some(1)));
}

#[test]
fn a_lost_packet_takes_no_more_than_itself() {
    let script = connected()
        .client(publish(2, "first", 1, b"payload"))
        .server(acknowledge(0x40, 1))
        .client(publish(2, "second", 2, b"payload"))
        .server(acknowledge(0x40, 2))
        .client(publish(2, "third", 3, b"payload"))
        .server(acknowledge(0x40, 3));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(4), 0);
    assert_eq!(
        brief(&told),
        [
            ("matched", "CONNECT", "", None),
            ("matched", "PUBLISH", "first", Some(1)),
            ("matched", "PUBLISH", "third", Some(3)),
            ("orphan", "PUBACK", "", Some(2)),
        ]
    );
    let told = script.run(|_, bytes| vec![bytes.len()], Some(5), 0);
    assert_eq!(brief(&told)[3], ("no_response", "PUBLISH", "second", Some(2)));
}

fn context(direction: Direction, sure: bool, start: bool, port: bool) -> ProbeContext {
    ProbeContext {
        transport: Transports::TCP,
        direction,
        direction_is_sure: sure,
        on_known_port: port,
        at_stream_start: start,
        behind_unknown: false,
        complete: false,
    }
}

#[test]
fn a_stream_begins_with_connect_on_any_port() {
    let at_start = context(Direction::ToServer, true, true, false);
    let hello = connect("MQTT", 4, "probe-1");
    for len in 1..hello.len() {
        let probe = Mqtt::probe(&hello[..len], &at_start);
        let told = if len < 12 {
            Probe::NeedMore
        } else {
            Probe::Match(Speaker::Either)
        };
        assert_eq!(probe, told, "{len} bytes");
    }
    for other in [
        publish(2, "sensors/7", 1, b"x"),
        connect("MQTX", 4, "x"),
        connect("MQTT", 6, "x"),
        connect("MQIsdp", 4, "x"),
        b"\x10\x82\x05\x00\x04".to_vec(),
        b"\xC0\x00".to_vec(),
    ] {
        assert!(
            matches!(Mqtt::probe(&other, &at_start), Probe::NoMatch | Probe::NeedMore),
            "{other:?}"
        );
    }
    // Whoever was taken for the server: who sends a CONNECT is the client.
    let wrong_way = context(Direction::ToClient, false, true, false);
    assert_eq!(Mqtt::probe(&hello, &wrong_way), Probe::Match(Speaker::Client));
}

#[test]
fn packets_of_a_few_bytes_are_believed_at_home_only() {
    for (bytes, speaker) in [
        (&b"\xC0\x00"[..], Speaker::Client),
        (b"\xD0\x00", Speaker::Server),
        (b"\x40\x02\x00\x01", Speaker::Either),
        (b"\x90\x03\x00\x01\x00", Speaker::Server),
        (b"\x40\x02\x00\x01\x40\x02\x00\x02", Speaker::Either),
    ] {
        let home = context(Direction::ToServer, false, false, true);
        let away = context(Direction::ToServer, false, false, false);
        assert_eq!(Mqtt::probe(bytes, &home), Probe::Match(speaker), "{bytes:?}");
        assert_eq!(Mqtt::probe(bytes, &away), Probe::NoMatch, "{bytes:?}");
    }
    let away = context(Direction::ToServer, false, false, false);
    let message = publish(2, "sensors/7", 1, b"x");
    assert_eq!(Mqtt::probe(&message, &away), Probe::Match(Speaker::Either));
}

#[test]
fn other_protocols_are_not_taken_for_it() {
    let home = context(Direction::ToServer, false, false, true);
    for bytes in [
        // LDAP, DER in short and long form, Redis, HTTP, memcached, TLS, SSH, MySQL.
        &b"\x30\x0C\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"[..],
        b"\x30\x84\x00\x00\x00\x10\x02\x01\x01",
        b"\x30\x82\x01\x0A\x02\x82\x01\x01\x00\xC1",
        b":1\r\n",
        b"POST / HTTP/1.1\r\n\r\n",
        b"PUT / HTTP/1.1\r\n\r\n",
        b"0\r\n\r\n",
        b"1234567890",
        b"SSH-2.0-x\r\n",
        b"\x20\x00\x00\x00\x03SELECT 1",
        b"\xE0\x10\x00\x00\x00\x00\x00\x00\x00\x00",
        b"`some text`",
        b"@echo off\r\n",
        b"\x10\x27\x00\x00\x00\x00",
    ] {
        assert!(
            matches!(Mqtt::probe(bytes, &home), Probe::NoMatch | Probe::NeedMore),
            "{bytes:?}"
        );
    }
}

#[test]
fn the_next_packet_is_found_behind_the_rest_of_another() {
    let find = |bytes: &[u8]| Mqtt::new().resync(Direction::ToServer, bytes);
    let message = publish(2, "sensors/7", 1, b"payload");
    assert_eq!(find(&message), Some(0));
    assert_eq!(find(&[b"the rest of a payload", &message[..]].concat()), Some(21));
    assert_eq!(find(b"\x40\x02\x00\x01"), Some(0));
    assert_eq!(find(b"nothing but text, and much of it"), None);
    // Of what only servers send, nothing is found.
    assert_eq!(find(b"\xD0\x00\xD0\x00"), None);
    let _ = find(&b"\x30\x09\x00\x07".repeat(5000));
    let _ = find(&b"\x82\xFF\x7F\x00\x01\x00\x01a\x00".repeat(3000));
}
