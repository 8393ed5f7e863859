//! What the collector's threads have in common: counters, and who else counts.

use crate::ingest::{IngestEnd, IngestStats};
use crate::join::JoinCounters;
use crate::metrics::{self, Exposition, MetricSource, ProtocolAggregates};
use crate::sink::{CutOff, LossReason, SinkStats};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use tapir_parsers::field::Joined;

pub(crate) struct Shared {
    /// Drain what is left, then end.
    pub(crate) stop: AtomicBool,
    pub(crate) rings: Vec<RingCounters>,
    pub(crate) aggregates: ProtocolAggregates,
    pub(crate) sinks: Vec<(String, Arc<SinkStats>)>,
    pub(crate) sources: Vec<Arc<dyn MetricSource>>,
    /// Listeners for sidecars, by their addresses.
    pub(crate) ingest: Vec<(String, Arc<IngestStats>)>,
    pub(crate) join: Arc<JoinCounters>,
}

/// Counters of one ring, written by the collector's thread.
#[derive(Default)]
pub(crate) struct RingCounters {
    pub(crate) received: AtomicU64,
    pub(crate) waiting_bytes: AtomicU64,
    pub(crate) capacity_bytes: AtomicU64,
    pub(crate) corrupt_bytes: AtomicU64,
}

impl Shared {
    /// Records taken out of all rings.
    pub(crate) fn received(&self) -> u64 {
        self.rings.iter().map(|ring| ring.received.load(Relaxed)).sum()
    }

    /// All metrics in the text format of Prometheus.
    pub(crate) fn metrics(&self) -> Vec<u8> {
        let mut to = Exposition::new();
        self.aggregates.expose(&mut to);
        for (index, ring) in self.rings.iter().enumerate() {
            let index = index.to_string();
            let labels = [index.as_str()];
            to.count(&metrics::RECEIVED, &labels, ring.received.load(Relaxed));
            to.count(&metrics::RING_WAITING, &labels, ring.waiting_bytes.load(Relaxed));
            to.count(
                &metrics::RING_CAPACITY,
                &labels,
                ring.capacity_bytes.load(Relaxed),
            );
            to.count(&metrics::RING_CORRUPT, &labels, ring.corrupt_bytes.load(Relaxed));
        }
        for (name, stats) in &self.sinks {
            expose_sink(&mut to, name, stats);
        }
        if !self.ingest.is_empty() {
            self.expose_sidecars(&mut to);
        }
        for source in &self.sources {
            source.collect(&mut |point| to.add(point));
        }
        to.render()
    }
}

impl Shared {
    fn expose_sidecars(&self, to: &mut Exposition) {
        for (name, stats) in &self.ingest {
            let counts = stats.counts();
            to.count(&metrics::SIDECARS, &[name], counts.connected);
            to.count(&metrics::SIDECARS_ACCEPTED, &[name], counts.accepted);
            to.count(&metrics::SIDECAR_BATCHES, &[name], counts.batches);
            to.count(&metrics::SIDECAR_RECORDS, &[name], counts.records);
            to.count(&metrics::SIDECAR_BYTES, &[name], counts.bytes);
            for end in IngestEnd::ALL {
                to.count(
                    &metrics::SIDECARS_ENDED,
                    &[name, end.name()],
                    counts.ended[end as usize],
                );
            }
        }
        let counts = self.join.counts();
        for (source, entered, alone) in [
            ("wire", counts.entered_wire, counts.alone_wire),
            ("host", counts.entered_host, counts.alone_host),
        ] {
            to.count(&metrics::JOIN_ENTERED, &[source], entered);
            to.count(&metrics::JOIN_ALONE, &[source], alone);
        }
        to.count(&metrics::JOIN_MERGED, &[], counts.merged);
        for rule in Joined::ALL {
            to.count(
                &metrics::JOIN_JOINED,
                &[rule.name()],
                counts.joined[*rule as usize],
            );
        }
        to.count(&metrics::JOIN_TOLD_AGAIN, &[], counts.told_again);
        to.count(&metrics::JOIN_PUSHED_OUT, &[], counts.pushed_out);
        to.count(&metrics::JOIN_WAITING, &[], counts.waiting);
    }
}

fn expose_sink(to: &mut Exposition, name: &str, stats: &SinkStats) {
    let counts = stats.counts();
    to.count(&metrics::SINK_OFFERED, &[name], counts.offered);
    to.count(&metrics::SINK_DELIVERED, &[name], counts.delivered);
    to.count(&metrics::SINK_WAITING, &[name], counts.waiting);
    to.count(&metrics::SINK_BYTES, &[name], counts.delivered_bytes);
    to.count(&metrics::SINK_RETRIES, &[name], counts.retries);
    to.count(&metrics::SINK_GONE, &[name], u64::from(stats.is_gone()));
    to.count(&metrics::SINK_ROTATIONS, &[name], counts.rotations);
    to.count(&metrics::SINK_SUBSCRIBERS, &[name], counts.subscribers);
    to.count(&metrics::SINK_SUBSCRIBED, &[name], counts.subscribers_seen);
    for reason in LossReason::ALL {
        to.count(
            &metrics::SINK_LOST,
            &[name, reason.name()],
            counts.lost_for(reason),
        );
    }
    for reason in CutOff::ALL {
        to.count(&metrics::SINK_CUT, &[name, reason.name()], counts.cut_for(reason));
    }
}
