//! Live traffic joined: ports and workers below, collector and metrics above.

mod metrics;
mod options;
#[cfg(feature = "plugins")]
mod plugin_metrics;
mod plugins;
mod sinks;

use crate::failure::Failure;
use plugins::LivePlugins;
use std::time::Duration;
use tapir_collector::metrics::MetricSource;
use tapir_collector::{Collector, CollectorHandle, CollectorReport};
use tapir_config::Config;
use tapir_dataplane::live::{Live, LiveError};

/// How often ports are asked for their statistics, and the workers for their health.
const LOOK: Duration = Duration::from_millis(200);

/// Everything at work.
pub(crate) struct Appliance {
    live: Live,
    collector: CollectorHandle,
    ports: std::sync::Arc<metrics::PortSource>,
    plugins: LivePlugins,
}

/// What a run amounted to.
pub(crate) struct Outcome {
    /// Packets received and not accounted for, records made and not delivered nor lost by name: 0 each.
    pub(crate) unaccounted: (i64, i64),
    pub(crate) packets: u64,
    pub(crate) dropped: Vec<(String, u64)>,
    pub(crate) records: u64,
    pub(crate) report: CollectorReport,
}

impl Outcome {
    /// Says on stderr what the run amounted to.
    pub(crate) fn print(&self) {
        eprintln!("{} packets, {} records", self.packets, self.records);
        if !self.dropped.is_empty() {
            let reasons: Vec<String> = self
                .dropped
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            eprintln!("  not read: {}", reasons.join(", "));
        }
        for (name, counts) in &self.report.sidecars {
            eprintln!(
                "  sidecars at {name}: {} records of {} connections",
                counts.records, counts.accepted
            );
        }
        if !self.report.sidecars.is_empty() {
            let join = &self.report.join;
            let joined: u64 = join.joined.iter().sum();
            eprintln!(
                "  {} records made of {} of the wire and of hosts",
                joined, join.merged
            );
        }
        for (name, counts) in &self.report.sinks {
            let lost: u64 = counts.lost.iter().sum();
            eprintln!("  {name}: {} records delivered, {lost} lost", counts.delivered);
        }
        if self.unaccounted != (0, 0) {
            let (packets, records) = self.unaccounted;
            eprintln!(
                "  BUG: {packets} packets and {records} records are not accounted for; please report this"
            );
        }
    }
}

impl Appliance {
    /// Opens ports and sinks and starts all threads.
    pub(crate) fn start(config: &Config) -> Result<Self, Failure> {
        let plugins = LivePlugins::start(config)?;
        let options = options::live(config, plugins.host())?;
        let collector_options = sinks::collector(config, &options.lcores);
        let (live, rings) = Live::start(&options).map_err(|e| failed(&e, config))?;
        let ports = std::sync::Arc::new(metrics::PortSource::default());
        let workers = metrics::WorkerSource::new(live.published.clone(), live.distribution.clone());
        let mut sources: Vec<std::sync::Arc<dyn MetricSource>> =
            vec![std::sync::Arc::new(workers), std::sync::Arc::clone(&ports) as _];
        sources.extend(plugins.metrics());
        let collector = Collector::start(collector_options, rings, sources)
            .map_err(|e| Failure::Operation(e.to_string()))?;
        log::info!("{}", live.describe());
        if let Some(address) = collector.http_address() {
            log::info!("metrics at http://{address}/metrics");
        }
        Ok(Self {
            live,
            collector,
            ports,
            plugins,
        })
    }

    /// Runs until `stop` says so, or a worker ends by itself. When `reload` has a new configuration, its
    /// plugins take the place of those that run; flows go on.
    pub(crate) fn run_until(&mut self, stop: impl Fn() -> bool, reload: impl Fn() -> Option<Config>) {
        while !stop() && !self.live.has_failed() {
            if let Some(config) = reload() {
                self.plugins.reload(&config);
            }
            self.ports.update(self.live.ports());
            std::thread::sleep(LOOK);
        }
    }

    /// Stops reception, turns every flow into records, and brings all records out.
    pub(crate) fn stop(mut self) -> Result<Outcome, Failure> {
        self.ports.update(self.live.ports());
        let stopped = self.live.stop().map_err(|e| Failure::Operation(e.to_string()));
        let report = self.collector.stop();
        stopped?;
        let ledger =
            metrics::WorkerSource::new(self.live.published.clone(), self.live.distribution.clone()).ledger();
        let accounted: u64 = ledger.packets.values().sum();
        let received: u64 = report.received.iter().sum();
        let lost: u64 = ledger.records.values().sum();
        Ok(Outcome {
            unaccounted: (
                ledger.packets_received as i64 - accounted as i64,
                ledger.records_made as i64 - received as i64 - lost as i64,
            ),
            packets: ledger.packets_received,
            dropped: ledger
                .packets
                .iter()
                .filter(|(name, count)| **name != "decoded" && **count > 0)
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
            records: ledger.records_made,
            report,
        })
    }
}

fn failed(error: &LiveError, config: &Config) -> Failure {
    let text = error.to_string();
    let advice = match error {
        LiveError::Dpdk(dpdk_bindings::Error::NoHugepages) => ": for a trial, --no-huge",
        _ if text.contains("ENOMEM") && config.eal.hugepages => {
            "; set more hugepages aside (see 'tapir doctor'), or try --no-huge"
        }
        _ => "",
    };
    Failure::Operation(format!("{text}{advice}"))
}
