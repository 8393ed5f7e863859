//! Records on their way to the collector's ring, with the processes that spoke.

use crate::process::Processes;
use crate::streams::{HostSink, Parties};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::record::RecordSink;
use tapir_parsers::ring::RingSink;

/// Appends processes to records and puts them into the ring.
pub struct ProcessSink {
    ring: RingSink,
    processes: Processes,
    /// The record at hand.
    entry: Vec<u8>,
}

impl ProcessSink {
    /// Records go to `ring`.
    pub fn new(ring: RingSink) -> Self {
        Self {
            ring,
            processes: Processes::default(),
            entry: Vec::new(),
        }
    }

    /// Records put into the ring, and those that found no room.
    pub fn counts(&self) -> (u64, u64) {
        (self.ring.sent, self.ring.dropped)
    }
}

impl HostSink for ProcessSink {
    fn record(&mut self, entry: &[u8], parties: &Parties) {
        self.entry.clear();
        self.entry.extend_from_slice(entry);
        let facts = self.processes.facts(&parties.this);
        let process = Process {
            pid: facts.pid,
            comm: &String::from_utf8_lossy(&facts.comm),
            executable: &String::from_utf8_lossy(&facts.executable),
            container: &facts.container,
            pod: "",
        };
        let facts = HostFacts {
            process: Some(process),
            ..HostFacts::default()
        };
        facts.append_to(&mut self.entry);
        self.ring.record(&self.entry);
    }
}
