//! What is counted in the kernel and in user space, as metrics.

use crate::kernel::{Counter, Counters};
use crate::sink::TlsCounts;
use crate::streams::StreamCounters;
use crate::tls::finder::FinderCounters;
use std::sync::{Mutex, PoisonError};
use tapir_collector::metrics::{Family, Ledger, MetricKind, MetricPoint, MetricSource, MetricValue};

/// All counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Counted by the programs in the kernel.
    pub kernel: Counters,
    /// How often the kernel's programs did not run because they ran already.
    pub missed: u64,
    /// Counted while events became records.
    pub streams: StreamCounters,
    /// What lay in the ring and was no event: a bug.
    pub corrupt: u64,
    /// Connections that are followed.
    pub connections: u64,
    /// TLS connections that are over, by what became of their plain bytes.
    pub tls: TlsCounts,
    /// What was done to find TLS libraries.
    pub finder: FinderCounters,
    /// Records made.
    pub records_made: u64,
    /// Records put into the ring to the collector.
    pub records_sent: u64,
    /// Records that found it full.
    pub records_dropped: u64,
}

impl Counts {
    /// Events put into the ring less those taken out: what is under way while programs run, 0 at the end unless there
    /// is a bug.
    pub fn events_under_way(&self) -> i64 {
        let told = [
            Counter::Open,
            Counter::Data,
            Counter::End,
            Counter::Close,
            Counter::Speaker,
            Counter::Plain,
            Counter::Datagram,
        ];
        let told: u64 = told.iter().map(|counter| self.kernel.of(*counter)).sum();
        let streams = &self.streams;
        let taken = streams.opens
            + streams.data
            + streams.ends
            + streams.closes
            + streams.speakers
            + streams.plains
            + streams.datagrams
            + self.corrupt;
        told as i64 - taken as i64
    }

    /// Records made less those that the collector has `received` and those lost on the way to it.
    pub fn records_under_way(&self, received: u64) -> i64 {
        let known = received + self.records_dropped + self.streams.records_discarded;
        self.records_made as i64 - known as i64
    }

    /// Bytes told of less what became of them; 0 when nothing is under way, unless there is a bug.
    pub fn bytes_under_way(&self) -> i64 {
        let streams = &self.streams;
        let known = streams.bytes_fed
            + streams.bytes_idle
            + streams.bytes_seen
            + streams.bytes_not_captured
            + streams.bytes_of_strangers
            + streams.bytes_unbound;
        let told = self.kernel.of(Counter::Bytes) + self.kernel.of(Counter::PlainBytes);
        told as i64 - known as i64
    }
}

static KERNEL: Family = Family {
    name: "tapir_sidecar_kernel_total",
    kind: MetricKind::Counter,
    help: "What the programs in the kernel counted, by name.",
    labels: &["what"],
};
static STREAMS: Family = Family {
    name: "tapir_sidecar_streams_total",
    kind: MetricKind::Counter,
    help: "What became of the kernel's events, by name.",
    labels: &["what"],
};
static MISSED: Family = Family {
    name: "tapir_sidecar_kernel_missed_total",
    kind: MetricKind::Counter,
    help: "How often programs in the kernel did not run because one ran already on that CPU (recursion_misses).",
    labels: &[],
};
static CONNECTIONS: Family = Family {
    name: "tapir_sidecar_connections",
    kind: MetricKind::Gauge,
    help: "Connections that are followed.",
    labels: &[],
};

static TLS: Family = Family {
    name: "tapir_sidecar_tls_connections_total",
    kind: MetricKind::Counter,
    help: "TLS connections that are over, by what became of their plain bytes: read, silent (nothing was said), or why not.",
    labels: &["plaintext"],
};
static FINDER: Family = Family {
    name: "tapir_sidecar_tls_finder_total",
    kind: MetricKind::Counter,
    help: "What was done to find TLS libraries, by name.",
    labels: &["what"],
};

/// Counts as they were published last.
#[derive(Default)]
pub struct SidecarSource {
    // Written ten times a second by one thread, read by scrapes.
    counts: Mutex<Counts>,
}

impl SidecarSource {
    /// These are the counts now.
    pub fn publish(&self, counts: Counts) {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = counts;
    }

    fn counts(&self) -> Counts {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricSource for SidecarSource {
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>)) {
        let counts = self.counts();
        let mut count = |family, label: &[&str], value| {
            out(&MetricPoint {
                family,
                labels: label,
                value: MetricValue::Count(value),
            });
        };
        for counter in Counter::ALL {
            count(&KERNEL, &[counter.name()], counts.kernel.of(*counter));
        }
        counts
            .streams
            .visit(&mut |name, value| count(&STREAMS, &[name], value));
        count(&STREAMS, &["corrupt"], counts.corrupt);
        count(&CONNECTIONS, &[], counts.connections);
        count(&MISSED, &[], counts.missed);
        counts.tls.visit(&mut |name, value| count(&TLS, &[name], value));
        counts
            .finder
            .visit(&mut |name, value| count(&FINDER, &[name], value));
    }

    fn account(&self, ledger: &mut Ledger) {
        let counts = self.counts();
        ledger.records_made += counts.records_made;
        ledger.add_records("ring_full", counts.records_dropped);
        ledger.add_records("other_end", counts.streams.records_discarded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::is_current;
    use std::fmt::Write;

    const HEAD: &str =
        "<!-- Made from sidecar/src: `UPDATE_DOCS=1 cargo test -p tapir-sidecar` writes it anew. -->\n";

    fn tables() -> String {
        let mut out = String::new();
        for family in [&CONNECTIONS, &MISSED, &KERNEL, &STREAMS, &TLS, &FINDER] {
            writeln!(out, "**`{}`** {}\n", family.name, family.help).unwrap();
            let rows: Vec<(&str, &str)> = match family.name {
                name if name == KERNEL.name => Counter::ALL.iter().map(|c| (c.name(), c.help())).collect(),
                name if name == STREAMS.name => StreamCounters::HELP.to_vec(),
                _ => continue,
            };
            out.push_str("| `what` | |\n|---|---|\n");
            for (name, help) in rows {
                writeln!(out, "| `{name}` | {help} |").unwrap();
            }
            out.push('\n');
        }
        out
    }

    /// docs/sidecar.md lists what is counted.
    #[test]
    fn the_page_lists_the_counters() {
        is_current(|page| {
            let (head, rest) = page.split_once(&format!("## Metrics\n\n{HEAD}")).unwrap();
            let tail = rest.find("\n## ").map_or("", |at| &rest[at..]);
            format!("{head}## Metrics\n\n{HEAD}\n{}\n{tail}", tables().trim_end())
        });
    }
}
