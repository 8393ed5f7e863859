//! The life of one flow as bytes: what fuzz inputs for the engine and for the layers below it are.
//!
//! A byte of bits, the server's port (u16, little-endian), then steps. Any bytes are a life: what is
//! missing at the end is zero or short.

use crate::parser::Direction;
use crate::testing::Script;

/// Bits of the first byte.
mod bit {
    pub(super) const L4: u8 = 0b11;
    pub(super) const JOINED: u8 = 1 << 2;
    pub(super) const SURE: u8 = 1 << 3;
    pub(super) const KEEPALIVE: u8 = 1 << 4;
    pub(super) const REDACTED: u8 = 1 << 5;
    pub(super) const BY_PORT: u8 = 1 << 6;
    pub(super) const RESET: u8 = 1 << 7;
}

/// Kinds of a step: bits 1 to 3 of its first byte. Bit 0 is the direction, the others are an argument.
mod kind {
    pub(super) const SHORT: u8 = 0;
    pub(super) const LONG: u8 = 1;
    pub(super) const REPEATED: u8 = 2;
    pub(super) const BYTEWISE: u8 = 3;
    pub(super) const LOST: u8 = 4;
    pub(super) const TIME: u8 = 5;
    pub(super) const END: u8 = 6;
}

/// What kind of flow it is; the steps follow by iteration.
#[derive(Clone, Debug)]
pub struct Life<'a> {
    /// 0 tcp, 1 udp, 2 icmp.
    pub l4: u8,
    /// The server's port.
    pub port: u16,
    /// The beginning was not seen.
    pub joined: bool,
    /// A handshake told who the client is.
    pub sure: bool,
    /// Keep-alive messages, and pieces of streams, become records.
    pub keepalive: bool,
    /// Everything that can be redacted is.
    pub redacted: bool,
    /// Only the protocols of the server's port are switched on, if there are any.
    pub by_port: bool,
    /// It ends with a reset.
    pub reset: bool,
    rest: &'a [u8],
}

/// One step of a life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Whose step it is.
    pub direction: Direction,
    /// Four bits that modify it.
    pub argument: u8,
    /// What happens.
    pub what: What<'a>,
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What<'a> {
    /// Bytes in one chunk.
    Chunk(&'a [u8]),
    /// Bytes, `1 << argument` times over, in one chunk.
    Repeated(&'a [u8]),
    /// Bytes in chunks of one.
    Bytewise(&'a [u8]),
    /// So many bytes that are never seen, shifted by the argument.
    Lost(u16),
    /// Time passes: `1 << (2 * argument)` µs.
    Time,
    /// The direction ends.
    End,
}

impl<'a> Life<'a> {
    /// Reads what kind of flow it is.
    pub fn new(input: &'a [u8]) -> Self {
        let mut life = Self {
            l4: 0,
            port: 0,
            joined: false,
            sure: false,
            keepalive: false,
            redacted: false,
            by_port: false,
            reset: false,
            rest: input,
        };
        let bits = life.u8();
        life.port = life.u16();
        life.l4 = (bits & bit::L4) % 3;
        let is_set = |bit| bits & bit != 0;
        life.joined = is_set(bit::JOINED);
        life.sure = is_set(bit::SURE);
        life.keepalive = is_set(bit::KEEPALIVE);
        life.redacted = is_set(bit::REDACTED);
        life.by_port = is_set(bit::BY_PORT);
        life.reset = is_set(bit::RESET);
        life
    }

    fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes([self.u8(), self.u8()])
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn short(&mut self) -> &'a [u8] {
        let len = usize::from(self.u8());
        self.take(len)
    }
}

impl<'a> Iterator for Life<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let control = self.u8();
        let what = match control >> 1 & 7 {
            kind::SHORT => What::Chunk(self.short()),
            kind::REPEATED => What::Repeated(self.short()),
            kind::BYTEWISE => What::Bytewise(self.short()),
            kind::LOST => What::Lost(self.u16()),
            kind::TIME => What::Time,
            kind::END => What::End,
            // Long, and what has no meaning of its own.
            _ => {
                let len = usize::from(self.u16());
                What::Chunk(self.take(len))
            }
        };
        Some(Step {
            direction: Direction::BOTH[usize::from(control & 1)],
            argument: control >> 4,
            what,
        })
    }
}

/// The life that says what `script` says: a seed.
pub fn seed(script: &Script) -> Vec<u8> {
    let [low, high] = script.server_port.to_le_bytes();
    let settings = &script.settings;
    let more = settings.keepalive_records || settings.grpc_stream_records;
    let more = if more { bit::KEEPALIVE } else { 0 };
    let mut seed = vec![script.l4 | bit::SURE | bit::BY_PORT | more, low, high];
    for (direction, bytes) in &script.messages {
        for chunk in bytes.chunks(usize::from(u16::MAX)) {
            let direction = *direction as u8;
            match u8::try_from(chunk.len()) {
                Ok(len) => seed.extend([direction | kind::SHORT << 1, len]),
                Err(_) => {
                    let [low, high] = (chunk.len() as u16).to_le_bytes();
                    seed.extend([direction | kind::LONG << 1, low, high]);
                }
            }
            seed.extend_from_slice(chunk);
        }
    }
    seed
}

#[cfg(test)]
mod tests {
    use super::{Life, What, seed};
    use crate::testing::Script;

    #[test]
    fn a_seed_says_what_its_script_says() {
        let script = Script::udp(53).client(b"a").server([7; 300]).client(b"z");
        let seed = seed(&script);
        let life = Life::new(&seed);
        assert_eq!((life.l4, life.port, life.sure, life.joined), (1, 53, true, false));
        let said: Vec<_> = life.map(|step| (step.direction, step.what)).collect();
        let want: Vec<_> = script
            .messages
            .iter()
            .map(|(d, bytes)| (*d, What::Chunk(bytes)))
            .collect();
        assert_eq!(said, want);
    }
}
