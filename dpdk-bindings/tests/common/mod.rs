//! What the tests share. Each test file is a process of its own, since EAL starts once a process.
#![allow(dead_code, reason = "no test uses all of it")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on has failed"
)]

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use dpdk_bindings::{Burst, Eal, EalConfig, RxQueue};

/// EAL without hugepages, files and PCI, with these virtual devices.
pub(crate) fn eal(vdevs: &[&str]) -> Eal {
    Eal::init(&config(vdevs)).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn config(vdevs: &[&str]) -> EalConfig {
    let config = EalConfig::new().no_huge().in_memory().memory_mb(192);
    vdevs.iter().fold(config, |config, vdev| config.vdev(*vdev))
}

/// A frame of `length` bytes that says which one it is.
pub(crate) fn frame(number: u8, length: usize) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, number];
    frame.extend((frame.len()..length).map(|index| index as u8));
    frame
}

/// Receives until `wanted` packets came or a second has gone by, and tells each of them.
pub(crate) fn receive(queue: &mut RxQueue, wanted: usize, mut tell: impl FnMut(&mut Burst)) -> usize {
    let (mut burst, mut received) = (Burst::new(), 0);
    let end = Instant::now() + Duration::from_secs(1);
    while received < wanted && Instant::now() < end {
        received += queue.receive(&mut burst);
        tell(&mut burst);
    }
    received
}

/// A file in the tests' own directory.
pub(crate) fn temporary(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// Writes a capture file (pcap, microseconds, Ethernet), one frame a second from second 1000 on.
pub(crate) fn write_pcap(name: &str, frames: &[Vec<u8>]) -> PathBuf {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1] {
        file.extend(u32::to_le_bytes(word));
    }
    for (second, frame) in (1000..).zip(frames) {
        for word in [second, 250, frame.len() as u32, frame.len() as u32] {
            file.extend(u32::to_le_bytes(word));
        }
        file.extend(frame);
    }
    let path = temporary(name);
    fs::write(&path, file).unwrap();
    path
}

/// Runs a command; whether it succeeded.
pub(crate) fn run(command: &str) -> bool {
    let mut words = command.split_whitespace();
    let output = Command::new(words.next().unwrap()).args(words).output();
    output.is_ok_and(|output| output.status.success())
}

/// Two joined network interfaces, gone when dropped.
pub(crate) struct Veth {
    pub(crate) near: String,
    pub(crate) far: String,
}

impl Veth {
    /// None, with the reason printed, where interfaces can't be made.
    pub(crate) fn new(name: &str) -> Option<Self> {
        let pair = Self {
            near: format!("{name}a"),
            far: format!("{name}b"),
        };
        let Self { near, far } = &pair;
        _ = run(&format!("ip link del {near}"));
        if !run(&format!("ip link add {near} type veth peer name {far}")) {
            println!("skipped: `ip link add` is not permitted here (needs root)");
            return None;
        }
        // Without IPv6 no interface speaks by itself.
        for end in [near, far] {
            _ = fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1");
            assert!(run(&format!("ip link set {end} up")));
        }
        Some(pair)
    }
}

impl Drop for Veth {
    fn drop(&mut self) {
        run(&format!("ip link del {}", self.near));
    }
}
