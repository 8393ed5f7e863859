//! The wire decoder over real captures: every packet ends somewhere, and the flows that others found in
//! them are there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that fails panics.

mod support;

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use support::pcap::Capture;
use tapir_parsers::wire::{DecodeOptions, Decoded, DropReason, LinkType, Packet, Reassembler, decode};

/// Both ends in a fixed order, L4 and tunnel.
type Flow = (
    [(String, u16); 2],
    &'static str,
    Option<(&'static str, Option<u32>)>,
);

/// What the decoder made of a capture.
#[derive(Default)]
struct Outcome {
    frames: u64,
    packets: HashMap<Flow, u64>,
    decoded: u64,
    dropped: BTreeMap<&'static str, u64>,
    unknown_link: bool,
}

impl Outcome {
    fn of(capture: &Capture) -> Self {
        let mut outcome = Self::default();
        let Some(link) = LinkType::from_dlt(capture.link_type) else {
            outcome.unknown_link = true;
            return outcome;
        };
        let options = DecodeOptions::default();
        let mut reassembler = Reassembler::default();
        for frame in &capture.frames {
            outcome.frames += 1;
            let decoded = decode(link, &frame.bytes, frame.bytes.len(), &options);
            let packet = decoded.and_then(|decoded| match decoded {
                Decoded::Packet(packet) => Ok(Some(packet)),
                Decoded::Fragment(fragment) => {
                    let segments = std::iter::once(&frame.bytes[..]);
                    let pushed = reassembler.push(&fragment, segments, frame.time_ns, &options);
                    pushed.map(|whole| whole.map(|(packet, _)| packet))
                }
            });
            match packet {
                Ok(Some(packet)) => outcome.add(&packet),
                Ok(None) => {}
                Err(reason) => *outcome.dropped.entry(reason.name()).or_default() += 1,
            }
        }
        reassembler.flush();
        let counts = reassembler.counts();
        let dropped: u64 = outcome.dropped.values().sum();
        assert_eq!(
            outcome.frames,
            outcome.decoded + dropped + counts.merged + counts.dropped_total()
        );
        outcome
    }

    fn add(&mut self, packet: &Packet) {
        let mut ends = [
            (packet.src.to_string(), packet.src_port),
            (packet.dst.to_string(), packet.dst_port),
        ];
        ends.sort();
        let tunnel = packet
            .encap
            .tunnel()
            .map(|tunnel| (tunnel.kind.name(), tunnel.id));
        *self.packets.entry((ends, packet.l4.name(), tunnel)).or_default() += 1;
        self.decoded += 1;
    }

    fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason.name()).copied().unwrap_or_default()
    }
}

/// Both ends of a line of expectations, in the same order as in [`Flow`].
fn ends(line: &Value, ips: [&str; 2], ports: [&str; 2]) -> [(String, u16); 2] {
    let end = |index: usize| {
        // Flows between MAC addresses are there too; they have no IP ends to be found by.
        let address = line[ips[index]]
            .as_str()
            .unwrap_or_default()
            .parse::<std::net::IpAddr>();
        let text = address.map(|address| address.to_string()).unwrap_or_default();
        (text, line[ports[index]].as_u64().unwrap_or_default() as u16)
    };
    let mut ends = [end(0), end(1)];
    ends.sort();
    ends
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a readable file");
    text.lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn inner_flows_of_tunnels() {
    let Some(folder) = support::shared("corpus/l7/decap") else {
        return;
    };
    for path in support::captures(&folder) {
        let outcome = Outcome::of(&Capture::read(&path));
        // ICMP errors make flows there; here they are dropped by name.
        let mut errors = outcome.dropped(DropReason::IcmpNotEcho);
        for line in lines(&path.with_extension("expected.jsonl")) {
            let Some(flow) = line.get("_flow") else { continue };
            let l4 = flow["l4"].as_str().unwrap();
            let (kind, id) = match flow.get("tunnel") {
                Some(tunnel) => (tunnel["type"].as_str(), tunnel["id"].as_u64()),
                None => (None, None),
            };
            let kind = kind.map(|kind| if kind == "gre-teb" { "gre" } else { kind });
            let ends = ends(flow, ["a", "b"], ["a_port", "b_port"]);
            let mut ids = Vec::new();
            let mut found = 0;
            for ((found_ends, found_l4, tunnel), packets) in &outcome.packets {
                if *found_ends == ends && *found_l4 == l4 && tunnel.map(|(kind, _)| kind) == kind {
                    found += packets;
                    ids.push(tunnel.and_then(|(_, id)| id).map(u64::from));
                }
            }
            let wanted = flow["packets"].as_u64().unwrap();
            let excused = if l4 == "icmp" { errors } else { 0 };
            assert!(
                found <= wanted && found + excused >= wanted,
                "{}: {flow}: {found}",
                path.display()
            );
            errors -= wanted - found;
            // The two directions may have keys of their own, of which one is listed.
            assert!(
                found == 0 || ids.contains(&id),
                "{}: {flow}: {ids:?}",
                path.display()
            );
        }
    }
}

#[test]
fn flows_that_ndpi_found() {
    let Some(folder) = support::shared("corpus/classify") else {
        return;
    };
    let mut found = 0;
    for path in support::captures(&folder) {
        let outcome = Outcome::of(&Capture::read(&path));
        for line in lines(&path.with_extension("flows.jsonl")) {
            // A file cut short in the middle of its only packet, which nDPI read all the same.
            if line.get("client_ip").is_none() || (line["weak"] == true && outcome.frames == 0) {
                continue;
            }
            let ends = ends(&line, ["client_ip", "server_ip"], ["client_port", "server_port"]);
            let l4 = line["l4"].as_str().unwrap();
            let of_flow = outcome
                .packets
                .iter()
                .filter(|((e, l, _), _)| *e == ends && *l == l4);
            let packets: u64 = of_flow.map(|(_, packets)| packets).sum();
            assert_eq!(
                Some(packets),
                line["packets"].as_u64(),
                "{}: {line}",
                path.display()
            );
            found += 1;
        }
    }
    assert!(found > 0);
}

#[test]
fn every_packet_of_every_capture_ends_somewhere() {
    let Some(folder) = support::shared("corpus/l7") else {
        return;
    };
    let mut total = Outcome::default();
    for protocol in std::fs::read_dir(folder).unwrap() {
        for path in support::captures(&protocol.unwrap().path()) {
            let outcome = Outcome::of(&Capture::read(&path));
            assert!(!outcome.unknown_link, "{}", path.display());
            total.frames += outcome.frames;
            total.decoded += outcome.decoded;
            for (reason, count) in outcome.dropped {
                *total.dropped.entry(reason).or_default() += count;
            }
        }
    }
    println!(
        "{} of {} frames are packets; dropped: {:?}",
        total.decoded, total.frames, total.dropped
    );
    assert!(total.decoded > 0);
}
