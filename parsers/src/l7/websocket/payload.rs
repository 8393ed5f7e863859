//! The payload of frames as one stream of bytes, for protocols that travel in WebSocket messages. Where
//! messages begin and end does not matter to them (MQTT 5 section 6.0), nor what a control frame says.

use super::find_frames;
use super::frame::{Frame, Read};
use crate::parser::Direction;
use arrayvec::ArrayVec;

/// Longest frame header: two bytes, a length of eight, a masking key of four.
const HEADER_BYTES_MAX: usize = 14;

/// What the next bytes of a direction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// So many bytes of headers and control frames.
    Framing(usize),
    /// So many bytes of payload, and the key that they are masked with: its first byte is for the first.
    Payload(usize, Option<[u8; 4]>),
    /// No frame, or one whose payload can't be read.
    Broken,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Payloads {
    /// Bytes of the frame at hand that are still to come.
    left: u64,
    /// They are of a control frame.
    is_control: bool,
    /// Its first byte is for the next byte of payload.
    mask: Option<[u8; 4]>,
    /// A header that is not whole.
    header: ArrayVec<u8, HEADER_BYTES_MAX>,
}

impl Payloads {
    /// Takes note of the bytes at the start of `bytes`, which follow those of the last call, and says what
    /// they are. `bytes` must not be empty.
    pub(crate) fn next(&mut self, bytes: &[u8]) -> Piece {
        if self.left == 0 {
            return self.header(bytes);
        }
        let len = self.left.min(bytes.len() as u64);
        let mask = self.mask;
        self.pass(len);
        if self.is_control {
            Piece::Framing(len as usize)
        } else {
            Piece::Payload(len as usize, mask)
        }
    }

    fn header(&mut self, bytes: &[u8]) -> Piece {
        for (i, byte) in bytes.iter().enumerate() {
            if self.header.try_push(*byte).is_err() {
                return Piece::Broken;
            }
            match Frame::read(&self.header) {
                Read::Need(_) => {}
                Read::Frame(frame) if !frame.compressed => {
                    self.header.clear();
                    self.left = frame.payload;
                    self.is_control = frame.opcode.is_control();
                    self.mask = frame.mask;
                    return Piece::Framing(i + 1);
                }
                Read::Frame(_) | Read::Wrong => return Piece::Broken,
            }
        }
        Piece::Framing(bytes.len())
    }

    /// `len` bytes of the frame at hand have passed.
    fn pass(&mut self, len: u64) {
        self.left -= len;
        if let Some(mask) = &mut self.mask {
            mask.rotate_left((len % 4) as usize);
        }
    }

    /// `len` bytes will never be seen. How many of them were payload; `None` when a header was among them:
    /// then the next frame has to be [found](Self::find).
    pub(crate) fn gap(&mut self, len: u64) -> Option<u64> {
        if len > self.left || !self.header.is_empty() {
            *self = Self::default();
            return None;
        }
        self.pass(len);
        Some(if self.is_control { 0 } else { len })
    }

    /// Where in `bytes` the next frame begins.
    pub(crate) fn find(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        *self = Self::default();
        find_frames(direction, bytes)
    }
}

/// Writes `payload` to `to` as it was before it was masked (section 5.3).
pub(crate) fn unmask(payload: &[u8], key: [u8; 4], to: &mut Vec<u8>) {
    to.clear();
    to.extend_from_slice(payload);
    // Four keys at once: what processors take in one step.
    let keys = u128::from_ne_bytes([key; 4].as_flattened().try_into().unwrap_or([0; 16]));
    let (blocks, rest) = to.as_chunks_mut::<16>();
    for block in blocks {
        *block = (u128::from_ne_bytes(*block) ^ keys).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_unmasked_with_its_own_key() {
        let key = [1, 2, 3, 4];
        let mut plain = Vec::new();
        for len in 0..70u8 {
            let masked: Vec<u8> = (0..len).map(|i| i ^ key[usize::from(i) % 4]).collect();
            unmask(&masked, key, &mut plain);
            assert!(plain.iter().copied().eq(0..len), "{len} bytes");
        }
    }
}
