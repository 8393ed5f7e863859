//! Takes records out of a ring of bytes.
//!
//! The lcore commits whole entries only, so what is readable always begins and ends with an entry. Entries
//! are read where they lie; the one that wraps around the ring's end is put together in a small buffer.

use crate::limits::{DRAIN_BYTES, ENTRY_BYTES_MAX};
use rtrb::Consumer;
use tapir_parsers::record::{HEADER_BYTES, RecordView};

/// One lcore's ring, seen from the collector.
pub struct RecordRing {
    consumer: Consumer<u8>,
    /// The entry that wraps, in one piece. It has room for the longest from the beginning.
    wrapped: Vec<u8>,
    /// Bytes thrown away because they were no entries: a bug of the producer.
    corrupt_bytes: u64,
}

impl RecordRing {
    /// Takes over the reading end of a ring.
    pub fn new(consumer: Consumer<u8>) -> Self {
        Self {
            consumer,
            wrapped: Vec::with_capacity(ENTRY_BYTES_MAX),
            corrupt_bytes: 0,
        }
    }

    /// Hands out records until about [`DRAIN_BYTES`] of them were read or the ring is empty, and gives
    /// their space back. Returns how many there were.
    pub fn drain(&mut self, mut each: impl FnMut(&RecordView<'_>)) -> u64 {
        let readable = self.consumer.slots();
        let Ok(chunk) = self.consumer.read_chunk(readable) else {
            return 0;
        };
        let (first, second) = chunk.as_slices();
        let mut at = 0;
        let mut records = 0;
        while at < readable.min(DRAIN_BYTES) {
            let entry = entry_at(first, second, at, &mut self.wrapped);
            let Some(view) = entry.and_then(RecordView::new) else {
                // Where the next entry begins can't be known.
                self.corrupt_bytes += (readable - at) as u64;
                at = readable;
                break;
            };
            each(&view);
            records += 1;
            at += view.header.entry_len as usize;
        }
        chunk.commit(at);
        records
    }

    /// Bytes that wait to be read.
    pub fn waiting_bytes(&self) -> usize {
        self.consumer.slots()
    }

    /// Bytes that the ring can hold.
    pub fn capacity_bytes(&self) -> usize {
        self.consumer.buffer().capacity()
    }

    /// Bytes thrown away because they were no entries; always 0 unless the producer is broken.
    pub fn corrupt_bytes(&self) -> u64 {
        self.corrupt_bytes
    }
}

/// The entry at offset `at` of the two halves; `None` when there is none.
fn entry_at<'a>(first: &'a [u8], second: &'a [u8], at: usize, wrapped: &'a mut Vec<u8>) -> Option<&'a [u8]> {
    let head = first.get(at..).unwrap_or_default();
    let tail = second.get(at.saturating_sub(first.len())..)?;
    // The length stands first, and may itself be split.
    let mut len = [0; 4];
    for (to, from) in len.iter_mut().zip(head.iter().chain(tail)) {
        *to = *from;
    }
    let len = u32::from_ne_bytes(len) as usize;
    if !(HEADER_BYTES..=ENTRY_BYTES_MAX).contains(&len) {
        return None;
    }
    if head.is_empty() {
        return tail.get(..len);
    }
    if len <= head.len() {
        return head.get(..len);
    }
    wrapped.clear();
    wrapped.extend_from_slice(head);
    wrapped.extend_from_slice(tail.get(..len - head.len())?);
    Some(wrapped)
}
