//! Inference over real captures: which protocols' probes match which flows, and how many probes a first
//! payload costs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that fails panics.

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use support::pcap::Capture;
use tapir_parsers::counters::EngineCounters;
use tapir_parsers::inference::{Candidates, Inference};
use tapir_parsers::l7::{DECLARATIONS, Declaration};
use tapir_parsers::limits::{PROBE_BYTES_MAX, PROBE_TRIES_MAX};
use tapir_parsers::parser::{Direction, Probe, ProbeContext, Transports};
use tapir_parsers::wire::{DecodeOptions, Decoded, L4, LinkType, Reassembler, decode};

/// Probes that the first payload of a flow may cost in the mean.
const PROBES_MAX: f64 = 2.0;
/// Share of the flows of a protocol that is read which must be recognised, per cent.
const RECALL_MIN: f64 = 97.0;

/// Transport and both ends in a fixed order.
type FlowKey = (&'static str, [(String, u16); 2]);

/// The payloads with which a flow begins, as they were captured.
#[derive(Default)]
struct Flow {
    /// Whether the first of `FlowKey`'s ends sent it, and the bytes.
    payloads: Vec<(bool, Vec<u8>)>,
    transport: Option<L4>,
    next_seq: [Option<u32>; 2],
}

/// The flows of a capture.
fn flows(capture: &Capture) -> HashMap<FlowKey, Flow> {
    let mut flows: HashMap<FlowKey, Flow> = HashMap::new();
    let Some(link) = LinkType::from_dlt(capture.link_type) else {
        return flows;
    };
    let options = DecodeOptions::default();
    let mut reassembler = Reassembler::default();
    for frame in &capture.frames {
        let decoded = decode(link, &frame.bytes, frame.bytes.len(), &options);
        let (packet, bytes) = match decoded {
            Ok(Decoded::Packet(packet)) => (packet, frame.bytes.clone()),
            Ok(Decoded::Fragment(fragment)) => {
                let segments = std::iter::once(&frame.bytes[..]);
                match reassembler.push(&fragment, segments, frame.time_ns, &options) {
                    Ok(Some((packet, datagram))) => (packet, datagram.to_vec()),
                    _ => continue,
                }
            }
            Err(_) => continue,
        };
        let from = (packet.src.to_string(), packet.src_port);
        let mut ends = [from.clone(), (packet.dst.to_string(), packet.dst_port)];
        ends.sort();
        let first_end = ends[0] == from;
        let flow = flows.entry((packet.l4.name(), ends)).or_default();
        flow.transport = Some(packet.l4);
        let payload = &bytes[packet.payload_offset as usize..][..packet.payload_len as usize];
        // Retransmissions and what came out of order would be put right by the stream layer.
        let next = &mut flow.next_seq[usize::from(first_end)];
        let in_order = packet.l4 != L4::Tcp || next.is_none_or(|next| next == packet.tcp.seq);
        if !payload.is_empty() && in_order {
            *next = Some(packet.tcp.seq.wrapping_add(packet.payload_len));
            flow.payloads.push((first_end, payload.to_vec()));
        }
    }
    flows
}

fn transport(l4: L4) -> Transports {
    match l4 {
        L4::Tcp => Transports::TCP,
        L4::Udp => Transports::UDP,
        L4::Icmp => Transports::ICMP,
    }
}

/// The protocols whose probes match the flow's first payloads, and which of the payloads.
fn matching(flow: &Flow, candidates: &Candidates) -> BTreeMap<&'static str, usize> {
    let mut matching = BTreeMap::new();
    let transport = flow.transport.map_or(Transports::TCP, transport);
    let mut spoken = [false; 2];
    for (number, (end, payload)) in flow
        .payloads
        .iter()
        .take(usize::from(PROBE_TRIES_MAX))
        .enumerate()
    {
        let context = ProbeContext {
            transport,
            direction: Direction::BOTH[usize::from(*end)],
            direction_is_sure: false,
            on_known_port: false,
            at_stream_start: !spoken[usize::from(*end)],
            behind_unknown: spoken[usize::from(*end)],
            complete: transport != Transports::TCP || payload.len() >= PROBE_BYTES_MAX,
        };
        spoken[usize::from(*end)] = transport == Transports::TCP;
        let set = candidates.of(payload, transport, 0);
        let among = |d: &&Declaration| set & 1 << (d.protocol as u8) != 0;
        for declaration in DECLARATIONS.iter().filter(among) {
            if matches!((declaration.probe)(payload, &context), Probe::Match(_)) {
                matching.entry(declaration.name).or_insert(number);
            }
        }
    }
    matching
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn key_of(line: &Value) -> Option<FlowKey> {
    let end = |ip: &str, port: &str| {
        let ip: std::net::IpAddr = line[ip].as_str()?.parse().ok()?;
        Some((ip.to_string(), line[port].as_u64().unwrap_or_default() as u16))
    };
    let mut ends = [end("client_ip", "client_port")?, end("server_ip", "server_port")?];
    ends.sort();
    let l4 = ["tcp", "udp", "icmp"].into_iter().find(|l4| line["l4"] == **l4)?;
    Some((l4, ends))
}

/// What a flow's label stands for.
fn is_same(label: &str, name: &str) -> bool {
    let web = ["http1", "http2", "grpc", "triple", "websocket"];
    label == name || (web.contains(&label) && web.contains(&name))
}

#[test]
fn no_probe_matches_a_flow_of_another_protocol() {
    let Some(folder) = support::shared("corpus/classify") else {
        return;
    };
    let candidates = Candidates::new(u64::MAX);
    let mut counters = EngineCounters::default();
    let (mut first_payloads, mut false_matches) = (0u64, Vec::new());
    // By protocol: flows labelled so, and how many of them its probe matches.
    let mut recall: BTreeMap<&str, [u64; 2]> = BTreeMap::new();
    for path in support::captures(&folder) {
        let flows = flows(&Capture::read(&path));
        for line in lines(&path.with_extension("flows.jsonl")) {
            let Some(flow) = key_of(&line).and_then(|key| flows.get(&key)) else {
                continue;
            };
            let label = line["proto"].as_str().unwrap_or_default();
            if line["weak"].as_bool() == Some(true) || flow.payloads.is_empty() {
                continue;
            }
            first_payloads += 1;
            count_probes(flow, &candidates, &mut counters);
            let matching = matching(flow, &candidates);
            if let Some(declaration) = DECLARATIONS.iter().find(|d| d.name == label) {
                let [flows, matched] = recall.entry(declaration.name).or_default();
                *flows += 1;
                *matched += u64::from(matching.keys().any(|name| is_same(label, name)));
            }
            for (name, number) in matching.iter().filter(|(name, _)| !is_same(label, name)) {
                let file = path.file_name().unwrap_or_default().to_string_lossy();
                let what = line["ndpi"].as_str().unwrap_or_default();
                false_matches.push(format!("{name} matches payload {number} of {what} in {file}"));
            }
        }
    }
    let (mut labelled, mut recognised) = (0, 0);
    for (name, [flows, matched]) in recall {
        println!("{name:12} {matched:4} of {flows:4} flows");
        (labelled, recognised) = (labelled + flows, recognised + matched);
    }
    let mean = counters.probes as f64 / first_payloads as f64;
    println!("{mean:.3} probes a first payload ({first_payloads} flows)");
    assert!(mean < PROBES_MAX, "{mean:.3} probes a first payload");
    let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
    let recall = share(recognised, labelled);
    let wrong = false_matches.len() as u64;
    let precision = share(recognised, recognised + wrong);
    println!("recall {recall:.1} %, precision {precision:.1} %");
    assert!(recall >= RECALL_MIN, "recall {recall:.1} %");
    // In a tunnel that HTTP opened; the parser hands over before inference comes to it.
    false_matches.retain(|line| line != "tls matches payload 2 of HTTP_Connect in http_connect.pcap");
    assert!(false_matches.is_empty(), "{false_matches:#?}");
}

/// Runs inference on the first payload as the engine does.
fn count_probes(flow: &Flow, candidates: &Candidates, counters: &mut EngineCounters) {
    let (Some((_, payload)), Some(l4)) = (flow.payloads.first(), flow.transport) else {
        return;
    };
    let transport = transport(l4);
    let mut context = ProbeContext {
        transport,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: true,
        behind_unknown: false,
        complete: transport != Transports::TCP,
    };
    let set = candidates.of(payload, transport, 0);
    let _: Inference = candidates.infer(payload, set, &mut context, 0, None, counters);
}

/// Which probes match messages of other protocols, mid-stream: for people, who decide by it which
/// protocol stands before which in the list.
#[test]
fn probes_that_match_messages_of_others() {
    let Some(folder) = support::shared("corpus/l7") else {
        return;
    };
    let candidates = Candidates::new(u64::MAX);
    let mut strangers: BTreeMap<(String, &str), (u64, String)> = BTreeMap::new();
    // By protocol: flows joined behind their second payload, and how many of them are recognised.
    let mut joined: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let folder = entry.unwrap().path();
        let label = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !folder.is_dir() || ["decap", "robust"].contains(&label.as_str()) {
            continue;
        }
        for path in support::captures(&folder) {
            for flow in flows(&Capture::read(&path)).into_values() {
                let (transport, payloads) = (flow.transport, flow.payloads);
                if payloads.len() > 4 {
                    let rest = Flow {
                        payloads: payloads[2..].to_vec(),
                        transport,
                        ..Flow::default()
                    };
                    let [flows, recognised] = joined.entry(label.clone()).or_default();
                    *flows += 1;
                    let names = matching(&rest, &candidates);
                    *recognised += u64::from(names.keys().any(|name| is_same(&label, name)));
                }
                for payload in payloads {
                    let alone = Flow {
                        payloads: vec![payload],
                        transport,
                        ..Flow::default()
                    };
                    for (name, _) in matching(&alone, &candidates) {
                        let file = path.file_name().unwrap_or_default().to_string_lossy();
                        if !is_same(&label, name) {
                            let seen = strangers.entry((label.clone(), name)).or_default();
                            *seen = (seen.0 + 1, file.into_owned());
                        }
                    }
                }
            }
        }
    }
    for (label, [flows, recognised]) in joined {
        println!("{label:12} {recognised:4} of {flows:4} flows joined behind their second payload");
    }
    for ((label, name), (count, file)) in strangers {
        println!("{name} matches {count} messages among those of {label}, last in {file}");
    }
}
