//! Text that many records of a batch have in common stands in it once.

use super::downward::{Downward, Place};

/// Strings that a batch has.
#[derive(Debug)]
pub(super) struct Strings {
    known: [Option<Place>; Self::SLOTS],
}

impl Default for Strings {
    fn default() -> Self {
        Self {
            known: [None; Self::SLOTS],
        }
    }
}

impl Strings {
    /// More than the names of common traffic. Those that share a slot push each other out, and are written again.
    const SLOTS: usize = 256;

    /// Where `text` stands, if it is known.
    pub(super) fn find(&self, text: &[u8], batch: &Downward) -> Option<Place> {
        self.known[slot_of(text)].filter(|place| batch.has_string(*place, text))
    }

    /// Puts `text`, which is UTF-8, unless it is there.
    pub(super) fn put(&mut self, text: &[u8], to: &mut Downward) -> Place {
        let known = &mut self.known[slot_of(text)];
        match known {
            Some(place) if to.has_string(*place, text) => *place,
            _ => *known.insert(to.put_string(text)),
        }
    }
}

/// By the length, the first and the last eight bytes, mixed as in Fibonacci hashing.
fn slot_of(text: &[u8]) -> usize {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let short = || text.iter().fold(0, |all, byte| all << 8 | u64::from(*byte));
    let ends = match text.first_chunk() {
        None => short(),
        first => word(first) ^ word(text.last_chunk()).rotate_left(29),
    };
    let mixed = (ends ^ text.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 56) as usize % Strings::SLOTS
}
