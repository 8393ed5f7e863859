//! A worker's counters, for other threads to read: stored at intervals, one relaxed store a value.

use crate::counters::Counters;
use crate::pipeline::Pipeline;
use crate::source::Buffer;
use std::sync::atomic::{AtomicU64, Ordering};
use tapir_parsers::counters::{EngineCounters, ProtocolCounters};
use tapir_parsers::l7::DECLARATIONS;

/// A published value's name and its label, if it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// Name in snake case, as it stands in metrics behind `tapir_`.
    pub name: &'static str,
    /// Label and its value.
    pub label: Option<(&'static str, &'static str)>,
    /// Whether the value only grows.
    pub is_total: bool,
    /// One line for people.
    pub help: &'static str,
}

/// The values of one worker.
#[derive(Debug)]
pub struct Published {
    names: Vec<Name>,
    values: Vec<AtomicU64>,
}

/// What is read of a pipeline to be published.
struct Snapshot<'a> {
    counters: &'a Counters,
    engine: &'a EngineCounters,
    flows: usize,
    sessions: usize,
    exchanges: usize,
    held: usize,
    state_bytes: usize,
}

impl Snapshot<'_> {
    fn visit(&self, see: &mut dyn FnMut(Name, u64)) {
        let total = |name, label| Name {
            name,
            label,
            is_total: true,
            help: help(name),
        };
        self.counters.visit(&mut |name, reason, value| {
            see(total(name, reason.map(|reason| ("reason", reason))), value);
        });
        for declaration in DECLARATIONS {
            let label = Some(("proto", declaration.name));
            let of = self.engine.of(declaration.protocol);
            visit_protocol(of, &mut |name, value| see(total(name, label), value));
        }
        see(total("probes", None), self.engine.probes);
        see(total("first_payloads", None), self.engine.first_payloads);
        see(total("first_payload_probes", None), self.engine.first_probes);
        see(total("unknown_flows", None), self.engine.unknown_flows);
        see(total("sessions_refused", None), self.engine.sessions_refused);
        let mut gauge = |name, value: usize| {
            see(
                Name {
                    name,
                    label: None,
                    is_total: false,
                    help: help(name),
                },
                value as u64,
            );
        };
        gauge("flows", self.flows);
        gauge("sessions", self.sessions);
        gauge("exchanges_open", self.exchanges);
        gauge("tcp_segments_held", self.held);
        gauge("state_bytes", self.state_bytes);
    }
}

fn visit_protocol(counters: &ProtocolCounters, see: &mut dyn FnMut(&'static str, u64)) {
    see("protocol_flows", counters.flows);
    see("protocol_records", counters.records);
    see("protocol_malformed", counters.malformed);
    see("protocol_resynchronised", counters.resynchronised);
    see("protocol_resync_bytes", counters.resync_bytes);
    see("protocol_skipped_bytes", counters.skipped_bytes);
    see("protocol_gap_bytes", counters.gap_bytes);
    see("protocol_keepalives", counters.keepalives);
    see("protocol_evicted", counters.evicted);
    see("protocol_withdrawn", counters.withdrawn);
    see("protocol_exchanges_refused", counters.exchanges_refused);
    see("protocol_text_refused", counters.text_refused);
}

/// What a value is, in one line.
fn help(name: &str) -> &'static str {
    match name {
        "packets" => "Packets received.",
        "bytes" => "Bytes received, as long as they were on the wire.",
        "packets_decoded" => "Packets decoded down to a flow.",
        "fragments_held" => "IP fragments that wait for the rest of their datagram.",
        "fragments_merged" => "IP fragments that became part of a datagram.",
        "packets_dropped" => "Packets not read, by reason.",
        "tunnels_rejected" => "Packets on a tunnel's port that hold no such tunnel, read as plain UDP.",
        "flows_created" => "Flows seen.",
        "flows_ended" => "Flows ended, by reason.",
        "tcp_retransmissions" => "TCP segments seen again.",
        "tcp_out_of_order" => "TCP segments ahead of their turn.",
        "tcp_held" => "TCP segments held until their turn.",
        "tcp_zero_windows" => "Times that a TCP window closed.",
        "tcp_gaps" => "Holes in TCP streams that were given up, by reason.",
        "tcp_gap_bytes" => "Bytes in holes that were given up.",
        "tcp_stale" => "TCP segments of an earlier connection between the same ends, ignored.",
        "tcp_rst_ignored" => "RST segments that could not belong to their connection.",
        "records_sent" => "Records handed to the collector.",
        "records_dropped" => "Records lost before the collector, by reason.",
        "protocol_flows" => "Flows recognised as the protocol.",
        "protocol_records" => "Records made.",
        "protocol_malformed" => "Units that were broken or not the protocol.",
        "protocol_resynchronised" => "Times that the next message was found after a break.",
        "protocol_resync_bytes" => "Bytes passed over while looking for the next message.",
        "protocol_skipped_bytes" => "Bytes of bodies passed without a look.",
        "protocol_gap_bytes" => "Bytes that were never seen.",
        "protocol_keepalives" => "Heartbeats and other messages that only keep connections alive.",
        "protocol_evicted" => "Requests pushed out by a memory bound; each is a record.",
        "protocol_withdrawn" => "Messages given up with a wrong guess of the protocol.",
        "protocol_exchanges_refused" => "Messages that found no room at the memory bound.",
        "protocol_text_refused" => "Messages whose text was cut at the memory bound.",
        "probes" => "Probes run by inference.",
        "first_payloads" => "First payloads of flows looked at by inference.",
        "first_payload_probes" => "Probes run on first payloads.",
        "unknown_flows" => "Flows given up as of no known protocol.",
        "sessions_refused" => "Flows that found no room for a parser at the memory bound.",
        "flows" => "Flows in the table.",
        "sessions" => "Flows with a parser, or on the way to one.",
        "exchanges_open" => "Requests that wait for their responses.",
        "tcp_segments_held" => "TCP segments held now.",
        "state_bytes" => "Memory of flows, parsers and requests.",
        _ => "",
    }
}

impl Default for Published {
    fn default() -> Self {
        let (counters, engine) = (Counters::default(), EngineCounters::default());
        let nothing = Snapshot {
            counters: &counters,
            engine: &engine,
            flows: 0,
            sessions: 0,
            exchanges: 0,
            held: 0,
            state_bytes: 0,
        };
        let mut names = Vec::new();
        nothing.visit(&mut |name, _| names.push(name));
        let values = names.iter().map(|_| AtomicU64::new(0)).collect();
        Self { names, values }
    }
}

impl Published {
    /// Stores a pipeline's values.
    pub fn store<B: Buffer>(&self, pipeline: &Pipeline<B>) {
        let engine = pipeline.engine();
        let snapshot = Snapshot {
            counters: &pipeline.counters(),
            engine: engine.counters(),
            flows: pipeline.table().len(),
            sessions: engine.sessions(),
            exchanges: engine.exchanges(),
            held: pipeline.held(),
            state_bytes: pipeline.state_bytes(),
        };
        let mut values = self.values.iter();
        snapshot.visit(&mut |_, value| {
            if let Some(to) = values.next() {
                to.store(value, Ordering::Relaxed);
            }
        });
    }

    /// Reads all values as they were stored last.
    pub fn visit(&self, see: &mut dyn FnMut(Name, u64)) {
        for (name, value) in self.names.iter().zip(&self.values) {
            see(*name, value.load(Ordering::Relaxed));
        }
    }

    /// The sum of the values of a name, over its labels.
    pub fn sum(&self, name: &str) -> u64 {
        let mut sum = 0;
        self.visit(&mut |n, value| sum += if n.name == name { value } else { 0 });
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_says_what_it_is() {
        Published::default()
            .visit(&mut |name, _| assert!(!name.help.is_empty(), "{} has no help", name.name));
    }
}
