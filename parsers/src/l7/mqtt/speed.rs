//! What a packet costs: `cargo test --profile quick -p tapir-parsers mqtt::speed -- --ignored --nocapture`.

use super::tests::{acknowledge, connect, packet, publish, text};
use crate::measure::{Flow, best};
use crate::parser::Direction;

/// Messages in one segment.
const TOGETHER: u16 = 16;

fn measure(flow: &mut Flow, what: &str, there: &[u8], back: &[u8]) {
    let before = flow.sink.records;
    best(what, || {
        flow.say(Direction::ToServer, there);
        if !back.is_empty() {
            flow.say(Direction::ToClient, back);
        }
    });
    assert!(flow.sink.records > before, "{what}");
}

fn end(flow: Flow) {
    let told = flow.end();
    println!("{} record bytes", told.bytes / told.records);
}

#[test]
#[ignore = "a measurement"]
fn messages() {
    let mut flow = Flow::begin(1883, &connect("MQTT", 4, "sensor-0042"));
    flow.say(Direction::ToClient, b"\x20\x02\x00\x00");
    let topic = "plant/7/sensor/42/temperature";
    let at_once = packet(0x30, &[&text(topic), b"{\"t\":21.5}"]);
    measure(&mut flow, "a message of QoS 0", &at_once, b"");
    measure(
        &mut flow,
        "16 messages of QoS 0 together",
        &at_once.repeat(TOGETHER.into()),
        b"",
    );
    let acknowledged = publish(2, topic, 7, b"{\"t\":21.5}");
    measure(
        &mut flow,
        "a message of QoS 1",
        &acknowledged,
        &acknowledge(0x40, 7),
    );
    let many: Vec<u8> = (1..=TOGETHER)
        .flat_map(|id| publish(2, topic, id, b"{\"t\":21.5}"))
        .collect();
    let answers: Vec<u8> = (1..=TOGETHER).flat_map(|id| acknowledge(0x40, id)).collect();
    measure(&mut flow, "16 messages of QoS 1 together", &many, &answers);
    let large = packet(0x30, &[&text(topic), &[7; 60_000]]);
    measure(&mut flow, "a message of 60 kB", &large, b"");
    end(flow);

    let mut flow = Flow::begin(1883, &connect("MQTT", 5, "sensor-0042"));
    flow.say(Direction::ToClient, b"\x20\x03\x00\x00\x00");
    let aliased = packet(
        0x32,
        &[&text(""), b"\x00\x07", b"\x03\x23\x00\x01", b"{\"t\":21.5}"],
    );
    let named = packet(
        0x32,
        &[&text(topic), b"\x00\x07", b"\x03\x23\x00\x01", b"{\"t\":21.5}"],
    );
    measure(
        &mut flow,
        "a message of MQTT 5 that names an alias",
        &named,
        &acknowledge(0x40, 7),
    );
    measure(
        &mut flow,
        "a message of MQTT 5 by its alias",
        &aliased,
        &acknowledge(0x40, 7),
    );
    end(flow);
}

#[test]
#[ignore = "a measurement"]
fn messages_in_websockets() {
    let upgrade = "GET /mqtt HTTP/1.1\r\nHost: broker.test\r\nUpgrade: websocket\r\n\r\n";
    let agreed =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let mut flow = Flow::begin(1883, upgrade.as_bytes());
    flow.say(Direction::ToClient, agreed.as_bytes());
    flow.say(Direction::ToServer, &frame(&connect("MQTT", 4, "sensor-0042")));
    let topic = "plant/7/sensor/42/temperature";
    let at_once = frame(&packet(0x30, &[&text(topic), b"{\"t\":21.5}"]));
    measure(&mut flow, "a message of QoS 0", &at_once, b"");
    let large = frame(&packet(0x30, &[&text(topic), &[7; 60_000]]));
    measure(&mut flow, "a message of 60 kB", &large, b"");
    end(flow);
}

/// A frame as a client sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    super::tests::websocket::from_client(payload)
}
