//! Calls of a plugin, a line each.

use std::io::Write;
use tapir_parsers::parser::Direction;
use tapir_plugins::metrics::{Export, PluginMetrics, Reason};
use tapir_plugins::{Answer, CallReport};

/// Writes a line about a call to standard output.
pub(crate) fn print(call: &CallReport<'_>) {
    let way = match call.direction {
        Direction::ToServer => "c2s",
        Direction::ToClient => "s2c",
    };
    let answer = match call.answer {
        Answer::Failed => "failed".to_owned(),
        Answer::Value(value) if call.export == Export::CheckPayload && value != 0 => {
            format!("{value:#x} {:?}", String::from_utf8_lossy(call.protocol))
        }
        Answer::Value(value) => format!("{value}"),
    };
    let failure = call
        .failure
        .map_or(String::new(), |reason: Reason| format!(" ({})", reason.name()));
    let dialects: Vec<_> = call.dialects().map(|dialect| dialect.name()).collect();
    let records = if dialects.is_empty() {
        String::new()
    } else {
        format!(", {} records: {}", dialects.len(), dialects.join(", "))
    };
    // Whoever closes the pipe has seen enough.
    let _ = writeln!(
        std::io::stdout(),
        "{:<17} flow {:<6} {way} {:>5} bytes -> {answer}{failure}{records} [{:.1} us]",
        call.export.name(),
        call.flow_id,
        call.payload_bytes,
        call.took.as_nanos() as f64 / 1000.0
    );
}

/// Says on stderr how often each function was called, and how long that took.
pub(crate) fn print_metrics(plugin: &PluginMetrics) {
    for (export, metrics) in Export::ALL.iter().zip(&plugin.exports) {
        if metrics.calls == 0 {
            continue;
        }
        let mean_us = metrics.nanoseconds as f64 / metrics.calls as f64 / 1000.0;
        let failed: u64 = metrics.failures.iter().sum();
        eprintln!(
            "{}: {} calls, {} taken, {failed} failed, {mean_us:.2} us each",
            export.name(),
            metrics.calls,
            metrics.taken
        );
    }
    for reason in Reason::ALL {
        match plugin.failures(reason) {
            0 => {}
            count => eprintln!("  {}: {count}", reason.name()),
        }
    }
    if plugin.memory_bytes > 0 {
        eprintln!("  memory: {} KiB", plugin.memory_bytes / 1024);
    }
}
