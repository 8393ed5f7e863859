//! The buffer that a record is built in, as it goes into the ring.

use super::text::{Chain, TextPool};
use crate::limits::MESSAGE_TEXT_BYTES_MAX;
use crate::record::{HEADER_BYTES, RecordHeader};
use bytemuck::{Pod, Zeroable};

/// Room for the text of a request, of its response, and of the message at hand with what stands around its fields.
const TEXT_BYTES: usize = 4 * MESSAGE_TEXT_BYTES_MAX;

/// A ring entry under construction: text first, since the header tells its length. Filled in where it stays: what
/// is put together elsewhere would have to be copied.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Entry {
    header: RecordHeader,
    text: [u8; TEXT_BYTES],
}

impl Entry {
    pub(super) fn new() -> Box<Self> {
        bytemuck::zeroed_box()
    }

    /// Writes the text of both messages and what is not kept yet of the one at hand; says how long the entry is.
    #[inline]
    pub(super) fn write_text(&mut self, pool: &TextPool, kept: [Chain; 2], scratch: &[u8]) -> usize {
        let mut len = 0;
        for chain in kept {
            len += pool.copy_to(chain, &mut self.text[len..]);
        }
        let count = scratch.len().min(TEXT_BYTES - len);
        self.text[len..len + count].copy_from_slice(&scratch[..count]);
        HEADER_BYTES + len + count
    }

    #[inline]
    pub(super) fn header_mut(&mut self) -> &mut RecordHeader {
        &mut self.header
    }

    /// The entry as it goes into the ring.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        let bytes = bytemuck::bytes_of(self);
        bytes.get(..self.header.entry_len as usize).unwrap_or(bytes)
    }
}
