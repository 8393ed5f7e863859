//! What a message costs: `cargo test --profile quick -p tapir-parsers mongodb::speed -- --ignored --nocapture`.

use super::tests::build::*;
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
/// Payload of a full segment, bytes.
const SEGMENT: usize = 1448;

/// One flow, and how far it has come.
struct Flow {
    engine: Engine,
    id: SessionId,
    offsets: [u64; 2],
    sink: Count,
}

impl Flow {
    /// Begins with an exchange.
    fn begin(asks: &[u8], tells: &[u8]) -> Self {
        let mut engine = Engine::new(Settings::default(), |protocol| protocol.name() == "mongodb");
        let mut sink = Count::default();
        let facts = FlowFacts {
            server_port: 27017,
            ..FlowFacts::default()
        };
        let first = Chunk {
            bytes: asks,
            time_ns: 1_000,
            offset: 0,
            peer_offset: Some(0),
        };
        let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink)
        else {
            panic!("not seen")
        };
        let offsets = [asks.len() as u64, 0];
        let mut flow = Self {
            engine,
            id,
            offsets,
            sink,
        };
        flow.say(Direction::ToClient, tells);
        flow
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        for bytes in bytes.chunks(SEGMENT) {
            let chunk = Chunk {
                bytes,
                time_ns: 1_000,
                offset: self.offsets[direction.index()],
                peer_offset: Some(self.offsets[direction.opposite().index()]),
            };
            self.engine.data(self.id, direction, &chunk, &mut self.sink);
            self.offsets[direction.index()] += bytes.len() as u64;
        }
    }

    /// Measures an exchange over and over; every one must become a record.
    fn measure(what: &str, asks: &[u8], tells: &[u8]) {
        let mut flow = Self::begin(asks, tells);
        let mut turns = 1;
        best(what, || {
            turns += 1;
            flow.say(Direction::ToServer, asks);
            flow.say(Direction::ToClient, tells);
        });
        flow.engine.close(flow.id, Ended::Fin, 0, &mut flow.sink);
        assert_eq!(flow.sink.records, turns, "{what}");
        println!("  of {} and {} bytes", asks.len(), tells.len());
    }
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let session = inner("lsid", &[binary("id", &[7; 16])]);
    let filter = inner("filter", &[long("user", 4711)]);
    let asks = ask(1, &[text("find", "sessions"), filter, int("limit", 1), session]);
    let answer = |documents: &[Vec<u8>]| {
        let cursor = [
            array("firstBatch", documents),
            long("id", 0),
            text("ns", "shop.sessions"),
        ];
        tell(1, &[inner("cursor", &cursor), ok()])
    };
    let tells = answer(&[stored(1, 200)]);
    Flow::measure("an exchange", &asks, &tells);
    let batch: Vec<_> = (0..101).map(|i| stored(i, 400)).collect();
    Flow::measure("an exchange with a batch of 101", &asks, &answer(&batch));
    let image = [stored(1, 1_000_000)];
    Flow::measure(
        "an exchange with one document of a megabyte",
        &asks,
        &answer(&image),
    );
    for method in [Method::Snappy, Method::Zlib, Method::Zstd] {
        let (asks, tells) = (packed(method, &asks), packed(method, &tells));
        Flow::measure(&format!("an exchange packed by {method:?}"), &asks, &tells);
    }
    for method in [Method::Snappy, Method::Zlib] {
        let long = packed(method, &answer(&batch));
        Flow::measure(&format!("a batch of 101 packed by {method:?}"), &asks, &long);
    }
}
