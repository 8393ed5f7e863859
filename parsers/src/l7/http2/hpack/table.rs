//! The dynamic table of one direction. Source: RFC 7541 sections 2.3.2, 4 and 6.3.
//!
//! Sizes are kept of every field, but text only of those worth reading, in one buffer. Joined in the
//! middle of a connection the older part of the table is unknown; what is added is known all the
//! same, for places count from the newest, and the oldest go first.

use super::Broken;
use crate::l7::http2::name::Name;
use crate::limits::{HPACK_TABLE_BYTES_DEFAULT, HPACK_TABLE_BYTES_MAX};
use std::collections::VecDeque;

/// What a field counts beyond its text, bytes (section 4.1).
const FIELD_OVERHEAD_BYTES: usize = 32;

/// A field of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) name_len: u32,
    value_len: u32,
    /// Where the value stands among all bytes that were ever kept.
    at: u32,
    /// Bytes of the value that are kept.
    kept: u32,
}

impl Entry {
    fn size(&self) -> usize {
        FIELD_OVERHEAD_BYTES + self.name_len as usize + self.value_len as usize
    }

    /// Part of a value worth reading was too long to be kept.
    pub(super) fn is_cut(&self) -> bool {
        self.name.is_wanted() && self.kept < self.value_len
    }
}

/// What an index of the dynamic table means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Found {
    Entry(Entry),
    /// A field from before this connection was joined, or that was lost.
    Unknown,
}

/// The dynamic table of the fields that one side has sent.
#[derive(Debug)]
pub(in crate::l7::http2) struct Table {
    /// Oldest first.
    entries: VecDeque<Entry>,
    /// Values in the order of their entries, behind some that nobody wants any more.
    text: Vec<u8>,
    /// Bytes at the start of `text` that belong to no entry.
    unused: u32,
    /// Where the first byte of `text` stands among all that were ever kept.
    text_at: u32,
    size: u32,
    size_max: u32,
    /// There is nothing in the table that was not seen.
    complete: bool,
    /// Header blocks were read with it, or lost.
    used: bool,
}

impl Table {
    /// Of a connection that may have been under way for long.
    pub(in crate::l7::http2) const fn unknown() -> Self {
        Self {
            entries: VecDeque::new(),
            text: Vec::new(),
            unused: 0,
            text_at: 0,
            size: 0,
            size_max: HPACK_TABLE_BYTES_MAX,
            complete: false,
            used: false,
        }
    }

    /// The connection begins here: the table is empty, unless it has been in use.
    pub(in crate::l7::http2) fn begin(&mut self) {
        if !self.used {
            self.complete = true;
            self.size_max = HPACK_TABLE_BYTES_DEFAULT;
        }
    }

    /// Header blocks were lost: nothing is known of the table any more.
    pub(in crate::l7::http2) fn forget(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.unused = 0;
        self.size = 0;
        self.size_max = HPACK_TABLE_BYTES_MAX;
        self.complete = false;
        self.used = true;
    }

    pub(super) fn mark_used(&mut self) {
        self.used = true;
    }

    /// The field of this index, 0 being the newest.
    #[inline]
    pub(super) fn get(&self, index: usize) -> Result<Found, Broken> {
        let place = self.entries.len().checked_sub(index + 1);
        match place.and_then(|place| self.entries.get(place)) {
            Some(entry) => Ok(Found::Entry(*entry)),
            None if self.complete => Err(Broken),
            None => Ok(Found::Unknown),
        }
    }

    /// What is kept of the entry's value.
    #[inline]
    pub(super) fn value(&self, entry: &Entry) -> &[u8] {
        let from = entry.at.wrapping_sub(self.text_at) as usize;
        self.text.get(from..from + entry.kept as usize).unwrap_or(&[])
    }

    /// Adds a field; of its value `kept` is kept.
    pub(super) fn insert(&mut self, name: Name, name_len: usize, value_len: usize, kept: &[u8]) {
        let entry = Entry {
            name,
            name_len: name_len as u32,
            value_len: value_len as u32,
            at: self.text_at.wrapping_add(self.text.len() as u32),
            kept: kept.len() as u32,
        };
        let size = entry.size();
        let room = (self.size_max as usize).checked_sub(size);
        self.shrink_to(room.unwrap_or(0));
        if room.is_none() {
            // Longer than the table: it empties it (section 4.4).
            return;
        }
        self.size += size as u32;
        self.text.extend_from_slice(kept);
        self.entries.push_back(entry);
    }

    /// The sender has changed the size of its table.
    pub(super) fn resize(&mut self, size_max: usize) {
        self.size_max = size_max.min(HPACK_TABLE_BYTES_MAX as usize) as u32;
        self.shrink_to(self.size_max as usize);
        // Of a larger table the older fields are not kept. An emptied one is known.
        self.complete = (self.complete || size_max == 0) && size_max <= HPACK_TABLE_BYTES_MAX as usize;
    }

    /// Drops the oldest until the rest takes at most `size` bytes.
    fn shrink_to(&mut self, size: usize) {
        while self.size as usize > size
            && let Some(entry) = self.entries.pop_front()
        {
            self.size -= entry.size() as u32;
            self.unused += entry.kept;
        }
        // Moved together when half of it is unused, so each byte is moved once on average.
        let unused = self.unused as usize;
        if unused > self.text.len() / 2 {
            self.text.drain(..unused);
            self.text_at = self.text_at.wrapping_add(self.unused);
            self.unused = 0;
        }
    }

    /// Memory behind it, bytes.
    #[cfg(test)]
    pub(in crate::l7::http2) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.text.capacity()
    }

    /// Size as the protocol counts it, bytes.
    #[cfg(test)]
    pub(in crate::l7::http2) fn size(&self) -> usize {
        self.size as usize
    }
}
