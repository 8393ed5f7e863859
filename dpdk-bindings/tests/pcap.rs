//! net_pcap: known bytes through a port, jumbo frames over small buffers among them.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use common::{frame, receive};
use dpdk_bindings::{Checksum, Mempool, MempoolConfig, Port, PortConfig, RxOffloads};

#[test]
fn bytes_of_a_capture_come_through() {
    let frames: Vec<_> = [60, 1514, 64, 9014, 128]
        .into_iter()
        .zip(0..)
        .map(|(len, i)| frame(i, len))
        .collect();
    let file = common::write_pcap("frames.pcap", &frames);
    let eal = common::eal(&[&format!("net_pcap0,rx_pcap={}", file.display())]);
    let config = MempoolConfig {
        mbufs: 511,
        data_room: 1024,
        ..Default::default()
    };
    let pool = Mempool::new(eal, "small buffers", config).unwrap();
    let mut port = Port::by_name(eal, "net_pcap0").unwrap();
    assert_eq!(port.info().driver, "net_pcap");
    assert!(!port.info().can_rss());

    let wanted = PortConfig {
        mtu: 9000,
        offloads: RxOffloads::CHECKSUM | RxOffloads::TIMESTAMP | RxOffloads::VLAN_STRIP,
        ..Default::default()
    };
    let grant = port.configure(&wanted, std::slice::from_ref(&pool)).unwrap();
    assert_eq!((grant.mtu, grant.rss), (9000, None));
    assert_eq!(grant.offloads & port.info().offloads, grant.offloads);

    let mut queue = port.start().unwrap().rx.remove(0);
    let (mut bytes, mut held) = (Vec::new(), Vec::new());
    let received = receive(&mut queue, frames.len(), |burst| {
        for packet in burst.iter() {
            bytes.push(packet.segments().collect::<Vec<_>>().concat());
            assert_eq!(packet.len(), bytes.last().unwrap().len());
            assert_eq!(packet.segment_count() as usize, packet.segments().count());
            assert_eq!(packet.is_scattered(), packet.len() > 1024);
            assert!(packet.data().len() <= 1024);
            // The driver looks at nothing, so says nothing.
            assert_eq!(
                (packet.ip_checksum(), packet.l4_checksum()),
                (Checksum::Unknown, Checksum::Unknown)
            );
            assert_eq!(
                (
                    packet.rss_hash(),
                    packet.stripped_vlan(),
                    packet.stripped_outer_vlan()
                ),
                (None, None, None)
            );
        }
        held.extend((0..burst.len()).filter_map(|index| burst.take(index)));
    });
    assert_eq!(received, frames.len());
    assert_eq!(bytes, frames);
    // It does read times out of the file, one a second.
    let times: Vec<_> = held.iter().map(|packet| packet.timestamp().unwrap()).collect();
    assert!(
        times.windows(2).all(|pair| pair[1] - pair[0] == 1_000_000),
        "{times:?}"
    );

    let stats = port.stats().unwrap();
    let total: usize = frames.iter().map(Vec::len).sum();
    assert_eq!(
        (stats.rx_packets, stats.rx_bytes, stats.rx_errors),
        (5, total as u64, 0)
    );
    assert!(stats.named().contains(&("rx_packets", 5)));
    let extended = port.extended_stats().unwrap();
    assert!(
        extended.contains(&("rx_good_packets".to_owned(), 5)),
        "{extended:?}"
    );
    assert!(port.clock().unwrap_err().to_string().contains("ENOTSUP"));

    // Held packets outlive the queue and the port.
    drop((queue, port));
    assert_eq!(
        pool.in_use(),
        held.iter().map(|packet| u32::from(packet.segment_count())).sum()
    );
    assert_eq!(held[3].segments().collect::<Vec<_>>().concat(), frames[3]);
    drop(held);
    assert_eq!(pool.in_use(), 0);
}
