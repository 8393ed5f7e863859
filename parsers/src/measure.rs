//! Shared by the measurements of protocols (`speed.rs` beside them).

use crate::engine::{Begin, Chunk, Engine, SessionId, Standing};
use crate::field::Ended;
use crate::parser::Direction;
use crate::record::{FlowFacts, RecordSink};
use crate::settings::Settings;
use std::time::Instant;

/// Counts records and their bytes.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl RecordSink for Count {
    fn record(&mut self, entry: &[u8]) {
        self.records += 1;
        self.bytes += entry.len() as u64;
    }
}

/// Payload of a full segment with timestamps on Ethernet, bytes.
const SEGMENT_BYTES: usize = 1448;

/// One TCP flow, seen from its beginning, and how far it has come.
pub(crate) struct Flow {
    engine: Engine,
    id: SessionId,
    offsets: [u64; 2],
    /// What became of what was said.
    pub(crate) sink: Count,
}

impl Flow {
    /// A flow to the server's `port` whose client says `first`; panics when no protocol begins like this.
    pub(crate) fn begin(port: u16, first: &[u8]) -> Self {
        let mut engine = Engine::new(Settings::default(), |_| true);
        let mut sink = Count::default();
        let facts = FlowFacts {
            server_port: port,
            ..FlowFacts::default()
        };
        let standing = Standing {
            direction_is_sure: true,
            at_stream_start: true,
            recognised_before: false,
            behind_loss: false,
            other_offset: None,
        };
        let chunk = Chunk {
            bytes: first,
            time_ns: 0,
            offset: 0,
            peer_offset: Some(0),
        };
        let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, standing, &chunk, &mut sink)
        else {
            panic!("not seen")
        };
        Self {
            engine,
            id,
            offsets: [first.len() as u64, 0],
            sink,
        }
    }

    /// `bytes` in one piece, sent having received all that the other side has said.
    pub(crate) fn say(&mut self, direction: Direction, bytes: &[u8]) {
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

    /// `bytes` in full segments.
    pub(crate) fn say_in_segments(&mut self, direction: Direction, bytes: &[u8]) {
        for segment in bytes.chunks(SEGMENT_BYTES) {
            self.say(direction, segment);
        }
    }

    /// A request and its response, each in one piece.
    pub(crate) fn turn(&mut self, asks: &[u8], tells: &[u8]) {
        self.say(Direction::ToServer, asks);
        self.say(Direction::ToClient, tells);
    }

    /// Ends the flow: what became of it.
    pub(crate) fn end(mut self) -> Count {
        self.engine.close(self.id, Ended::Fin, 0, &mut self.sink);
        self.sink
    }
}

/// Prints the best of many short runs: what the code costs when nothing else wants the core.
pub(crate) fn best(what: &str, mut run: impl FnMut()) {
    const ROUNDS: u32 = 1000;
    let mut best = f64::MAX;
    for _ in 0..500 {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            run();
        }
        best = best.min(started.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    println!("{what}: {best:.1} ns");
}
