//! What a sidecar may still do while it watches.

use crate::host::{folder, program};
use crate::running::Running;
use std::process::Command;

/// CAP_DAC_OVERRIDE, for the file of the records, CAP_DAC_READ_SEARCH, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_PERFMON and CAP_BPF, by
/// their numbers in linux/capability.h; and CAP_SYS_ADMIN, where it has to stand for the last two.
const ENOUGH: u64 = 1 << 1 | 1 << 2 | 1 << 12 | 1 << 19 | 1 << 38 | 1 << 39 | 1 << 21;

#[test]
fn root_is_not_root_for_long() {
    let Some(folder) = folder(&[]) else { return };
    let Some(running) = Running::start(folder.path(), &[]) else {
        return;
    };
    let threads: Vec<_> = std::fs::read_dir(format!("/proc/{}/task", running.pid()))
        .unwrap()
        .flatten()
        .collect();
    assert!(threads.len() > 1);
    for thread in threads {
        let status = std::fs::read_to_string(thread.path().join("status")).unwrap();
        let of = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
            u64::from_str_radix(line.trim(), 16).unwrap()
        };
        assert_eq!(of("CapEff:") & !ENOUGH, 0, "{status}");
        assert_eq!(of("CapPrm:") & !ENOUGH, 0, "{status}");
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    }
    running.interrupt();
}

#[test]
fn the_doctor_finds_what_a_run_finds() {
    let Some(folder) = folder(&[]) else { return };
    let doctor = Command::new(program())
        .args(["doctor", "--json"])
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let findings = told["findings"].as_array().unwrap();
    let told_of = |finding: &serde_json::Value| finding["found"].as_str().unwrap_or_default().to_owned();
    let works = |finding: &serde_json::Value| told_of(finding).starts_with("loads and attaches");
    let runs = Running::start(folder.path(), &[])
        .map(Running::interrupt)
        .is_some();
    assert_eq!(findings.iter().any(works), runs, "{told:#}");
}
