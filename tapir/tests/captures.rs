//! Small captures of real servers, made by scripts/capture-fixtures: the same records on every replay.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::collections::BTreeSet;
use std::fs;
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

#[test]
fn captures_are_small() {
    let bytes: u64 = captures()
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(bytes > 0 && bytes <= BYTES_MAX, "{bytes} bytes");
}
