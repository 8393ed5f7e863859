//! What is counted of plugins, as metrics.

use std::sync::Arc;
use tapir_collector::metrics::{Family, Ledger, MetricKind, MetricPoint, MetricSource, MetricValue};
use tapir_plugins::Host;
use tapir_plugins::metrics::{Export, PluginMetrics, Reason};

/// The counters of a host.
pub(super) struct PluginSource(Arc<Host>);

static CALLS: Family = Family {
    name: "tapir_plugin_calls_total",
    kind: MetricKind::Counter,
    help: "Calls of a plugin's functions.",
    labels: &["plugin", "function"],
};
static TAKEN: Family = Family {
    name: "tapir_plugin_taken_total",
    kind: MetricKind::Counter,
    help: "Calls after which no other plugin was asked.",
    labels: &["plugin", "function"],
};
static NANOSECONDS: Family = Family {
    name: "tapir_plugin_nanoseconds_total",
    kind: MetricKind::Counter,
    help: "Time of the calls of a plugin's functions, ns.",
    labels: &["plugin", "function"],
};
static FAILURES: Family = Family {
    name: "tapir_plugin_failures_total",
    kind: MetricKind::Counter,
    help: "Calls of a plugin that failed, by reason.",
    labels: &["plugin", "reason"],
};
static SET_ASIDE: Family = Family {
    name: "tapir_plugin_set_aside_total",
    kind: MetricKind::Counter,
    help: "How often a plugin was set aside on some lcore after failures in a row.",
    labels: &["plugin"],
};
static ASIDE: Family = Family {
    name: "tapir_plugin_lcores_aside",
    kind: MetricKind::Gauge,
    help: "Lcores on which a plugin is set aside.",
    labels: &["plugin"],
};
static PASSED: Family = Family {
    name: "tapir_plugin_passed_total",
    kind: MetricKind::Counter,
    help: "Calls that a plugin was not given because the lcore's time for plugins was used up.",
    labels: &["plugin"],
};
static LOG_LINES_DROPPED: Family = Family {
    name: "tapir_plugin_log_lines_dropped_total",
    kind: MetricKind::Counter,
    help: "Lines that a plugin logged beyond what it may.",
    labels: &["plugin"],
};
static MEMORY: Family = Family {
    name: "tapir_plugin_memory_bytes",
    kind: MetricKind::Gauge,
    help: "Linear memory of a plugin on all lcores.",
    labels: &["plugin"],
};

impl PluginSource {
    pub(super) fn new(host: Arc<Host>) -> Self {
        Self(host)
    }
}

/// A family, and what a plugin counts for it by a second label; 0 is left out.
type Labelled = (&'static Family, fn(&PluginMetrics) -> Vec<(&'static str, u64)>);
/// A family, and what a plugin counts for it.
type Plain = (&'static Family, fn(&PluginMetrics) -> u64);

fn by_function(
    plugin: &PluginMetrics,
    count: fn(&tapir_plugins::metrics::ExportMetrics) -> u64,
) -> Vec<(&'static str, u64)> {
    let counted = plugin.exports.iter().map(count);
    Export::ALL
        .iter()
        .map(|export| export.name())
        .zip(counted)
        .collect()
}

const LABELLED: [Labelled; 4] = [
    (&CALLS, |plugin| by_function(plugin, |of| of.calls)),
    (&TAKEN, |plugin| by_function(plugin, |of| of.taken)),
    (&NANOSECONDS, |plugin| by_function(plugin, |of| of.nanoseconds)),
    (&FAILURES, |plugin| {
        let count = |reason: &Reason| (reason.name(), plugin.failures(*reason));
        Reason::ALL.iter().map(count).collect()
    }),
];

const PLAIN: [Plain; 5] = [
    (&SET_ASIDE, |plugin| plugin.set_aside),
    (&ASIDE, |plugin| plugin.lcores_aside),
    (&PASSED, |plugin| plugin.passed),
    (&LOG_LINES_DROPPED, |plugin| plugin.log_lines_dropped),
    (&MEMORY, |plugin| plugin.memory_bytes),
];

impl MetricSource for PluginSource {
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>)) {
        let plugins = self.0.metrics();
        for (family, counts) in LABELLED {
            for plugin in &plugins {
                for (label, count) in counts(plugin).into_iter().filter(|(_, count)| *count > 0) {
                    out(&MetricPoint {
                        family,
                        labels: &[&plugin.name, label],
                        value: MetricValue::Count(count),
                    });
                }
            }
        }
        for (family, count) in PLAIN {
            for plugin in &plugins {
                out(&MetricPoint {
                    family,
                    labels: &[&plugin.name],
                    value: MetricValue::Count(count(plugin)),
                });
            }
        }
    }

    fn account(&self, _ledger: &mut Ledger) {}
}
