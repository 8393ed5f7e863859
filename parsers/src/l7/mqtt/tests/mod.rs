//! Conversations of each form, and what must be told of them.

mod delivery;
mod joined;
mod packets;
mod properties;
pub(super) mod websocket;

use crate::field::Field;
use crate::testing::{Script, Told};

/// A packet: its first byte, then the length of what the pieces make, then the pieces.
pub(super) fn packet(first: u8, pieces: &[&[u8]]) -> Vec<u8> {
    let body = pieces.concat();
    let mut bytes = vec![first];
    let mut left = body.len();
    loop {
        let more = if left > 0x7F { 0x80 } else { 0 };
        bytes.push((left & 0x7F) as u8 | more);
        left >>= 7;
        if left == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// Text behind its length.
pub(super) fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat()
}

pub(super) fn connect(name: &str, level: u8, client_id: &str) -> Vec<u8> {
    let properties: &[u8] = if level == 5 { &[0] } else { &[] };
    packet(
        0x10,
        &[&text(name), &[level, 2, 0, 60], properties, &text(client_id)],
    )
}

/// A connection of MQTT 3.1.1.
pub(super) fn connected() -> Script {
    Script::tcp(1883)
        .client(connect("MQTT", 4, "probe-1"))
        .server(b"\x20\x02\x00\x00")
}

/// A connection of MQTT 5.
pub(super) fn connected_v5() -> Script {
    Script::tcp(1883)
        .client(connect("MQTT", 5, "probe-5"))
        .server(b"\x20\x03\x00\x00\x00")
}

/// A message of MQTT 3 with QoS 1 or 2; flags as they are.
pub(super) fn publish(flags: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    packet(0x30 | flags, &[&text(topic), &id.to_be_bytes(), payload])
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, by its first byte.
pub(super) fn acknowledge(first: u8, id: u16) -> Vec<u8> {
    packet(first, &[&id.to_be_bytes()])
}

/// Kind, type, resource, packet id.
pub(super) fn brief(told: &[Told]) -> Vec<(&str, &str, &str, Option<u64>)> {
    assert!(told.iter().all(|t| t.proto == "mqtt"), "{told:#?}");
    told.iter()
        .map(|t| {
            (
                t.kind,
                t.text(Field::ReqType),
                t.text(Field::Resource),
                t.request_id,
            )
        })
        .collect()
}
