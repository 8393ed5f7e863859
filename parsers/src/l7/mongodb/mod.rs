//! MongoDB. Source: MongoDB manual, "MongoDB Wire Protocol" and "OP_MSG" (github.com/mongodb/specifications,
//! "message/OP_MSG"); operations that servers no longer take from the manual's versions up to 5.0.
//!
//! Every message has a length, a number, and the number of the message that it answers. What it holds are BSON
//! documents, of which a few elements are read and the rest is passed: the name of the command, its database
//! and collection; of answers how they went. What a login carries is never among them.

mod command;
mod compressed;
mod exhaust;
mod message;
mod opening;
mod probe;
mod reading;
mod reply;
mod snappy;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod zstd;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::l7::bson::Trouble;
use crate::limits::MONGODB_MESSAGE_BYTES_MAX;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use exhaust::Memo;
use message::{HEADER_BYTES, Header, Op, Prelude};
use reading::{Progress, Reading};

/// The state of one connection.
pub struct MongoDb {
    /// The message of each direction that has begun.
    readings: [Option<Reading>; 2],
    memo: Memo,
}

impl MongoDb {
    /// Reads the beginning of a message.
    fn begin(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let header = match Header::read(input.bytes) {
            Ok(header) => header,
            Err(Trouble::Need(need)) => return Advance::Need(need),
            Err(Trouble::Broken) => return Advance::Malformed,
        };
        if header.op.sent_by().is_some_and(|by| by != direction) {
            return Advance::Malformed;
        }
        if header.op == Op::Compressed {
            return self.compressed(&header, direction, input, out);
        }
        let end = input.bytes.len().min(header.len as usize);
        let body = input.bytes.get(HEADER_BYTES..end).unwrap_or(&[]);
        match Prelude::read(header.op, body) {
            Ok((prelude, used)) => {
                let left = header.body_len().saturating_sub(used as u32);
                match self.open(&header, (header.op, &prelude), direction, left, out) {
                    Some(reading) => self.read_on(direction, reading, input, HEADER_BYTES + used, out),
                    None => Advance::Skip(header.len.into()),
                }
            }
            Err(Trouble::Need(need)) if need as u64 > u64::from(header.body_len()) => Advance::Malformed,
            Err(Trouble::Need(_)) if input.ended => self.pass_unread(&header, header.op, direction, out),
            Err(Trouble::Need(need)) => Advance::Need(HEADER_BYTES + need),
            Err(Trouble::Broken) => Advance::Malformed,
        }
    }

    /// Reads on in a message's documents, `from` bytes behind the beginning of the input.
    fn read_on(
        &mut self,
        direction: Direction,
        mut reading: Reading,
        input: Input<'_>,
        from: usize,
        out: &mut Out<'_>,
    ) -> Advance {
        let end = input.bytes.len().min(from.saturating_add(reading.left as usize));
        let rest = input.bytes.get(from..end).unwrap_or(&[]);
        let (used, progress) = match reading.is_cut {
            true => (0, Progress::Cut),
            false => reading.read(rest, &mut self.memo, out),
        };
        let at = from + used;
        match progress {
            Progress::Pass(beyond) if !reading.has_ended() => {
                self.readings[direction.index()] = Some(reading);
                return Advance::Skip(at as u64 + u64::from(beyond));
            }
            Progress::Need(need) if !input.ended => {
                self.readings[direction.index()] = Some(reading);
                return if at > 0 {
                    Advance::Consumed(at)
                } else {
                    Advance::Need(need)
                };
            }
            Progress::Broken => return Advance::Malformed,
            Progress::Need(_) | Progress::Cut => out.truncated(),
            Progress::Done | Progress::Pass(_) => {}
        }
        reading.finish(&self.memo, out);
        out.close();
        let beyond = match progress {
            Progress::Pass(beyond) => beyond,
            _ => 0,
        };
        Advance::Skip(at as u64 + u64::from(beyond) + u64::from(reading.left))
    }
}

impl Parser for MongoDb {
    const NAME: &'static str = "mongodb";
    const ABOUT: &'static str = "MongoDB wire protocol: OP_MSG, OP_COMPRESSED and the operations before them";
    const TRANSPORTS: Transports = Transports::TCP;
    // mongod and mongos; shard and configuration servers.
    const PORTS: &'static [u16] = &[27017, 27018, 27019];
    const PAIRING: Pairing = Pairing::ById;
    const RESPONSE_TIMEOUT_NS: u64 = crate::limits::MONGODB_RESPONSE_TIMEOUT_NS;
    // The length of a message, at most 48,000,000 bytes.
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::ANY,
        ByteSet::ANY,
        ByteSet::ANY,
        ByteSet::range(0, (MONGODB_MESSAGE_BYTES_MAX >> 24) as u8),
    ];
    const ATTRS: &'static [&'static str] = &["code_name", "compressor", "mechanism"];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            readings: [None, None],
            memo: Memo::default(),
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        match self.readings[direction.index()].take() {
            Some(reading) => self.read_on(direction, reading, input, 0, out),
            None => self.begin(direction, input, out),
        }
    }

    fn on_gap(&mut self, direction: Direction, len: u64) -> OnGap {
        let Some(reading) = &mut self.readings[direction.index()] else {
            return OnGap::Resync;
        };
        reading.is_cut = true;
        if len >= u64::from(reading.left) {
            return OnGap::Pass;
        }
        // The message ends where it said.
        reading.left -= len as u32;
        OnGap::Resume
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.readings[direction.index()] = None;
        probe::find(direction, bytes)
    }
}
