//! Every bound that traffic can press against, in one place, with its reason.

/// Longest message head that is put together from several segments, bytes. Apache and nginx refuse
/// request heads above 8 KiB a line; a MySQL or Redis head is far shorter, and a 16 KiB TLS record is
/// the longest unit that must be seen whole.
pub const STITCH_BYTES_MAX: usize = 20 * 1024;

/// Bytes of one direction that inference may look at before it gives up.
pub const PROBE_BYTES_MAX: usize = 512;

/// Payloads of a flow that are probed before the flow is `unknown` and costs nothing more.
pub const PROBE_TRIES_MAX: u8 = 6;

/// Units a parser may finish without consuming a byte, in a row: state changes, never a loop.
pub const IDLE_ADVANCES_MAX: u32 = 4;

/// Broken messages of a flow before it is given back to inference, where the protocol was confirmed.
pub const MALFORMED_MAX: u8 = 8;

/// Tail of a segment kept while a message start is looked for, bytes: longer than any head's mark.
pub const RESYNC_TAIL_BYTES: usize = 64;

/// Requests of one flow that wait for their responses. Redis clients pipeline by the thousand, but
/// memory per flow must stay within a few hundred KiB.
pub const PENDING_PER_FLOW_MAX: usize = 2048;

/// Requests of one lcore that wait for their responses.
pub const PENDING_PER_LCORE_MAX: usize = 1 << 20;

/// Bytes of text that one message may put into a record.
pub const MESSAGE_TEXT_BYTES_MAX: usize = 16 * 1024;

/// How long a request waits for its response unless the protocol says otherwise, ns.
pub const RESPONSE_TIMEOUT_NS: u64 = 60_000_000_000;

/// How long a response that arrived before its request (two mirror ports) waits for it, ns.
pub const EARLY_RESPONSE_NS: u64 = 100_000_000;

/// Responses of one flow that wait for their requests.
pub const EARLY_RESPONSES_PER_FLOW_MAX: usize = 64;

/// Flows of one lcore that have a parser, or are on the way to one.
pub const SESSIONS_PER_LCORE_MAX: usize = 4 << 20;

/// Message heads of one lcore that are being put together at once. Times the longest head this is
/// what stitching may hold: 1.25 GiB in the worst case, a few hundred bytes each in practice.
pub const STITCH_BUFFERS_MAX: usize = 1 << 16;

/// Server addresses whose protocol an lcore remembers.
pub const SERVER_CACHE_ENTRIES: usize = 4096;

/// How long a server's protocol is remembered, ns.
pub const SERVER_CACHE_TTL_NS: u64 = 60_000_000_000;

const _: () = assert!(PROBE_BYTES_MAX <= STITCH_BYTES_MAX);
const _: () = assert!(RESYNC_TAIL_BYTES < STITCH_BYTES_MAX);
const _: () = assert!(PENDING_PER_FLOW_MAX <= PENDING_PER_LCORE_MAX);
