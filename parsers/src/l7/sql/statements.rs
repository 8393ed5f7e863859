//! Texts of prepared statements, kept from PREPARE to EXECUTE: bounded, least recently used goes first.

use crate::limits::{STATEMENT_BYTES_PER_FLOW_MAX, STATEMENTS_PER_FLOW_MAX};

/// Where a statement is kept; of no meaning once another has taken its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Handle {
    place: u16,
    generation: u8,
}

impl Handle {
    /// As a number of 24 bits.
    pub(crate) fn to_number(self) -> u32 {
        u32::from(self.place) << 8 | u32::from(self.generation)
    }

    /// From [`to_number`](Self::to_number).
    pub(crate) fn from_number(number: u32) -> Self {
        Self {
            place: (number >> 8) as u16,
            generation: number as u8,
        }
    }
}

#[derive(Debug, Default)]
struct Slot<T> {
    in_use: bool,
    generation: u8,
    key_len: u16,
    /// The text goes on behind what is kept.
    cut: bool,
    used_at: u32,
    /// Key, then text. Kept when the slot is vacant: the next statement needs no allocation.
    bytes: Vec<u8>,
    note: T,
}

/// Prepared statements of one flow, each with a note of the protocol's. Allocates with the first.
#[derive(Debug)]
pub(crate) struct Statements<T> {
    slots: Vec<Slot<T>>,
    bytes: usize,
    clock: u32,
}

/// What is known of a statement.
pub(crate) struct Statement<'a, T> {
    /// Its text.
    pub(crate) text: &'a [u8],
    /// The text goes on behind what is kept.
    pub(crate) cut: bool,
    /// The protocol's note.
    pub(crate) note: &'a mut T,
}

impl<T: Default> Statements<T> {
    /// None so far.
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            bytes: 0,
            clock: 0,
        }
    }

    fn place_of(&self, key: &[u8]) -> Option<usize> {
        self.slots
            .iter()
            .position(|slot| slot.in_use && slot.bytes.get(..usize::from(slot.key_len)) == Some(key))
    }

    /// Keeps a statement; one of the same key is replaced.
    pub(crate) fn insert(&mut self, key: &[u8], text: &[u8], cut: bool) -> Option<Handle> {
        let len = key.len() + text.len();
        let key_len = u16::try_from(key.len()).ok()?;
        if len > STATEMENT_BYTES_PER_FLOW_MAX {
            return None;
        }
        let place = self.place_of(key).or_else(|| self.vacant_place())?;
        self.clock = self.clock.wrapping_add(1);
        let slot = self.slots.get_mut(place)?;
        self.bytes -= slot.bytes.capacity();
        slot.bytes.clear();
        slot.bytes.reserve_exact(len);
        slot.bytes.extend_from_slice(key);
        slot.bytes.extend_from_slice(text);
        self.bytes += slot.bytes.capacity();
        slot.in_use = true;
        slot.generation = slot.generation.wrapping_add(1);
        slot.key_len = key_len;
        slot.cut = cut;
        slot.used_at = self.clock;
        slot.note = T::default();
        let generation = slot.generation;
        self.shrink(place);
        Some(Handle {
            place: place as u16,
            generation,
        })
    }

    /// A slot that is not in use: a new one, or that of the statement least recently used.
    fn vacant_place(&mut self) -> Option<usize> {
        if let Some(place) = self.slots.iter().position(|slot| !slot.in_use) {
            return Some(place);
        }
        if self.slots.len() < STATEMENTS_PER_FLOW_MAX {
            self.slots.push(Slot::default());
            return Some(self.slots.len() - 1);
        }
        self.oldest_but(usize::MAX)
    }

    fn oldest_but(&self, spared: usize) -> Option<usize> {
        let age = |slot: &Slot<T>| self.clock.wrapping_sub(slot.used_at);
        let kept = self
            .slots
            .iter()
            .enumerate()
            .filter(|(place, slot)| *place != spared && slot.bytes.capacity() > 0);
        // A vacant slot goes before any statement.
        kept.max_by_key(|(_, slot)| (!slot.in_use, age(slot)))
            .map(|(place, _)| place)
    }

    /// Lets go of what is oldest until the flow is within its bound.
    fn shrink(&mut self, spared: usize) {
        while self.bytes > STATEMENT_BYTES_PER_FLOW_MAX {
            let Some(slot) = self
                .oldest_but(spared)
                .and_then(|place| self.slots.get_mut(place))
            else {
                return;
            };
            self.bytes -= slot.bytes.capacity();
            slot.bytes = Vec::new();
            slot.in_use = false;
        }
    }

    /// Gives the statement another key: the server has said its id.
    pub(crate) fn rename(&mut self, handle: Handle, key: &[u8]) {
        if let Some(place) = self.place_of(key)
            && place != usize::from(handle.place)
            && let Some(slot) = self.slots.get_mut(place)
        {
            slot.in_use = false;
        }
        let Some(slot) = self.slot_mut(handle) else { return };
        let key_len = usize::from(slot.key_len);
        if key_len == key.len()
            && let Some(place) = slot.bytes.get_mut(..key_len)
        {
            place.copy_from_slice(key);
        }
    }

    fn slot_mut(&mut self, handle: Handle) -> Option<&mut Slot<T>> {
        self.slots
            .get_mut(usize::from(handle.place))
            .filter(|slot| slot.in_use && slot.generation == handle.generation)
    }

    fn statement(slot: &mut Slot<T>) -> Statement<'_, T> {
        Statement {
            text: slot.bytes.get(usize::from(slot.key_len)..).unwrap_or(&[]),
            cut: slot.cut,
            note: &mut slot.note,
        }
    }

    /// The statement that `handle` was given for, if it is still there.
    pub(crate) fn get(&mut self, handle: Handle) -> Option<Statement<'_, T>> {
        self.slot_mut(handle).map(Self::statement)
    }

    /// Where the statement of this key is kept, which is now the one most recently used.
    pub(crate) fn touch(&mut self, key: &[u8]) -> Option<Handle> {
        let place = self.place_of(key)?;
        self.clock = self.clock.wrapping_add(1);
        let clock = self.clock;
        let slot = self.slots.get_mut(place)?;
        slot.used_at = clock;
        Some(Handle {
            place: place as u16,
            generation: slot.generation,
        })
    }

    /// The statement of this key, which is now the one most recently used.
    pub(crate) fn find(&mut self, key: &[u8]) -> Option<Statement<'_, T>> {
        let handle = self.touch(key)?;
        self.get(handle)
    }

    /// Forgets a statement.
    pub(crate) fn remove(&mut self, key: &[u8]) {
        if let Some(place) = self.place_of(key)
            && let Some(slot) = self.slots.get_mut(place)
        {
            slot.in_use = false;
        }
    }

    /// Forgets the statement that `handle` was given for.
    pub(crate) fn remove_handle(&mut self, handle: Handle) {
        if let Some(slot) = self.slot_mut(handle) {
            slot.in_use = false;
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.in_use = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(statements: &mut Statements<u8>, key: &[u8]) -> Option<Vec<u8>> {
        statements.find(key).map(|s| s.text.to_vec())
    }

    #[test]
    fn what_was_kept_is_found_until_it_is_removed() {
        let mut statements = Statements::<u8>::new();
        let handle = statements.insert(b"k1", b"SELECT 1", false);
        statements.insert(b"k2", b"SELECT 2", true);
        statements.rename(handle.unwrap_or_else(|| panic!("kept")), b"k9");
        assert_eq!(text(&mut statements, b"k9").as_deref(), Some(&b"SELECT 1"[..]));
        assert_eq!(text(&mut statements, b"k1"), None);
        assert!(statements.find(b"k2").is_some_and(|s| s.cut));
        statements.remove(b"k9");
        assert_eq!(text(&mut statements, b"k9"), None);
    }

    #[test]
    fn it_stays_within_its_bounds_and_lets_the_oldest_go() {
        let mut statements = Statements::<u8>::new();
        let long = vec![b'x'; STATEMENT_BYTES_PER_FLOW_MAX / 8];
        for i in 0..40u8 {
            statements.insert(&[i], &long, false);
            assert!(statements.bytes <= STATEMENT_BYTES_PER_FLOW_MAX);
            assert!(text(&mut statements, &[i]).is_some());
        }
        assert!(text(&mut statements, &[0]).is_none());
        for i in 0..(2 * STATEMENTS_PER_FLOW_MAX) {
            statements.insert(&(i as u32).to_le_bytes(), b"x", false);
        }
        assert!(statements.slots.len() <= STATEMENTS_PER_FLOW_MAX);
        let last = (2 * STATEMENTS_PER_FLOW_MAX - 1) as u32;
        assert!(text(&mut statements, &last.to_le_bytes()).is_some());
    }
}
