//! What an engine counts. Plain numbers of one lcore, read at intervals by whoever exports them.

use crate::l7::{DECLARATIONS, Protocol};

/// Counts of one protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProtocolCounters {
    /// Flows recognised as this protocol.
    pub flows: u64,
    /// Records made.
    pub records: u64,
    /// Units that were not this protocol or broken.
    pub malformed: u64,
    /// Searches for the next message that succeeded.
    pub resynchronised: u64,
    /// Bytes passed over while searching for the next message.
    pub resync_bytes: u64,
    /// Bytes of bodies passed by arithmetic.
    pub skipped_bytes: u64,
    /// Bytes never seen.
    pub gap_bytes: u64,
    /// Messages that only keep connections alive, such as heartbeats: records only where that is asked for.
    pub keepalives: u64,
    /// Requests pushed out by a memory bound; each is still a record.
    pub evicted: u64,
    /// Messages given up with a wrong guess; never became records.
    pub withdrawn: u64,
    /// Messages that got no slot at the lcore's limit; never became records.
    pub exchanges_refused: u64,
    /// Records whose text was cut because the text pool was at its limit.
    pub text_refused: u64,
}

/// Counts of one engine.
#[derive(Clone, Debug)]
pub struct EngineCounters {
    protocols: [ProtocolCounters; DECLARATIONS.len()],
    /// Probes run.
    pub probes: u64,
    /// Probes run on the first payloads of the directions of flows.
    pub first_probes: u64,
    /// First payloads looked at.
    pub first_payloads: u64,
    /// Flows given up as unknown.
    pub unknown_flows: u64,
    /// Flows that got no session at the lcore's limit.
    pub sessions_refused: u64,
}

impl Default for EngineCounters {
    fn default() -> Self {
        Self {
            protocols: [ProtocolCounters::default(); DECLARATIONS.len()],
            probes: 0,
            first_probes: 0,
            first_payloads: 0,
            unknown_flows: 0,
            sessions_refused: 0,
        }
    }
}

impl EngineCounters {
    /// Counts of `protocol`.
    pub fn of(&self, protocol: Protocol) -> &ProtocolCounters {
        &self.protocols[protocol as usize]
    }

    #[inline]
    pub(crate) fn of_mut(&mut self, protocol: Protocol) -> &mut ProtocolCounters {
        &mut self.protocols[protocol as usize]
    }

    /// Records made, all protocols.
    pub fn records(&self) -> u64 {
        self.protocols.iter().map(|p| p.records).sum()
    }
}
