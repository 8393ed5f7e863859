//! Segments that came ahead of their turn, as the buffers they came in.
//!
//! A stream's segments are a list ordered by sequence number. Past the budget the oldest hole is given
//! up: the bytes before the first held segment become a gap and the segments are delivered. That loses
//! at most the messages in the hole, never the connection, and never blocks the NIC's buffers for long.

use crate::FlowIndex;
use crate::limits::{HELD_BYTES_PER_FLOW, HELD_SEGMENTS_PER_FLOW, HELD_SEGMENTS_PER_LCORE};
use crate::stream::seq_diff;
use hashbrown::HashMap;

const NONE: u32 = u32::MAX;

/// A segment that waits.
#[derive(Debug)]
pub struct HeldSegment<B> {
    /// Sequence number of its first payload byte.
    pub seq: u32,
    /// Its acknowledgement number, where it has one.
    pub ack: Option<u32>,
    /// Payload, bytes.
    pub len: u32,
    /// Bytes behind the payload that were not captured.
    pub missing: u32,
    /// When it was captured.
    pub time_ns: u64,
    /// Whether a FIN stands behind the payload.
    pub fin: bool,
    /// What the payload lies in.
    pub buffer: B,
}

impl<B> HeldSegment<B> {
    /// How far it reaches: where two begin alike, the one that reaches further says it all.
    fn reach(&self) -> (u64, u32, bool) {
        (u64::from(self.len) + u64::from(self.missing), self.len, self.fin)
    }
}

struct Slot<B> {
    segment: Option<HeldSegment<B>>,
    next: u32,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    bytes: u32,
    count: u32,
    /// When the first of them was captured: how long the hole before it waits.
    since_ns: u64,
}

/// What became of a segment given to [`HeldStore::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Insertion {
    /// It is held.
    Held,
    /// Another one that begins alike reaches as far; it was dropped.
    Redundant,
    /// It is held, but the budget is used up: give up the oldest hole of its stream.
    OverBudget,
}

/// All held segments of one lcore.
pub struct HeldStore<B> {
    slots: Vec<Slot<B>>,
    free: u32,
    held: usize,
    lists: HashMap<(FlowIndex, u8), List>,
    per_flow_bytes: u32,
    per_lcore: usize,
}

impl<B> Default for HeldStore<B> {
    fn default() -> Self {
        Self::with_budget(HELD_BYTES_PER_FLOW, HELD_SEGMENTS_PER_LCORE)
    }
}

impl<B> HeldStore<B> {
    /// A store that holds `per_flow_bytes` a direction of a flow, and `per_lcore` segments in all.
    pub fn with_budget(per_flow_bytes: u32, per_lcore: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            held: 0,
            lists: HashMap::with_capacity(1024),
            per_flow_bytes,
            per_lcore,
        }
    }

    /// Segments held.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Keeps a segment; among those of equal start the one that reaches further.
    pub fn insert(&mut self, flow: FlowIndex, side: u8, segment: HeldSegment<B>) -> Insertion {
        let (len, time_ns) = (segment.len, segment.time_ns);
        let list = self.lists.get(&(flow, side)).copied().unwrap_or(List {
            head: NONE,
            tail: NONE,
            bytes: 0,
            count: 0,
            since_ns: time_ns,
        });
        let previous = match self.place(&list, segment.seq) {
            Place::Behind(previous) => previous,
            Place::Alike(at) => return self.replace((flow, side), at, segment),
        };
        let fits = list.bytes.saturating_add(len) <= self.per_flow_bytes
            && list.count < HELD_SEGMENTS_PER_FLOW
            && self.held < self.per_lcore;
        let index = self.take_slot(segment);
        let next = match self.slots.get_mut(previous as usize) {
            Some(slot) => std::mem::replace(&mut slot.next, index),
            None => list.head,
        };
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.next = next;
        }
        let is_first = previous == NONE;
        let list = List {
            head: if is_first { index } else { list.head },
            tail: if next == NONE { index } else { list.tail },
            bytes: list.bytes.saturating_add(len),
            count: list.count + 1,
            since_ns: if is_first { time_ns } else { list.since_ns },
        };
        self.lists.insert((flow, side), list);
        if fits {
            Insertion::Held
        } else {
            Insertion::OverBudget
        }
    }

    /// Where in a list a segment belongs that begins at `seq`.
    fn place(&self, list: &List, seq: u32) -> Place {
        let start = |at: u32| {
            let segment = self.slots.get(at as usize)?.segment.as_ref()?;
            Some(seq_diff(segment.seq, seq))
        };
        // Mostly behind all others.
        if start(list.tail).is_some_and(|diff| diff < 0) {
            return Place::Behind(list.tail);
        }
        let (mut previous, mut at) = (NONE, list.head);
        while let Some(diff) = start(at) {
            match diff {
                0 => return Place::Alike(at),
                1.. => break,
                _ => {}
            }
            previous = at;
            at = self.slots.get(at as usize).map_or(NONE, |slot| slot.next);
        }
        Place::Behind(previous)
    }

    /// Puts a segment in the place of one that begins alike, if it reaches further. When it was captured
    /// stays: so long the hole has waited.
    fn replace(&mut self, stream: (FlowIndex, u8), at: u32, segment: HeldSegment<B>) -> Insertion {
        let Some(held) = self
            .slots
            .get_mut(at as usize)
            .and_then(|slot| slot.segment.as_mut())
        else {
            return Insertion::Redundant;
        };
        if segment.reach() <= held.reach() {
            return Insertion::Redundant;
        }
        let (time_ns, before, now) = (held.time_ns, held.len, segment.len);
        *held = HeldSegment { time_ns, ..segment };
        let Some(list) = self.lists.get_mut(&stream) else {
            return Insertion::Held;
        };
        list.bytes = list.bytes.saturating_sub(before).saturating_add(now);
        if list.bytes <= self.per_flow_bytes {
            Insertion::Held
        } else {
            Insertion::OverBudget
        }
    }

    fn take_slot(&mut self, segment: HeldSegment<B>) -> u32 {
        self.held += 1;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let index = self.free;
            self.free = slot.next;
            slot.segment = Some(segment);
            return index;
        }
        self.slots.push(Slot {
            segment: Some(segment),
            next: NONE,
        });
        (self.slots.len() - 1) as u32
    }

    /// Sequence number of the first held segment, and since when the hole before it waits.
    pub fn first(&self, flow: FlowIndex, side: u8) -> Option<(u32, u64)> {
        let list = self.lists.get(&(flow, side))?;
        let segment = self.slots.get(list.head as usize)?.segment.as_ref()?;
        Some((segment.seq, list.since_ns))
    }

    /// Takes the first held segment; the second value says whether more are held.
    pub fn pop(&mut self, flow: FlowIndex, side: u8) -> Option<(HeldSegment<B>, bool)> {
        let list = self.lists.get_mut(&(flow, side))?;
        let index = list.head;
        let slot = self.slots.get_mut(index as usize)?;
        let segment = slot.segment.take()?;
        list.head = std::mem::replace(&mut slot.next, self.free);
        self.free = index;
        self.held -= 1;
        list.bytes = list.bytes.saturating_sub(segment.len);
        list.count -= 1;
        let next = self
            .slots
            .get(list.head as usize)
            .and_then(|slot| slot.segment.as_ref());
        match next {
            Some(next) => list.since_ns = next.time_ns,
            None => {
                self.lists.remove(&(flow, side));
            }
        }
        let more = self.lists.contains_key(&(flow, side));
        Some((segment, more))
    }

    /// Puts the streams whose hole has waited since before `before_ns` into `to`.
    pub fn waiting_since(&self, before_ns: u64, to: &mut Vec<(FlowIndex, u8)>) {
        to.extend(
            self.lists
                .iter()
                .filter(|(_, l)| l.since_ns <= before_ns)
                .map(|(k, _)| *k),
        );
        // The order of a hash table must not show.
        to.sort_unstable();
    }
}

/// Where a segment belongs in its list.
enum Place {
    /// Behind this slot; before all others where it is none.
    Behind(u32),
    /// Where this slot's segment begins, too.
    Alike(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(seq: u32, len: u32) -> HeldSegment<()> {
        HeldSegment {
            seq,
            ack: None,
            len,
            missing: 0,
            time_ns: u64::from(seq),
            fin: false,
            buffer: (),
        }
    }

    fn starts(store: &mut HeldStore<()>) -> Vec<(u32, u32)> {
        let mut starts = Vec::new();
        while let Some((segment, more)) = store.pop(1, 0) {
            starts.push((segment.seq, segment.len));
            assert_eq!(more, store.first(1, 0).is_some());
        }
        starts
    }

    #[test]
    fn segments_come_out_in_order_whatever_order_they_came_in() {
        let mut store = HeldStore::default();
        for seq in [30, 10, 50, 20, 40, u32::MAX - 5] {
            assert_eq!(store.insert(1, 0, segment(seq, 1)), Insertion::Held);
        }
        store.insert(2, 0, segment(5, 1));
        let order = starts(&mut store)
            .into_iter()
            .map(|(seq, _)| seq)
            .collect::<Vec<_>>();
        assert_eq!(order, [u32::MAX - 5, 10, 20, 30, 40, 50]);
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn of_those_that_begin_alike_the_one_that_reaches_further_stays() {
        let mut store = HeldStore::with_budget(50, 100);
        assert_eq!(store.insert(1, 0, segment(10, 20)), Insertion::Held);
        assert_eq!(store.insert(1, 0, segment(40, 5)), Insertion::Held);
        assert_eq!(store.insert(1, 0, segment(10, 20)), Insertion::Redundant);
        assert_eq!(store.insert(1, 0, segment(10, 30)), Insertion::Held);
        assert_eq!(store.insert(1, 0, segment(40, 4)), Insertion::Redundant);
        assert_eq!(store.insert(1, 0, segment(40, 21)), Insertion::OverBudget);
        assert_eq!(store.len(), 2);
        assert_eq!(starts(&mut store), [(10, 30), (40, 21)]);
    }

    #[test]
    fn the_hole_waits_since_the_segment_behind_it_came() {
        let mut store = HeldStore::default();
        store.insert(1, 0, segment(30, 1));
        store.insert(1, 0, segment(20, 1));
        store.insert(1, 0, segment(40, 1));
        assert_eq!(store.first(1, 0), Some((20, 20)));
        store.pop(1, 0);
        assert_eq!(store.first(1, 0), Some((30, 30)));
        let mut waiting = Vec::new();
        store.waiting_since(29, &mut waiting);
        assert_eq!(waiting, []);
        store.waiting_since(30, &mut waiting);
        assert_eq!(waiting, [(1, 0)]);
    }

    #[test]
    fn past_a_budget_it_says_so() {
        let mut store = HeldStore::with_budget(100, 3);
        assert_eq!(store.insert(1, 0, segment(10, 100)), Insertion::Held);
        assert_eq!(store.insert(1, 0, segment(200, 1)), Insertion::OverBudget);
        assert_eq!(store.insert(2, 0, segment(10, 100)), Insertion::Held);
        assert_eq!(store.insert(3, 0, segment(10, 100)), Insertion::OverBudget);
    }
}
