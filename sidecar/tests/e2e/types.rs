//! Kernels that do not tell their types: programs are fitted to a file.

use crate::host::{client, folder, free_port, redis};
use crate::matching::exactly;
use crate::running::Running;
use serde_json::json;
use std::process::Command;

/// Runs a command where the kernel's types are not to be seen.
const HIDDEN: [&str; 6] = [
    "unshare",
    "--mount",
    "sh",
    "-c",
    "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" \"$@\"",
    env!("CARGO_BIN_EXE_tapir-sidecar"),
];

#[test]
fn types_from_a_file() {
    let Some(folder) = folder(&["redis-server", "redis-cli", "unshare"]) else {
        return;
    };
    let types = folder.path().join("types");
    std::fs::copy("/sys/kernel/btf/vmlinux", &types).unwrap();
    let types = types.to_str().unwrap();
    let port = free_port();
    let server = redis(port);
    let mut hidden = Command::new(HIDDEN[0]);
    hidden.args(&HIDDEN[1..]);
    let Some(running) = Running::start_by(hidden, folder.path(), &["--btf", types]) else {
        return;
    };
    assert!(running.has_said("backend tracepoint"));
    client(&["redis-cli", "-p", &port.to_string(), "GET", "user:17"]);
    let finished = running.interrupt();
    let expected = json!({"proto": "redis", "kind": "matched", "resource": "GET user:17",
        "process": {"pid": server.pid(), "comm": "redis-server"}, "client_process": {"comm": "redis-cli"}});
    exactly(&finished.of_port(port), &[expected]);
}

#[test]
fn no_types_at_all() {
    let Some(_folder) = folder(&["unshare"]) else {
        return;
    };
    let doctor = Command::new(HIDDEN[0])
        .args(&HIDDEN[1..])
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let of = |what: &str| findings.iter().find(|finding| finding["what"] == what).unwrap();
    assert!(
        of("type information")["fix"].as_str().unwrap().contains("--btf"),
        "{told:#}"
    );
    assert!(of("backend tracepoint")["fix"].is_string(), "{told:#}");
}
