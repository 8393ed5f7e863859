//! What is counted of sidecars.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Why a sidecar's connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IngestEnd {
    /// It went away between two batches.
    Left,
    /// It sent something that is no batch, or not one that this version reads.
    Broken,
    /// It began something, and the rest did not come in time.
    Slow,
    /// Its certificate was not accepted, or TLS failed otherwise.
    Tls,
    /// There were too many already.
    Refused,
}

impl IngestEnd {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 5] = [Self::Left, Self::Broken, Self::Slow, Self::Tls, Self::Refused];

    /// Its name in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Broken => "broken",
            Self::Slow => "slow",
            Self::Tls => "tls",
            Self::Refused => "refused",
        }
    }
}

/// Counters of one listener.
#[derive(Debug, Default)]
pub(crate) struct IngestStats {
    pub(crate) connected: AtomicU64,
    pub(crate) accepted: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) ended: [AtomicU64; IngestEnd::ALL.len()],
}

/// What a listener for sidecars had counted at some moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestCounts {
    /// Connected now.
    pub connected: u64,
    /// Ever admitted.
    pub accepted: u64,
    /// Batches taken over.
    pub batches: u64,
    /// Records of these.
    pub records: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Connections that ended, by number of the [`IngestEnd`].
    pub ended: [u64; IngestEnd::ALL.len()],
}

impl IngestStats {
    pub(crate) fn end(&self, why: IngestEnd) {
        self.ended[why as usize].fetch_add(1, Relaxed);
    }

    /// Reads all counters.
    pub(crate) fn counts(&self) -> IngestCounts {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        IngestCounts {
            connected: get(&self.connected),
            accepted: get(&self.accepted),
            batches: get(&self.batches),
            records: get(&self.records),
            bytes: get(&self.bytes),
            ended: self.ended.each_ref().map(get),
        }
    }
}
