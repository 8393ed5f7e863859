//! Small captures of real servers, made by scripts/capture-fixtures: the same records on every replay.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::collections::BTreeSet;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All captures together; each clone of the project pays for them, about 20 KiB a protocol.
const BYTES_MAX: u64 = 512 * 1024;

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../parsers/tests/captures");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let captures = files.filter(|path| path.extension().is_some_and(|end| end == "pcap"));
    captures.collect()
}

/// Records of a capture, a line each.
fn decoded(capture: &Path, workers: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(["decode", "--workers", workers])
        .arg(capture)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", capture.display());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_replay_gives_the_records_that_are_expected() {
    for capture in captures() {
        let expected_in = capture.with_extension("json");
        let found = decoded(&capture, "1");
        if std::env::var_os("UPDATE_CAPTURES").is_some() {
            fs::write(&expected_in, &found).unwrap();
        }
        let expected = fs::read_to_string(&expected_in).unwrap();
        for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
            assert_eq!(found, expected, "record {number} of {}", capture.display());
        }
        assert_eq!(
            found.lines().count(),
            expected.lines().count(),
            "{}",
            capture.display()
        );
    }
}

#[test]
fn any_number_of_workers_gives_the_same_records() {
    // Numbers of flows are each worker's own.
    let without_flows = |records: &str| -> BTreeSet<String> {
        let parse = |line: &str| -> serde_json::Value { serde_json::from_str(line).unwrap() };
        let records = records.lines().map(parse).map(|mut record| {
            record.as_object_mut().unwrap().remove("flow_id");
            record.to_string()
        });
        records.collect()
    };
    for capture in captures() {
        let by_one = decoded(&capture, "1");
        for workers in ["2", "4"] {
            let by_more = decoded(&capture, workers);
            let (one, more) = (without_flows(&by_one), without_flows(&by_more));
            assert_eq!(one, more, "{} by {workers}", capture.display());
            assert_eq!(by_one.lines().count(), by_more.lines().count());
        }
    }
}

/// The TCP segments of a capture that have payload: time, source, destination, sequence number, length.
fn segments(capture: &Path) -> Vec<(u64, String, String, u32, u32)> {
    let bytes = fs::read(capture).unwrap();
    let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    // A file header of 24 bytes, and 16 before each packet (pcap, little-endian).
    let (micro, nano) = (0xA1B2_C3D4, 0xA1B2_3C4D);
    let unit_ns = match u32_at(0) {
        magic if magic == micro => 1000,
        magic => u64::from(magic == nano),
    };
    assert!(unit_ns > 0, "{} is no little-endian pcap", capture.display());
    let (mut segments, mut at) = (Vec::new(), 24);
    while at < bytes.len() {
        let time_ns = u64::from(u32_at(at)) * 1_000_000_000 + u64::from(u32_at(at + 4)) * unit_ns;
        let packet = &bytes[at + 16..][..u32_at(at + 8) as usize];
        at += 16 + packet.len();
        let u16_of = |from: &[u8], at: usize| u16::from_be_bytes([from[at], from[at + 1]]);
        let ip = &packet[14..];
        let (total, header, protocol, ends): (usize, usize, u8, [IpAddr; 2]) = match u16_of(packet, 12) {
            0x0800 => {
                let end = |at: usize| <[u8; 4]>::try_from(&ip[at..at + 4]).unwrap().into();
                let (total, header) = (u16_of(ip, 2), ip[0] & 15);
                (total.into(), usize::from(header) * 4, ip[9], [end(12), end(16)])
            }
            0x86DD => {
                let end = |at: usize| <[u8; 16]>::try_from(&ip[at..at + 16]).unwrap().into();
                (40 + usize::from(u16_of(ip, 4)), 40, ip[6], [end(8), end(24)])
            }
            _ => continue,
        };
        if protocol != 6 {
            continue;
        }
        let tcp = &ip[header..total];
        let payload = &tcp[usize::from(tcp[12] >> 4) * 4..];
        let end = |ip: IpAddr, port| format!("{ip}:{port}");
        let seq = u32::from_be_bytes(tcp[4..8].try_into().unwrap());
        if !payload.is_empty() {
            segments.push((
                time_ns,
                end(ends[0], u16_of(tcp, 0)),
                end(ends[1], u16_of(tcp, 2)),
                seq,
                payload.len() as u32,
            ));
        }
    }
    segments
}

#[test]
fn a_record_begins_in_the_segment_that_has_its_sequence_number() {
    let mut checked = 0;
    for capture in captures() {
        let segments = segments(&capture);
        for line in decoded(&capture, "1").lines() {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            if record["l4"] != "tcp" {
                continue;
            }
            let end = |side: &str| {
                let ip = record[format!("{side}_ip")].as_str().unwrap();
                format!("{ip}:{}", record[format!("{side}_port")])
            };
            let (client, server) = (end("client"), end("server"));
            // The first of the two is the one that `start_ns` is the time of.
            let first = if record["req_seq"].is_null() {
                "resp"
            } else {
                "req"
            };
            for side in ["req", "resp"] {
                let has_side = !record[format!("{side}_len")].is_null();
                let number = record[format!("{side}_seq")].as_u64();
                assert_eq!(number.is_some(), has_side, "{} {record}", capture.display());
                let Some(number) = number else { continue };
                let holds = |(time_ns, src, dst, seq, len): &&(u64, String, String, u32, u32)| {
                    let is_of_flow = [src, dst] == [&client, &server] || [src, dst] == [&server, &client];
                    let in_time = side != first || Some(*time_ns) == record["start_ns"].as_u64();
                    is_of_flow && in_time && (number as u32).wrapping_sub(*seq) < *len
                };
                assert!(
                    segments.iter().any(|s| holds(&s)),
                    "{} {record}",
                    capture.display()
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 200, "{checked}");
}

#[test]
fn captures_are_small() {
    let bytes: u64 = captures()
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(bytes > 0 && bytes <= BYTES_MAX, "{bytes} bytes");
}
