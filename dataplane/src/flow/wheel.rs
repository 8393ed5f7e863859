//! The timer wheel: when to look at a flow again.
//!
//! An entry says which flow to look at, not that it is over: whoever takes it out compares the flow's
//! last packet with its timeout and arms it anew if it lives. So a packet never touches the wheel. A
//! flow that changes its timeout gets a new entry and a new generation; the old entry is stale.

use crate::limits::{WHEEL_CHUNKS, WHEEL_SLOT_SHIFT, WHEEL_SLOTS};

const ENTRIES: usize = 31;
const NONE: u32 = u32::MAX;

/// A flow to look at: its slot and the generation that the flow had when it was armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) flow: u32,
    pub(super) generation: u8,
}

/// Entries in chunks of four cache lines, linked: slots grow and shrink without allocation.
struct Chunk {
    entries: [Entry; ENTRIES],
    len: u32,
    next: u32,
}

pub(super) struct Wheel {
    slots: Vec<u32>,
    chunks: Vec<Chunk>,
    free: u32,
    /// Number of the slot that is due next, counted from time zero.
    due: u64,
    started: bool,
}

fn slot_of(time_ns: u64) -> u64 {
    time_ns >> WHEEL_SLOT_SHIFT
}

impl Wheel {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![NONE; WHEEL_SLOTS],
            chunks: Vec::with_capacity(WHEEL_CHUNKS),
            free: NONE,
            due: 0,
            started: false,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<u32>() + self.chunks.len() * size_of::<Chunk>()
    }

    fn start(&mut self, time_ns: u64) {
        if !self.started {
            self.started = true;
            self.due = slot_of(time_ns);
        }
    }

    /// Asks to look at a flow at `time_ns`, or at the wheel's end if that is sooner.
    pub(super) fn arm(&mut self, entry: Entry, time_ns: u64, now_ns: u64) {
        self.start(now_ns);
        let wanted = slot_of(time_ns) + 1;
        let slot = wanted.clamp(self.due + 1, self.due + WHEEL_SLOTS as u64 - 1);
        let place = slot as usize % WHEEL_SLOTS;
        let head = self.slots[place];
        if let Some(chunk) = self.chunks.get_mut(head as usize)
            && (chunk.len as usize) < ENTRIES
        {
            chunk.entries[chunk.len as usize] = entry;
            chunk.len += 1;
            return;
        }
        let index = self.take_chunk();
        if let Some(chunk) = self.chunks.get_mut(index as usize) {
            chunk.entries[0] = entry;
            chunk.len = 1;
            chunk.next = head;
        }
        self.slots[place] = index;
    }

    fn take_chunk(&mut self) -> u32 {
        if let Some(chunk) = self.chunks.get(self.free as usize) {
            let index = self.free;
            self.free = chunk.next;
            return index;
        }
        self.chunks.push(Chunk {
            entries: [Entry {
                flow: NONE,
                generation: 0,
            }; ENTRIES],
            len: 0,
            next: NONE,
        });
        (self.chunks.len() - 1) as u32
    }

    /// Takes a chunk of entries that are due by `now_ns` into `to`; false when none is.
    pub(super) fn take_due(&mut self, now_ns: u64, to: &mut [Entry; ENTRIES_PER_TAKE]) -> Option<usize> {
        if !self.started {
            return None;
        }
        let now = slot_of(now_ns);
        // A jump over the whole wheel: every slot is due, and once is enough. What is armed meanwhile must
        // go where `now` is, or it would come up again in each round that was jumped over.
        self.due = self.due.max(now.saturating_sub(WHEEL_SLOTS as u64));
        while self.due < now {
            let taken = self.take_from(self.due as usize % WHEEL_SLOTS, to);
            if taken.is_some() {
                return taken;
            }
            self.due += 1;
        }
        None
    }

    /// Takes a chunk of the entries that are due soonest, due or not: the oldest flows.
    pub(super) fn take_oldest(&mut self, to: &mut [Entry; ENTRIES_PER_TAKE]) -> Option<usize> {
        (0..WHEEL_SLOTS as u64).find_map(|n| self.take_from((self.due + n) as usize % WHEEL_SLOTS, to))
    }

    fn take_from(&mut self, place: usize, to: &mut [Entry; ENTRIES_PER_TAKE]) -> Option<usize> {
        let index = self.slots[place];
        let chunk = self.chunks.get_mut(index as usize)?;
        let len = chunk.len as usize;
        to.copy_from_slice(&chunk.entries);
        self.slots[place] = chunk.next;
        chunk.next = self.free;
        self.free = index;
        Some(len)
    }

    /// Forgets everything; keeps the memory.
    pub(super) fn clear(&mut self) {
        for place in 0..WHEEL_SLOTS {
            while let Some(chunk) = self.chunks.get_mut(self.slots[place] as usize) {
                let next = chunk.next;
                chunk.next = self.free;
                self.free = self.slots[place];
                self.slots[place] = next;
            }
        }
        self.started = false;
    }
}

/// How many entries one `take` brings at most.
pub(super) const ENTRIES_PER_TAKE: usize = ENTRIES;

#[cfg(test)]
mod tests {
    use super::*;

    const NO_ENTRY: Entry = Entry {
        flow: NONE,
        generation: 0,
    };

    fn due(wheel: &mut Wheel, now_ns: u64) -> Vec<u32> {
        let mut taken = [NO_ENTRY; ENTRIES_PER_TAKE];
        let mut flows = Vec::new();
        while let Some(count) = wheel.take_due(now_ns, &mut taken) {
            flows.extend(taken[..count].iter().map(|e| e.flow));
        }
        flows.sort_unstable();
        flows
    }

    #[test]
    fn entries_come_out_when_they_are_due_and_not_before() {
        const S: u64 = 1_000_000_000;
        let mut wheel = Wheel::new();
        let start = 1_700_000_000 * S;
        for flow in 0..100 {
            wheel.arm(Entry { flow, generation: 0 }, start + u64::from(flow) * S, start);
        }
        assert_eq!(due(&mut wheel, start), []);
        assert_eq!(
            due(&mut wheel, start + 10 * S + S / 2),
            (0..=10).collect::<Vec<_>>()
        );
        assert_eq!(
            due(&mut wheel, start + 98 * S + S / 2),
            (11..=98).collect::<Vec<_>>()
        );
        assert_eq!(due(&mut wheel, start + 86_400 * S), [99]);
        assert_eq!(
            wheel.chunks.len(),
            100,
            "chunks are reused, never more than one an armed slot here"
        );
    }

    #[test]
    fn a_year_without_packets_is_one_round() {
        const S: u64 = 1_000_000_000;
        let mut wheel = Wheel::new();
        let entry = Entry {
            flow: 3,
            generation: 0,
        };
        let start = 1_700_000_000 * S;
        wheel.arm(entry, start + S, start);
        let now = start + 365 * 86_400 * S;
        let mut taken = [NO_ENTRY; ENTRIES_PER_TAKE];
        let mut looks = 0;
        while wheel.take_due(now, &mut taken).is_some() {
            // It has just had a packet.
            wheel.arm(entry, now + 300 * S, now);
            looks += 1;
        }
        assert!((1..=2).contains(&looks), "{looks}");
        assert_eq!(due(&mut wheel, now + 301 * S), [3]);
    }

    #[test]
    fn what_is_further_than_the_wheel_comes_early() {
        let mut wheel = Wheel::new();
        wheel.arm(
            Entry {
                flow: 7,
                generation: 1,
            },
            u64::MAX / 2,
            0,
        );
        let mut taken = [NO_ENTRY; ENTRIES_PER_TAKE];
        assert_eq!(wheel.take_oldest(&mut taken), Some(1));
        assert_eq!(
            taken[0],
            Entry {
                flow: 7,
                generation: 1
            }
        );
        assert_eq!(wheel.take_oldest(&mut taken), None);
    }
}
