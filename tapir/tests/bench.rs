//! What `tapir bench` says of every protocol: after the warm-up only what a connection keeps is allocated, and
//! few probes are run.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Probes that the first payload of a flow may cost in the mean.
const PROBES_MAX: f64 = 2.0;

/// Protocols that keep something of a connection for as long as it lasts: tables of names, prepared
/// statements, to whom it was opened. Messages allocate nothing in any of them.
const KEEP_STATE: [&str; 8] = [
    "grpc",
    "http2",
    "kafka",
    "mongodb",
    "mqtt",
    "mysql",
    "postgresql",
    "websocket",
];
/// How often such a connection may allocate.
const ALLOCATIONS_PER_FLOW_MAX: f64 = 8.0;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The figures of a capture, replayed `loops` times behind the warm-up.
fn figures(capture: &Path, loops: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(["bench", "--loops", loops])
        .arg(capture)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", capture.display());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn messages_allocate_nothing_after_the_warm_up() {
    let files = fs::read_dir(root().join("parsers/tests/captures")).unwrap();
    let mut captures: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    captures.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    captures.sort();
    for capture in captures {
        let figures = figures(&capture, "20");
        let name = capture.file_stem().unwrap().to_string_lossy();
        println!(
            "{name:12} {:>8} ns a record {:>8} ns a byte {:>8} allocations a packet",
            figures["ns_per_record"], figures["ns_per_byte"], figures["allocations_per_packet"]
        );
        let number = |key: &str| figures[key].as_f64().unwrap();
        // No piece takes less in its quietest lap than in the mean; what is printed is rounded.
        let quiet = number("ns_per_packet_quiet");
        assert!(quiet > 0.0 && quiet <= number("ns_per_packet") + 0.01, "{name}");
        let laps = number("loops") * number("flows").max(1.0);
        let a_flow = number("allocations_per_packet") * number("packets") / laps;
        let most = if KEEP_STATE.contains(&&*name) {
            ALLOCATIONS_PER_FLOW_MAX
        } else {
            0.0
        };
        assert!(
            a_flow <= most,
            "{name} allocates {a_flow} times a flow: {figures}"
        );
        assert!(figures["records"].as_u64() > Some(0), "{name}: {figures}");
    }
}

#[test]
fn few_probes_are_run_on_mixed_traffic() {
    let capture = std::env::temp_dir().join(format!("tapir-mixed-{}.pcap", std::process::id()));
    let generated = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--offline",
            "-p",
            "tapir-benches",
            "--",
            "mixed",
        ])
        .arg(&capture)
        .args(["--flows", "500"])
        .current_dir(root())
        .status()
        .unwrap();
    assert!(generated.success());
    let figures = figures(&capture, "2");
    fs::remove_file(&capture).unwrap();
    let probes = figures["probes_per_flow"].as_f64().unwrap();
    assert!(probes > 0.0 && probes < PROBES_MAX, "{figures}");
}
