//! How long the wire decoder takes for a packet in the cache, by kind of packet. Prints ns per packet, the
//! best of many rounds; all kinds, or the one named.
//!
//! `cargo run --profile quick -p tapir-parsers --example wire_timing ["ipv4 tcp"]`

use std::hint::black_box;
use std::time::Instant;
use tapir_parsers::wire::{DecodeOptions, Decoded, LinkType, Reassembler, decode};

const PACKETS: usize = 64;
const ROUNDS: usize = 2000;
const REPEATS: usize = 50;

fn ethernet(ethertype: u16, body: &[u8]) -> Vec<u8> {
    [
        &[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1],
        &ethertype.to_be_bytes()[..],
        body,
    ]
    .concat()
}

fn ip4(protocol: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + body.len() as u16).to_be_bytes();
    let header = [
        0x45, 0, high, low, 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
    ];
    [&header, body].concat()
}

fn ip6(protocol: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = (body.len() as u16).to_be_bytes();
    let mut header = vec![0x60, 0, 0, 0, high, low, protocol, 64];
    header.extend([0x20; 32]);
    [&header, body].concat()
}

fn tcp(flags: u8, options: &[u8]) -> Vec<u8> {
    let mut header = vec![
        0x1f, 0x90, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, flags, 1, 0, 0, 0, 0, 0,
    ];
    header[12] += (options.len() as u8 / 4) << 4;
    header.extend(options);
    header.extend([7; 200]);
    header
}

fn udp(port: u16, body: &[u8]) -> Vec<u8> {
    let len = (8 + body.len() as u16).to_be_bytes();
    [&[0xc0, 1], &port.to_be_bytes()[..], &len, &[0, 0], body].concat()
}

fn main() {
    let timestamps = [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    let syn = [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7];
    let tcp4 = ethernet(0x0800, &ip4(6, &tcp(0x18, &timestamps)));
    let tagged = ethernet(
        0x8100,
        &[&[0, 7, 8, 0][..], &ip4(6, &tcp(0x18, &timestamps))].concat(),
    );
    let vxlan = |inner: &[u8]| {
        let body = [&[8, 0, 0, 0, 0, 0, 7, 0][..], inner].concat();
        ethernet(0x0800, &ip4(17, &udp(4789, &body)))
    };
    let kinds = [
        ("ipv4 tcp", tcp4.clone()),
        ("ipv4 tcp syn", ethernet(0x0800, &ip4(6, &tcp(0x02, &syn)))),
        ("ipv4 udp", ethernet(0x0800, &ip4(17, &udp(53, &[7; 40])))),
        ("vlan ipv4 tcp", tagged),
        ("ipv6 tcp", ethernet(0x86dd, &ip6(6, &tcp(0x18, &timestamps)))),
        ("ipv6 udp", ethernet(0x86dd, &ip6(17, &udp(53, &[7; 40])))),
        ("vxlan ipv4 tcp", vxlan(&tcp4)),
        (
            "gre ipv4 tcp",
            ethernet(0x0800, &ip4(47, &[&[0, 0, 8, 0][..], &tcp4[14..]].concat())),
        ),
        ("arp", ethernet(0x0806, &[0; 46])),
    ];
    let options = DecodeOptions::default();
    let only = std::env::args().nth(1);
    for (name, frame) in kinds {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        let frames = vec![frame; PACKETS];
        let mut best_ns = f64::MAX;
        for _ in 0..REPEATS {
            let start = Instant::now();
            let mut sum = 0_u64;
            for _ in 0..ROUNDS {
                for frame in &frames {
                    let decoded = decode(LinkType::Ethernet, black_box(frame), frame.len(), &options);
                    match black_box(&decoded) {
                        Ok(Decoded::Packet(packet)) => sum += u64::from(packet.payload_len),
                        Ok(Decoded::Fragment(_)) => {}
                        Err(reason) => sum += *reason as u64,
                    }
                }
            }
            black_box(sum);
            best_ns = best_ns.min(start.elapsed().as_nanos() as f64 / (ROUNDS * PACKETS) as f64);
        }
        println!("{name:16} {best_ns:6.1} ns");
    }
    time_fragments(&options);
}

/// Datagrams of 4000 bytes in three fragments, put together.
fn time_fragments(options: &DecodeOptions) {
    let datagram = udp(53, &[7; 3992]);
    let mut frames: Vec<_> = datagram
        .chunks(1480)
        .map(|data| ethernet(0x0800, &ip4(17, data)))
        .collect();
    for (frame, word) in frames.iter_mut().zip([0x2000_u16, 0x2000 | 185, 370]) {
        frame[20..22].copy_from_slice(&word.to_be_bytes());
    }
    let mut reassembler = Reassembler::default();
    let mut best_ns = f64::MAX;
    for _ in 0..REPEATS {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for frame in &frames {
                if let Ok(Decoded::Fragment(fragment)) =
                    decode(LinkType::Ethernet, frame, frame.len(), options)
                {
                    let _ = black_box(reassembler.push(&fragment, std::iter::once(&frame[..]), 0, options));
                }
            }
        }
        best_ns = best_ns.min(start.elapsed().as_nanos() as f64 / (ROUNDS * frames.len()) as f64);
    }
    assert_eq!(reassembler.counts().datagrams, (ROUNDS * REPEATS) as u64);
    println!("{:16} {best_ns:6.1} ns a fragment", "ipv4 fragment");
}
