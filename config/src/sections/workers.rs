//! `[workers]`: which cores do the work.

use crate::problem::Conflict;
use crate::section::section;
use crate::values::{Core, Cores};

section! {
    /// Cores. Each worker has one to itself, and is best given one that the kernel leaves alone
    /// (isolcpus; see `tapir doctor`), on the NUMA node of its port.
    pub struct Workers ["workers"] {
        /// Cores of the workers: each owns a receive queue, and all the flows on it. Left empty, the
        /// last core that the process may use.
        lcores: Cores = Cores::default(),

        /// Core that receives for all workers where software spreads the packets. Left out, the first
        /// of lcores.
        rx_lcore: Option<Core> = None,

        /// Core of the collector, which writes records out. Left out, any core of the process but
        /// those of workers.
        collector_core: Option<Core> = None,
    }
}

impl Workers {
    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let is_worker = |core: &Core| self.lcores.as_slice().contains(core);
        if self.rx_lcore.as_ref().is_some_and(is_worker) {
            let message = "this core is a worker's (workers.lcores); give each its own";
            conflicts.push(Conflict::new("workers.rx_lcore", message));
        }
        let collector = self.collector_core.as_ref();
        if collector.is_some_and(|core| is_worker(core) || self.rx_lcore == Some(*core)) {
            let message = "this core is busy with packets; choose one that is neither in lcores nor rx_lcore";
            conflicts.push(Conflict::new("workers.collector_core", message));
        }
        conflicts
    }
}
