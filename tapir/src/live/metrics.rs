//! What workers and ports count, as metrics and as the two accounts.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tapir_collector::metrics::{Family, Ledger, MetricKind, MetricPoint, MetricSource, MetricValue};
use tapir_dataplane::live::{PortReport, ReceiverCounters};
use tapir_dataplane::publish::{Name, Published};

/// The workers' counters.
pub(super) struct WorkerSource {
    workers: Vec<Arc<Published>>,
    receiver: Option<Arc<ReceiverCounters>>,
    /// By name, as the workers publish it.
    families: HashMap<&'static str, &'static Family>,
}

static DISTRIBUTED: Family = Family {
    name: "tapir_distribution_packets_total",
    kind: MetricKind::Counter,
    help: "Packets received by the lcore that hands them to the workers.",
    labels: &[],
};
static DISTRIBUTION_DROPPED: Family = Family {
    name: "tapir_distribution_packets_dropped_total",
    kind: MetricKind::Counter,
    help: "Packets dropped because a worker's ring was full.",
    labels: &[],
};

impl WorkerSource {
    pub(super) fn new(workers: Vec<Arc<Published>>, receiver: Option<Arc<ReceiverCounters>>) -> Self {
        let mut families = HashMap::new();
        Published::default().visit(&mut |name, _| {
            families.entry(name.name).or_insert_with(|| family(&name));
        });
        Self {
            workers,
            receiver,
            families,
        }
    }

    /// The two accounts.
    pub(super) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::default();
        self.account(&mut ledger);
        ledger
    }
}

/// Families are made once a process and live as long as it: names come from the counters themselves.
fn family(name: &Name) -> &'static Family {
    let ending = if name.is_total { "_total" } else { "" };
    let labels: &'static [&'static str] = match name.label {
        Some((label, _)) => Box::leak(Box::new(["lcore", label])),
        None => &["lcore"],
    };
    Box::leak(Box::new(Family {
        name: Box::leak(format!("tapir_{}{ending}", name.name).into_boxed_str()),
        kind: if name.is_total {
            MetricKind::Counter
        } else {
            MetricKind::Gauge
        },
        help: name.help,
        labels,
    }))
}

impl MetricSource for WorkerSource {
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>)) {
        for (number, worker) in self.workers.iter().enumerate() {
            let lcore = number.to_string();
            worker.visit(&mut |name, value| {
                let Some(family) = self.families.get(name.name) else {
                    return;
                };
                let value = MetricValue::Count(value);
                match name.label {
                    Some((_, label)) => out(&MetricPoint {
                        family,
                        labels: &[&lcore, label],
                        value,
                    }),
                    None => out(&MetricPoint {
                        family,
                        labels: &[&lcore],
                        value,
                    }),
                }
            });
        }
        if let Some(receiver) = &self.receiver {
            let packets = MetricValue::Count(receiver.packets.load(Ordering::Relaxed));
            let dropped = MetricValue::Count(receiver.dropped.load(Ordering::Relaxed));
            out(&MetricPoint {
                family: &DISTRIBUTED,
                labels: &[],
                value: packets,
            });
            out(&MetricPoint {
                family: &DISTRIBUTION_DROPPED,
                labels: &[],
                value: dropped,
            });
        }
    }

    fn account(&self, ledger: &mut Ledger) {
        for worker in &self.workers {
            worker.visit(&mut |name, value| match (name.name, name.label) {
                ("packets", _) if self.receiver.is_none() => ledger.packets_received += value,
                ("packets_decoded", _) => ledger.add_packets("decoded", value),
                ("fragments_held" | "fragments_merged", _) => ledger.add_packets(name.name, value),
                ("packets_dropped", Some((_, reason))) => ledger.add_packets(reason, value),
                ("protocol_records", _) => ledger.records_made += value,
                ("records_dropped", Some((_, reason))) => ledger.add_records(reason, value),
                _ => {}
            });
        }
        if let Some(receiver) = &self.receiver {
            ledger.packets_received += receiver.packets.load(Ordering::Relaxed);
            ledger.add_packets("distribution_ring_full", receiver.dropped.load(Ordering::Relaxed));
        }
    }
}

/// The ports' statistics, as they were asked for last.
#[derive(Default)]
pub(super) struct PortSource {
    // Written five times a second by one thread, read by scrapes: never near a packet.
    ports: Mutex<Vec<PortReport>>,
}

static PORT_UP: Family = Family {
    name: "tapir_port_up",
    kind: MetricKind::Gauge,
    help: "1 while the port's link is up.",
    labels: &["port", "driver"],
};
static PORT_STAT: Family = Family {
    name: "tapir_port_stat_total",
    kind: MetricKind::Counter,
    help: "Basic statistics of the port: packets and bytes received, missed (the NIC had no descriptor), errors, no buffer.",
    labels: &["port", "stat"],
};
static PORT_XSTAT: Family = Family {
    name: "tapir_port_xstat_total",
    kind: MetricKind::Counter,
    help: "Extended statistics of the port, by the driver's own names.",
    labels: &["port", "stat"],
};

impl PortSource {
    pub(super) fn update(&self, ports: Vec<PortReport>) {
        *self.ports.lock().unwrap_or_else(PoisonError::into_inner) = ports;
    }
}

impl MetricSource for PortSource {
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>)) {
        let ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        for port in ports.iter() {
            if let Some(up) = port.link_up {
                let value = MetricValue::Count(u64::from(up));
                out(&MetricPoint {
                    family: &PORT_UP,
                    labels: &[&port.name, &port.driver],
                    value,
                });
            }
        }
        for port in ports.iter() {
            for (stat, value) in &port.stats {
                let value = MetricValue::Count(*value);
                out(&MetricPoint {
                    family: &PORT_STAT,
                    labels: &[&port.name, stat],
                    value,
                });
            }
        }
        for port in ports.iter() {
            for (stat, value) in port.extended.iter().filter(|(_, value)| *value > 0) {
                let value = MetricValue::Count(*value);
                out(&MetricPoint {
                    family: &PORT_XSTAT,
                    labels: &[&port.name, stat],
                    value,
                });
            }
        }
    }
}
