//! All that the tap is tested with, watched from the host: the same servers, clients and requests, in network namespaces
//! of their own, must give the same records.

use crate::host::folder;
use crate::lab::Lab;
use crate::matching::exactly;
use crate::running::Running;
use crate::traffic;
use serde_json::{Value, json};

/// Which process serves a port.
fn server_of(port: u64) -> Option<&'static str> {
    Some(match port {
        53 => "dnsmasq",
        80 | 443 => "nginx",
        3306 => "mariadbd",
        5432 => "postgres",
        6379 => "redis-server",
        _ => return None,
    })
}

/// What a record of the wire is on the host.
fn on_host(mut record: Value) -> Value {
    record["source"] = json!("host");
    if let Some(comm) = record["server_port"].as_u64().and_then(server_of) {
        record["process"] = json!({"comm": comm});
    }
    // What the kernel sends from a file was in no process's memory.
    if record["proto"] == "http1" {
        record.as_object_mut().unwrap().remove("gap_bytes");
    }
    record
}

#[test]
fn every_protocol_gives_the_records_of_the_wire() {
    let Some(folder) = folder(&[]) else { return };
    let Some(lab) = Lab::up(false) else { return };
    let Some(running) = Running::start(
        folder.path(),
        &["--address", "10.99.0.0/24", "--address", "fd99::/16"],
    ) else {
        return;
    };
    let expected = traffic::all(&lab);
    let finished = running.interrupt();
    // Echo has no socket. What TLS hides from the wire has tests of its own.
    let expected: Vec<Value> = expected
        .into_iter()
        .filter(|record| record["l4"] != "icmp")
        .map(on_host)
        .collect();
    let records: Vec<Value> = finished
        .all()
        .into_iter()
        .filter(|record| record["attrs"]["tls"].is_null())
        .collect();
    exactly(&records, &expected);
}
