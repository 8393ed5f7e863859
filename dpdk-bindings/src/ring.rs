//! A ring of packets from one thread to one other: for handing packets to the lcore that owns their flow
//! when the NIC can't.

use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use crate::burst::Burst;
use crate::eal::Eal;
use crate::error::{Error, Result};
use crate::ffi;
use crate::id::SocketId;
use crate::limits::BURST_SIZE;
use crate::mempool::checked_name;

/// Makes a ring for `capacity` packets on a NUMA node (that of the consumer is best) and gives out its
/// two ends. The name is unique in the process and at most 26 bytes long.
///
/// # Errors
/// EEXIST for a name in use, ENOMEM, EINVAL for a capacity of 0 or 2^31 and up.
pub fn ring(_eal: Eal, name: &str, capacity: u32, socket: Option<SocketId>) -> Result<(Producer, Consumer)> {
    let doing = || format!("create ring {name} for {capacity} packets");
    let c_name = checked_name(name).map_err(|reason| Error::invalid(doing(), reason))?;
    if capacity == 0 {
        return Err(Error::invalid(doing(), "a ring without room"));
    }
    // Without EXACT_SIZE the capacity would have to be 2^n - 1.
    let flags = ffi::RING_SINGLE_PRODUCER | ffi::RING_SINGLE_CONSUMER | ffi::RING_EXACT_SIZE;
    // SAFETY: EAL is up; the name is copied.
    let ring = unsafe { ffi::rte_ring_create(c_name.as_ptr(), capacity, SocketId::to_raw(socket), flags) };
    let ring = NonNull::new(ring).ok_or_else(|| Error::from_rte_errno(doing()))?;
    let ring = Arc::new(Shared { ring });
    Ok((Producer(Arc::clone(&ring)), Consumer(ring)))
}

/// The end packets go in at.
#[derive(Debug)]
pub struct Producer(Arc<Shared>);

/// The end packets come out at.
#[derive(Debug)]
pub struct Consumer(Arc<Shared>);

struct Shared {
    ring: NonNull<ffi::rte_ring>,
}

// SAFETY: a ring with one producer and one consumer may have them on different threads; that there is
// one of each is what the two types and their `&mut self` are for.
unsafe impl Send for Shared {}
// SAFETY: as above; counting is allowed from anywhere.
unsafe impl Sync for Shared {}

impl Producer {
    /// Moves packets of `burst` into the ring, as many as there is room for, and returns how many. The
    /// others stay in the burst: to be sent again, or dropped and counted.
    #[inline]
    pub fn send(&mut self, burst: &mut Burst) -> usize {
        burst.hand_over(|mbufs| {
            // SAFETY: live packets, which the ring owns from here on; the only producer is `self`.
            unsafe {
                ffi::tapir_ring_enqueue(self.0.ring.as_ptr(), mbufs.as_ptr(), mbufs.len() as u32) as usize
            }
        })
    }

    /// Packets in the ring, about.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the ring has no packets, about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Consumer {
    /// Clears `burst` and fills it with the oldest packets in the ring; returns how many.
    #[inline]
    pub fn receive(&mut self, burst: &mut Burst) -> usize {
        burst.refill(|slots| {
            // SAFETY: room for BURST_SIZE packets, owned by the burst from here on; the only consumer is `self`.
            unsafe {
                ffi::tapir_ring_dequeue(self.0.ring.as_ptr(), slots.as_mut_ptr(), BURST_SIZE as u32) as usize
            }
        })
    }

    /// Packets in the ring, about.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the ring has no packets, about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Shared {
    fn len(&self) -> usize {
        // SAFETY: the ring lives as long as this.
        unsafe { ffi::tapir_ring_count(self.ring.as_ptr()) as usize }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut left = [ptr::null_mut(); BURST_SIZE];
        loop {
            // SAFETY: both ends are gone, so this is the only user; what comes out is owned, and freed.
            unsafe {
                let count = ffi::tapir_ring_dequeue(self.ring.as_ptr(), left.as_mut_ptr(), BURST_SIZE as u32);
                if count == 0 {
                    break;
                }
                ffi::rte_pktmbuf_free_bulk(left.as_mut_ptr(), count);
            }
        }
        // SAFETY: made by `ring`, freed once.
        unsafe { ffi::rte_ring_free(self.ring.as_ptr()) };
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
