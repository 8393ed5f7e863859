//! What comes out of captures that others have decoded, too.
//!
//! The captures and the tool that compares are no part of the project. They are looked for in the folder
//! that `TAPIR_SHARED` names, else in `shared` beside the workspace.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Protocols that are complete. Those that are not are not judged.
const PROTOCOLS: [&str; 11] = [
    "http1",
    "dns",
    "redis",
    "tls",
    "mongodb",
    "mysql",
    "postgresql",
    "ping",
    "websocket",
    "dubbo",
    "mqtt",
];

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("TAPIR_SHARED").map_or(beside, PathBuf::from);
    let tool = folder.join("tools/conformance.py");
    if tool.exists() && Command::new("python3").arg("--version").output().is_ok() {
        return Some(folder);
    }
    // Not by a macro, whose output the test harness keeps to itself.
    let _ = writeln!(
        std::io::stderr(),
        "conformance skipped: no {} here, or no python3",
        tool.display()
    );
    None
}

/// Runs the tool; its last line.
fn score(shared: &Path, corpus: &str, more: &[&str]) -> String {
    let mut tool = Command::new("python3");
    tool.arg(shared.join("tools/conformance.py"))
        .args(["--tapir", env!("CARGO_BIN_EXE_tapir"), "--jobs", "2", "--corpus"])
        .arg(shared.join("corpus").join(corpus))
        .args(more);
    let output = tool.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().last().unwrap().to_owned();
    assert!(line.ends_with("crashes 0 timeouts 0"), "{text}");
    line
}

#[test]
fn records_are_those_that_others_found() {
    let Some(shared) = shared() else { return };
    let protocols = PROTOCOLS.iter().flat_map(|name| ["--proto", name]);
    let wanted: Vec<_> = protocols
        .chain(["--min-records", "97", "--min-keys", "97"])
        .collect();
    println!("{}", score(&shared, "l7", &wanted));
}

#[test]
fn no_capture_is_too_much() {
    let Some(shared) = shared() else { return };
    println!("{}", score(&shared, "l7/robust", &[]));
}

#[test]
fn nothing_is_taken_for_a_protocol_that_it_is_not() {
    let Some(shared) = shared() else { return };
    let line = score(&shared, "classify", &[]);
    assert!(line.contains(" false-positive-flows 0 "), "{line}");
}
