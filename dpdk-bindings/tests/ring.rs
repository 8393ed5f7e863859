//! net_ring: a loop from a port's transmit to its own receive side.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use common::{frame, receive};
use dpdk_bindings::{Burst, Mempool, MempoolConfig, Port, PortConfig};

#[test]
fn what_is_sent_comes_back() {
    let eal = common::eal(&["net_ring0"]);
    let pool = Mempool::new(
        eal,
        "ring",
        MempoolConfig {
            mbufs: 1023,
            ..Default::default()
        },
    )
    .unwrap();
    let mut port = Port::by_name(eal, "net_ring0").unwrap();
    let config = PortConfig {
        tx_queues: 1,
        ..Default::default()
    };
    port.configure(&config, std::slice::from_ref(&pool)).unwrap();
    let mut queues = port.start().unwrap();
    let (mut rx, mut tx) = (queues.rx.remove(0), queues.tx.remove(0));

    assert!(tx.send(&pool, &[]).is_err());
    assert!(tx.send(&pool, &vec![0; 65_536]).is_err());
    for number in 0..100 {
        assert!(
            tx.send(&pool, &frame(number, 60 + usize::from(number) * 40))
                .unwrap()
        );
    }
    let mut numbers = Vec::new();
    let received = receive(&mut rx, 100, |burst| {
        for packet in burst.iter() {
            let number = packet.data()[14];
            assert_eq!(
                packet.segments().collect::<Vec<_>>().concat(),
                frame(number, 60 + usize::from(number) * 40)
            );
            assert_eq!(
                (packet.rss_hash(), packet.timestamp(), packet.stripped_vlan()),
                (None, None, None)
            );
            numbers.push(number);
        }
    });
    assert_eq!((received, pool.in_use()), (100, 0));
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());

    // A packet held by the sender, too, is the same one at the receiver.
    let kept = pool.packet_from(b"kept").unwrap();
    let mut burst = Burst::new();
    burst.push(kept.share()).unwrap();
    assert_eq!(tx.send_burst(&mut burst), 1);
    assert_eq!(rx.receive(&mut burst), 1);
    assert_eq!(burst.take(0).unwrap(), kept);
    assert_eq!(pool.in_use(), 1);

    assert_eq!(port.stats().unwrap().tx_packets, 101);
}
