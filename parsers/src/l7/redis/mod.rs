//! Redis and its kin (Valkey, KeyDB), RESP2 and RESP3. Source: Redis documentation, "Redis serialization
//! protocol specification", "Redis pipelining", "Redis Pub/Sub" and the command reference.
//!
//! Commands are read as far as a record tells of them, values of any size are passed unread. Passwords
//! (AUTH, HELLO, ACL SETUSER, CONFIG SET requirepass, MIGRATE, SENTINEL SET) are never told, whatever the
//! settings say. What a server pushes, and what MONITOR shows, are `stream` records.

mod arguments;
mod command;
mod names;
mod probe;
#[cfg(test)]
mod probe_tests;
mod reply;
mod resp;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use resp::Walk;

/// What a request waits for, as it is kept with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    /// One reply.
    Any,
    /// A confirmation for each channel.
    Confirmations(u32),
    /// MONITOR: the commands of all clients after the reply.
    Monitor,
    /// SYNC, PSYNC: the database after the reply.
    Replication,
}

impl Waiting {
    fn to_tag(self) -> u32 {
        match self {
            Self::Any => 0,
            Self::Monitor => 1,
            Self::Replication => 2,
            Self::Confirmations(count) => count.saturating_mul(4) | 3,
        }
    }

    fn from_tag(tag: u32) -> Self {
        match tag & 3 {
            1 => Self::Monitor,
            2 => Self::Replication,
            3 => Self::Confirmations(tag / 4),
            _ => Self::Any,
        }
    }
}

/// Which commands are answered: CLIENT REPLY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replies {
    On,
    SkipNext,
    Off,
}

/// Where in a reply the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Before one.
    Start,
    /// In an attribute before it.
    Attribute,
    /// Behind an attribute, before the value.
    Typing,
    /// In its value.
    Value,
}

/// The state of a connection.
pub struct Redis {
    /// Arguments of the command under way that are to come.
    arguments_left: u64,
    /// Values of the reply under way that are to come.
    walk: Walk,
    phase: Phase,
    /// Confirmations that belong to the reply under way, this one included.
    confirmations: u32,
    replies: Replies,
    subscribed: bool,
    monitors: bool,
    replicates: bool,
    /// The place in the server's stream was lost: see [`Redis::find_place`].
    adrift: bool,
}

impl Parser for Redis {
    const NAME: &'static str = "redis";
    const ABOUT: &'static str = "Redis and Valkey: RESP2, RESP3 and inline commands";
    const TRANSPORTS: Transports = Transports::TCP;
    // Server, replica or TLS-terminated, Sentinel.
    const PORTS: &'static [u16] = &[6379, 6380, 26379];
    const PAIRING: Pairing = Pairing::InOrder;
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::of(b"*$+-:_#,(!=%~>|")
            .or(ByteSet::range(b'A', b'Z'))
            .or(ByteSet::range(b'a', b'z')),
        ByteSet::range(b' ', b'~').with(b'\r'),
        ByteSet::range(b' ', b'~').with(b'\r').with(b'\n'),
        ByteSet::ANY,
    ];
    const ATTRS: &'static [&'static str] = &["pattern", "client", "database"];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            arguments_left: 0,
            walk: Walk::IDLE,
            phase: Phase::Start,
            confirmations: 0,
            replies: Replies::On,
            subscribed: false,
            monitors: false,
            replicates: false,
            adrift: false,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.replicates {
            return Advance::Done;
        }
        match direction {
            Direction::ToServer => self.advance_command(input, out),
            Direction::ToClient => self.advance_reply(input, out),
        }
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        if direction == Direction::ToClient {
            self.drift();
        }
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        match direction {
            Direction::ToServer => {
                self.arguments_left = 0;
                probe::find_command(bytes)
            }
            // Only the requests can tell what is a reply: it is looked for where they are known.
            Direction::ToClient => {
                self.drift();
                Some(0)
            }
        }
    }
}
