//! Every bound of the dataplane that traffic can press against, with its reason.

/// Packets handled together: enough to hide memory latency behind one another (13 ns a line when 32
/// are prefetched together, 180 ns alone), few enough that all they touch, some twenty lines each, stays in the L1
/// cache, where 64 push each other out.
pub const BURST_PACKETS: usize = 32;

/// Flows of one lcore unless configured: 128 MiB of flow memory.
pub const FLOWS_MAX_DEFAULT: usize = 1 << 20;

/// Most flows an lcore may be configured for: indexes are 32 bits, one value means none.
pub const FLOWS_MAX: usize = 1 << 28;

/// Bytes of out-of-order segments that one direction of a flow may hold: a window of 256 KiB at
/// 10 Gbit/s is 200 µs of reordering.
pub const HELD_BYTES_PER_FLOW: u32 = 256 * 1024;

/// Out-of-order segments that one direction of a flow may hold.
pub const HELD_SEGMENTS_PER_FLOW: u32 = 256;

/// Out-of-order segments that an lcore may hold: mbufs that the NIC can't use meanwhile.
pub const HELD_SEGMENTS_PER_LCORE: usize = 16 * 1024;

/// How long a hole may wait for its segment although the receiver has acknowledged it, ns. The bytes
/// passed by unseen; only a mirror that reorders can still bring them.
pub const ACKED_HOLE_GRACE_NS: u64 = 20_000_000;

/// How long a hole may wait for its segment, ns: several retransmission timeouts.
pub const HOLE_TIMEOUT_NS: u64 = 3_000_000_000;

/// How many times longer a hole waits that the receiver has not acknowledged either: it misses the bytes
/// too, so they will be sent again, after some doublings of the retransmission timeout (RFC 6298 section 5.5).
pub const UNACKED_HOLE_PATIENCE: u64 = 10;

/// A SYN-ACK that answers no SYN begins a new connection of its ends when they have been silent for so long,
/// ns: nothing of the old one is under way any more.
pub const SYN_ACK_REUSE_NS: u64 = 1_000_000_000;

/// Most sessions that one tick looks at for overdue requests.
pub const SESSIONS_PER_TICK: usize = 1024;

/// Time between ticks, in packet time, ns.
pub const TICK_NS: u64 = 5_000_000;

/// Width of a timer wheel slot, ns (2^27, about 134 ms).
pub const WHEEL_SLOT_SHIFT: u32 = 27;

/// Slots of the timer wheel; with their width it spans nine minutes. Longer timeouts go round again.
pub const WHEEL_SLOTS: usize = 4096;
/// Chunks of timers, 256 bytes each, that an lcore's wheel has room for before it grows: those of half a million
/// flows. Memory that is not touched costs nothing.
pub const WHEEL_CHUNKS: usize = 16 * 1024;

/// Flows that one burst may expire, so that a wave of timeouts never stops reception.
pub const EXPIRE_PER_BURST: usize = 512;

/// Candidates looked at when a full table has to give up its oldest idle flow.
pub const EVICTION_TRIES: usize = 64;

const _: () = assert!(FLOWS_MAX_DEFAULT <= FLOWS_MAX);
const _: () = assert!(WHEEL_SLOTS.is_power_of_two());
const _: () = assert!((HELD_SEGMENTS_PER_FLOW as usize) < HELD_SEGMENTS_PER_LCORE);
