//! Redis: commands of clients that come and go, and of some that stay.

use crate::host::{client, folder, free_port, redis};
use crate::matching::exactly;
use crate::running::Running;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;

fn command(port: u16, pid: u32, whole: &str, result: &str) -> Value {
    let name = whole.split(' ').next().unwrap();
    json!({"source": "host", "proto": "redis", "l4": "tcp", "kind": "matched", "status": "ok",
           "client_ip": "127.0.0.1", "server_ip": "127.0.0.1", "server_port": port,
           "req_type": name, "resource": whole, "result": result, "gap_bytes": null,
           "process": {"pid": pid, "comm": "redis-server"}})
}

#[test]
fn a_server_older_than_the_sidecar() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let ask = |words: &[&str]| {
        let port = port.to_string();
        client(&[&["redis-cli", "-p", &port], words].concat());
    };
    ask(&["SET", "user:17", "Ada"]);
    ask(&["GET", "user:17"]);
    ask(&["-r", "50", "INCR", "visits"]);
    let finished = running.interrupt();
    let expected = |whole: &str, result: &str| command(port, server.pid(), whole, result);
    let mut all = vec![
        expected("SET user:17 Ada", "SimpleString"),
        expected("GET user:17", "BulkString"),
    ];
    all.extend(std::iter::repeat_n(expected("INCR visits", "Integer"), 50));
    let records = finished.of_port(port);
    exactly(&records, &all);
    for record in &records {
        assert_eq!(record["client_process"]["comm"], "redis-cli", "{record}");
        let program = record["process"]["executable"].as_str().unwrap();
        assert!(program.starts_with("/usr/bin/redis"), "{program}");
        // Read at once, answered at once: far less than a second each.
        let ns = |key: &str| {
            record[key]
                .as_u64()
                .unwrap_or_else(|| panic!("no {key}: {record}"))
        };
        assert!(
            ns("queue_ns") < 1_000_000_000 && ns("app_ns") < 1_000_000_000,
            "{record}"
        );
        assert_eq!(ns("app_ns"), ns("rrt_ns"));
        assert!(ns("req_seq") > 0 && ns("resp_seq") > 0);
    }
}

#[test]
fn a_server_younger_than_the_sidecar() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    client(&["redis-cli", "-p", &port.to_string(), "PING"]);
    let finished = running.interrupt();
    let expected = command(port, server.pid(), "PING", "SimpleString");
    exactly(&finished.of_port(port), &[expected]);
}

#[test]
fn requests_under_way_end_by_shutdown() {
    let Some(folder) = folder(&["redis-server"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let mut waiting = TcpStream::connect(("127.0.0.1", port)).unwrap();
    waiting
        .write_all(b"*3\r\n$5\r\nBLPOP\r\n$7\r\nnothing\r\n$1\r\n0\r\n")
        .unwrap();
    let mut other = TcpStream::connect(("127.0.0.1", port)).unwrap();
    other.write_all(b"*1\r\n$4\r\nPING\r\n").unwrap();
    let mut answer = [0; 7];
    other.read_exact(&mut answer).unwrap();
    let finished = running.interrupt();
    let mut blocked = command(port, server.pid(), "BLPOP nothing 0", "");
    blocked["kind"] = json!("no_response");
    blocked["ended"] = json!("shutdown");
    blocked["status"] = json!("unknown");
    blocked["result"] = Value::Null;
    let ping = command(port, server.pid(), "PING", "SimpleString");
    exactly(&finished.of_port(port), &[blocked, ping]);
}

#[test]
fn what_is_redacted_is_in_no_record() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let Some(running) = Running::start(folder.path(), &["--redact", "redis-values"]) else {
        return;
    };
    client(&["redis-cli", "-p", &port.to_string(), "SET", "user:17", "secret"]);
    let finished = running.interrupt();
    let expected = command(port, server.pid(), "SET user:17 ?", "SimpleString");
    exactly(&finished.of_port(port), &[expected]);
}

#[test]
fn what_is_asked_of_records() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let arguments = ["--response-timeout", "redis=1s", "--resource-bytes", "64"];
    let Some(running) = Running::start(folder.path(), &arguments) else {
        return;
    };
    let mut waiting = TcpStream::connect(("127.0.0.1", port)).unwrap();
    waiting
        .write_all(b"*3\r\n$5\r\nBLPOP\r\n$7\r\nnothing\r\n$1\r\n0\r\n")
        .unwrap();
    running.wait_for_record("BLPOP");
    client(&["redis-cli", "-p", &port.to_string(), "GET", &"k".repeat(100)]);
    let finished = running.interrupt();
    let mut overdue = command(port, server.pid(), "BLPOP nothing 0", "");
    overdue["kind"] = json!("no_response");
    overdue["ended"] = json!("timeout");
    overdue["status"] = json!("timeout");
    overdue["result"] = Value::Null;
    let mut cut = command(port, server.pid(), &format!("GET {}", "k".repeat(60)), "Nil");
    cut["truncated"] = json!(true);
    cut["result"] = json!("Null");
    exactly(&finished.of_port(port), &[overdue, cut]);
}
