//! What the collector's threads have in common: counters, and who else counts.

use crate::metrics::{self, Exposition, MetricSource, ProtocolAggregates};
use crate::sink::{CutOff, LossReason, SinkStats};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

pub(crate) struct Shared {
    /// Drain what is left, then end.
    pub(crate) stop: AtomicBool,
    pub(crate) rings: Vec<RingCounters>,
    pub(crate) aggregates: ProtocolAggregates,
    pub(crate) sinks: Vec<(String, Arc<SinkStats>)>,
    pub(crate) sources: Vec<Arc<dyn MetricSource>>,
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
        for source in &self.sources {
            source.collect(&mut |point| to.add(point));
        }
        to.render()
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
