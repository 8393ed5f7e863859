//! Every bound that a plugin can press against, with its reason.

use std::time::Duration;

/// Largest module, bytes. Plugins of the Go SDK have some hundred KiB, unstripped Rust 6 MiB.
pub const MODULE_BYTES_MAX: usize = 64 << 20;

/// Compiled modules that are kept for the next start: several versions of each plugin.
pub const CACHE_FILES_MAX: usize = 4 * PLUGINS_MAX;

/// Largest compiled module that is read, bytes: code is some times larger than what it is compiled from.
pub const CACHE_FILE_BYTES_MAX: u64 = 16 * MODULE_BYTES_MAX as u64;

/// Plugins loaded at once: as many as DeepFlow lets a store have, and more than anybody walks through for
/// every payload.
pub const PLUGINS_MAX: usize = 32;

/// Stack of a guest, bytes: as DeepFlow's. It lies on the stack of the worker's thread, which has 2 MiB.
pub const STACK_BYTES: usize = 512 * 1024;

/// Linear memory of an instance unless configured otherwise, bytes. Plugins of the Go SDK begin with 8 MiB
/// and collect garbage from there.
pub const MEMORY_BYTES_DEFAULT: usize = 64 << 20;

/// Entries of a guest's tables: functions that are called by pointer. TinyGo has some thousand.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;

/// Period of the clock that deadlines are counted in.
pub const TICK: Duration = Duration::from_millis(1);

/// How long a call may take unless configured otherwise: a collection of TinyGo's garbage fits, and a ring
/// of 4096 packets takes it at 800 000 packets a second.
pub const DEADLINE_DEFAULT: Duration = Duration::from_millis(5);

/// How long the start of an instance may take: Go's runtime sets up its heap there.
pub const START_DEADLINE: Duration = Duration::from_secs(1);

/// How long it may take where packets wait, when a plugin that was set aside is tried again.
pub const RESTART_DEADLINE: Duration = Duration::from_millis(20);

/// Failures in a row before a plugin is set aside, unless configured otherwise.
pub const FAILURES_DEFAULT: u32 = 5;

/// How long a plugin is set aside unless configured otherwise, ns of capture time.
pub const RETRY_NS_DEFAULT: u64 = 60_000_000_000;

/// Time of each second that an lcore spends on plugins unless configured otherwise.
pub const BUDGET_DEFAULT: Duration = Duration::from_millis(100);

/// Payload shown to a plugin unless configured otherwise, bytes. DeepFlow's SDKs from before November 2023
/// read into a buffer of this size.
pub const PAYLOAD_BYTES_DEFAULT: usize = 8192;

/// Most payload shown to a plugin, bytes: what a flow puts together of its segments.
pub const PAYLOAD_BYTES_MAX: usize = tapir_parsers::limits::STITCH_BYTES_MAX;

/// Records that a plugin hands over at once, bytes: the SDK's buffer.
pub const BATCH_BYTES_MAX: usize = 65_536;

/// Records in one batch. A payload of 8 KiB holds fewer messages of any protocol that is worth a plugin.
pub const BATCH_RECORDS_MAX: usize = 1024;

/// Encoded message shown to a plugin (the SDK's buffer), bytes.
pub const EVENT_BYTES_MAX: usize = 65_536;

/// Longest line that a plugin logs, bytes; the rest is cut.
pub const LOG_LINE_BYTES_MAX: usize = 1024;

/// Lines that one instance may log in a second; more are counted and dropped.
pub const LOG_LINES_A_SECOND: u32 = 10;

/// Lines of all plugins that wait to be written.
pub const LOG_LINES_QUEUED: usize = 256;

/// Bytes that one call of `random_get` may fill.
pub const RANDOM_BYTES_MAX: usize = 65_536;

/// Vectors of one `fd_write` that are counted.
pub const IOVECS_MAX: usize = 1024;

const _: () = assert!(PAYLOAD_BYTES_DEFAULT <= PAYLOAD_BYTES_MAX && PAYLOAD_BYTES_MAX <= u16::MAX as usize);
