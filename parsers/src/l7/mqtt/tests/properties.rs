//! Properties of MQTT 5: aliases, traces, requests and responses over topics.

use super::{acknowledge, brief, connect, connected_v5, packet, text};
use crate::field::Field;
use crate::testing::{Script, noise};

/// A message with these properties and no payload to speak of.
fn publish(first: u8, topic: &str, id: &[u8], properties: &[&[u8]]) -> Vec<u8> {
    let properties = properties.concat();
    let mut len = Vec::new();
    if properties.len() > 0x7F {
        len.push((properties.len() & 0x7F) as u8 | 0x80);
        len.push((properties.len() >> 7) as u8);
    } else {
        len.push(properties.len() as u8);
    }
    packet(first, &[&text(topic), id, &len, &properties, b"payload"])
}

fn user_property(name: &str, value: &str) -> Vec<u8> {
    [&[0x26][..], &text(name), &text(value)].concat()
}

#[test]
fn aliases_stand_for_topics_of_their_own_direction() {
    let script = connected_v5()
        .client(publish(0x30, "up/1", b"", &[b"\x23\x00\x01"]))
        .client(publish(0x30, "", b"", &[b"\x23\x00\x01"]))
        .server(publish(0x30, "down/1", b"", &[b"\x23\x00\x01"]))
        .server(publish(0x30, "", b"", &[b"\x23\x00\x01"]))
        .client(publish(0x30, "up/2", b"", &[b"\x23\x00\x01"]))
        .client(publish(0x32, "", b"\x00\x07", &[b"\x23\x00\x01"]))
        .server(acknowledge(0x40, 7))
        .client(publish(0x30, "", b"", &[b"\x23\x00\x02"]));
    let told = script.replay();
    let topics: Vec<_> = told[1..]
        .iter()
        .map(|t| {
            (
                t.text(Field::Resource),
                t.text(Field::Endpoint),
                t.attr("topic_alias"),
            )
        })
        .collect();
    assert_eq!(
        topics,
        [
            ("up/1", "up/1", "1"),
            ("up/1", "up/1", "1"),
            ("down/1", "down/1", "1"),
            ("down/1", "down/1", "1"),
            ("up/2", "up/2", "1"),
            ("up/2", "up/2", "1"),
            ("", "", "2"),
        ]
    );
    script.check();
}

#[test]
fn traces_and_correlation_are_told() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let script = connected_v5().client(publish(
        0x30,
        "rpc/add",
        b"",
        &[
            b"\x01\x01\x02\x00\x00\x00\x3C",
            &[&[0x03][..], &text("application/json")].concat(),
            &[&[0x08][..], &text("rpc/reply/7")].concat(),
            &[&[0x09][..], &text("call-7")].concat(),
            &user_property("traceparent", trace),
            &user_property("X-Request-Id", "r-17"),
            &user_property("password", "secret"),
        ],
    ));
    let told = script.replay();
    let record = &told[1];
    assert_eq!(record.text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(record.text(Field::SpanId), "00f067aa0ba902b7");
    assert_eq!(record.text(Field::XRequestId), "r-17");
    assert_eq!(record.attr("content_type"), "application/json");
    assert_eq!(record.attr("response_topic"), "rpc/reply/7");
    assert_eq!(record.attr("correlation_data"), "call-7");
    assert!(!format!("{record:?}").contains("secret"));
    script.check();
    let told = connected_v5()
        .server(publish(0x30, "x", b"", &[b"\x09\x00\x03\x00\xFF\x1A"]))
        .replay();
    assert_eq!(told[1].attr("correlation_data"), "00ff1a");
}

#[test]
fn a_server_may_name_its_client() {
    let script = Script::tcp(1883)
        .client(connect("MQTT", 5, ""))
        .server(packet(
            0x20,
            &[b"\x01\x00", b"\x0A", b"\x12\x00\x04c-42\x22\x00\x0A"],
        ))
        .client(publish(0x30, "a/b", b"", &[]));
    let told = script.replay();
    assert_eq!(
        (told[0].text(Field::Domain), told[1].text(Field::Domain)),
        ("c-42", "c-42")
    );
    assert_eq!(told[0].attr("session_present"), "true");
    script.check();
}

#[test]
fn properties_without_end_cost_no_more_than_their_bound() {
    // Longer than what is read of a packet, and the payload behind them.
    let many = user_property("key", &"v".repeat(1000)).repeat(40);
    let len = many.len();
    let varint = [
        (len & 0x7F) as u8 | 0x80,
        (len >> 7 & 0x7F) as u8 | 0x80,
        (len >> 14) as u8,
    ];
    let script = connected_v5()
        .client(packet(0x30, &[&text("a/b"), &varint, &many, b"payload"]))
        .client(publish(0x30, "next", b"", &[]));
    let told = script.replay();
    assert_eq!((told[1].text(Field::Resource), told[1].truncated), ("a/b", true));
    assert_eq!(
        (told[2].text(Field::Resource), told[2].truncated),
        ("next", false)
    );
}

#[test]
fn noise_behind_a_good_header_is_survived() {
    for first in (0x10..=0xFFu8).step_by(1) {
        for seed in 1..4 {
            let body = noise(seed * u64::from(first), 200);
            for script in [super::connected(), connected_v5()] {
                let _ = script.clone().client(packet(first, &[&body])).replay();
                let _ = script
                    .server(packet(first, &[&body]))
                    .client(b"\xE0\x00")
                    .replay();
            }
        }
    }
    assert_eq!(brief(&connected_v5().replay()).len(), 1);
}
