//! Every bound of the collector, in one place, with its reason.

/// Attributes that one record carries. Protocols declare fewer than ten; a hostile peer that makes a
/// parser repeat one thousands of times costs no more than this.
pub const ATTRS_MAX: usize = 32;

/// Shortest text limit that is honoured, bytes: a cut must leave at least one character.
pub const TEXT_BYTES_MIN: usize = 16;

/// Bytes of ring entries read before their space is given back to the lcore. A quarter of a typical
/// L2 cache, so that entries are still there when they are encoded.
pub const DRAIN_BYTES: usize = 256 * 1024;

/// Longest ring entry, bytes. A record's text is at most three messages' worth (48 KiB); the rest is
/// a fixed header. Anything longer is not an entry.
pub const ENTRY_BYTES_MAX: usize = 256 * 1024;

/// Longest FlatBuffers batch that is read, bytes. Batches are written at a tenth of it at most; a longer
/// one is no batch but bytes of something else taken for a length.
pub const BATCH_BYTES_MAX: usize = 16 << 20;
