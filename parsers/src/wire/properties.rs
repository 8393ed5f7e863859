//! What must hold for any frame: no panic, a name for every refusal, fragments in any order.

use super::fuzz::{LINKS, Target, check};
use super::samples::{Sample, bytes};
use super::{DecodeOptions, DropReason, LinkType, Reassembler, TunnelKind, decode, decode_layers};
use crate::testing::corpus::keep_seed;

/// One frame for each way through the decoder.
fn samples() -> Vec<Sample> {
    let syn = [2, 4, 5, 0xb4, 1, 3, 3, 7];
    let v4 = || Sample::udp4(53, 4000, b"payload").ethernet(0x0800);
    let v6 = || Sample::tcp6(0x18, &[], b"payload").ethernet(0x86dd);
    let vxlan = [8, 0, 0, 0, 0, 0, 9, 0];
    let gtp_len = [0, 7 + 8 + 20 + 4];
    vec![
        v4(),
        v6(),
        Sample::tcp4(0x02, &syn, b"").ethernet(0x0800),
        Sample::tcp4(0x18, &[], b"payload").ethernet(0x0800).back(&[0; 9]),
        Sample::icmp4(8, b"ping").ethernet(0x0800),
        Sample::icmp6(129, b"ping").ethernet(0x86dd),
        Sample::udp6(1, 2, b"x")
            .extension(60)
            .extension(51)
            .extension(0)
            .ethernet(0x86dd),
        Sample::udp4(1, 2, b"x")
            .vlan(2, 0x0800)
            .vlan(1, 0x8100)
            .ethernet(0x88a8),
        Sample::udp6(1, 2, b"x").mpls(&[16, 17]).ethernet(0x8847),
        v4().front(&[0; 4]).mpls(&[18]).ethernet(0x8847),
        Sample::udp4(1, 2, b"x").pppoe(0x21).ethernet(0x8864),
        v6().front(&vxlan).in_udp4(4789).ethernet(0x0800),
        v4().front(&[2, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 1, 0, 0, 0, 0])
            .in_udp4(6081)
            .ethernet(0x0800),
        Sample::udp4(1, 2, b"payload")
            .front(&[0, 1, 0, 0])
            .front(&[0x32, 0xff, gtp_len[0], gtp_len[1], 0, 0, 0, 1])
            .in_udp4(2152)
            .ethernet(0x0800),
        v4().front(&[0x20, 0, 0x65, 0x58, 0, 0, 0, 1])
            .in_ip4(47)
            .ethernet(0x0800),
        v4().front(&[0x20, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9])
            .front(&[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1])
            .in_ip6(47)
            .ethernet(0x86dd),
        Sample::udp6(1, 2, b"x").in_ip4(41).ethernet(0x0800),
        Sample::udp4(1, 2, b"x")
            .front(&[0, 2, 2, 1, 0, 0, 1, 1])
            .front(&[0xc, 0, 0, 4, 0, 0, 7, 0])
            .in_udp4(4790)
            .ethernet(0x0800),
        Sample::udp4(1, 2, &[7; 40])
            .fragments4(16)
            .swap_remove(1)
            .ethernet(0x0800),
        Sample::udp6(1, 2, &[7; 40])
            .fragments6(40, 6, 16)
            .swap_remove(0)
            .ethernet(0x86dd),
    ]
}

#[test]
fn every_sample_decodes_and_every_truncation_has_a_name() {
    let verifying = DecodeOptions::default().with_verified_checksums(true);
    for sample in samples() {
        if let Ok(len) = u8::try_from(sample.bytes.len()) {
            keep_seed("wire", "frame", &[&[0, len][..], &sample.bytes].concat());
        }
        assert!(
            sample.decode().is_ok(),
            "{:?}: {:x?}",
            sample.decode(),
            sample.bytes
        );
        for options in [&DecodeOptions::default(), &verifying] {
            for len in 0..=sample.bytes.len() {
                let cut = &sample.bytes[..len];
                check(decode(LinkType::Ethernet, cut, len, options), len);
                // The rest in a second segment: the same facts, or the reason is that.
                let split = decode(LinkType::Ethernet, cut, sample.bytes.len(), options);
                if split != Err(DropReason::HeadersNotContiguous) {
                    assert_eq!(split, sample.decode());
                }
            }
        }
    }
}

#[test]
fn every_changed_byte_has_a_name_too() {
    let options = DecodeOptions::default();
    for sample in samples() {
        for index in 0..sample.bytes.len() {
            for value in [0, 1, 0x0f, 0x40, 0x7f, 0x80, 0xf0, 0xff] {
                let mut changed = sample.bytes.clone();
                changed[index] = value;
                let len = changed.len();
                let decoded = decode(LinkType::Ethernet, &changed, len, &options);
                check(decoded, len);
                assert_eq!(
                    decoded,
                    decode_layers(LinkType::Ethernet, &changed, len, &options)
                );
            }
        }
    }
}

/// Knuth's 64-bit linear congruential generator; the high half is the good one.
struct Lcg(u64);

impl Lcg {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() as usize % bound
    }
}

#[test]
fn random_bytes_and_mutated_samples_never_panic() {
    let samples = samples();
    let mut random = Lcg(1);
    let mut target = Target::default();
    let mut frame = Vec::new();
    for round in 0..1_000_000 {
        frame.clear();
        if round % 2 == 0 {
            let len = random.below(120);
            frame.extend((0..len).map(|_| random.next() as u8));
            // Something to begin with, or all would end at the EtherType.
            if let Some(head) = frame.get_mut(12..15) {
                let start = [
                    [8, 0, 0x45],
                    [0x86, 0xdd, 0x60],
                    [0x81, 0, 0],
                    [0x88, 0x47, 0],
                    [8, 0, 0x46],
                ];
                head.copy_from_slice(&start[random.below(start.len())]);
            }
        } else {
            frame.extend_from_slice(&samples[random.below(samples.len())].bytes);
            for _ in 0..=random.below(4) {
                let index = random.below(frame.len());
                frame[index] = random.next() as u8;
            }
        }
        target.decode(LINKS[random.below(8) % LINKS.len()], &frame, frame.len());
    }
    target.finish();
}

/// Calls `visit` with every order of `0..count` (Heap's algorithm).
fn for_each_order(count: usize, visit: &mut impl FnMut(&[usize])) {
    fn permute(order: &mut [usize], upto: usize, visit: &mut impl FnMut(&[usize])) {
        if upto <= 1 {
            return visit(order);
        }
        for index in 0..upto {
            permute(order, upto - 1, visit);
            order.swap(if upto.is_multiple_of(2) { index } else { 0 }, upto - 1);
        }
    }
    permute(&mut (0..count).collect::<Vec<_>>(), count, visit);
}

/// Pushes frames one by one; the payloads of the packets that come out.
fn reassemble(reassembler: &mut Reassembler, frames: &[&Sample]) -> Vec<Vec<u8>> {
    let options = DecodeOptions::default().with_verified_checksums(true);
    let mut payloads = Vec::new();
    for frame in frames {
        let pushed = reassembler.push(&frame.fragment(), std::iter::once(&frame.bytes[..]), 0, &options);
        if let Some((packet, bytes)) = pushed.unwrap() {
            let start = packet.payload_offset as usize;
            payloads.push(bytes[start..start + packet.payload_len as usize].to_vec());
        }
    }
    payloads
}

/// The fragments of one payload by every way that fragments come.
fn fragmented(payload: &[u8]) -> Vec<Vec<Sample>> {
    let piece = payload.len().div_ceil(5).next_multiple_of(8);
    let over_ethernet = |fragments: Vec<Sample>, ethertype| {
        fragments
            .into_iter()
            .map(|fragment| fragment.ethernet(ethertype))
            .collect::<Vec<_>>()
    };
    let vxlan = [8, 0, 0, 0, 0, 0, 9, 0];
    let tunnel_cut = Sample::udp4(1, 2, payload)
        .ethernet(0x0800)
        .front(&vxlan)
        .in_udp4(4789);
    let cut_in_tunnel = Sample::udp4(1, 2, payload).fragments4(piece).into_iter();
    vec![
        over_ethernet(Sample::udp4(1, 2, payload).fragments4(piece), 0x0800),
        over_ethernet(Sample::tcp4(0x18, &[], payload).fragments4(piece), 0x0800),
        over_ethernet(Sample::udp6(1, 2, payload).fragments6(40, 6, piece), 0x86dd),
        over_ethernet(
            Sample::udp6(1, 2, payload)
                .extension(60)
                .fragments6(48, 40, piece),
            0x86dd,
        ),
        over_ethernet(tunnel_cut.fragments4((piece + 16).next_multiple_of(8)), 0x0800),
        cut_in_tunnel
            .map(|fragment| {
                fragment
                    .ethernet(0x0800)
                    .front(&vxlan)
                    .in_udp4(4789)
                    .ethernet(0x0800)
            })
            .collect(),
    ]
}

#[test]
fn fragments_in_every_order_and_with_every_single_loss() {
    for payload in [&b"0123456789abcdefghijklmnopqrstuvwxyz0123456789"[..], &[7; 7000]] {
        for frames in fragmented(payload) {
            assert!((4..=6).contains(&frames.len()), "{}", frames.len());
            let mut reassembler = Reassembler::default();
            for_each_order(frames.len(), &mut |order| {
                let ordered: Vec<_> = order.iter().map(|index| &frames[*index]).collect();
                assert_eq!(reassemble(&mut reassembler, &ordered), [payload]);
                assert_eq!(reassembler.counts().held, 0);
            });
            for lost in 0..frames.len() {
                let mut reassembler = Reassembler::default();
                let rest: Vec<_> = frames
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| *index != lost)
                    .map(|(_, f)| f)
                    .collect();
                assert!(reassemble(&mut reassembler, &rest).is_empty());
                assert_eq!(reassembler.counts().held, rest.len() as u64);
                // The one that was lost comes late, and all is well.
                assert_eq!(reassemble(&mut reassembler, &[&frames[lost]]), [payload]);
            }
        }
    }
}

#[test]
fn fragments_inside_a_fragmented_tunnel() {
    let vxlan = [8, 0, 0, 0, 0, 0, 9, 0];
    let payload = [7; 300];
    let mut frames = Vec::new();
    for (id, inner) in Sample::udp4(1, 2, &payload)
        .fragments4(104)
        .into_iter()
        .enumerate()
    {
        let mut outer = inner.ethernet(0x0800).front(&vxlan).in_udp4(4789);
        outer.bytes[5] = id as u8 + 1;
        frames.extend(
            outer
                .fragments4(64)
                .into_iter()
                .map(|fragment| fragment.ethernet(0x0800)),
        );
    }
    let mut reassembler = Reassembler::default();
    let refs: Vec<_> = frames.iter().rev().collect();
    let options = DecodeOptions::default();
    let mut found = 0;
    for frame in &refs {
        let pushed = reassembler.push(&frame.fragment(), std::iter::once(&frame.bytes[..]), 0, &options);
        if let Some((packet, _)) = pushed.unwrap() {
            assert_eq!(packet.payload_len, 300);
            assert_eq!(
                packet.encap.tunnel().map(|tunnel| tunnel.kind),
                Some(TunnelKind::Vxlan)
            );
            found += 1;
        }
    }
    let counts = reassembler.counts();
    assert_eq!(
        (found, counts.held, counts.merged),
        (1, 0, frames.len() as u64 - 1)
    );
}

#[test]
fn a_giant_frame_and_an_empty_one() {
    let options = DecodeOptions::default();
    for link in LINKS {
        check(decode(link, &[], 0, &options), 0);
        check(decode(link, &[0; 64], usize::MAX, &options), usize::MAX);
        check(decode(link, &[0x45; 64], usize::MAX, &options), usize::MAX);
    }
    // A frame length below that of the segment counts.
    let sample = bytes(&samples()[0].bytes);
    assert_eq!(
        decode(LinkType::Ethernet, &sample.bytes, 20, &options),
        Err(DropReason::Ipv4HeaderTruncated)
    );
}
