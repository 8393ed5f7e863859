//! Load: nothing is lost within what the ring holds, and beyond it every loss is counted.

use crate::host::{client, folder, free_port, redis};
use crate::running::Running;

/// What it says when it lets connections go.
const LET_GO: &str = "following one connection of 2";

#[test]
fn every_one_of_twenty_thousand_requests() {
    let Some(folder) = folder(&["redis-server", "redis-benchmark"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let Some(running) = Running::start(folder.path(), &["--port", &port.to_string()]) else {
        return;
    };
    let port_text = port.to_string();
    client(&[
        "redis-benchmark",
        "-p",
        &port_text,
        "-n",
        "20000",
        "-c",
        "20",
        "-t",
        "get",
        "-q",
    ]);
    let finished = running.interrupt();
    let records = finished.of_port(port);
    let gets = records
        .iter()
        .filter(|record| record["req_type"] == "GET" && record["kind"] == "matched");
    assert_eq!(gets.count(), 20_000, "of {}, {}", records.len(), server.pid());
}

/// A ring that holds a few hundred events, filled by pipelines: connections are let go, and the accounts balance all the
/// same (which [`Running::interrupt`] asks).
#[test]
fn losses_are_counted_and_connections_let_go() {
    let Some(folder) = folder(&["redis-server", "redis-benchmark"]) else {
        return;
    };
    let port = free_port();
    let _server = redis(port);
    let port_text = port.to_string();
    let arguments = ["--port", &port_text, "--ring-bytes", "65536"];
    let Some(running) = Running::start(folder.path(), &arguments) else {
        return;
    };
    let mut rounds = 0;
    // Until there is too much to read, which depends on who else uses the machine.
    while rounds < 3 || (rounds < 30 && !running.has_said(LET_GO)) {
        rounds += 1;
        client(&[
            "redis-benchmark",
            "-p",
            &port_text,
            "-n",
            "100000",
            "-c",
            "50",
            "-t",
            "get",
            "-P",
            "16",
            "-q",
        ]);
    }
    let finished = running.interrupt();
    let made = finished.of_port(port).len();
    assert!(made > 0 && made < rounds * 100_000, "{made} of {rounds} rounds");
    assert!(finished.stderr.contains(LET_GO), "{}", finished.stderr);
}

/// A budget that a busy server's connections don't fit in: some are let go, and of the others nothing is missing.
#[test]
fn a_budget_of_time() {
    let Some(folder) = folder(&["redis-server", "redis-benchmark", "redis-cli"]) else {
        return;
    };
    let port = free_port();
    let _server = redis(port);
    let port_text = port.to_string();
    let Some(running) = Running::start(folder.path(), &["--port", &port_text, "--cpu-max", "1"]) else {
        return;
    };
    // Connections that come and go, since only new ones are chosen among.
    let words = ["-n", "20000", "-c", "20", "-k", "0", "-t", "get", "-q"];
    let mut rounds = 0;
    while rounds < 2 || (rounds < 30 && !running.has_said(LET_GO)) {
        rounds += 1;
        client(&[&["redis-benchmark", "-p", &port_text], &words[..]].concat());
    }
    let finished = running.interrupt();
    assert!(finished.stderr.contains(LET_GO), "{}", finished.stderr);
    let records = finished.of_port(port);
    let gets = records.iter().filter(|record| record["req_type"] == "GET");
    let made = gets.count();
    assert!(made > 0 && made < rounds * 20_000, "{made} of {rounds} rounds");
}
