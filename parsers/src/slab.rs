//! Values in reused slots, addressed by a 32-bit index.

/// Index that stands for "none" in links between slots.
pub(crate) const NONE: u32 = u32::MAX;

/// Bytes of a cache line.
const CACHE_LINE: usize = 64;

/// Bytes by which pools grow at least. Memory that is asked for and not touched costs nothing, while every
/// growth moves pages and has all cores forget addresses.
const GROWTH_BYTES: usize = 4 << 20;

/// Sees to it that one item more fits: at first by [`GROWTH_BYTES`], then by doubling.
#[inline]
pub(crate) fn make_room<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve(items.len().max(GROWTH_BYTES / size_of::<T>().max(1)));
    }
}

/// Slots of `T`. The slot freed last is used first: its cache lines are still warm.
pub(crate) struct Slab<T> {
    slots: Vec<T>,
    free: Vec<u32>,
    slots_max: usize,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::with_limit(1 << 26)
    }
}

impl<T> Slab<T> {
    /// An empty slab that will never hold more than `slots_max` values.
    pub(crate) fn with_limit(slots_max: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            slots_max: slots_max.min(NONE as usize),
        }
    }

    /// Puts a value in; `None` at the limit.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Option<u32> {
        if let Some(index) = self.free.pop() {
            *self.slots.get_mut(index as usize)? = value;
            return Some(index);
        }
        if self.slots.len() >= self.slots_max {
            return None;
        }
        make_room(&mut self.slots);
        self.slots.push(value);
        // So that giving slots back never allocates.
        if self.free.capacity() < self.slots.len() {
            self.free.reserve(self.slots.len());
        }
        Some((self.slots.len() - 1) as u32)
    }

    /// Takes a slot as it was left, or a new one made by `vacant`; `None` at the limit. For values that are large
    /// and filled in where they stay.
    #[inline]
    pub(crate) fn take(&mut self, vacant: impl FnOnce() -> T) -> Option<u32> {
        match self.free.pop() {
            Some(index) => Some(index),
            None => self.insert(vacant()),
        }
    }

    /// Gives a slot back and leaves `vacant` in it. The index must come from `insert` and be in use.
    #[inline]
    pub(crate) fn remove(&mut self, index: u32, vacant: T) {
        if let Some(slot) = self.slots.get_mut(index as usize) {
            *slot = vacant;
            self.free.push(index);
        }
    }

    /// Gives a slot back that was made vacant where it stays. The index must be in use.
    #[inline]
    pub(crate) fn give_back(&mut self, index: u32) {
        self.free.push(index);
    }

    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)
    }

    /// Hands out the address of each cache line of a slot, for whoever can prefetch.
    #[inline(always)]
    pub(crate) fn lines(&self, index: u32, hint: &impl Fn(*const u8)) {
        if let Some(slot) = self.slots.get(index as usize) {
            let start = std::ptr::from_ref(slot).cast::<u8>();
            for at in (0..size_of::<T>()).step_by(CACHE_LINE) {
                hint(start.wrapping_add(at));
            }
        }
    }

    /// The same of the slot that will be taken after `before` others, as far as any is free.
    #[inline(always)]
    pub(crate) fn vacant_lines(&self, before: usize, hint: &impl Fn(*const u8)) {
        if let Some(at) = self.free.len().checked_sub(before + 1)
            && let Some(index) = self.free.get(at)
        {
            self.lines(*index, hint);
        }
    }

    /// Slots in use.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Memory of all slots ever used, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.len() * size_of::<T>() + self.free.len() * size_of::<u32>()
    }

    /// Slots ever used: indexes are below this.
    pub(crate) fn high_water(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;
    use std::cell::Cell;

    #[test]
    fn vacant_lines_are_those_of_the_slots_that_are_taken_next() {
        let mut slab: Slab<[u8; 64]> = Slab::default();
        let slots: Vec<u32> = (0..3).filter_map(|n| slab.insert([n; 64])).collect();
        for slot in &slots[..2] {
            slab.remove(*slot, [0; 64]);
        }
        let lines = |slab: &Slab<_>, before| {
            let seen = Cell::new(None);
            slab.vacant_lines(before, &|line| seen.set(Some(line)));
            seen.get()
        };
        let hinted = [lines(&slab, 0), lines(&slab, 1), lines(&slab, 2)];
        let mut taken = || {
            let slot = slab.take(|| [0; 64]).and_then(|slot| slab.get(slot));
            slot.map(|slot| slot.as_ptr())
        };
        assert_eq!(hinted, [taken(), taken(), None]);
    }
}
