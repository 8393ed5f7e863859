//! Apache Kafka. Source: Apache Kafka 4.1 documentation, protocol guide, and its message definitions; KIP-482
//! (flexible versions), KIP-516 (topic ids), KIP-511 (ApiVersions), KIP-43 and KIP-152 (SASL).
//!
//! Each message is a length and as many bytes. A request names its API and version and carries a correlation id;
//! a response carries the correlation id alone, and only its request tells how it is laid out: so each request
//! leaves its API and version as a tag. Several requests may be under way, and are answered by id.
//!
//! A message is walked through by its layout as its bytes come, so none is too long: records are passed by
//! arithmetic, and what follows them is read.

mod batch;
mod cursor;
mod errors;
mod header;
mod layout;
mod layouts;
mod names;
mod notes;
mod probe;
mod request;
mod response;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod topics;
mod under_way;
mod walk;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::limits::KAFKA_RESPONSE_TIMEOUT_NS;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use cursor::Cursor;
use notes::{Known, Noted, Topical};
use request::Tag;
use topics::Topics;
use under_way::UnderWay;
use walk::{Stop, Walk};

/// What is known of one direction of a connection.
struct Side {
    /// Bytes of the message at hand that are not done with; 0 between messages.
    left: u64,
    /// Some of the message's bytes are missing, or are not as they should be: the rest is passed.
    is_broken: bool,
    /// Whether the end of the walk tells how the request went.
    tells_outcome: bool,
    /// What the request at hand leaves for its response.
    tag: Tag,
    topical: Topical,
    walk: Walk,
    known: Known,
}

impl Side {
    const NEW: Self = Self {
        left: 0,
        is_broken: false,
        tells_outcome: false,
        tag: Tag::NONE,
        topical: Topical::Ignore,
        walk: Walk::NONE,
        known: Known::NOTHING,
    };
}

/// The state of one connection.
pub struct Kafka {
    sides: [Side; 2],
    topics: Topics,
    under_way: UnderWay,
    /// The client has asked for SASL in its first version: tokens without a header may follow (KIP-43).
    may_send_tokens: bool,
    /// Tokens that are not answered.
    tokens: u8,
}

impl Kafka {
    /// Goes on with the message of `direction`, from `at` of the input.
    fn go_on(&mut self, direction: Direction, input: Input<'_>, at: u64, out: &mut Out<'_>) -> Advance {
        let Self { sides, topics, .. } = self;
        let Some(side) = sides.get_mut(direction.index()) else {
            return Advance::Malformed;
        };
        let mut cursor = Cursor::new(input.bytes, at, side.left);
        if side.is_broken {
            out.truncated();
            return side.end(out);
        }
        let mut noted = Noted {
            known: &mut side.known,
            topics,
            topical: side.topical,
            out,
        };
        match side.walk.run(&mut cursor, &mut noted) {
            Stop::Done => {
                if side.topical == Topical::Tell {
                    side.known.tell_topics(out);
                    side.known.tell_endpoint(out);
                }
                if side.tells_outcome {
                    side.known.tell_outcome(out);
                } else if side.known.has_topics() {
                    out.tag(side.tag.named());
                }
                side.end(out)
            }
            Stop::Broken => {
                if side.topical == Topical::Tell {
                    side.known.tell_topics(out);
                }
                out.truncated();
                side.end(out)
            }
            Stop::Need(to) if cursor.at == 0 && !input.ended => {
                Advance::Need(usize::try_from(to).unwrap_or(usize::MAX))
            }
            Stop::Need(_) => {
                if side.topical == Topical::Tell && side.walk.is_in_last() {
                    side.known.tell_topics(out);
                }
                if cursor.at == 0 {
                    // Nothing more is seen of the field at hand, and what follows cannot be told apart.
                    side.is_broken = true;
                    cursor.at = input.bytes.len() as u64;
                }
                side.left = side.left.saturating_sub(cursor.at);
                Advance::Skip(cursor.at)
            }
        }
    }
}

impl Side {
    /// The message at hand ends, seen or not.
    fn end(&mut self, out: &mut Out<'_>) -> Advance {
        out.close();
        self.is_broken = false;
        Advance::Skip(std::mem::take(&mut self.left))
    }

    /// Forgets the message at hand.
    fn reset(&mut self) {
        self.left = 0;
        self.is_broken = false;
    }
}

impl Parser for Kafka {
    const NAME: &'static str = "kafka";
    const ABOUT: &'static str = "Apache Kafka, all APIs to 4.1 (Kafka protocol guide)";
    const TRANSPORTS: Transports = Transports::TCP;
    // Listeners of brokers and of controllers.
    const PORTS: &'static [u16] = &[9092, 9093, 9094, 9095, 9096, 9098, 19092, 29092];
    const PAIRING: Pairing = Pairing::ById;
    const RESPONSE_TIMEOUT_NS: u64 = KAFKA_RESPONSE_TIMEOUT_NS;
    // The high byte of a message's length.
    const FIRST_BYTES: [ByteSet; 4] = [ByteSet::range(0, 7), ByteSet::ANY, ByteSet::ANY, ByteSet::ANY];
    const ATTRS: &'static [&'static str] = &[
        "group_id",
        "transactional_id",
        "offset",
        "mechanism",
        "client_software",
        "client_software_version",
        "error_message",
    ];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            sides: [Side::NEW; 2],
            topics: Topics::NONE,
            under_way: UnderWay::NONE,
            may_send_tokens: false,
            tokens: 0,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let is_between = self
            .sides
            .get(direction.index())
            .is_some_and(|side| side.left == 0);
        match direction {
            _ if !is_between => self.go_on(direction, input, 0, out),
            Direction::ToServer => self.begin_request(input, out),
            Direction::ToClient => self.begin_response(input, out),
        }
    }

    fn on_gap(&mut self, direction: Direction, len: u64) -> OnGap {
        match self.sides.get_mut(direction.index()) {
            // The message at hand is longer than what is missing of it.
            Some(side) if side.left > len => {
                side.left -= len;
                side.is_broken = true;
                OnGap::Resume
            }
            Some(side) if side.left > 0 => {
                side.is_broken = true;
                OnGap::Pass
            }
            _ => OnGap::Resync,
        }
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        if let Some(side) = self.sides.get_mut(direction.index()) {
            side.reset();
        }
        match direction {
            Direction::ToServer => probe::find_request(bytes),
            Direction::ToClient => {
                // An answer to a token has nothing to be found by, nor to be told from others.
                self.tokens = 0;
                probe::find_response(bytes, &self.under_way)
            }
        }
    }
}
