//! What a packet costs: `cargo test --profile quick -p tapir-parsers mqtt::speed -- --ignored --nocapture`.

use super::tests::{acknowledge, connect, packet, publish, text};
use crate::engine::{Begin, Chunk, Engine, SessionId, Standing};
use crate::field::Ended;
use crate::measure::{Count, best};
use crate::parser::Direction;
use crate::record::FlowFacts;
use crate::settings::Settings;

/// What is known of a flow that begins.
const STANDING: Standing = Standing {
    direction_is_sure: true,
    at_stream_start: true,
    recognised_before: false,
};
/// Messages in one segment.
const TOGETHER: u16 = 16;

/// A connection under way.
struct Flow {
    engine: Engine,
    sink: Count,
    id: SessionId,
    offset: [u64; 2],
}

impl Flow {
    fn begin(hello: &[u8]) -> Self {
        let mut engine = Engine::new(Settings::default(), |_| true);
        let mut sink = Count::default();
        let facts = FlowFacts {
            server_port: 1883,
            ..FlowFacts::default()
        };
        let chunk = Chunk {
            bytes: hello,
            time_ns: 0,
            offset: 0,
            peer_offset: Some(0),
        };
        let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &chunk, &mut sink)
        else {
            panic!("not seen")
        };
        Self {
            engine,
            sink,
            id,
            offset: [hello.len() as u64, 0],
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        let chunk = Chunk {
            bytes,
            time_ns: 1_000,
            offset: self.offset[direction.index()],
            peer_offset: Some(self.offset[direction.opposite().index()]),
        };
        self.offset[direction.index()] += bytes.len() as u64;
        self.engine.data(self.id, direction, &chunk, &mut self.sink);
    }

    fn measure(&mut self, what: &str, there: &[u8], back: &[u8]) {
        let before = self.sink.records;
        best(what, || {
            self.say(Direction::ToServer, there);
            if !back.is_empty() {
                self.say(Direction::ToClient, back);
            }
        });
        assert!(self.sink.records > before, "{what}");
    }

    fn end(mut self) {
        self.engine.close(self.id, Ended::Fin, 0, &mut self.sink);
        println!("{} record bytes", self.sink.bytes / self.sink.records);
    }
}

#[test]
#[ignore = "a measurement"]
fn messages() {
    let mut flow = Flow::begin(&connect("MQTT", 4, "sensor-0042"));
    flow.say(Direction::ToClient, b"\x20\x02\x00\x00");
    let topic = "plant/7/sensor/42/temperature";
    let at_once = packet(0x30, &[&text(topic), b"{\"t\":21.5}"]);
    flow.measure("a message of QoS 0", &at_once, b"");
    flow.measure(
        "16 messages of QoS 0 together",
        &at_once.repeat(TOGETHER.into()),
        b"",
    );
    let acknowledged = publish(2, topic, 7, b"{\"t\":21.5}");
    flow.measure("a message of QoS 1", &acknowledged, &acknowledge(0x40, 7));
    let many: Vec<u8> = (1..=TOGETHER)
        .flat_map(|id| publish(2, topic, id, b"{\"t\":21.5}"))
        .collect();
    let answers: Vec<u8> = (1..=TOGETHER).flat_map(|id| acknowledge(0x40, id)).collect();
    flow.measure("16 messages of QoS 1 together", &many, &answers);
    let large = packet(0x30, &[&text(topic), &[7; 60_000]]);
    flow.measure("a message of 60 kB", &large, b"");
    flow.end();

    let mut flow = Flow::begin(&connect("MQTT", 5, "sensor-0042"));
    flow.say(Direction::ToClient, b"\x20\x03\x00\x00\x00");
    let aliased = packet(
        0x32,
        &[&text(""), b"\x00\x07", b"\x03\x23\x00\x01", b"{\"t\":21.5}"],
    );
    let named = packet(
        0x32,
        &[&text(topic), b"\x00\x07", b"\x03\x23\x00\x01", b"{\"t\":21.5}"],
    );
    flow.measure(
        "a message of MQTT 5 that names an alias",
        &named,
        &acknowledge(0x40, 7),
    );
    flow.measure(
        "a message of MQTT 5 by its alias",
        &aliased,
        &acknowledge(0x40, 7),
    );
    flow.end();
}

#[test]
#[ignore = "a measurement"]
fn messages_in_websockets() {
    let upgrade = "GET /mqtt HTTP/1.1\r\nHost: broker.test\r\nUpgrade: websocket\r\n\r\n";
    let agreed =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
    let mut flow = Flow::begin(upgrade.as_bytes());
    flow.say(Direction::ToClient, agreed.as_bytes());
    flow.say(Direction::ToServer, &frame(&connect("MQTT", 4, "sensor-0042")));
    let topic = "plant/7/sensor/42/temperature";
    let at_once = frame(&packet(0x30, &[&text(topic), b"{\"t\":21.5}"]));
    flow.measure("a message of QoS 0", &at_once, b"");
    let large = frame(&packet(0x30, &[&text(topic), &[7; 60_000]]));
    flow.measure("a message of 60 kB", &large, b"");
    flow.end();
}

/// A frame as a client sends it.
fn frame(payload: &[u8]) -> Vec<u8> {
    super::tests::websocket::from_client(payload)
}
