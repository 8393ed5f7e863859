//! net_af_packet over a pair of joined interfaces: frames the kernel carries, spread by its fanout.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::collections::{HashMap, HashSet};

use common::Veth;
use dpdk_bindings::{Mempool, MempoolConfig, Port, PortConfig, RxOffloads, RxQueue};

const FLOWS: u8 = 32;

#[test]
fn flows_are_spread_and_stay_together() {
    let Some(veth) = Veth::new("dpdkafp") else { return };
    let eal = common::eal(&[
        &format!("net_af_packet0,iface={},qpairs=2", veth.near),
        &format!("net_af_packet1,iface={}", veth.far),
    ]);
    let pool = Mempool::new(eal, "af_packet", MempoolConfig::default()).unwrap();
    let mut near = Port::by_name(eal, "net_af_packet0").unwrap();
    let info = near.info().clone();
    assert_eq!(
        (info.driver.as_str(), info.max_rx_queues, info.can_rss()),
        ("net_af_packet", 2, false)
    );
    assert!(info.interface_index.is_some());
    let config = PortConfig {
        rx_queues: 2,
        tx_queues: 2,
        ..Default::default()
    };
    assert_eq!(
        near.configure(&config, std::slice::from_ref(&pool)).unwrap().rss,
        None
    );
    let mut queues = near.start().unwrap();
    assert!(near.is_promiscuous());
    assert!(near.link().unwrap().up);
    assert!(!near.has_symmetric_rss());

    let mut far = Port::by_name(eal, "net_af_packet1").unwrap();
    far.configure(
        &PortConfig {
            tx_queues: 1,
            ..Default::default()
        },
        std::slice::from_ref(&pool),
    )
    .unwrap();
    let mut sender = far.start().unwrap().tx.remove(0);

    // Both directions of every flow, three times.
    for _ in 0..3 {
        for flow in 0..FLOWS {
            assert!(sender.send(&pool, &udp(flow, true)).unwrap());
            assert!(sender.send(&pool, &udp(flow, false)).unwrap());
        }
    }
    let mut queue_of: HashMap<u8, HashSet<u16>> = HashMap::new();
    let wanted = 3 * 2 * usize::from(FLOWS);
    let received: usize = queues
        .rx
        .iter_mut()
        .map(|queue| count_flows(queue, wanted, &mut queue_of))
        .sum();
    assert_eq!(received, wanted);
    assert_eq!(queue_of.len(), usize::from(FLOWS));
    assert!(
        queue_of.values().all(|queues| queues.len() == 1),
        "a flow is on two queues: {queue_of:?}"
    );
    assert_eq!(
        queue_of.values().flatten().collect::<HashSet<_>>().len(),
        2,
        "all flows are on one queue"
    );
    assert_eq!(near.stats().unwrap().rx_packets, wanted as u64);

    // The kernel takes VLAN tags out; the driver puts them back unless it was asked to strip.
    assert!(sender.send(&pool, &tagged()).unwrap());
    let tags = tags_of(&mut queues.rx);
    assert_eq!(tags, [(tagged(), None)]);
    drop(queues);
    near.stop().unwrap();
    let strip = PortConfig {
        offloads: RxOffloads::VLAN_STRIP,
        ..config
    };
    let grant = near.configure(&strip, std::slice::from_ref(&pool)).unwrap();
    let mut queues = near.start().unwrap();
    assert!(sender.send(&pool, &tagged()).unwrap());
    let tags = tags_of(&mut queues.rx);
    assert_eq!(grant.offloads, RxOffloads::VLAN_STRIP);
    assert_eq!(tags, [(udp(1, true), Some(0x6005))]);

    drop((queues, sender, near, far));
    assert_eq!(pool.in_use(), 0);
}

/// Receives what is there, and notes which queue each flow came in on.
fn count_flows(queue: &mut RxQueue, most: usize, queue_of: &mut HashMap<u8, HashSet<u16>>) -> usize {
    let index = queue.index();
    common::receive(queue, most, |burst| {
        for packet in burst.iter() {
            let data = packet.data();
            let flow = data[35].max(data[37]);
            queue_of.entry(flow).or_default().insert(index);
        }
    })
}

fn tags_of(queues: &mut [RxQueue]) -> Vec<(Vec<u8>, Option<u16>)> {
    let mut tags = Vec::new();
    for queue in queues {
        common::receive(queue, 1, |burst| {
            tags.extend(
                burst
                    .iter()
                    .map(|packet| (packet.data().to_vec(), packet.stripped_vlan())),
            );
        });
    }
    tags
}

/// Ethernet, IPv4, UDP without checksum, 18 bytes of nothing: the least a frame can be. The flow is in the low
/// byte of the client's port; the server's is 0.
fn udp(flow: u8, to_server: bool) -> Vec<u8> {
    let (client, server) = ([10, 9, 0, 1], [10, 9, 0, 2]);
    let (client_port, server_port) = ([0x40, flow], [0x20, 0]);
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    let mut ip = vec![0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0];
    let udp = if to_server {
        ip.extend([client, server].concat());
        [client_port, server_port]
    } else {
        ip.extend([server, client].concat());
        [server_port, client_port]
    };
    let sum: u32 = ip
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    frame.extend(ip);
    frame.extend(udp.concat());
    frame.extend([0, 26, 0, 0]);
    frame.extend([0; 18]);
    frame
}

/// A frame with an 802.1Q tag: priority 3, VLAN 5.
fn tagged() -> Vec<u8> {
    let mut frame = udp(1, true);
    frame.splice(12..12, [0x81, 0, 0x60, 5]);
    frame
}
