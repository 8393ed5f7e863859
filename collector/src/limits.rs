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

/// Longest FlatBuffers batch that is read, bytes. A longer one is no batch but bytes of something else taken
/// for a length.
pub const BATCH_BYTES_MAX: usize = 16 << 20;

/// Records in one batch: a subscriber that reads batch by batch gets them in portions it can hold.
pub const BATCH_RECORDS: u64 = 4096;

/// Bytes at which a batch is full unless set otherwise: large enough that a system call and a wake-up
/// a batch cost nothing, small enough to stay in a cache.
pub const BATCH_BYTES: usize = 64 * 1024;

/// Bytes at which a batch is full at most, whatever is set: with one more record, and what a format adds, it
/// can still be read.
pub const BATCH_BYTES_SET_MAX: usize = 8 << 20;

/// What a batch costs a queue besides its bytes, so that many small ones are bounded too.
pub const BATCH_OVERHEAD_BYTES: usize = 256;

/// Bytes that wait for a sink before further batches are lost: half a minute of a gigabit link's
/// records, or a few seconds of the fastest traffic.
pub const SINK_QUEUE_BYTES: usize = 64 << 20;

/// Bytes that wait for one subscriber before it is cut off.
pub const SUBSCRIBER_QUEUE_BYTES: usize = 8 << 20;

/// Subscribers of one listener. Each has a thread and a queue.
pub const SUBSCRIBERS_MAX: usize = 64;

/// Bytes of records that wait for others of their exchange: two seconds of a hundred thousand a second.
pub const JOIN_BYTES: usize = 128 << 20;

/// Sidecars of one listener. Each has a thread, and a batch of its own being read.
pub const SIDECARS_MAX: usize = 256;

/// Batches of one sidecar that were read and wait for the collector: while it counts one, another is read.
pub const PORTIONS_PER_SIDECAR_MAX: usize = 2;

/// HTTP requests answered at once; a further one is told to come back.
pub const HTTP_CONNECTIONS_MAX: usize = 8;

/// Longest head of an HTTP request, bytes.
pub const HTTP_HEAD_BYTES_MAX: usize = 8 * 1024;

const _: () = assert!(BATCH_BYTES <= BATCH_BYTES_SET_MAX);
// Text grows to three times its length when none of it is UTF-8.
const _: () = assert!(BATCH_BYTES_SET_MAX + 4 * ENTRY_BYTES_MAX < BATCH_BYTES_MAX);
const _: () = assert!(4 * BATCH_BYTES < SUBSCRIBER_QUEUE_BYTES);

/// How long the collector's thread sleeps when there are no records, unless set: a ring of a few MiB does not fill in
/// that time.
pub const NAP_DEFAULT: std::time::Duration = std::time::Duration::from_millis(1);
