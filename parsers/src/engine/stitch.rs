//! Buffers for message heads that span segments, reused.

use crate::slab::{NONE, Slab};

/// The stitch buffers of one lcore. A buffer keeps its memory when it is given back.
pub(crate) struct StitchPool {
    buffers: Slab<Vec<u8>>,
    spare: Vec<Vec<u8>>,
}

impl StitchPool {
    pub(crate) fn with_limit(buffers_max: usize) -> Self {
        Self {
            buffers: Slab::with_limit(buffers_max),
            spare: Vec::new(),
        }
    }

    /// Memory of all buffers, bytes, as far as it is known without looking at each.
    pub(crate) fn bytes(&self) -> usize {
        self.buffers.bytes() + self.spare.iter().map(Vec::capacity).sum::<usize>()
    }

    /// Stores `bytes` in a new buffer; `None` at the limit.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Option<u32> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        self.buffers.insert(buffer)
    }

    /// Takes the buffer out for use; pass it to [`put_back`](Self::put_back) or [`give`](Self::give).
    pub(crate) fn take(&mut self, index: u32) -> Vec<u8> {
        self.buffers
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Puts a taken buffer back under its index.
    pub(crate) fn put_back(&mut self, index: u32, buffer: Vec<u8>) {
        if let Some(slot) = self.buffers.get_mut(index) {
            *slot = buffer;
        }
    }

    /// Gives a taken buffer and its index back for good.
    pub(crate) fn give(&mut self, index: u32, buffer: Vec<u8>) {
        self.buffers.remove(index, Vec::new());
        self.spare.push(buffer);
    }

    /// Frees the buffer of `index` and clears the index.
    pub(crate) fn release(&mut self, index: &mut u32) {
        if *index != NONE {
            let buffer = self.take(*index);
            self.give(*index, buffer);
            *index = NONE;
        }
    }
}
