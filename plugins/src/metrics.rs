//! What is counted of plugins. Each instance has counters of its own that its lcore alone writes; whoever
//! exports them reads and adds them up.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// How a call can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    /// The guest did what WebAssembly forbids, or gave up (`unreachable`).
    Trap,
    /// The deadline was over.
    Timeout,
    /// The stack was used up.
    Stack,
    /// It ended itself.
    Exit,
    /// It returned what means nothing.
    BadReturn,
    /// It gave the host an address outside of its memory.
    BadPointer,
    /// It handed over what is no record.
    BadRecord,
    /// It wanted more memory than it may have.
    Memory,
    /// It could not be started again.
    Start,
}

impl Reason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 9] = [
        Self::Trap,
        Self::Timeout,
        Self::Stack,
        Self::Exit,
        Self::BadReturn,
        Self::BadPointer,
        Self::BadRecord,
        Self::Memory,
        Self::Start,
    ];

    /// Label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::Stack => "stack",
            Self::Exit => "exit",
            Self::BadReturn => "bad_return",
            Self::BadPointer => "bad_pointer",
            Self::BadRecord => "bad_record",
            Self::Memory => "memory",
            Self::Start => "start",
        }
    }
}

/// The functions that are called for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Export {
    /// `check_payload`.
    CheckPayload,
    /// `parse_payload`.
    ParsePayload,
    /// `on_http_req`.
    OnHttpReq,
    /// `on_http_resp`.
    OnHttpResp,
    /// `on_custom_message`.
    OnCustomMessage,
}

impl Export {
    /// Every function, in the order of its number.
    pub const ALL: [Self; 5] = [
        Self::CheckPayload,
        Self::ParsePayload,
        Self::OnHttpReq,
        Self::OnHttpResp,
        Self::OnCustomMessage,
    ];

    /// Its name in the module, and label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CheckPayload => "check_payload",
            Self::ParsePayload => "parse_payload",
            Self::OnHttpReq => "on_http_req",
            Self::OnHttpResp => "on_http_resp",
            Self::OnCustomMessage => "on_custom_message",
        }
    }
}

/// Counts of one function.
#[derive(Debug, Default)]
struct ExportCounters {
    calls: AtomicU64,
    taken: AtomicU64,
    nanoseconds: AtomicU64,
    failures: [AtomicU64; Reason::ALL.len()],
}

/// Counts of one instance.
#[derive(Debug, Default)]
pub struct InstanceCounters {
    exports: [ExportCounters; Export::ALL.len()],
    set_aside: AtomicU64,
    is_aside: AtomicU64,
    passed: AtomicU64,
    log_lines_dropped: AtomicU64,
    memory_bytes: AtomicU64,
}

/// Adds where nobody else writes.
fn add(to: &AtomicU64, count: u64) {
    to.store(to.load(Relaxed).wrapping_add(count), Relaxed);
}

impl InstanceCounters {
    pub(crate) fn call(&self, export: Export, took: Duration, taken: bool) {
        let Some(counters) = self.exports.get(export as usize) else {
            return;
        };
        add(&counters.calls, 1);
        add(&counters.taken, u64::from(taken));
        add(&counters.nanoseconds, took.as_nanos() as u64);
    }

    pub(crate) fn failure(&self, export: Export, reason: Reason) {
        let counters = self.exports.get(export as usize);
        if let Some(count) = counters.and_then(|c| c.failures.get(reason as usize)) {
            add(count, 1);
        }
    }

    pub(crate) fn aside(&self, is: bool) {
        add(&self.set_aside, u64::from(is));
        self.is_aside.store(u64::from(is), Relaxed);
    }

    pub(crate) fn passed(&self) {
        add(&self.passed, 1);
    }

    pub(crate) fn log_line_dropped(&self) {
        add(&self.log_lines_dropped, 1);
    }

    pub(crate) fn memory(&self, bytes: usize) {
        self.memory_bytes.store(bytes as u64, Relaxed);
    }
}

/// Counts of one function of a plugin, all lcores together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportMetrics {
    /// Calls.
    pub calls: u64,
    /// Calls after which no other plugin was asked.
    pub taken: u64,
    /// Time of all calls, ns.
    pub nanoseconds: u64,
    /// Failures, by the number of their [`Reason`].
    pub failures: [u64; Reason::ALL.len()],
}

/// Counts of a plugin, all lcores together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PluginMetrics {
    /// Its name.
    pub name: String,
    /// By the number of the [`Export`].
    pub exports: [ExportMetrics; Export::ALL.len()],
    /// How often it was set aside.
    pub set_aside: u64,
    /// Lcores on which it is set aside now.
    pub lcores_aside: u64,
    /// Calls that it was not given because the lcore's time for plugins was used up.
    pub passed: u64,
    /// Lines that it logged beyond what it may.
    pub log_lines_dropped: u64,
    /// Linear memory of all instances, bytes.
    pub memory_bytes: u64,
}

impl PluginMetrics {
    /// Adds the counts of an instance.
    pub fn add(&mut self, counters: &InstanceCounters) {
        for (to, from) in self.exports.iter_mut().zip(&counters.exports) {
            to.calls += from.calls.load(Relaxed);
            to.taken += from.taken.load(Relaxed);
            to.nanoseconds += from.nanoseconds.load(Relaxed);
            for (to, from) in to.failures.iter_mut().zip(&from.failures) {
                *to += from.load(Relaxed);
            }
        }
        self.set_aside += counters.set_aside.load(Relaxed);
        self.lcores_aside += counters.is_aside.load(Relaxed);
        self.passed += counters.passed.load(Relaxed);
        self.log_lines_dropped += counters.log_lines_dropped.load(Relaxed);
        self.memory_bytes += counters.memory_bytes.load(Relaxed);
    }

    /// Failures for this reason, all functions together.
    pub fn failures(&self, reason: Reason) -> u64 {
        self.exports
            .iter()
            .filter_map(|export| export.failures.get(reason as usize))
            .sum()
    }
}
