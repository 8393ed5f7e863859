//! Finds a flow's slot by the hash of its key: buckets of one cache line.
//!
//! A bucket holds eight slots with 16-bit tags. A flow whose bucket is full goes to the next one, and
//! every bucket passed counts it, so that a search knows when to stop and removal leaves no marks.

use super::huge::HugeMemory;
use crate::prefetch::prefetch;
use bytemuck::{Pod, Zeroable};

const SLOTS: usize = 8;
/// Flows a bucket is sized for; half full, so that few overflow.
const LOAD: usize = 4;

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Bucket {
    /// 0: free.
    tags: [u16; SLOTS],
    slots: [u32; SLOTS],
    /// Flows that wanted this bucket and live in a later one.
    passed: u32,
    reserved: [u32; 3],
}

/// The first place of `tag`. A word of four tags at a time: subtracting one from every lane borrows first
/// where the difference is zero, so the lowest mark is right though others may be false.
#[inline(always)]
fn first_of(tags: &[u16; SLOTS], tag: u16) -> Option<usize> {
    const ONES: u64 = 0x0001_0001_0001_0001;
    let [low, high]: [u64; 2] = bytemuck::cast(*tags);
    let wanted = u64::from(tag) * ONES;
    let marks = |word: u64| {
        let differ = word ^ wanted;
        differ.wrapping_sub(ONES) & !differ & (ONES << 15)
    };
    let (low, high) = (marks(low), marks(high));
    let found = |marks: u64| marks.trailing_zeros() as usize / 16;
    if low != 0 {
        Some(found(low))
    } else if high != 0 {
        Some(SLOTS / 2 + found(high))
    } else {
        None
    }
}

/// The index over all flows of one lcore.
pub(super) struct Index {
    buckets: HugeMemory<Bucket>,
    mask: usize,
}

#[inline(always)]
fn tag(hash: u64) -> u16 {
    (hash as u16).max(1)
}

impl Index {
    pub(super) fn new(flows_max: usize, reserved: bool) -> std::io::Result<Self> {
        let buckets = (flows_max / LOAD).next_power_of_two().max(2);
        Ok(Self {
            buckets: HugeMemory::new(buckets, reserved)?,
            mask: buckets - 1,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        (self.mask + 1) * size_of::<Bucket>()
    }

    #[inline(always)]
    fn home(&self, hash: u64) -> usize {
        (hash >> 16) as usize & self.mask
    }

    #[inline(always)]
    pub(super) fn prefetch(&self, hash: u64) {
        if let Some(bucket) = self.buckets.items().get(self.home(hash)) {
            prefetch(bucket);
        }
    }

    /// A slot that may be the flow's, from its home bucket alone: what to prefetch.
    #[inline(always)]
    pub(super) fn likely(&self, hash: u64) -> Option<u32> {
        let bucket = self.buckets.items().get(self.home(hash))?;
        first_of(&bucket.tags, tag(hash)).map(|i| bucket.slots[i])
    }

    /// The slot for which `is_it` holds.
    #[inline(always)]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        let buckets = self.buckets.items();
        let mut at = self.home(hash);
        for _ in 0..=self.mask {
            let bucket = buckets.get(at)?;
            for i in 0..SLOTS {
                if bucket.tags[i] == tag && is_it(bucket.slots[i]) {
                    return Some(bucket.slots[i]);
                }
            }
            if bucket.passed == 0 {
                return None;
            }
            at = (at + 1) & self.mask;
        }
        None
    }

    /// Puts a slot in. There is always room: the index has twice the places that there are flows.
    pub(super) fn insert(&mut self, hash: u64, slot: u32) {
        let mut at = self.home(hash);
        let mask = self.mask;
        let buckets = self.buckets.items_mut();
        for _ in 0..=mask {
            let Some(bucket) = buckets.get_mut(at) else { return };
            if let Some(i) = (0..SLOTS).find(|i| bucket.tags[*i] == 0) {
                bucket.tags[i] = tag(hash);
                bucket.slots[i] = slot;
                return;
            }
            bucket.passed += 1;
            at = (at + 1) & mask;
        }
    }

    /// Takes a slot out that `insert` put in under this hash.
    pub(super) fn remove(&mut self, hash: u64, slot: u32) {
        let tag = tag(hash);
        let mask = self.mask;
        let home = self.home(hash);
        let buckets = self.buckets.items_mut();
        let holds = |bucket: &Bucket| (0..SLOTS).find(|i| bucket.tags[*i] == tag && bucket.slots[*i] == slot);
        let Some(steps) =
            (0..=mask).find(|n| buckets.get((home + n) & mask).is_some_and(|b| holds(b).is_some()))
        else {
            return;
        };
        for n in 0..=steps {
            let Some(bucket) = buckets.get_mut((home + n) & mask) else {
                return;
            };
            if n < steps {
                bucket.passed -= 1;
            } else if let Some(i) = holds(bucket) {
                bucket.tags[i] = 0;
            }
        }
    }
}

const _: () = assert!(size_of::<Bucket>() == 64);

#[cfg(test)]
mod tests {
    use super::Index;

    #[test]
    fn flows_are_found_until_they_are_removed_even_when_buckets_overflow() {
        let mut index = Index::new(64, false).unwrap();
        // All in one bucket, all with one tag: the worst case.
        let hash = 0x0005_0000;
        for slot in 0..60 {
            index.insert(hash, slot);
        }
        for slot in (0..60).rev() {
            assert_eq!(index.find(hash, |s| s == slot), Some(slot));
            index.remove(hash, slot);
            assert_eq!(index.find(hash, |s| s == slot), None);
        }
        assert!(
            index
                .buckets
                .items()
                .iter()
                .all(|b| b.passed == 0 && b.tags == [0; 8])
        );
    }
}
