//! Every bound of the sidecar that a host's traffic can press against, with its reason.

use std::time::Duration;

/// Data of one direction that may wait for what came before it. Only threads that write to one socket at the same
/// time are told of out of turn, by microseconds.
pub const HELD_PER_SIDE_MAX: usize = 16;

/// Bytes that those may hold.
pub const HELD_BYTES_PER_SIDE_MAX: usize = 256 * 1024;

/// How long data waits for what came before it, ns. A program that is interrupted between a send and telling of it
/// goes on within a scheduler's turn; what takes longer was lost.
pub const HOLE_TIMEOUT_NS: u64 = 50_000_000;

/// Time between ticks, ns: overdue requests and holes are looked for.
pub const TICK_NS: u64 = 5_000_000;

/// Time between looks at counters and clocks, ns. What is lost is lost between two of them.
pub const LOOK_NS: u64 = 100_000_000;

/// Time between looks for connections whose sockets are gone, ns. Two looks find those whose end was not told of.
pub const LIVING_LOOK_NS: u64 = 5_000_000_000;

/// Or so many times as long as the last look took, if that is longer: a thousandth of a core.
pub const LIVING_LOOK_SHARE: u64 = 1000;

/// Sessions that one tick looks at for overdue requests.
pub const SESSIONS_PER_TICK: usize = 1024;

/// Connections that are followed at once, about 400 bytes each. Of a further one, nothing is read.
pub const CONNECTIONS_MAX: usize = 1 << 18;

/// Sockets of TCP that the kernel's programs know at once where nothing can hang on a socket itself, some 200 bytes each,
/// taken at the start. Of a further one, nothing is told, counted.
pub const KERNEL_CONNECTIONS_MAX: u32 = 1 << 16;

/// Bytes of the ring from the kernel unless set: at a nap of 8 ms it holds what 1 GB/s brings.
pub const EVENT_RING_BYTES: u32 = 8 << 20;

/// Bytes of the ring of records: some tens of thousands of them, for a collector that is kept waiting.
pub const RECORD_RING_BYTES: usize = 16 << 20;

/// Bytes that one call of an application gives at most unless set, and at most at all: more than any head of a
/// message. Of bodies nothing is needed.
pub const CAPTURE_BYTES_MAX: u32 = 32 * 1024;

/// Processes of which facts are kept, and cgroups.
pub const PROCESSES_MAX: usize = 4096;

/// Pods and containers whose names are kept: a node has some hundred, and logs of those that are gone.
pub const PODS_MAX: usize = 16_384;

/// Bytes of a container's configuration that are read: they have some ten thousand.
pub const CONTAINER_CONFIG_BYTES_MAX: u64 = 4 << 20;

/// Pieces of plain bytes that may wait for their connection to be known: those of applications that carry the ciphertext
/// themselves, from a first write to the ciphertext of it.
pub const PLAIN_WAITING_MAX: usize = 4096;

/// Bytes that those may hold.
pub const PLAIN_BYTES_WAITING_MAX: usize = 8 << 20;

/// How long they wait, ns: a program that is to send what it has encrypted does so at once.
pub const PLAIN_WAIT_NS: u64 = 2_000_000_000;

/// Calls of a TLS library of which it is remembered where their ciphertext began, for each way of a connection: as many
/// as one message's start may lie back when its record is made.
pub const PLAIN_NUMBERS_MAX: usize = 64;

/// How long plain bytes that were received wait for a call that sends to be over, ns. A thread that is interrupted before
/// its call returns goes on within some scheduler's turns; what takes longer is a call that waits for room.
pub const PLAIN_TURN_NS: u64 = 50_000_000;

/// How long a TLS connection that is over waits for its last plain bytes, ns. Those that an application writes are told
/// of when the library's call returns, which may be after the other side has answered them and gone.
pub const PLAIN_LINGER_NS: u64 = 200_000_000;

/// Bytes of one section of a program or library that are read. The symbols of the largest programs there are take half.
pub const ELF_SECTION_BYTES_MAX: u64 = 256 << 20;

/// Bytes of one function that are decoded: those of Go's crypto/tls have some thousands.
pub const CODE_BYTES_MAX: u64 = 64 << 10;

/// Bytes of a file that are searched for what its TLS library may be.
pub const WHY_BYTES_MAX: u64 = 256 << 20;

/// Bytes of /proc/PID/maps that are read: 65530 mappings, which is the kernel's own bound, of common length.
pub const MAPS_BYTES_MAX: u64 = 8 << 20;

/// Files of machine code that are remembered as looked into; beyond, those without probes are forgotten.
pub const TLS_FILES_EXAMINED_MAX: usize = 16_384;

/// Files that have probes at once. Each takes up to six links of the kernel.
pub const TLS_FILES_PROBED_MAX: usize = 256;

/// Processes that are remembered as users of files with probes. Beyond, no probe is taken out.
pub const TLS_PROCESSES_MAX: usize = 65_536;

/// How long a file without probes is believed to be what it was.
pub const TLS_EXAMINE_AGAIN: Duration = Duration::from_secs(60);

/// How long probes stay in a file that nobody uses: programs that are run now and then come back to them.
pub const TLS_RELEASE_AFTER: Duration = Duration::from_secs(600);

/// Flows of datagrams that are followed at once, a socket and whom it speaks with each.
pub const DATAGRAM_FLOWS_MAX: usize = 1 << 16;

/// How long a flow of datagrams may be silent before it is over, ns. Its requests have timeouts of their own.
pub const DATAGRAM_FLOW_IDLE_NS: u64 = 60_000_000_000;

/// The same, when there is no room for another one.
pub const DATAGRAM_FLOW_IDLE_WHEN_FULL_NS: u64 = 5_000_000_000;

/// How long the collector's thread sleeps at most when there are no records. The ring of records holds what some hundred
/// thousand exchanges a second make in that time.
pub const COLLECTOR_NAP: Duration = Duration::from_millis(20);
