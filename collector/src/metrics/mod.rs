//! Metrics: what is counted anywhere in Tapir, in one text for Prometheus.

mod aggregate;
mod exposition;
mod families;

pub use aggregate::{BUCKETS_NS, ProtocolAggregates};
pub use exposition::Exposition;
pub use families::FAMILIES;
pub(crate) use families::*;

use std::collections::BTreeMap;

/// What all points of one name have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// `tapir_…`, with its unit; counters end in `_total`.
    pub name: &'static str,
    /// Whether it only grows.
    pub kind: MetricKind,
    /// One line for people.
    pub help: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
}

/// How values of a family move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size; made by the collector only.
    Histogram,
}

impl MetricKind {
    /// The word of the exposition format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// A count.
    Count(u64),
    /// A measure.
    Measure(f64),
}

/// One value of one family, with its labels.
#[derive(Clone, Copy, Debug)]
pub struct MetricPoint<'a> {
    /// What it is a value of.
    pub family: &'static Family,
    /// Values of the family's labels, in their order.
    pub labels: &'a [&'a str],
    /// The value now.
    pub value: MetricValue,
}

/// Whoever counts something: ports, queues, lcores, flow tables.
pub trait MetricSource: Send + Sync {
    /// Hands all values to `out`. Called at each scrape, on the thread that serves it.
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>));

    /// Adds what it knows to the two accounts.
    fn account(&self, ledger: &mut Ledger) {
        let _ = ledger;
    }
}

/// The two accounts that must balance: packets received = decoded + each drop, and records made =
/// received by the collector + each loss before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Packets that the sources handed out.
    pub packets_received: u64,
    /// What became of them: `decoded` and each drop reason.
    pub packets: BTreeMap<&'static str, u64>,
    /// Records that the lcores made.
    pub records_made: u64,
    /// What became of them before the collector: each reason for which one was lost.
    pub records: BTreeMap<&'static str, u64>,
}

impl Ledger {
    /// Adds `count` packets to what became of them.
    pub fn add_packets(&mut self, what: &'static str, count: u64) {
        *self.packets.entry(what).or_default() += count;
    }

    /// Adds `count` records to what became of them.
    pub fn add_records(&mut self, what: &'static str, count: u64) {
        *self.records.entry(what).or_default() += count;
    }
}
