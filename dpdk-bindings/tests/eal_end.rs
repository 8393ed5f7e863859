//! The end of EAL: after everything made with it, and never while an mbuf is out.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use dpdk_bindings::{Eal, Error, Mempool, MempoolConfig, Port, PortConfig};

fn has_eal_thread() -> bool {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    tasks
        .into_iter()
        .any(|task| fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "eal"))
}

#[test]
fn eal_ends_once() {
    let eal = common::eal(&["net_null0"]);
    assert!(has_eal_thread());
    let pool = Mempool::new(
        &eal,
        "end",
        MempoolConfig {
            mbufs: 255,
            cache: 0,
            ..Default::default()
        },
    )
    .unwrap();
    let mut port = Port::by_name(&eal, "net_null0").unwrap();
    port.configure(
        &PortConfig {
            rx_descriptors: 64,
            ..Default::default()
        },
        std::slice::from_ref(&pool),
    )
    .unwrap();
    let queue = port.start().unwrap().rx.remove(0);

    // A queue alone keeps the port, and that keeps EAL.
    drop((eal, port, pool));
    assert!(has_eal_thread());
    drop(queue);
    assert!(!has_eal_thread());
    assert_eq!(
        Eal::init(&common::config(&[])).unwrap_err(),
        Error::AlreadyInitialised
    );
}
