//! The way in for fuzzers: the life of one TCP connection as packets, with what networks do to them.
//!
//! A fuzz target is one line: `fuzz_target!(|input: &[u8]| tapir_dataplane::testing::fuzz::run(input));`.
//! The input is the same as the engine's ([`Life`]), so the same seeds serve.

use super::{Connection, Frame, START_NS, Segment, Way, replay};
use crate::pipeline::PipelineOptions;
use tapir_parsers::engine::fuzz::{Life, What};
use tapir_parsers::parser::Direction;
use tapir_parsers::testing::Told;

/// Between two packets, ns: no hole is given up while what fills it is on its way.
const STEP_NS: u64 = 1000;

/// Bits of a chunk's argument: what happens to its segment on the way.
mod mishap {
    /// It passes once more later.
    pub(super) const REPEATED: u8 = 1;
    /// It and the one before it, of the same direction, change places.
    pub(super) const SWAPPED: u8 = 2;
    /// The sender has not seen what the other end sent meanwhile.
    pub(super) const BLIND: u8 = 4;
}

/// Replays a connection as it was sent and as it passed, and checks that neither order nor repetition
/// changed a record. What must hold of any replay is checked on the way.
///
/// # Panics
/// When it does not hold.
pub fn run(input: &[u8]) {
    let life = Life::new(input);
    let options = PipelineOptions {
        flows_max: 64,
        held_segments: 64,
        ..PipelineOptions::default()
    };
    let (joined, reset) = (life.joined, life.reset);
    // Sequence numbers that wrap soon, where the input is about something else.
    let isn = if life.redacted {
        u32::MAX - 100
    } else {
        0x1000_0000
    };
    let mut connection = Connection::ports(40_000, life.port)
        .with_isn(isn, isn / 3)
        .with_times(START_NS, STEP_NS);
    if !joined {
        connection.handshake();
    }
    let mut network = Network {
        joined,
        ..Network::default()
    };
    for step in life {
        let way = match step.direction {
            Direction::ToServer => Way::Client,
            Direction::ToClient => Way::Server,
        };
        match step.what {
            What::Chunk(bytes) if !bytes.is_empty() => {
                if step.argument & mishap::BLIND != 0 {
                    connection.send_blind(way, Segment::ACK | Segment::PSH, bytes);
                } else {
                    connection.say(way, bytes);
                }
                network.meddle(&connection, step.argument);
            }
            What::Repeated(bytes) => {
                connection.say(way, bytes.repeat(1 << step.argument.min(8)));
            }
            What::Bytewise(bytes) => {
                for byte in bytes.chunks(1) {
                    connection.say(way, byte);
                }
            }
            What::Lost(len) if len > 0 => {
                let lost = vec![0; usize::from(len)];
                let before = connection.segments.len();
                connection.say(way, lost);
                network.loses = true;
                connection.segments.truncate(before);
            }
            What::Time => {
                connection.wait(1000 << (2 * step.argument));
                // The flow may have been forgotten meanwhile.
                network.joined = true;
            }
            What::End => {
                connection.send(way, Segment::FIN | Segment::ACK, &[]);
            }
            What::Chunk(_) | What::Lost(_) => {}
        }
    }
    if reset {
        connection.reset(Way::Server);
    } else {
        connection.close();
    }
    let sent = replay(&connection.frames(), 1, &options);
    let passed = replay(&network.pass(&connection.segments), 1, &options);
    if !network.loses {
        assert_eq!(
            untimed(&sent.told),
            untimed(&passed.told),
            "sent, and passed out of order"
        );
    }
}

/// What becomes of segments on the way, by their place.
#[derive(Default)]
struct Network {
    repeated: Vec<usize>,
    swapped: Vec<usize>,
    /// The next segment may be the first that is seen of a flow.
    joined: bool,
    loses: bool,
}

impl Network {
    /// Notes what happens to the segment sent last.
    fn meddle(&mut self, connection: &Connection, argument: u8) {
        let segments = &connection.segments;
        let Some(last) = segments.len().checked_sub(1) else {
            return;
        };
        if argument & mishap::REPEATED != 0 {
            self.repeated.push(last);
        }
        let follows = |other: usize| {
            let (a, b) = (&segments[other], &segments[last]);
            let soon = b.time_ns - a.time_ns <= STEP_NS;
            soon && a.ends == b.ends && !a.payload.is_empty() && a.end() == b.seq
        };
        // Where the beginning was not seen, the segment that passes first is the beginning.
        let free = !self.joined && last > 0 && !self.swapped.contains(&(last - 1));
        if argument & mishap::SWAPPED != 0 && free && follows(last - 1) {
            self.swapped.push(last);
        }
    }

    /// The frames in the order in which they pass.
    fn pass(&self, segments: &[Segment]) -> Vec<Frame> {
        let mut passing = segments.to_vec();
        for at in &self.swapped {
            passing.swap(at - 1, *at);
        }
        for at in self.repeated.iter().rev() {
            // Behind what follows it.
            let place = (at + 2).min(passing.len());
            passing.insert(place, segments[*at].clone());
        }
        let mut now_ns = 0;
        passing
            .into_iter()
            .map(|segment| {
                now_ns = segment.time_ns.max(now_ns);
                segment.at(now_ns).frame()
            })
            .collect()
    }
}

/// Records without what depends on when each packet passed.
fn untimed(told: &[Told]) -> Vec<Told> {
    let mut told = told.to_vec();
    for told in &mut told {
        told.times = (0, 0, None);
    }
    told
}
