//! Counters and histograms by protocol, made from records.
//!
//! The collector's thread alone writes; whoever serves a scrape reads. So a plain load and store is enough
//! where others would need an atomic addition. Histograms have fixed buckets: however many records come,
//! memory stays the same.

use super::{Exposition, GAP_BYTES, RECORDS, REQUEST_BYTES, RESPONSE_BYTES, RESPONSE_TIME, TRUNCATED};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tapir_parsers::field::{Kind, Status};
use tapir_parsers::l7::DECLARATIONS;
use tapir_parsers::record::{RecordView, flag};

/// Upper bounds of the response-time buckets, ns: from a cache in the same rack to a slow query.
pub const BUCKETS_NS: [u64; 20] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

const KINDS: usize = Kind::ALL.len();
const STATUSES: usize = Status::ALL.len();

/// What was counted of all protocols.
pub struct ProtocolAggregates {
    protocols: Vec<Protocol>,
}

#[derive(Default)]
struct Protocol {
    records: [[AtomicU64; STATUSES]; KINDS],
    response_time: [ResponseTime; STATUSES],
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    gap_bytes: AtomicU64,
    truncated: AtomicU64,
}

#[derive(Default)]
struct ResponseTime {
    counts: [AtomicU64; BUCKETS_NS.len() + 1],
    sum_ns: AtomicU64,
}

impl Default for ProtocolAggregates {
    fn default() -> Self {
        let protocols = DECLARATIONS.iter().map(|_| Protocol::default()).collect();
        Self { protocols }
    }
}

impl ProtocolAggregates {
    /// Counts a record. Only ever called by one thread.
    pub(crate) fn record(&self, view: &RecordView<'_>) {
        let header = &view.header;
        let Some(protocol) = self.protocols.get(usize::from(header.protocol)) else {
            return;
        };
        let status = view.status() as usize;
        add(&protocol.records[view.kind() as usize][status], 1);
        if view.has(flag::RRT) {
            let times = &protocol.response_time[status];
            let bucket = BUCKETS_NS.partition_point(|bound| *bound < header.rrt_ns);
            add(&times.counts[bucket], 1);
            add(&times.sum_ns, header.rrt_ns);
        }
        if view.has(flag::REQUEST) {
            add(&protocol.request_bytes, header.request_len);
        }
        if view.has(flag::RESPONSE) {
            add(&protocol.response_bytes, header.response_len);
        }
        if view.has(flag::TRUNCATED) {
            add(&protocol.truncated, 1);
        }
        if header.gap_bytes > 0 {
            add(&protocol.gap_bytes, header.gap_bytes);
        }
    }

    /// Adds all values that are not 0 to `to`.
    pub(crate) fn expose(&self, to: &mut Exposition) {
        for (declaration, protocol) in DECLARATIONS.iter().zip(&self.protocols) {
            let name = declaration.name;
            for (kind, by_status) in Kind::ALL.iter().zip(&protocol.records) {
                for (status, count) in Status::ALL.iter().zip(by_status) {
                    let labels = [name, kind.name(), status.name()];
                    expose_count(to, &RECORDS, &labels, count);
                }
            }
            for (status, times) in Status::ALL.iter().zip(&protocol.response_time) {
                let counts = times.counts.each_ref().map(|count| count.load(Relaxed));
                if counts.iter().any(|count| *count > 0) {
                    let sum_ns = times.sum_ns.load(Relaxed);
                    to.histogram(
                        &RESPONSE_TIME,
                        &[name, status.name()],
                        &BUCKETS_NS,
                        &counts,
                        sum_ns,
                    );
                }
            }
            expose_count(to, &REQUEST_BYTES, &[name], &protocol.request_bytes);
            expose_count(to, &RESPONSE_BYTES, &[name], &protocol.response_bytes);
            expose_count(to, &GAP_BYTES, &[name], &protocol.gap_bytes);
            expose_count(to, &TRUNCATED, &[name], &protocol.truncated);
        }
    }
}

fn expose_count(to: &mut Exposition, family: &'static super::Family, labels: &[&str], count: &AtomicU64) {
    let count = count.load(Relaxed);
    if count > 0 {
        to.count(family, labels, count);
    }
}

fn add(counter: &AtomicU64, value: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(value), Relaxed);
}
