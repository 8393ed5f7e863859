//! The compressed protocol: packets within packets. Source: MySQL 8 source documentation, "Compression";
//! MariaDB "Compressed packets".
//!
//! Once both sides agree, the stream of plain packets travels in compressed packets, cut anywhere:
//! `compressed length (3), sequence number (1), plain length (3; 0: not compressed)`, then zlib or zstd.
//! Plain bytes are made piece by piece, read as if they had come by themselves, and dropped. What nobody
//! needs is not even inflated when it fills the rest of its packet.

use super::probe::{begins_answer, begins_request};
use super::{MySql, wire::Reader};
use crate::conversation::Out;
use crate::l7::inflate::{Inflater, decode_zstd, give_work_buffer, take_work_buffer};
use crate::limits::{COMPRESSED_WHOLE_BYTES_MAX, INFLATED_BYTES_FREE, INFLATED_RATIO_MAX, STITCH_BYTES_MAX};
use crate::parser::{Advance, Direction, Input};

/// Bytes before the payload.
const HEADER_BYTES: usize = 7;
/// Bytes of a packet that are awaited before it is begun, so that a short one is always whole.
const HEAD_BYTES: usize = 4096;
/// The checksum at the end of a zlib stream. It is not inflated: its bytes are left for further messages
/// in the same packet, each of which must begin in a call of its own.
const RESERVE_BYTES: u32 = 4;
const ZSTD_MAGIC: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// Plain bytes that tell whether a packet begins a message.
const LOOK_BYTES: usize = 512;

#[derive(Clone, Copy, Debug)]
struct Header {
    len: u32,
    sequence: u8,
    plain_len: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let [a, b, c, sequence] = reader.array()?;
        let [d, e, f] = reader.array()?;
        Some(Self {
            len: u32::from_le_bytes([a, b, c, 0]),
            sequence,
            plain_len: u32::from_le_bytes([d, e, f, 0]),
        })
    }

    /// How its payload, whose head is here, is packed; `None` when it can't be such a payload.
    fn method(self, payload: &[u8]) -> Option<Method> {
        if self.plain_len == 0 {
            return (self.len > 0).then_some(Method::Stored);
        }
        match payload {
            _ if self.len <= RESERVE_BYTES + 2 => None,
            _ if payload.starts_with(ZSTD_MAGIC) => Some(Method::Zstd),
            // RFC 1950: method 8, no dictionary, a multiple of 31.
            [cmf, flags, ..] if cmf & 0x0F == 8 && flags & 0x20 == 0 => {
                (u16::from_be_bytes([*cmf, *flags]) % 31 == 0).then_some(Method::Zlib)
            }
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Method {
    #[default]
    Stored,
    Zlib,
    Zstd,
}

/// One direction of a compressed connection.
#[derive(Default)]
struct Side {
    method: Method,
    /// Bytes of the packet's payload that are still to come.
    wire_left: u32,
    /// Plain bytes that the packet will still give.
    plain_left: u32,
    /// Plain bytes that the packet may still give without being taken for a bomb.
    budget: u64,
    inflater: Option<Inflater>,
    /// Plain bytes of a packet that is not whole, from one call to the next.
    held: Vec<u8>,
    /// Plain bytes wanted before they are looked at again.
    need: usize,
    /// Plain bytes that nobody needs.
    skip: u64,
    /// The message at hand ends with the skip.
    closing: bool,
}

/// What is known of a compressed connection.
#[derive(Default)]
pub(super) struct Compression {
    sides: [Side; 2],
}

impl MySql {
    /// A piece of a compressed packet.
    pub(super) fn compressed_packet(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let Some(mut compression) = self.compression.take() else {
            return Advance::Malformed;
        };
        let [to_server, to_client] = &mut compression.sides;
        let side = match direction {
            Direction::ToServer => to_server,
            Direction::ToClient => to_client,
        };
        let advance = side.advance(self, direction, input, out);
        self.compression = Some(compression);
        advance
    }

    /// Finds the next compressed packet that begins a message.
    pub(super) fn find_compressed(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        if let Some(compression) = &mut self.compression
            && let Some(side) = compression.sides.get_mut(direction.index())
        {
            *side = Side::default();
        }
        (0..bytes.len().saturating_sub(HEADER_BYTES)).find(|at| {
            bytes
                .get(*at..)
                .is_some_and(|rest| begins_message(rest, direction))
        })
    }
}

/// Whether `bytes` begin with a compressed packet in which a message of this direction begins.
pub(super) fn begins_message(bytes: &[u8], direction: Direction) -> bool {
    let Some(header) = Header::read(bytes) else {
        return false;
    };
    let end = bytes.len().min(HEADER_BYTES + header.len as usize);
    let payload = bytes.get(HEADER_BYTES..end).unwrap_or(&[]);
    let in_order = match direction {
        Direction::ToServer => header.sequence == 0,
        Direction::ToClient => (1..=8).contains(&header.sequence),
    };
    let (true, Some(method)) = (in_order, header.method(payload)) else {
        return false;
    };
    let mut plain = take_work_buffer();
    let plain_len = match method {
        Method::Stored => {
            plain.extend_from_slice(payload.get(..payload.len().min(LOOK_BYTES)).unwrap_or(&[]));
            header.len
        }
        Method::Zlib => {
            if let Some(mut inflater) = Inflater::lend() {
                let _ = inflater.inflate(payload, &mut plain, LOOK_BYTES);
            }
            header.plain_len
        }
        Method::Zstd => {
            decode_zstd(payload, &mut plain, header.plain_len as usize);
            header.plain_len
        }
    };
    let begins = match direction {
        Direction::ToServer => begins_request(&plain, plain_len as usize),
        Direction::ToClient => begins_answer(&plain, plain_len as usize),
    };
    give_work_buffer(plain);
    begins
}

impl Side {
    fn advance(
        &mut self,
        parser: &mut MySql,
        direction: Direction,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let mut at = 0;
        let mut work = take_work_buffer();
        work.append(&mut self.held);
        if self.wire_left == 0 {
            match self.begin(input, &mut work) {
                Ok(()) => at = HEADER_BYTES,
                Err(advance) => {
                    self.held.extend_from_slice(&work);
                    give_work_buffer(work);
                    return advance;
                }
            }
            if self.method == Method::Zstd && self.plain_left == 0 {
                at += self.take_all_but_reserve();
            }
        }
        let advance = self.run(parser, direction, input, at, &mut work, out);
        self.held.extend_from_slice(&work);
        give_work_buffer(work);
        advance
    }

    /// Begins the packet that `input` begins with.
    fn begin(&mut self, input: Input<'_>, work: &mut Vec<u8>) -> Result<(), Advance> {
        let header = Header::read(input.bytes).ok_or(Advance::Need(HEADER_BYTES))?;
        let len = header.len as usize;
        let mut want = HEADER_BYTES + len.min(HEAD_BYTES);
        let payload = input.bytes.get(HEADER_BYTES..).unwrap_or(&[]);
        if payload.starts_with(ZSTD_MAGIC) && len <= COMPRESSED_WHOLE_BYTES_MAX {
            want = HEADER_BYTES + len;
        }
        if input.bytes.len() < want && !input.ended {
            return Err(Advance::Need(want));
        }
        self.method = header.method(payload).ok_or(Advance::Malformed)?;
        self.wire_left = header.len;
        self.plain_left = match self.method {
            Method::Stored => header.len,
            _ => header.plain_len,
        };
        self.budget = INFLATED_BYTES_FREE.max(u64::from(header.len) * INFLATED_RATIO_MAX);
        if self.skip >= u64::from(self.plain_left) {
            return Ok(());
        }
        match self.method {
            Method::Stored => {}
            Method::Zlib => self.inflater = Some(Inflater::lend().ok_or(Advance::Malformed)?),
            Method::Zstd => {
                let payload = payload.get(..len.min(payload.len())).unwrap_or(&[]);
                if !decode_zstd(payload, work, header.plain_len as usize) {
                    return Err(Advance::Malformed);
                }
                self.plain_left = 0;
            }
        }
        Ok(())
    }

    /// Counts the payload as used, but for what is left for further messages.
    fn take_all_but_reserve(&mut self) -> usize {
        let taken = self.wire_left.saturating_sub(RESERVE_BYTES);
        self.wire_left -= taken;
        taken as usize
    }

    /// Reads plain bytes until the packet, what is here of it, or a message ends.
    fn run(
        &mut self,
        parser: &mut MySql,
        direction: Direction,
        input: Input<'_>,
        mut at: usize,
        work: &mut Vec<u8>,
        out: &mut Out<'_>,
    ) -> Advance {
        loop {
            let passed = self.skip.min(work.len() as u64);
            work.drain(..passed as usize);
            self.skip -= passed;
            if self.closing && self.skip == 0 {
                self.closing = false;
                out.close();
                if self.plain_left > 0 || !work.is_empty() {
                    return self.pause(at, work);
                }
            }
            if work.is_empty() && self.skip >= u64::from(self.plain_left) {
                return self.finish(at, out);
            }
            if work.len() >= self.need.max(1) && self.skip == 0 {
                let plain = Input {
                    bytes: work,
                    ended: false,
                };
                parser.message_has_ended = false;
                match parser.plain_packets(direction, plain, out) {
                    Advance::Consumed(used) => {
                        self.need = 0;
                        work.drain(..used.min(work.len()));
                    }
                    Advance::Skip(passed) => {
                        self.need = 0;
                        self.skip = passed;
                    }
                    Advance::Need(need) if need <= STITCH_BYTES_MAX => self.need = need.max(work.len() + 1),
                    other => return other,
                }
                self.closing |= parser.message_has_ended;
            } else if self.plain_left == 0 {
                return self.finish(at, out);
            } else {
                let rest = input.bytes.get(at..).unwrap_or(&[]);
                match self.make_plain(rest, work) {
                    Some((0, 0)) if at > 0 => return Advance::Consumed(at),
                    Some((0, 0)) | None => return Advance::Malformed,
                    Some((used, _)) => at += used,
                }
            }
        }
    }

    /// A message has ended, and another begins in the same packet: in a call of its own.
    fn pause(&mut self, at: usize, work: &mut Vec<u8>) -> Advance {
        if self.method == Method::Stored {
            // Plain bytes are wire bytes: they can be given back.
            let back = work.len().min(at);
            work.clear();
            self.wire_left += back as u32;
            self.plain_left += back as u32;
            return Advance::Consumed(at - back);
        }
        if at == 0 && self.wire_left > 1 {
            self.wire_left -= 1;
            return Advance::Consumed(1);
        }
        Advance::Consumed(at)
    }

    /// Passes what is left of the packet.
    fn finish(&mut self, at: usize, out: &mut Out<'_>) -> Advance {
        self.skip = self.skip.saturating_sub(u64::from(self.plain_left));
        if self.closing && self.skip == 0 {
            self.closing = false;
            out.close();
        }
        let left = std::mem::take(&mut self.wire_left);
        self.plain_left = 0;
        self.inflater = None;
        Advance::Skip(at as u64 + u64::from(left))
    }

    /// Makes a piece of plain bytes out of what is here of the payload. How many bytes that used, and how
    /// many it gave; `None` when the packet lies, or is a bomb.
    fn make_plain(&mut self, rest: &[u8], work: &mut Vec<u8>) -> Option<(usize, usize)> {
        let here = rest.len().min(self.wire_left as usize);
        if self.method == Method::Stored {
            let piece = rest.get(..here.min(HEAD_BYTES))?;
            work.extend_from_slice(piece);
            self.wire_left -= piece.len() as u32;
            self.plain_left = self.plain_left.checked_sub(piece.len() as u32)?;
            return Some((piece.len(), piece.len()));
        }
        let inflatable = (self.wire_left - RESERVE_BYTES.min(self.wire_left)) as usize;
        let from = rest.get(..here.min(inflatable))?;
        let (used, made) = self
            .inflater
            .as_mut()?
            .inflate(from, work, self.plain_left as usize)?;
        self.wire_left -= used as u32;
        self.plain_left = self.plain_left.checked_sub(made as u32)?;
        self.budget = self.budget.saturating_sub(made as u64);
        // All of it is here, and less came out than was declared.
        let lies = (used, made) == (0, 0) && inflatable == 0;
        (self.budget > 0 && !lies).then_some((used, made))
    }
}
