//! A table of a batch in the making.

use super::downward::{ALIGN_MAX, Downward, Place, WORD};
use flatbuffers::VOffsetT;

/// Fields that a table has at most.
const FIELDS_MAX: usize = 64;
/// Bytes of a table at most: a record with all of its fields has some two hundred. A place within is one byte.
const BYTES_MAX: usize = 256;
/// Bytes of a vtable before its fields.
const VTABLE_HEAD: usize = 4;

/// One table. First references are added, then numbers from the longest to the shortest, so that none needs padding; and
/// always in the same order, so that which of them there are says where each stands.
#[derive(Debug)]
pub(super) struct Table {
    bytes: [u8; BYTES_MAX],
    len: usize,
    /// Which fields there are, a bit each, and where.
    fields: u64,
    at: [u8; FIELDS_MAX],
    /// Where the references end.
    references_end: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            bytes: [0; BYTES_MAX],
            len: WORD,
            fields: 0,
            at: [0; FIELDS_MAX],
            references_end: WORD,
        }
    }
}

impl Table {
    /// Adds a number, or what else lies in the table itself: its little-endian bytes. `field` is where a vtable has it.
    #[inline]
    pub(super) fn add<const LEN: usize>(&mut self, field: VOffsetT, value: [u8; LEN]) {
        let index = (usize::from(field) - VTABLE_HEAD) / 2 % FIELDS_MAX;
        self.fields |= 1 << index;
        self.at[index] = self.len as u8;
        self.bytes[self.len..self.len + LEN].copy_from_slice(&value);
        self.len += LEN;
    }

    /// Adds a number if there is one.
    #[inline]
    pub(super) fn add_some<const LEN: usize>(&mut self, field: VOffsetT, value: Option<[u8; LEN]>) {
        if let Some(value) = value {
            self.add(field, value);
        }
    }

    /// Adds a reference.
    #[inline]
    pub(super) fn refer(&mut self, field: VOffsetT, to: Place) {
        self.add(field, to.0.to_le_bytes());
        self.references_end = self.len;
    }

    /// Puts the table before what is there, and begins the next one.
    pub(super) fn put(&mut self, to: &mut Downward, vtables: &mut Vtables) -> Place {
        // The numbers behind the references are what is to be aligned, and these are multiples of half of that.
        to.put(self.len, ALIGN_MAX, self.references_end);
        let place = to.place();
        let slots = self.bytes[WORD..self.references_end].chunks_exact_mut(WORD);
        for (slot, at) in slots.zip((WORD as u32..).step_by(WORD)) {
            if let Some(reference) = slot.first_chunk_mut() {
                // From the place that was noted to how far it lies behind this one.
                *reference = (place.0 - at - u32::from_le_bytes(*reference)).to_le_bytes();
            }
        }
        let vtable = vtables.find(self, to);
        let distance = (vtable.0 as i32).wrapping_sub(place.0 as i32);
        self.bytes[..WORD].copy_from_slice(&distance.to_le_bytes());
        to.at_mut(place)[..self.len].copy_from_slice(&self.bytes[..self.len]);
        (self.len, self.fields, self.references_end) = (WORD, 0, WORD);
        place
    }

    /// How many fields a vtable has to name.
    fn width(&self) -> usize {
        (u64::BITS - self.fields.leading_zeros()) as usize
    }
}

/// Vtables that a batch has, by the fields that they name; for tables of one kind.
#[derive(Debug)]
pub(super) struct Vtables {
    known: [Option<(u64, Place)>; Self::SLOTS],
}

impl Default for Vtables {
    fn default() -> Self {
        Self {
            known: [None; Self::SLOTS],
        }
    }
}

impl Vtables {
    /// Records of one protocol have some few. Those that share a slot push each other out, and are written again.
    const SLOTS: usize = 64;

    fn find(&mut self, table: &Table, to: &mut Downward) -> Place {
        // Fibonacci hashing: the upper bits of the product depend on all fields.
        let slot = (table.fields.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58) as usize % Self::SLOTS;
        match self.known[slot] {
            Some((fields, place)) if fields == table.fields => place,
            _ => {
                let place = put_vtable(table, to);
                self.known[slot] = Some((table.fields, place));
                place
            }
        }
    }
}

/// Length of the vtable and of the table, then where each field stands, 0: nowhere.
fn put_vtable(table: &Table, to: &mut Downward) -> Place {
    let len = VTABLE_HEAD + 2 * table.width();
    let room = to.put(len, 2, 0);
    let fields = table.at.iter().enumerate().map(|(index, at)| {
        let is_there = table.fields >> index & 1 == 1;
        if is_there { u16::from(*at) } else { 0 }
    });
    let all = [len as u16, table.len as u16].into_iter().chain(fields);
    for (slot, value) in room.chunks_exact_mut(2).zip(all) {
        slot.copy_from_slice(&value.to_le_bytes());
    }
    to.place()
}
