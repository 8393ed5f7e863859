//! An mbuf that outlives every handle to EAL: its memory has to stay.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use dpdk_bindings::{Mempool, MempoolConfig};

#[test]
fn an_mbuf_outlives_eal() {
    let eal = common::eal(&[]);
    let too_small = Mempool::new(
        &eal,
        "small",
        MempoolConfig {
            mbufs: 255,
            ..Default::default()
        },
    );
    assert!(too_small.unwrap_err().to_string().contains("a cache of 256"));
    let pool = Mempool::new(
        &eal,
        "held",
        MempoolConfig {
            mbufs: 511,
            ..Default::default()
        },
    )
    .unwrap();
    let held = pool.packet_from(b"still here").unwrap();
    drop((eal, pool));
    assert_eq!(held.data(), b"still here");
    assert_eq!(held.share().data(), b"still here");
}
