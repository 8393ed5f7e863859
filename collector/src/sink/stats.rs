//! What sinks count. Offered = delivered + each named loss + waiting, in records.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Why records did not get where they should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossReason {
    /// The sink was too slow: its queue was full.
    QueueFull,
    /// Nobody was connected.
    NoSubscriber,
    /// The disk was full for longer than writing was tried again.
    DiskFull,
    /// Another error, for longer than writing was tried again.
    IoError,
    /// The other side went away, for good.
    Closed,
    /// Tapir stopped before they were out.
    Shutdown,
}

impl LossReason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 6] = [
        Self::QueueFull,
        Self::NoSubscriber,
        Self::DiskFull,
        Self::IoError,
        Self::Closed,
        Self::Shutdown,
    ];

    /// Its name in metrics and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NoSubscriber => "no_subscriber",
            Self::DiskFull => "disk_full",
            Self::IoError => "io_error",
            Self::Closed => "closed",
            Self::Shutdown => "shutdown",
        }
    }

    /// The reason that goes with an error.
    pub fn of(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::IoError,
        }
    }
}

/// Why a subscriber was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// It did not read as fast as records came.
    Slow,
    /// It went away, or its connection broke.
    Left,
    /// There were too many already.
    Refused,
}

impl CutOff {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Slow, Self::Left, Self::Refused];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Left => "left",
            Self::Refused => "refused",
        }
    }
}

/// Counters of one sink, written by its threads and read by whoever exports them.
#[derive(Debug, Default)]
pub struct SinkStats {
    pub(crate) offered: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) delivered: AtomicU64,
    pub(crate) delivered_bytes: AtomicU64,
    pub(crate) lost: [AtomicU64; LossReason::ALL.len()],
    pub(crate) retries: AtomicU64,
    pub(crate) rotations: AtomicU64,
    pub(crate) subscribers: AtomicU64,
    pub(crate) subscribers_seen: AtomicU64,
    pub(crate) cut_off: [AtomicU64; CutOff::ALL.len()],
    /// Encoding for it would be in vain.
    pub(crate) unwanted: AtomicBool,
    /// It can take nothing any more.
    pub(crate) gone: AtomicBool,
}

/// What a sink had counted at some moment; in records unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkCounts {
    /// Handed to it by the collector.
    pub offered: u64,
    /// In its queue.
    pub waiting: u64,
    /// Where they should be. For a listener: sent to at least one subscriber's buffer.
    pub delivered: u64,
    /// Bytes of those.
    pub delivered_bytes: u64,
    /// By number of the [`LossReason`].
    pub lost: [u64; LossReason::ALL.len()],
    /// Times that a batch was tried again.
    pub retries: u64,
    /// Files closed and named because they were full or old.
    pub rotations: u64,
    /// Subscribers connected now.
    pub subscribers: u64,
    /// Subscribers ever accepted.
    pub subscribers_seen: u64,
    /// Subscribers let go, by number of the [`CutOff`].
    pub cut_off: [u64; CutOff::ALL.len()],
}

impl SinkStats {
    pub(crate) fn lose(&self, reason: LossReason, records: u64) {
        self.lost[reason as usize].fetch_add(records, Relaxed);
    }

    pub(crate) fn cut(&self, reason: CutOff) {
        self.cut_off[reason as usize].fetch_add(1, Relaxed);
    }

    /// Reads all counters; those downstream first, so that nothing seems to come from nowhere.
    pub fn counts(&self) -> SinkCounts {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        let delivered = get(&self.delivered);
        let lost = std::array::from_fn(|index| get(&self.lost[index]));
        let waiting = get(&self.waiting);
        SinkCounts {
            delivered,
            lost,
            waiting,
            offered: get(&self.offered),
            delivered_bytes: get(&self.delivered_bytes),
            retries: get(&self.retries),
            rotations: get(&self.rotations),
            subscribers: get(&self.subscribers),
            subscribers_seen: get(&self.subscribers_seen),
            cut_off: std::array::from_fn(|index| get(&self.cut_off[index])),
        }
    }

    /// Whether it can take nothing any more, as stdout whose reader went away.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Relaxed)
    }
}

impl SinkCounts {
    /// Records lost for `reason`.
    pub fn lost_for(&self, reason: LossReason) -> u64 {
        self.lost[reason as usize]
    }

    /// Subscribers let go for `reason`.
    pub fn cut_for(&self, reason: CutOff) -> u64 {
        self.cut_off[reason as usize]
    }
}
