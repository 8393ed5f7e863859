//! What can't be done ends with one line that says what to do, and the right exit code.

use crate::lab::{Lab, text};
use crate::running::Running;
use std::process::Command;

/// Runs to the end; exit code, and the lines that are Tapir's own (DPDK says its part before).
fn refused(command: &mut Command) -> (Option<i32>, Vec<String>) {
    let output = command.output().unwrap();
    let stderr = text(&output.stderr);
    let own = stderr.lines().filter(|line| line.starts_with("tapir: "));
    (output.status.code(), own.map(str::to_owned).collect())
}

fn assert_refused(command: &mut Command, code: i32, words: &[&str]) {
    let (found, lines) = refused(command);
    assert!(found == Some(code) && lines.len() == 1, "{found:?} {lines:?}");
    for word in words {
        assert!(lines[0].contains(word), "no '{word}' in {:?}", lines[0]);
    }
}

#[test]
fn a_port_that_does_not_exist() {
    let Some(lab) = Lab::up(false) else { return };
    let tapir = || {
        let mut tapir = lab.in_server(env!("CARGO_BIN_EXE_tapir"));
        tapir.args(["run", "--lcores", "1", "--no-huge", "--format", "none"]);
        tapir
    };
    assert_refused(
        tapir().args(["--vdev", "net_af_packet0,iface=nowhere"]),
        1,
        &["net_af_packet0"],
    );
    assert_refused(tapir().args(["--vdev", "net_nonsense0"]), 1, &["net_nonsense0"]);
    assert_refused(tapir().args(["--pci", "ffff:00:00.0"]), 1, &["ffff:00:00.0"]);

    // The configuration is looked at before any port.
    let file = lab.path("bad.toml");
    std::fs::write(&file, "[[ports]]\nvdev = \"net_null0\"\nqueue = 2\n").unwrap();
    let expected = ["bad.toml:3: key 'ports[0].queue' = 2: unknown; did you mean 'queues'?"];
    assert_refused(tapir().arg("--config").arg(&file), 1, &expected);

    // A machine without hugepages, as far as DPDK can see.
    let empty = lab.path("hugepages");
    std::fs::create_dir(&empty).unwrap();
    let mut without = lab.in_server("unshare");
    without.args(["--mount", "sh", "-euc"]).arg(format!(
        "mount --bind {} /sys/kernel/mm/hugepages; exec {} run --lcores 1 --vdev net_af_packet0,iface=srv0",
        empty.display(),
        env!("CARGO_BIN_EXE_tapir")
    ));
    assert_refused(&mut without, 1, &["hugepages", "--no-huge"]);
}

#[test]
fn two_processes_on_one_port() {
    let Some(lab) = Lab::up(true) else { return };
    let port = ["--vdev", "net_af_xdp0,iface=mirror0", "--lcores", "1"];
    let first = Running::start(&lab, &port);
    let second = || {
        let mut tapir = lab.in_server(env!("CARGO_BIN_EXE_tapir"));
        tapir.args(["run", "--no-huge", "--format", "none"]).args(port);
        tapir
    };
    assert_refused(&mut second(), 1, &["net_af_xdp0"]);
    // Nor on one address for metrics.
    let mut other = lab.in_server(env!("CARGO_BIN_EXE_tapir"));
    other.args([
        "run",
        "--no-huge",
        "--format",
        "none",
        "--lcores",
        "1",
        "--vdev",
        "net_null0",
    ]);
    assert_refused(
        other.args(["--metrics", "127.0.0.1:9464"]),
        1,
        &["127.0.0.1:9464"],
    );
    // The first goes on undisturbed.
    lab.clients("curl -sf http://10.99.0.1/api/still-here");
    first.health_at_rest();
    let finished = first.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    assert_eq!(finished.records.len(), 1);
}
