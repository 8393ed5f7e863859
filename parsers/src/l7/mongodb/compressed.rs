//! OP_COMPRESSED: a message within another. Source: MongoDB manual, "Wire Protocol", OP_COMPRESSED; the numbers
//! of compressors stand in its table (0 noop, 1 snappy, 2 zlib, 3 zstd).
//!
//! Of a long message the head is unpacked, from as much of it as one unit may hold. What is unpacked lies in
//! buffers that the lcore's flows share, and is gone when the call returns.

use super::MongoDb;
use super::message::{HEADER_BYTES, Header, PACKED_HEAD_BYTES, Packed, Prelude};
use super::reading::Progress;
use super::snappy;
use crate::conversation::Out;
use crate::l7::inflate::{Inflater, decode_zstd, give_work_buffer, take_work_buffer};
use crate::limits::{COMPRESSED_WHOLE_BYTES_MAX, INFLATED_BYTES_FREE};
use crate::parser::{Advance, Direction, Input};

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
        let end = input.bytes.len().min(header.len as usize);
        let body = input.bytes.get(HEADER_BYTES..end).unwrap_or(&[]);
        let len = header.body_len() as usize;
        let want = len.min(PACKED_HEAD_BYTES + COMPRESSED_WHOLE_BYTES_MAX);
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
        let is_whole = body.len() == len;
        let mut plain = take_work_buffer();
        let sound = unpack(packed, data, is_whole, &mut plain);
        let advance = if sound || !plain.is_empty() {
            self.plain(header, packed, direction, &plain, out)
        } else {
            self.pass_unread(header, packed.op, direction, out)
        };
        give_work_buffer(plain);
        if matches!(advance, Advance::Skip(_)) {
            out.attr("compressor", name(packed.method).as_bytes());
        }
        advance
    }

    /// Reads what a compressed message holds, as far as it is unpacked.
    fn plain(
        &mut self,
        header: &Header,
        packed: Packed,
        direction: Direction,
        plain: &[u8],
        out: &mut Out<'_>,
    ) -> Advance {
        let Ok((prelude, used)) = Prelude::read(packed.op, plain) else {
            return self.pass_unread(header, packed.op, direction, out);
        };
        let left = packed.plain_len.saturating_sub(used as u32);
        let open = self.open(header, (packed.op, &prelude), direction, left, out);
        let Some(mut reading) = open else {
            return Advance::Skip(header.len.into());
        };
        let rest = plain.get(used..).unwrap_or(&[]);
        let (_, progress) = reading.read(rest, &mut self.memo, out);
        match progress {
            Progress::Broken => return Advance::Malformed,
            Progress::Done => {}
            // The rest was not unpacked.
            _ if !reading.has_ended() => out.truncated(),
            _ => {}
        }
        reading.finish(&self.memo, out);
        out.close();
        Advance::Skip(header.len.into())
    }
}

/// Unpacks the head of `data`; false where it is not what it says.
fn unpack(packed: Packed, data: &[u8], is_whole: bool, to: &mut Vec<u8>) -> bool {
    let max = PLAIN_BYTES_MAX.min(packed.plain_len as usize);
    match packed.method {
        0 => {
            to.extend_from_slice(data.get(..data.len().min(max)).unwrap_or(&[]));
            true
        }
        1 => snappy::unpack(data, to, max),
        2 => inflate(data, to, max),
        // A frame's blocks are unpacked whole or not at all.
        _ => is_whole && decode_zstd(data, to, packed.plain_len as usize),
    }
}

fn inflate(mut data: &[u8], to: &mut Vec<u8>, max: usize) -> bool {
    let Some(mut inflater) = Inflater::lend() else {
        return false;
    };
    while to.len() < max {
        match inflater.inflate(data, to, max - to.len()) {
            Some((0, 0)) => break,
            Some((used, _)) => data = data.get(used..).unwrap_or(&[]),
            None => return false,
        }
    }
    true
}

fn name(method: u8) -> &'static str {
    match method {
        0 => "noop",
        1 => "snappy",
        2 => "zlib",
        _ => "zstd",
    }
}
