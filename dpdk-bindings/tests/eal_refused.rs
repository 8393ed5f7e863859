//! EAL and devices that can't start: one line that says what and why.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use dpdk_bindings::{Eal, EalConfig, Error};

#[test]
fn a_refused_device_is_named() {
    let zero = EalConfig::new().no_huge().vdev("net_null0\0");
    assert!(
        matches!(Eal::init(&zero).unwrap_err(), Error::Invalid { .. }),
        "and EAL was not touched"
    );
    let missing = common::config(&["net_pcap0,rx_pcap=/nowhere/at-all.pcap"]);
    let error = Eal::init(&missing).unwrap_err().to_string();
    assert!(
        error.starts_with("add virtual device net_pcap0,rx_pcap=/nowhere/at-all.pcap: "),
        "{error}"
    );
    assert_eq!(Eal::init(&missing).unwrap_err(), Error::AlreadyInitialised);
}
