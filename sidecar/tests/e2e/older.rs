//! Connections that were there before the sidecar, and what is left when it is killed.

use crate::host::{folder, free_port, redis};
use crate::matching::exactly;
use crate::running::Running;
use libbpf_rs::query::{MapInfoIter, ProgInfoIter};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

fn ping(connection: &mut TcpStream) {
    connection.write_all(b"*1\r\n$4\r\nPING\r\n").unwrap();
    let mut answer = [0; 7];
    connection.read_exact(&mut answer).unwrap();
}

#[test]
fn a_connection_older_than_the_sidecar() {
    let Some(folder) = folder(&["redis-server"]) else {
        return;
    };
    let port = free_port();
    let server = redis(port);
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    ping(&mut connection);
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    for _ in 0..20 {
        ping(&mut connection);
    }
    let finished = running.interrupt();
    // Once each, though neither end is known to the kernel's programs as the server's.
    let expected = json!({"proto": "redis", "kind": "matched", "resource": "PING", "server_port": port,
        "process": {"pid": server.pid(), "comm": "redis-server"}});
    exactly(&finished.of_port(port), &vec![expected; 20]);
}

/// Ids of what a process holds of the kernel's programs, maps or links.
fn held(pid: u32, key: &str) -> Vec<u32> {
    let files = std::fs::read_dir(format!("/proc/{pid}/fdinfo"))
        .unwrap()
        .flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    let ids = texts.filter_map(|text| {
        let id = text.lines().find_map(|line| line.strip_prefix(key))?;
        id.trim().parse().ok()
    });
    ids.collect()
}

#[test]
fn a_sidecar_that_is_killed_leaves_nothing() {
    let Some(folder) = folder(&[]) else { return };
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let (programs, maps) = (held(running.pid(), "prog_id:"), held(running.pid(), "map_id:"));
    assert!(!programs.is_empty() && !maps.is_empty());
    // Not asked to end: killed.
    drop(running);
    let begin = Instant::now();
    let left = || {
        let programs_left = ProgInfoIter::default().any(|info| programs.contains(&info.id));
        programs_left || MapInfoIter::default().any(|info| maps.contains(&info.id))
    };
    while left() {
        // The kernel frees them some time after the last use.
        assert!(begin.elapsed() < Duration::from_secs(10), "{programs:?} {maps:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
