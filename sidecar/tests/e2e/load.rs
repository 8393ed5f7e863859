//! Load: nothing is lost within what the ring holds, and beyond it every loss is counted.

use crate::host::{client, folder, free_port, redis};
use crate::running::Running;

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
    for _ in 0..3 {
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
    assert!(made > 0 && made < 300_000, "{made}");
    assert!(
        finished.stderr.contains("following one connection of 2"),
        "{}",
        finished.stderr
    );
}
