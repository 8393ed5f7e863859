//! Segments that came ahead of their turn, as the buffers they came in.
//!
//! A stream's segments are a list ordered by sequence number. Past the budget the oldest hole is given
//! up: the bytes before the first held segment become a gap and the segments are delivered. That loses
//! at most the messages in the hole, never the connection, and never blocks the NIC's buffers for long.

use crate::flow::FlowIndex;
use crate::limits::{HELD_BYTES_PER_FLOW, HELD_SEGMENTS_PER_FLOW, HELD_SEGMENTS_PER_LCORE};
use crate::stream::seq_diff;
use hashbrown::HashMap;

const NONE: u32 = u32::MAX;

/// A segment that waits.
#[derive(Debug)]
pub struct HeldSegment<B> {
    /// Sequence number of its first payload byte.
    pub seq: u32,
    /// Its acknowledgement number.
    pub ack: u32,
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

struct Slot<B> {
    segment: Option<HeldSegment<B>>,
    next: u32,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    bytes: u32,
    count: u32,
    /// When the first of them came: how long the hole waits.
    since_ns: u64,
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

    /// Keeps a segment; among those of equal start the longer wins, and the other is given back.
    /// False when the budget is used up: the caller gives up the oldest hole.
    pub fn insert(&mut self, flow: FlowIndex, side: u8, segment: HeldSegment<B>) -> bool {
        let (bytes, count) = self
            .lists
            .get(&(flow, side))
            .map_or((0, 0), |l| (l.bytes, l.count));
        let fits = bytes.saturating_add(segment.len) <= self.per_flow_bytes
            && count < HELD_SEGMENTS_PER_FLOW
            && self.held < self.per_lcore;
        let (seq, len, time_ns) = (segment.seq, segment.len, segment.time_ns);
        let Some(index) = self.take_slot(segment) else {
            return false;
        };
        let list = self.lists.entry((flow, side)).or_insert(List {
            head: NONE,
            bytes: 0,
            count: 0,
            since_ns: time_ns,
        });
        list.bytes = list.bytes.saturating_add(len);
        list.count += 1;
        // In sequence order; mostly at the end.
        let (mut previous, mut at) = (NONE, list.head);
        while let Some(slot) = self.slots.get(at as usize) {
            let later = slot.segment.as_ref().is_some_and(|s| seq_diff(s.seq, seq) > 0);
            if later {
                break;
            }
            previous = at;
            at = slot.next;
        }
        if let Some(slot) = self.slots.get_mut(index as usize) {
            slot.next = at;
        }
        match self.slots.get_mut(previous as usize) {
            Some(slot) => slot.next = index,
            None => list.head = index,
        }
        fits
    }

    fn take_slot(&mut self, segment: HeldSegment<B>) -> Option<u32> {
        self.held += 1;
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let index = self.free;
            self.free = slot.next;
            slot.segment = Some(segment);
            return Some(index);
        }
        self.slots.push(Slot {
            segment: Some(segment),
            next: NONE,
        });
        Some((self.slots.len() - 1) as u32)
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
        list.head = slot.next;
        slot.next = self.free;
        self.free = index;
        self.held -= 1;
        list.bytes = list.bytes.saturating_sub(segment.len);
        list.count -= 1;
        list.since_ns = segment.time_ns;
        let more = list.count > 0;
        if !more {
            self.lists.remove(&(flow, side));
        }
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
