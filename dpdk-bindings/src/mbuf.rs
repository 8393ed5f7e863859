//! One packet as DPDK holds it: a chain of buffer segments and what the NIC said about them.
//!
//! Fields of `rte_mbuf` read here (bytes from its start; DPDK 22.11, `rte_mbuf_core.h`):
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 8 | `buf_addr`: the segment's buffer |
//! | 16 | 2 | `data_off`: where its bytes start in the buffer |
//! | 18 | 2 | `refcnt`: holders |
//! | 20 | 2 | `nb_segs`: segments in the chain (of a head) |
//! | 22 | 2 | `port` |
//! | 24 | 8 | `ol_flags`: which of the facts below hold |
//! | 32 | 4 | `packet_type` |
//! | 36 | 4 | `pkt_len`: bytes in the chain (of a head) |
//! | 40 | 2 | `data_len`: bytes in the segment |
//! | 42 | 2 | `vlan_tci` |
//! | 44 | 4 | `hash.rss` |
//! | 52 | 2 | `vlan_tci_outer` |
//! | 64 | 8 | `next` segment: the only one in the second cache line |

use std::cell::UnsafeCell;
use std::fmt;
use std::mem::offset_of;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::ffi;
use crate::id::PortId;

// shim.c asserts the same numbers for what the C compiler saw.
const _: () = {
    assert!(offset_of!(ffi::rte_mbuf, buf_addr) == 0);
    assert!(offset_of!(ffi::rte_mbuf, data_off) == 16);
    assert!(offset_of!(ffi::rte_mbuf, refcnt) == 18);
    assert!(offset_of!(ffi::rte_mbuf, nb_segs) == 20);
    assert!(offset_of!(ffi::rte_mbuf, port) == 22);
    assert!(offset_of!(ffi::rte_mbuf, ol_flags) == 24);
    assert!(offset_of!(ffi::rte_mbuf, __bindgen_anon_1) == 32);
    assert!(offset_of!(ffi::rte_mbuf, pkt_len) == 36);
    assert!(offset_of!(ffi::rte_mbuf, data_len) == 40);
    assert!(offset_of!(ffi::rte_mbuf, vlan_tci) == 42);
    assert!(offset_of!(ffi::rte_mbuf, __bindgen_anon_2) == 44);
    assert!(offset_of!(ffi::rte_mbuf, vlan_tci_outer) == 52);
    assert!(offset_of!(ffi::rte_mbuf, next) == 64);
    assert!(size_of::<ffi::rte_mbuf>() == 128);
};

/// Where PMDs put receive timestamps: the offset of a dynamic field in every mbuf and the flag that
/// says it was filled. Registered once by `Eal`; flag 0 before that, so nothing is read.
static TIMESTAMP_OFFSET: AtomicUsize = AtomicUsize::new(0);
static TIMESTAMP_FLAG: AtomicU64 = AtomicU64::new(0);

/// Asks for the timestamp field. Returns DPDK's answer: 0, or -1 with `rte_errno`.
pub(crate) fn register_timestamp_field() -> i32 {
    let (mut offset, mut flag) = (0, 0);
    // SAFETY: both point to locals of the types asked for. Called after EAL init.
    let returned = unsafe { ffi::rte_mbuf_dyn_rx_timestamp_register(&raw mut offset, &raw mut flag) };
    if let (0, Ok(offset)) = (returned, usize::try_from(offset)) {
        TIMESTAMP_OFFSET.store(offset, Ordering::Relaxed);
        TIMESTAMP_FLAG.store(flag, Ordering::Release);
    }
    returned
}

/// What the NIC found when it checked a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// It did not look.
    Unknown,
    /// It is right.
    Good,
    /// It is wrong.
    Bad,
    /// It is not in the packet, but the data is known to be whole (virtual links).
    None,
}

/// A received packet, borrowed from the [`Burst`](crate::Burst) or [`Mbuf`] that owns it.
///
/// Facts about the whole packet (length, hash, port …) are its head segment's.
#[repr(transparent)]
pub struct Packet(
    /// Another holder of a shared packet changes `refcnt` under our eyes, so no field may be assumed
    /// frozen. This also makes the type `!Sync`, which `share` needs: DPDK increments a count of 1
    /// without an atomic operation.
    UnsafeCell<ffi::rte_mbuf>,
);

/// Reads one field of the mbuf behind a [`Packet`].
macro_rules! field {
    ($packet:expr, $($field:tt)+) => {
        // SAFETY: a `Packet` is always a live mbuf, and the fields read here are written only before
        // it is handed out (by the PMD) and after its last holder is gone.
        unsafe { (&raw const (*$packet.0.get()).$($field)+).read() }
    };
}

impl Packet {
    /// # Safety
    /// `mbuf` is a live mbuf that nobody writes to, and stays so for `'a`.
    #[inline]
    pub(crate) unsafe fn from_raw<'a>(mbuf: NonNull<ffi::rte_mbuf>) -> &'a Self {
        // SAFETY: `Packet` is a transparent wrapper; the rest is the caller's promise.
        unsafe { mbuf.cast::<Self>().as_ref() }
    }

    /// Bytes of the first segment; the whole packet unless [`Packet::is_scattered`].
    #[inline]
    #[must_use]
    pub fn data(&self) -> &[u8] {
        let buffer: *const u8 = field!(self, buf_addr).cast_const().cast();
        let (offset, length) = (
            usize::from(field!(self, data_off)),
            usize::from(field!(self, data_len)),
        );
        // SAFETY: DPDK keeps `data_off + data_len <= buf_len` of a live mbuf, and the buffer lives and
        // is not written to as long as the mbuf has a holder.
        unsafe { std::slice::from_raw_parts(buffer.add(offset), length) }
    }

    /// Bytes of each segment of the chain, in order. Their lengths add up to [`Packet::len`].
    #[inline]
    #[must_use]
    pub fn segments(&self) -> Segments<'_> {
        Segments { next: Some(self) }
    }

    /// Bytes in the whole chain.
    #[inline]
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "a received packet without bytes is no case of its own"
    )]
    pub fn len(&self) -> usize {
        field!(self, pkt_len) as usize
    }

    /// Whether the packet is longer than one buffer, so that [`Packet::data`] is not all of it.
    #[inline]
    #[must_use]
    pub fn is_scattered(&self) -> bool {
        self.segment_count() > 1
    }

    /// Segments in the chain.
    #[inline]
    #[must_use]
    pub fn segment_count(&self) -> u16 {
        field!(self, nb_segs)
    }

    /// The port it came in on.
    #[inline]
    #[must_use]
    pub fn port(&self) -> PortId {
        PortId(field!(self, port))
    }

    /// The RSS hash, if the NIC computed one.
    #[inline]
    #[must_use]
    pub fn rss_hash(&self) -> Option<u32> {
        // SAFETY (of the union): every reading of these bytes is a valid u32.
        self.has(ffi::RX_RSS_HASH)
            .then(|| field!(self, __bindgen_anon_2.hash.rss))
    }

    /// The receive timestamp in units of the port's clock, if the PMD wrote one. The unit depends on the
    /// PMD (see [`Port::clock`](crate::Port::clock)): net_pcap writes microseconds of the capture.
    #[inline]
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        let flag = TIMESTAMP_FLAG.load(Ordering::Acquire);
        self.has(flag).then(|| {
            let offset = TIMESTAMP_OFFSET.load(Ordering::Relaxed);
            // SAFETY: DPDK reserved 8 aligned bytes at this offset in every mbuf.
            unsafe { self.0.get().cast::<u8>().add(offset).cast::<u64>().read() }
        })
    }

    /// Tag control information of the VLAN tag (the inner one of two) the NIC took out of the bytes.
    #[inline]
    #[must_use]
    pub fn stripped_vlan(&self) -> Option<u16> {
        self.has(ffi::RX_VLAN_STRIPPED).then(|| field!(self, vlan_tci))
    }

    /// Tag control information of the outer tag of two, if the NIC took it out of the bytes.
    #[inline]
    #[must_use]
    pub fn stripped_outer_vlan(&self) -> Option<u16> {
        self.has(ffi::RX_QINQ_STRIPPED)
            .then(|| field!(self, vlan_tci_outer))
    }

    /// The NIC's verdict on the IPv4 header checksum.
    #[inline]
    #[must_use]
    pub fn ip_checksum(&self) -> Checksum {
        match self.flags() & ffi::RX_IP_CKSUM_MASK {
            ffi::RX_IP_CKSUM_GOOD => Checksum::Good,
            ffi::RX_IP_CKSUM_BAD => Checksum::Bad,
            ffi::RX_IP_CKSUM_NONE => Checksum::None,
            _ => Checksum::Unknown,
        }
    }

    /// The NIC's verdict on the TCP, UDP or SCTP checksum.
    #[inline]
    #[must_use]
    pub fn l4_checksum(&self) -> Checksum {
        match self.flags() & ffi::RX_L4_CKSUM_MASK {
            ffi::RX_L4_CKSUM_GOOD => Checksum::Good,
            ffi::RX_L4_CKSUM_BAD => Checksum::Bad,
            ffi::RX_L4_CKSUM_NONE => Checksum::None,
            _ => Checksum::Unknown,
        }
    }

    /// What the NIC took the packet for: `RTE_PTYPE_*` bits (`rte_mbuf_ptype.h`), 0 if it did not look.
    #[inline]
    #[must_use]
    pub fn packet_type(&self) -> u32 {
        // SAFETY (of the union): every reading of these bytes is a valid u32.
        field!(self, __bindgen_anon_1.packet_type)
    }

    #[inline]
    fn flags(&self) -> u64 {
        field!(self, ol_flags)
    }

    /// Whether a flag is set; never for "no flag" (0).
    #[inline]
    fn has(&self, flag: u64) -> bool {
        self.flags() & flag != 0
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("port", &self.port().0)
            .field("len", &self.len())
            .field("segments", &self.segment_count())
            .finish_non_exhaustive()
    }
}

/// Iterator over the segments of a packet: [`Packet::segments`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    next: Option<&'a Packet>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let segment = self.next?;
        // SAFETY: segments live as long as the head they hang on, which is borrowed for 'a.
        self.next = NonNull::new(field!(segment, next)).map(|mbuf| unsafe { Packet::from_raw(mbuf) });
        Some(segment.data())
    }
}

/// One packet, owned: given back to its pool when dropped.
///
/// It can move to another thread. There is no `Clone`, since a second owner of the same bytes is
/// never an accident: see [`Mbuf::share`].
pub struct Mbuf(NonNull<ffi::rte_mbuf>);

// SAFETY: DPDK frees and unshares mbufs from any thread: pools have per-lcore caches in front of a
// multi-producer ring, and `refcnt` of a shared one changes atomically (RTE_MBUF_REFCNT_ATOMIC).
unsafe impl Send for Mbuf {}

impl Mbuf {
    /// # Safety
    /// `mbuf` is the head of a live chain, and one reference to it becomes this handle's.
    #[inline]
    pub(crate) unsafe fn from_raw(mbuf: NonNull<ffi::rte_mbuf>) -> Self {
        Self(mbuf)
    }

    /// Gives the reference away, undropped.
    #[inline]
    pub(crate) fn into_raw(self) -> NonNull<ffi::rte_mbuf> {
        let mbuf = self.0;
        std::mem::forget(self);
        mbuf
    }

    /// A second owner of the same bytes, for keeping parts of a packet in two places. The buffers go
    /// back to the pool with the last owner.
    #[must_use]
    pub fn share(&self) -> Self {
        // SAFETY: `self` is a live chain; the holder added to each segment is the new handle.
        unsafe { ffi::tapir_share(self.0.as_ptr()) };
        Self(self.0)
    }
}

impl Deref for Mbuf {
    type Target = Packet;

    #[inline]
    fn deref(&self) -> &Packet {
        // SAFETY: the chain lives, unwritten, as long as this handle.
        unsafe { Packet::from_raw(self.0) }
    }
}

impl Drop for Mbuf {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this handle's reference, given back once.
        unsafe { ffi::tapir_free(self.0.as_ptr()) };
    }
}

impl fmt::Debug for Mbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Mbuf {
    /// Whether both own the same packet (not: packets with the same bytes).
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.0.as_ptr(), other.0.as_ptr())
    }
}
