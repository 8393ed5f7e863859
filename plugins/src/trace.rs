//! Calls, for whoever wants to see each of them.

use crate::abi::record::{self, Dialect};
use crate::metrics::{Export, Reason};
use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::parser::Direction;

/// What a call returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing that means something.
    Failed,
    /// This.
    Value(i32),
}

/// One call of a plugin.
#[derive(Clone, Copy, Debug)]
pub struct CallReport<'a> {
    /// The plugin.
    pub plugin: &'a str,
    /// The function.
    pub export: Export,
    /// Flow of the payload.
    pub flow_id: u64,
    /// Which way it travelled.
    pub direction: Direction,
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// Bytes shown.
    pub payload_bytes: usize,
    /// What the function returned.
    pub answer: Answer,
    /// What it did wrong.
    pub failure: Option<Reason>,
    /// How long it took.
    pub took: Duration,
    /// Name of a protocol that it handed over.
    pub protocol: &'a [u8],
    /// Records that it handed over.
    pub(crate) records: &'a [u8],
}

impl CallReport<'_> {
    /// The form of each record that it handed over.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> {
        record::split(self.records)
            .filter_map(|record| record::read(record, self.direction))
            .map(|(_, dialect)| dialect)
    }
}

/// Is told of every call, on the lcore that made it.
pub type Trace = Arc<dyn Fn(&CallReport<'_>) + Send + Sync>;
