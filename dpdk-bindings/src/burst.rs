//! The packets of one receive call.

use std::fmt;
use std::ptr::{self, NonNull};

use crate::ffi;
use crate::limits::BURST_SIZE;
use crate::mbuf::{Mbuf, Packet};

/// Up to [`BURST_SIZE`] packets, given back to their pools together when cleared or dropped.
///
/// Made once a lcore and used for every receive. A packet that must outlive the burst (a segment that
/// came too early, a fragment) is taken out with [`Burst::take`]; its place stays empty.
pub struct Burst {
    /// `slots[..len]` are owned heads of chains, or null where one was taken.
    slots: [*mut ffi::rte_mbuf; BURST_SIZE],
    len: usize,
}

// SAFETY: a burst owns its packets as an `Mbuf` does, and those are `Send`.
unsafe impl Send for Burst {}

impl Burst {
    /// An empty burst.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: [ptr::null_mut(); BURST_SIZE],
            len: 0,
        }
    }

    /// Places in use, those whose packet was taken among them.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no place is in use.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether nothing more can be pushed.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len == BURST_SIZE
    }

    /// The packet at `index`; none past the end or where it was taken.
    #[inline]
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&Packet> {
        let mbuf = NonNull::new(*self.occupied().get(index)?)?;
        // SAFETY: the burst owns the chain, and taking or clearing it needs `&mut self`.
        Some(unsafe { Packet::from_raw(mbuf) })
    }

    /// The packets that are there, in order of arrival.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = &Packet> {
        (0..self.len).filter_map(|index| self.get(index))
    }

    /// Takes the packet at `index` out, to keep it.
    #[inline]
    pub fn take(&mut self, index: usize) -> Option<Mbuf> {
        let slot = self.slots.get_mut(..self.len)?.get_mut(index)?;
        let mbuf = NonNull::new(std::mem::replace(slot, ptr::null_mut()))?;
        // SAFETY: the reference was the burst's, and the slot no longer has it.
        Some(unsafe { Mbuf::from_raw(mbuf) })
    }

    /// Adds a packet at the end; gives it back when the burst is full.
    #[inline]
    pub fn push(&mut self, mbuf: Mbuf) -> Result<(), Mbuf> {
        match self.slots.get_mut(self.len) {
            Some(slot) => {
                *slot = mbuf.into_raw().as_ptr();
                self.len += 1;
                Ok(())
            }
            None => Err(mbuf),
        }
    }

    /// Gives all packets back to their pools, in bulk.
    #[inline]
    pub fn clear(&mut self) {
        let owned = std::mem::take(&mut self.len);
        if owned > 0 {
            // SAFETY: `slots[..owned]` are owned or null, and with `len` 0 nobody reads them again.
            unsafe { ffi::rte_pktmbuf_free_bulk(self.slots.as_mut_ptr(), owned as u32) };
        }
    }

    /// Starts loading the mbuf headers of all packets. Of use when they come from another core; a PMD has
    /// just written them.
    #[inline]
    pub fn prefetch_headers(&self) {
        // SAFETY: `slots[..len]` are readable; a prefetch of any address, null too, is harmless.
        unsafe { ffi::tapir_prefetch_headers(self.slots.as_ptr(), self.len as u32) };
    }

    /// Starts loading the first 64 bytes of all packets.
    #[inline]
    pub fn prefetch_data(&self) {
        // SAFETY: `slots[..len]` are live mbufs or null, which the shim skips.
        unsafe { ffi::tapir_prefetch_data(self.slots.as_ptr(), self.len as u32) };
    }

    /// Lets `fill` put owned packets into the (empty) slots and say how many.
    #[inline]
    pub(crate) fn refill(
        &mut self,
        fill: impl FnOnce(&mut [*mut ffi::rte_mbuf; BURST_SIZE]) -> usize,
    ) -> usize {
        self.clear();
        self.len = fill(&mut self.slots).min(BURST_SIZE);
        self.len
    }

    /// Lets `drain` take over a first part of the packets (none of them null) and say how many; the rest
    /// move to the front.
    #[inline]
    pub(crate) fn hand_over(&mut self, drain: impl FnOnce(&[*mut ffi::rte_mbuf]) -> usize) -> usize {
        self.close_gaps();
        let gone = drain(self.occupied()).min(self.len);
        self.slots.copy_within(gone..self.len, 0);
        self.len -= gone;
        gone
    }

    #[inline]
    fn occupied(&self) -> &[*mut ffi::rte_mbuf] {
        self.slots.get(..self.len).unwrap_or_default()
    }

    fn close_gaps(&mut self) {
        let slots = self.slots.get_mut(..self.len).unwrap_or_default();
        let mut kept = 0;
        for index in 0..slots.len() {
            slots.swap(kept, index);
            kept += usize::from(!slots[kept].is_null());
        }
        self.len = kept;
    }
}

impl Default for Burst {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Burst {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
