//! Sizes and bounds of this crate, each with its reason.

/// Packets received in one call: the cost of the call is spread thin enough not to show, vector PMDs want a
/// multiple of 32, and what is known of the packets still fits in L1 with their headers.
pub const BURST_SIZE: usize = 32;

/// A memory zone's name with its `RG_`/`MP_` prefix must fit into 32 bytes with the final zero
/// (`RTE_MEMZONE_NAMESIZE`), so pool and ring names may have 26 characters.
pub(crate) const MAX_NAME: usize = 26;

/// Largest cache an lcore has in front of a pool (`RTE_MEMPOOL_CACHE_MAX_SIZE`). It is flushed when half as
/// much again is in it.
pub(crate) const MAX_CACHE: u32 = 512;

/// Bytes of the Toeplitz key of a port that does not say: the shortest in use (52 is the other one).
pub(crate) const DEFAULT_RSS_KEY: u8 = 40;

/// Longest RSS key a port may name: `hash_key_size` is a `u8`.
pub(crate) const MAX_RSS_KEY: usize = 255;

/// Longest frame [`crate::TxQueue::send`] takes: `rte_mbuf.data_len` of the segments is 16 bits, as is
/// every frame length a NIC can put on a wire.
pub(crate) const MAX_FRAME: usize = 65_535;

const _: () = assert!(BURST_SIZE.is_multiple_of(32) && BURST_SIZE <= u16::MAX as usize);
const _: () = assert!(DEFAULT_RSS_KEY as usize <= MAX_RSS_KEY);
