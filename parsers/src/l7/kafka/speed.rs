//! What a message costs: `cargo test --profile quick -p tapir-parsers kafka::speed -- --ignored --nocapture`.

use super::tests::{batch, request, response};
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

/// Length of a segment of a long request, bytes.
const SEGMENT_BYTES: usize = 1448;

fn produce(records: &[u8]) -> Vec<u8> {
    request(0, 7, 1)
        .int16(-1)
        .int16(-1)
        .int32(30_000)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int32(records.len() as i32)
        .bytes(records)
        .message()
}

fn produced() -> Vec<u8> {
    response(1)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int16(0)
        .int64(4711)
        .int64(-1)
        .int64(0)
        .int32(0)
        .message()
}

fn fetch(correlation: i32) -> Vec<u8> {
    request(1, 7, correlation)
        .int32(-1)
        .int32(500)
        .int32(1)
        .int32(1 << 20)
        .int8(0)
        .int32(0)
        .int32(0)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int64(4711)
        .int64(0)
        .int32(1 << 20)
        .int32(0)
        .message()
}

fn fetched(partitions: i32) -> Vec<u8> {
    let mut wire = response(1)
        .int32(0)
        .int16(0)
        .int32(0)
        .int32(1)
        .text("orders")
        .int32(partitions);
    for partition in 0..partitions {
        wire = wire
            .int32(partition)
            .int16(0)
            .int64(9)
            .int64(9)
            .int64(0)
            .int32(-1)
            .int32(0);
    }
    wire.message()
}

/// A flow whose messages are handed in.
struct Flow {
    engine: Engine,
    id: SessionId,
    sink: Count,
    offsets: [u64; 2],
}

impl Flow {
    fn begin(first: &[u8]) -> Self {
        let mut engine = Engine::new(Settings::default(), |protocol| protocol.name() == "kafka");
        let mut sink = Count::default();
        let facts = FlowFacts {
            server_port: 9092,
            ..FlowFacts::default()
        };
        let chunk = Chunk {
            bytes: first,
            time_ns: 0,
            offset: 0,
            peer_offset: Some(0),
        };
        let begun = engine.begin(&facts, Direction::ToServer, STANDING, &chunk, &mut sink);
        let Begin::Session(id) = begun else {
            panic!("not seen")
        };
        Self {
            engine,
            id,
            sink,
            offsets: [first.len() as u64, 0],
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        let (here, there) = (direction.index(), direction.opposite().index());
        let chunk = Chunk {
            bytes,
            time_ns: 1_000,
            offset: self.offsets[here],
            peer_offset: Some(self.offsets[there]),
        };
        self.offsets[here] += bytes.len() as u64;
        self.engine.data(self.id, direction, &chunk, &mut self.sink);
    }

    fn turn(&mut self, asks: &[u8], tells: &[u8]) {
        self.say(Direction::ToServer, asks);
        self.say(Direction::ToClient, tells);
    }
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let trace = [(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )];
    let small = produce(&batch(0, &[b'x'; 200], &trace));
    let long = produce(&batch(0, &vec![b'x'; 1 << 20], &trace));
    let (ask, tell) = (fetch(1), fetched(1));
    let (wide, produced) = (fetched(100), produced());
    let mut flow = Flow::begin(&ask);
    flow.say(Direction::ToClient, &tell);
    best("Produce, with a trace", || flow.turn(&small, &produced));
    best("Fetch", || flow.turn(&ask, &tell));
    best("Fetch of 100 partitions", || flow.turn(&ask, &wide));
    best("Produce of 1 MiB in segments", || {
        for segment in long.chunks(SEGMENT_BYTES) {
            flow.say(Direction::ToServer, segment);
        }
        flow.say(Direction::ToClient, &produced);
    });
    flow.engine.close(flow.id, Ended::Fin, 0, &mut flow.sink);
    println!("{} record bytes", flow.sink.bytes / flow.sink.records);
}

#[test]
#[ignore = "a measurement"]
fn probes() {
    use super::probe::probe;
    use crate::parser::{ProbeContext, Transports};
    use std::hint::black_box;
    let context = ProbeContext {
        transport: Transports::TCP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: true,
        behind_unknown: false,
        complete: false,
    };
    let noise = [&[0, 0, 0, 60][..], &crate::testing::noise(1, 60)].concat();
    for (what, head) in [
        ("a request", fetch(1)),
        ("a response", fetched(1)),
        ("noise as long as it says", noise),
    ] {
        best(&format!("probe of {what}"), || {
            black_box(probe(black_box(&head), &context));
        });
    }
}
