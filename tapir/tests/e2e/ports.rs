//! The same traffic through each kind of port and distribution.

use crate::lab::Lab;
use crate::matching::exactly;
use crate::running::Running;
use crate::traffic;

/// Two queues, with room for what comes while a busy machine lets the workers wait.
const AF_PACKET: &str = "net_af_packet0,iface=srv0,qpairs=2,framesz=2048,framecnt=16384";

#[test]
fn two_queues_of_af_packet() {
    let Some(lab) = Lab::up(false) else { return };
    all_sessions(
        &lab,
        &["--vdev", AF_PACKET, "--queues", "2", "--lcores", "0,1"],
        2,
    );
}

#[test]
fn software_distribution() {
    let Some(lab) = Lab::up(false) else { return };
    let port = AF_PACKET.replace("qpairs=2", "qpairs=1");
    let arguments = ["--vdev", &port, "--distribution", "software", "--lcores", "0,1"];
    all_sessions(&lab, &arguments, 1);
}

#[test]
fn af_xdp() {
    let Some(lab) = Lab::up(true) else { return };
    // It can't hash both directions of a flow alike, so its packets are spread in software.
    let arguments = ["--vdev", "net_af_xdp0,iface=mirror0", "--lcores", "0,1"];
    all_sessions(&lab, &arguments, 1);
}

/// Exactly the expected records come out, nothing is lost, and the accounts balance.
fn all_sessions(lab: &Lab, arguments: &[&str], workers: usize) {
    let tapir = Running::start(lab, arguments);
    let expected = traffic::all(lab);
    tapir.health_at_rest();
    assert_eq!(tapir.metric("tapir_port_stat_total", "missed"), 0);
    assert_eq!(tapir.metric("tapir_records_dropped_total", ""), 0);
    for worker in 0..workers {
        let packets = tapir.metric("tapir_packets_total", &format!("lcore=\"{worker}\""));
        assert!(packets > 0, "worker {worker} received nothing");
    }
    let finished = tapir.interrupt();
    assert_eq!(finished.exit_code, Some(0), "{}", finished.stderr);
    assert!(!finished.stderr.contains("BUG"), "{}", finished.stderr);
    let delivered = format!("{} records delivered, 0 lost", finished.records.len());
    assert!(finished.stderr.contains(&delivered), "{}", finished.stderr);
    exactly(&finished.records, &expected);
}
