//! The lists that exchanges wait in, and the index that finds one by its id in a long list.
//!
//! Most flows have a few exchanges under way, and looking at each is cheapest. A multiplexed connection
//! may have thousands: whatever is linked behind the first [`WALKED`] goes into one hash index of the
//! lcore. Since exchanges only ever move towards the head, those that are not in the index are always
//! among the first [`WALKED`].

use super::Exchanges;
use super::exchange::{Exchange, Queue};
use crate::slab::{NONE, Slab};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// Exchanges at the head of a list that are looked at one by one.
const WALKED: u16 = 8;

/// Exchanges of one session, oldest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
    /// Bounded by the limits on what waits in a flow.
    pub(super) count: u16,
    queue: Queue,
}

impl List {
    /// An empty list of this kind.
    pub(super) const fn empty(queue: Queue) -> Self {
        Self {
            head: NONE,
            tail: NONE,
            count: 0,
            queue,
        }
    }
}

/// Finds exchanges of long lists by their session and id.
#[derive(Default)]
pub(super) struct IdIndex {
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl IdIndex {
    fn hash(hasher: &DefaultHashBuilder, slots: &Slab<Exchange>, index: u32) -> u64 {
        let key = slots.get(index).map(|slot| (slot.session, slot.id));
        hasher.hash_one(key.unwrap_or_default())
    }

    fn insert(&mut self, slots: &Slab<Exchange>, index: u32) {
        let Self { table, hasher } = self;
        let hash = Self::hash(hasher, slots, index);
        table.insert_unique(hash, index, |other| Self::hash(hasher, slots, *other));
    }

    fn remove(&mut self, slots: &Slab<Exchange>, index: u32) {
        let hash = Self::hash(&self.hasher, slots, index);
        if let Ok(entry) = self.table.find_entry(hash, |other| *other == index) {
            entry.remove();
        }
    }

    /// Memory, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.table.allocation_size()
    }
}

impl Exchanges {
    /// Appends `index`. `by_id`: it will be looked for by its id.
    #[inline]
    pub(super) fn link(&mut self, list: &mut List, index: u32, by_id: bool) {
        if list.count > 0 {
            self.link_behind(list, index, by_id);
        } else if let Some(slot) = self.slots.get_mut(index) {
            (slot.previous, slot.next) = (NONE, NONE);
            slot.queue = list.queue;
            (list.head, list.tail, list.count) = (index, index, 1);
        }
    }

    /// The same behind others.
    fn link_behind(&mut self, list: &mut List, index: u32, by_id: bool) {
        let indexed = by_id && list.count >= WALKED;
        if let Some(slot) = self.slots.get_mut(index) {
            slot.next = NONE;
            slot.previous = list.tail;
            slot.queue = list.queue;
            slot.indexed = indexed;
        }
        if indexed {
            self.by_id.insert(&self.slots, index);
        }
        match self.slots.get_mut(list.tail) {
            Some(tail) => tail.next = index,
            None => list.head = index,
        }
        list.tail = index;
        list.count += 1;
    }

    /// Takes out `index`, which must be in `list`.
    #[inline]
    pub(super) fn unlink(&mut self, list: &mut List, index: u32) {
        match self.slots.get_mut(index) {
            // Nothing is linked to it: the links that it has lead nowhere.
            Some(slot) if list.count == 1 && !slot.indexed => {
                slot.queue = Queue::None;
                *list = List::empty(list.queue);
            }
            _ => self.unlink_from_among(list, index),
        }
    }

    /// The same, from among others.
    fn unlink_from_among(&mut self, list: &mut List, index: u32) {
        let Some(slot) = self.slots.get_mut(index) else {
            return;
        };
        let (previous, next) = (slot.previous, slot.next);
        slot.previous = NONE;
        slot.next = NONE;
        slot.queue = Queue::None;
        if std::mem::take(&mut slot.indexed) {
            self.by_id.remove(&self.slots, index);
        }
        match self.slots.get_mut(previous) {
            Some(slot) => slot.next = next,
            None => list.head = next,
        }
        match self.slots.get_mut(next) {
            Some(slot) => slot.previous = previous,
            None => list.tail = previous,
        }
        list.count -= 1;
    }

    /// Takes out the oldest.
    pub(super) fn unlink_front(&mut self, list: &mut List) -> Option<u32> {
        let index = list.head;
        self.slots.get(index)?;
        self.unlink(list, index);
        Some(index)
    }

    /// The oldest of `session`'s `list` with this id and, where both have one, this tag (0: none).
    pub(super) fn find_by_id(&self, session: u32, list: &List, id: Option<u64>, tag: u32) -> Option<u32> {
        let fits = |slot: &Exchange| slot.id == id && (tag == 0 || slot.tag == 0 || slot.tag == tag);
        let mut index = list.head;
        for _ in 0..WALKED {
            let slot = self.slots.get(index)?;
            if fits(slot) {
                return Some(index);
            }
            index = slot.next;
        }
        if index == NONE {
            return None;
        }
        let hash = self.by_id.hasher.hash_one((session, id));
        let same_hash = self.by_id.table.iter_hash(hash).copied();
        let candidates = same_hash.filter_map(|index| {
            let slot = self.slots.get(index)?;
            let here = slot.session == session && slot.queue == list.queue;
            (here && fits(slot)).then_some((slot.first_byte(), index))
        });
        candidates.min().map(|(_, index)| index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(session: u32, id: u64, tag: u32, start_ns: u64) -> Exchange {
        let mut slot = Exchange {
            session,
            id: Some(id),
            tag,
            ..Exchange::VACANT
        };
        slot.request.seen = true;
        slot.request.start_ns = start_ns;
        slot
    }

    #[test]
    fn every_exchange_of_a_long_list_is_found_and_goes_without_trace() {
        let mut exchanges = Exchanges::new();
        let mut lists = [List::empty(Queue::Requests); 2];
        for id in 0..500 {
            for (session, list) in lists.iter_mut().enumerate() {
                let index = exchanges
                    .slots
                    .insert(exchange(session as u32, id, 0, id))
                    .unwrap();
                exchanges.link(list, index, true);
            }
        }
        let find = |exchanges: &Exchanges, session: usize, list: &List, id| {
            let found = exchanges.find_by_id(session as u32, list, Some(id), 0);
            found
                .and_then(|index| exchanges.slots.get(index))
                .map(|slot| (slot.session, slot.id))
        };
        // Some from the middle, then all: whoever is left is found, whoever has gone is not.
        for step in [7, 3, 1] {
            for id in (0..500).step_by(step) {
                for (session, list) in lists.iter_mut().enumerate() {
                    let Some(index) = exchanges.find_by_id(session as u32, list, Some(id), 0) else {
                        continue;
                    };
                    let found = find(&exchanges, session, list, id);
                    assert_eq!(found, Some((session as u32, Some(id))));
                    exchanges.unlink(list, index);
                    exchanges.free(index);
                    assert_eq!(find(&exchanges, session, list, id), None);
                }
            }
        }
        assert_eq!(
            lists.map(|list| (list.count, list.head, list.tail)),
            [(0, NONE, NONE); 2]
        );
        assert_eq!(exchanges.by_id.table.len(), 0);
    }

    #[test]
    fn of_equal_ids_the_oldest_with_the_tag_is_found() {
        let mut exchanges = Exchanges::new();
        let mut list = List::empty(Queue::Requests);
        for n in 0..40 {
            let index = exchanges
                .slots
                .insert(exchange(0, n % 4, 1 + n as u32 / 20, n))
                .unwrap();
            exchanges.link(&mut list, index, true);
        }
        let start = |found: Option<u32>| exchanges.slots.get(found.unwrap()).unwrap().request.start_ns;
        assert_eq!(start(exchanges.find_by_id(0, &list, Some(2), 0)), 2);
        assert_eq!(start(exchanges.find_by_id(0, &list, Some(2), 2)), 22);
        assert_eq!(exchanges.find_by_id(0, &list, Some(4), 0), None);
        assert_eq!(exchanges.find_by_id(1, &list, Some(22), 0), None);
    }
}
