//! Filters in the kernel: what is let pass, and what never gets out of it.

use crate::host::{client, folder, free_port, redis};
use crate::running::Running;
use std::path::Path;

/// The arguments of a sidecar that watches servers at these ports, with these pids.
type Arguments<'a> = &'a dyn Fn(&[u16; 2], &[u32; 2]) -> Vec<String>;

/// How many records two servers gave, one asked before the other.
fn counts(folder: &Path, arguments: Arguments<'_>) -> Option<[usize; 2]> {
    let ports = [free_port(), free_port()];
    let servers = ports.map(redis);
    let arguments = arguments(&ports, &[servers[0].pid(), servers[1].pid()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let running = Running::start(folder, &arguments)?;
    for port in ports {
        client(&["redis-cli", "-p", &port.to_string(), "PING"]);
    }
    let finished = running.interrupt();
    Some(ports.map(|port| finished.of_port(port).len()))
}

#[test]
fn every_filter_lets_its_own_pass() {
    let Some(folder) = folder(&["redis-server", "redis-cli"]) else {
        return;
    };
    let check = |expected: [usize; 2], arguments: Arguments<'_>| {
        let Some(found) = counts(folder.path(), arguments) else {
            return;
        };
        assert_eq!(found, expected, "{:?}", arguments(&[1, 2], &[3, 4]));
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    check([1, 0], &|_, pids| words(&["--pid", &pids[0].to_string()]));
    check([0, 1], &|ports, _| words(&["--port", &ports[1].to_string()]));
    check([1, 1], &|_, _| {
        words(&["--comm", "redis-server", "--address", "127.0.0.0/8"])
    });
    // Who asks is as good as who answers.
    check([1, 1], &|_, _| words(&["--comm", "redis-cli"]));
    check([0, 0], &|_, _| words(&["--comm", "postgres"]));
    check([0, 0], &|_, _| {
        words(&["--address", "10.0.0.0/8", "--comm", "redis-server"])
    });
    check([0, 0], &|_, _| words(&["--proto", "http1"]));
}
