//! What a run amounted to, on stderr.

use crate::replay::{ReadReport, WorkerReport};
use std::time::Duration;
use tapir_dataplane::counters::Counters;
use tapir_parsers::l7::DECLARATIONS;

/// Prints the closing summary: what came in, what came out, what was dropped and why.
pub(super) fn print(read: &ReadReport, workers: &[WorkerReport], took: Duration) {
    let mut counters = Counters::default();
    for report in workers {
        counters.add(&report.counters);
    }
    let made: u64 = workers.iter().map(|w| w.engine.records()).sum();
    let seconds = took.as_secs_f64();
    let gbits = counters.bytes as f64 * 8.0 / 1e9;
    eprintln!(
        "{} packets, {:.3} MB, {} flows, {made} records in {seconds:.3} s ({:.2} Mpackets/s, {:.2} Gbit/s)",
        counters.packets,
        counters.bytes as f64 / 1e6,
        counters.flows_created,
        counters.packets as f64 / 1e6 / seconds,
        gbits / seconds,
    );
    for declaration in DECLARATIONS {
        let of = |value: fn(&tapir_parsers::counters::ProtocolCounters) -> u64| -> u64 {
            workers
                .iter()
                .map(|w| value(w.engine.of(declaration.protocol)))
                .sum()
        };
        let (flows, records) = (of(|p| p.flows), of(|p| p.records));
        if flows > 0 {
            let (malformed, gaps) = (of(|p| p.malformed), of(|p| p.gap_bytes));
            let name = declaration.name;
            let mut line = format!("  {name:<12} {records} records of {flows} flows");
            if malformed > 0 {
                line += &format!(", {malformed} malformed units");
            }
            if gaps > 0 {
                line += &format!(", {gaps} bytes missing");
            }
            eprintln!("{line}");
        }
    }
    let mut not_read = Vec::new();
    counters.visit(&mut |name, reason, count| {
        if let ("packets_dropped", Some(reason), 1..) = (name, reason, count) {
            not_read.push(format!("{reason} {count}"));
        }
    });
    if counters.fragments_held > 0 {
        not_read.push(format!("fragments_unfinished {}", counters.fragments_held));
    }
    if !not_read.is_empty() {
        eprintln!("  not read: {}", not_read.join(", "));
    }
    if read.summary.unsupported > 0 {
        eprintln!(
            "  left out: {} packets of interfaces whose link type is not supported",
            read.summary.unsupported
        );
    }
    if read.summary.cut_off {
        eprintln!("  a capture ends within a packet: it was cut off while being written");
    }
    let lost = made as i64 - counters.records_sent as i64;
    if counters.unaccounted_packets() != 0 || lost != 0 {
        eprintln!(
            "  BUG: {} packets and {lost} records are not accounted for; please report this",
            counters.unaccounted_packets()
        );
    }
}
