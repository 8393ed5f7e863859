//! Which cores a thread runs on.
//!
//! DPDK pins the thread that starts it, and threads inherit their maker's cores: every thread of the
//! collector says on purpose where it runs.

use rustix::thread::{CpuSet, sched_setaffinity};

/// The cores of a thread; empty: those of its maker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affinity(pub Vec<usize>);

impl Affinity {
    /// Moves the calling thread to these cores. When they don't exist the thread stays where it is,
    /// and a warning says so.
    pub(crate) fn apply(&self) {
        let mut set = CpuSet::new();
        for core in self.0.iter().filter(|core| **core < CpuSet::MAX_CPU) {
            set.set(*core);
        }
        if set.count() == 0 {
            return;
        }
        if let Err(error) = sched_setaffinity(None, &set) {
            log::warn!(
                "cannot run on cores {:?}: {error}; staying on those inherited",
                self.0
            );
        }
    }
}
