//! net_memif: the two ends of a shared-memory link, here in one process.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::time::{Duration, Instant};

use common::{frame, receive};
use dpdk_bindings::{Mempool, MempoolConfig, Port, PortConfig};

#[test]
fn frames_cross_shared_memory() {
    let socket = common::temporary("memif.sock");
    let end = |index, role| {
        format!(
            "net_memif{index},role={role},socket={},socket-abstract=no",
            socket.display()
        )
    };
    let eal = common::eal(&[&end(0, "server"), &end(1, "client")]);
    let pool = Mempool::new(eal, "memif", MempoolConfig::default()).unwrap();
    let start = |name, tx_queues| {
        let config = PortConfig {
            tx_queues,
            ..Default::default()
        };
        let mut port = Port::by_name(eal, name).unwrap();
        port.configure(&config, std::slice::from_ref(&pool)).unwrap();
        let queues = port.start().unwrap();
        (port, queues)
    };
    let (server, mut at_server) = start("net_memif0", 0);
    let (client, mut at_client) = start("net_memif1", 1);

    // They connect in the background.
    let end = Instant::now() + Duration::from_secs(10);
    while !(server.link().unwrap().up && client.link().unwrap().up) {
        assert!(Instant::now() < end, "not connected");
        std::thread::sleep(Duration::from_millis(20));
    }
    let frames: Vec<_> = (0..60)
        .map(|number| frame(number, 60 + usize::from(number) * 30))
        .collect();
    for frame in &frames {
        assert!(at_client.tx[0].send(&pool, frame).unwrap());
    }
    let mut bytes = Vec::new();
    receive(&mut at_server.rx[0], frames.len(), |burst| {
        bytes.extend(
            burst
                .iter()
                .map(|packet| packet.segments().collect::<Vec<_>>().concat()),
        );
    });
    assert_eq!(bytes, frames);
    drop((at_server, at_client, server, client));
    assert_eq!(pool.in_use(), 0);
}
