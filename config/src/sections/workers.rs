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

        /// Cores that receive for ports whose packets are spread in software, one for each such port.
        /// Left empty, they are taken from the front of lcores.
        rx_lcores: Cores = Cores::default(),

        /// Core of the collector, which writes records out. Left out, any core of the process but
        /// those of workers.
        collector_core: Option<Core> = None,
    }
}

impl Workers {
    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        let workers = self.lcores.as_slice();
        for core in self
            .rx_lcores
            .as_slice()
            .iter()
            .filter(|core| workers.contains(core))
        {
            let message = format!(
                "core {} is a worker's (workers.lcores); give each its own",
                core.get()
            );
            conflicts.push(Conflict::new("workers.rx_lcores", message));
        }
        if let Some(core) = self.collector_core
            && (workers.contains(&core) || self.rx_lcores.as_slice().contains(&core))
        {
            let message =
                "this core is busy with packets; choose one that is in neither lcores nor rx_lcores";
            conflicts.push(Conflict::new("workers.collector_core", message));
        }
        conflicts
    }
}
