//! OP_COMPRESSED: a message within another. Source: MongoDB manual, "Wire Protocol", OP_COMPRESSED; the numbers
//! of compressors stand in its table (0 noop, 1 snappy, 2 zlib, 3 zstd).
//!
//! Of a long message the head is unpacked, from as much of it as one unit may hold. What is unpacked lies in
//! buffers that the lcore's flows share, and is gone when the call returns. Nothing is allocated for a message but
//! what the zstd decoder makes for itself: a table or two for each block.

use super::message::{HEADER_BYTES, Header, PACKED_HEAD_BYTES, Packed, Prelude};
use super::reading::Progress;
use super::{MongoDb, snappy, zstd};
use crate::conversation::Out;
use crate::l7::inflate::{Inflater, decode_zstd, give_work_buffer, take_work_buffer};
use crate::limits::{COMPRESSED_WHOLE_BYTES_MAX, INFLATED_BYTES_FREE};
use crate::parser::{Advance, Direction, Input};

/// `compressorId`.
const NOOP: u8 = 0;
const SNAPPY: u8 = 1;
const ZLIB: u8 = 2;
/// Plain bytes that are made of one message at most.
const PLAIN_BYTES_MAX: usize = INFLATED_BYTES_FREE as usize;

impl MongoDb {
    /// A whole compressed message.
    pub(super) fn compressed(
        &mut self,
        header: &Header,
        direction: Direction,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let len = header.body_len() as usize;
        let want = len.min(PACKED_HEAD_BYTES + COMPRESSED_WHOLE_BYTES_MAX);
        // No more than is awaited, though more may be here: what is read must not depend on segments.
        let end = input.bytes.len().min(HEADER_BYTES + want);
        let body = input.bytes.get(HEADER_BYTES..end).unwrap_or(&[]);
        if body.len() < want && !input.ended {
            return Advance::Need(HEADER_BYTES + want);
        }
        let Ok(packed) = Packed::read(body) else {
            return if body.len() < PACKED_HEAD_BYTES && input.ended {
                self.pass_unread(header, header.op, direction, out)
            } else {
                Advance::Malformed
            };
        };
        if packed.op.sent_by().is_some_and(|by| by != direction) {
            return Advance::Malformed;
        }
        let data = body.get(PACKED_HEAD_BYTES..).unwrap_or(&[]);
        let mut plain = take_work_buffer();
        let mut source = Source::new(packed, data, body.len() == len);
        let advance = if source.more(&mut plain) {
            self.plain((header, packed), direction, &mut source, &mut plain, out)
        } else {
            self.pass_unread(header, packed.op, direction, out)
        };
        give_work_buffer(plain);
        if matches!(advance, Advance::Skip(_)) {
            out.attr("compressor", name(packed.method).as_bytes());
        }
        advance
    }

    /// Reads what a compressed message holds, as far as it can be unpacked and is wanted.
    fn plain(
        &mut self,
        (header, packed): (&Header, Packed),
        direction: Direction,
        source: &mut Source<'_>,
        plain: &mut Vec<u8>,
        out: &mut Out<'_>,
    ) -> Advance {
        let Ok((prelude, mut at)) = Prelude::read(packed.op, plain) else {
            return self.pass_unread(header, packed.op, direction, out);
        };
        let left = packed.plain_len.saturating_sub(at as u32);
        let open = self.open(header, (packed.op, &prelude), direction, left, out);
        let Some(mut reading) = open else {
            return Advance::Skip(header.len.into());
        };
        loop {
            if let Some(rest) = plain.get(at..) {
                let (used, progress) = reading.read(rest, &mut self.memo, out);
                at += used;
                match progress {
                    Progress::Broken => return Advance::Malformed,
                    Progress::Done => break,
                    Progress::Pass(beyond) => at = at.saturating_add(beyond as usize),
                    Progress::Need(_) | Progress::Cut => {}
                }
                if reading.has_ended() {
                    break;
                }
            }
            if !source.more(plain) {
                out.truncated();
                break;
            }
        }
        reading.finish(&self.memo, out);
        out.close();
        Advance::Skip(header.len.into())
    }
}

/// Where plain bytes come from, as many as are wanted.
enum Source<'a> {
    /// All at once.
    AtOnce {
        packed: Packed,
        data: &'a [u8],
        is_whole: bool,
    },
    /// Piece by piece: of most requests the first is enough.
    Zlib {
        inflater: Inflater,
        data: &'a [u8],
        /// Plain bytes that it may still give.
        left: usize,
    },
    /// It has given all.
    Spent,
}

impl<'a> Source<'a> {
    fn new(packed: Packed, data: &'a [u8], is_whole: bool) -> Self {
        if packed.method != ZLIB {
            return Self::AtOnce {
                packed,
                data,
                is_whole,
            };
        }
        match Inflater::lend() {
            Some(inflater) => Self::Zlib {
                inflater,
                data,
                left: PLAIN_BYTES_MAX.min(packed.plain_len as usize),
            },
            None => Self::Spent,
        }
    }

    /// Adds plain bytes to `to`; false when there are no more.
    fn more(&mut self, to: &mut Vec<u8>) -> bool {
        let before = to.len();
        match self {
            Self::AtOnce {
                packed,
                data,
                is_whole,
            } => {
                let max = PLAIN_BYTES_MAX.min(packed.plain_len as usize);
                match packed.method {
                    NOOP => to.extend_from_slice(data.get(..data.len().min(max)).unwrap_or(&[])),
                    // What stood before a fault is good.
                    SNAPPY => {
                        let _ = snappy::unpack(data, to, max);
                    }
                    _ if *is_whole && decode_zstd(data, to, packed.plain_len as usize) => {}
                    _ => zstd::unpack_first(data, to, max),
                }
                *self = Self::Spent;
            }
            Self::Zlib { inflater, data, left } => {
                if let Some((used, made)) = inflater.inflate(data, to, *left) {
                    *data = data.get(used..).unwrap_or(&[]);
                    *left -= made.min(*left);
                }
            }
            Self::Spent => {}
        }
        to.len() > before
    }
}

fn name(method: u8) -> &'static str {
    match method {
        NOOP => "noop",
        SNAPPY => "snappy",
        ZLIB => "zlib",
        _ => "zstd",
    }
}
