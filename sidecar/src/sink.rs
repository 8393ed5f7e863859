//! Records on their way to the collector's ring, with the processes that spoke.

use crate::process::{Facts, Processes};
use crate::ring::RingSink;
use crate::streams::{HostSink, Parties};
use tapir_parsers::field::Field;
use tapir_parsers::record::RecordSink;

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
        append(&mut self.entry, self.processes.facts(&parties.this));
        let len = (self.entry.len() as u32).to_ne_bytes();
        if let Some(head) = self.entry.first_chunk_mut() {
            *head = len;
        }
        self.ring.record(&self.entry);
    }
}

fn append(entry: &mut Vec<u8>, facts: &Facts) {
    let mut attr = |key: &[u8], value: &[u8]| {
        let len = (1 + key.len() + value.len()) as u16;
        entry.push(Field::Attr as u8);
        entry.extend_from_slice(&len.to_le_bytes());
        entry.push(key.len() as u8);
        entry.extend_from_slice(key);
        entry.extend_from_slice(value);
    };
    attr(b"process.pid", facts.pid.to_string().as_bytes());
    attr(b"process.comm", &facts.comm);
}
