//! Servers whose processes come and go, and clients that do: each record names who it was.

use crate::host::{Server, client, folder, free_port};
use crate::running::Running;
use serde_json::Value;
use std::process::Command;

const SERVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/peers/forks.py");

/// Asks a server that works as `how` says so many times, by the addresses at once that `urls` are; the records, and the
/// pids that the answers told, in the order in which they came.
fn ask(how: &str, times: usize, paths: &[&str]) -> Option<(Vec<Value>, Vec<u64>)> {
    ask_by(how, "sh", times, paths)
}

/// The same of one that executes `shell`.
fn ask_by(how: &str, shell: &str, times: usize, paths: &[&str]) -> Option<(Vec<Value>, Vec<u64>)> {
    let folder = folder(&["python3", "curl"])?;
    let port = free_port();
    let _server = Server::start(
        Command::new("python3").args([SERVER, how, &port.to_string(), shell]),
        port,
    );
    let running = Running::start(folder.path(), &["--port", &port.to_string()])?;
    let urls: Vec<String> = paths
        .iter()
        .map(|path| format!("http://127.0.0.1:{port}/{path}"))
        .collect();
    let words: Vec<&str> = urls.iter().map(String::as_str).collect();
    let mut pids = Vec::new();
    for _ in 0..times {
        let said = client(&[&["curl", "-sf", "-w", "\n"], &words[..]].concat());
        pids.extend(said.lines().map(|pid| pid.parse::<u64>().unwrap()));
    }
    let mut records = running.interrupt().all();
    records.sort_by_key(|record| record["start_ns"].as_u64());
    Some((records, pids))
}

fn pids_of(records: &[Value]) -> Vec<u64> {
    let pids = records.iter().map(|record| record["process"]["pid"].as_u64());
    pids.collect::<Option<_>>().unwrap()
}

fn each_names_who_answered(how: &str, processes: std::ops::RangeInclusive<usize>) {
    let Some((records, pids)) = ask(how, 8, &["a", "b"]) else {
        return;
    };
    assert_eq!(pids_of(&records), pids, "{how}");
    let mut different = pids.clone();
    different.sort_unstable();
    different.dedup();
    assert!(processes.contains(&different.len()), "{how}: {pids:?}");
    for record in &records {
        assert_eq!(record["client_process"]["comm"], "curl", "{record}");
        assert_eq!(record["kind"], "matched", "{record}");
    }
}

#[test]
fn a_child_for_each_connection() {
    each_names_who_answered("fork", 8..=8);
}

#[test]
fn children_that_accept() {
    each_names_who_answered("prefork", 1..=4);
}

#[test]
fn a_program_that_is_given_its_connection() {
    let Some((records, pids)) = ask("inetd", 5, &["a"]) else {
        return;
    };
    assert_eq!(pids_of(&records), pids);
    assert_eq!(pids.len(), 5);
    for record in records {
        assert_eq!(record["process"]["comm"], "sh", "{record}");
    }
}

#[test]
fn a_process_that_executes_another_program() {
    let Some((records, pids)) = ask("other_program", 3, &["python", "sh"]) else {
        return;
    };
    assert_eq!(pids_of(&records), pids);
    assert_eq!(pids.len(), 6);
    for record in records {
        let by_shell = record["resource"] == "/sh";
        assert_eq!(record["process"]["comm"] == "sh", by_shell, "{record}");
    }
}

#[test]
fn a_process_that_executes_another_program_of_its_name() {
    let Some(folder) = folder(&["sh"]) else { return };
    let shell = folder.path().join("python3");
    std::fs::copy("/bin/sh", &shell).unwrap();
    let shell = shell.to_str().unwrap();
    let Some((records, pids)) = ask_by("other_program", shell, 2, &["python", "sh"]) else {
        return;
    };
    assert_eq!(pids_of(&records), pids);
    assert_eq!(pids.len(), 4);
    for record in records {
        let process = &record["process"];
        let by_shell = record["resource"] == "/sh";
        assert_eq!(process["comm"], "python3", "{record}");
        assert_eq!(process["executable"] == shell, by_shell, "{record}");
    }
}
