//! What was worth reading of one header block.

use super::hpack::{Broken, huffman, push_fitting};
use super::name::Name;
use crate::limits::MESSAGE_TEXT_BYTES_MAX;
use arrayvec::ArrayVec;
use std::ops::Range;

/// Different names that can be kept: there are not that many.
const KEPT_MAX: usize = 40;

/// The fields of one header block that say something, each once.
pub(super) struct Fields {
    kept: ArrayVec<(Name, Range<u16>), KEPT_MAX>,
    text: ArrayVec<u8, MESSAGE_TEXT_BYTES_MAX>,
    names: u64,
    /// A field could not be known: the connection was joined after it, or its block was cut.
    pub(super) unknown: bool,
    /// A value was cut.
    pub(super) cut: bool,
}

const _: () = assert!(MESSAGE_TEXT_BYTES_MAX <= u16::MAX as usize);

impl Fields {
    #[inline]
    pub(super) fn new() -> Self {
        // Not `new_const`, which would write zeros over 16 KiB.
        Self {
            kept: ArrayVec::new(),
            text: ArrayVec::new(),
            names: 0,
            unknown: false,
            cut: false,
        }
    }

    /// Whether there is such a field.
    #[inline]
    pub(super) fn has(&self, name: Name) -> bool {
        self.names & name.bit() != 0
    }

    /// The first value of `name`.
    pub(super) fn get(&self, name: Name) -> Option<&[u8]> {
        if !self.has(name) {
            return None;
        }
        let (_, at) = self.kept.iter().find(|(kept, _)| *kept == name)?;
        self.slice(at)
    }

    /// All that is kept, in the order of the wire.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Name, &[u8])> {
        self.kept
            .iter()
            .filter_map(|(name, at)| Some((*name, self.slice(at)?)))
    }

    fn slice(&self, at: &Range<u16>) -> Option<&[u8]> {
        self.text.get(usize::from(at.start)..usize::from(at.end))
    }

    /// Where the value written next will stand.
    #[inline]
    pub(super) fn mark(&self) -> usize {
        self.text.len()
    }

    /// Writes of a value what there is room for.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.cut |= bytes.len() > self.text.remaining_capacity();
        push_fitting(&mut self.text, bytes);
    }

    /// Writes of a Huffman-coded value what there is room for, and says how long it is.
    #[inline]
    pub(super) fn push_coded(&mut self, bytes: &[u8]) -> Result<usize, Broken> {
        let mut len = 0;
        huffman::decode(bytes, |piece| {
            len += piece.len();
            self.push(piece);
        })?;
        Ok(len)
    }

    /// What was written from `mark` on.
    pub(super) fn since(&self, mark: usize) -> &[u8] {
        self.text.get(mark..).unwrap_or(&[])
    }

    /// What was written from `mark` on is the value of `name`. Of several the first counts.
    #[inline]
    pub(super) fn keep(&mut self, name: Name, mark: usize) {
        let at = mark as u16..self.text.len() as u16;
        if self.has(name) || self.kept.try_push((name, at)).is_err() {
            self.text.truncate(mark);
        } else {
            self.names |= name.bit();
        }
    }
}
