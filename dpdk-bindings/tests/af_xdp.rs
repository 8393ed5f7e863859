//! net_af_xdp over a pair of joined interfaces: frames past the kernel's stack.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use common::{Veth, frame, receive};
use dpdk_bindings::{Eal, Mempool, MempoolConfig, Port, PortConfig};

#[test]
fn frames_come_through_xdp() {
    let Some(veth) = Veth::new("dpdkxdp") else { return };
    let config = common::config(&[
        &format!("net_af_xdp0,iface={}", veth.near),
        &format!("net_af_packet0,iface={}", veth.far),
    ]);
    let eal = match Eal::init(&config) {
        Ok(eal) => eal,
        Err(error) => return println!("skipped: {error}"),
    };
    let pool = Mempool::new(eal, "af_xdp", MempoolConfig::default()).unwrap();
    let mut near = Port::by_name(eal, "net_af_xdp0").unwrap();
    assert_eq!(near.info().driver, "net_af_xdp");
    if let Err(error) = near.configure(&PortConfig::default(), std::slice::from_ref(&pool)) {
        return println!("skipped: {error}");
    }
    let mut queue = near.start().unwrap().rx.remove(0);

    let mut far = Port::by_name(eal, "net_af_packet0").unwrap();
    far.configure(
        &PortConfig {
            tx_queues: 1,
            ..Default::default()
        },
        std::slice::from_ref(&pool),
    )
    .unwrap();
    let mut sender = far.start().unwrap().tx.remove(0);

    let frames: Vec<_> = (0..100)
        .map(|number| frame(number, 60 + usize::from(number) * 14))
        .collect();
    let mut bytes = Vec::new();
    for frames in frames.chunks(10) {
        frames
            .iter()
            .for_each(|frame| assert!(sender.send(&pool, frame).unwrap()));
        receive(&mut queue, frames.len(), |burst| {
            bytes.extend(burst.iter().map(|packet| packet.data().to_vec()));
        });
    }
    assert_eq!(bytes, frames);

    // Packets received are back; what is left are the buffers the driver had given to the kernel, which it
    // does not take back when closed.
    let given = pool.in_use();
    drop((queue, sender, near, far));
    assert!(pool.in_use() <= given);
}
