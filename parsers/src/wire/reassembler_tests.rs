//! What the reassembler does with copies, overlaps, lies and too much of anything.

use super::samples::Sample;
use super::{DecodeOptions, DropReason, Reassembler, ReassemblyLimits};

const SECOND_NS: u64 = 1_000_000_000;

fn push(reassembler: &mut Reassembler, frame: &Sample, now_ns: u64) -> Result<Option<usize>, DropReason> {
    let options = DecodeOptions::default();
    let segments = std::iter::once(&frame.bytes[..]);
    let pushed = reassembler.push(&frame.fragment(), segments, now_ns, &options)?;
    Ok(pushed.map(|(packet, _)| packet.payload_len as usize))
}

/// Four fragments of a UDP datagram of 100 bytes.
fn frames() -> Vec<Sample> {
    let packet = Sample::udp4(1, 2, &[7; 100]);
    packet
        .fragments4(32)
        .into_iter()
        .map(|fragment| fragment.ethernet(0x0800))
        .collect()
}

#[test]
fn the_last_one_completes() {
    let mut reassembler = Reassembler::default();
    let frames = frames();
    for frame in &frames[1..] {
        assert_eq!(push(&mut reassembler, frame, 0), Ok(None));
    }
    assert_eq!(push(&mut reassembler, &frames[0], 0), Ok(Some(100)));
    let counts = reassembler.counts();
    assert_eq!((counts.held, counts.merged, counts.datagrams), (0, 3, 1));
    assert_eq!(counts.dropped_total(), 0);
}

#[test]
fn segments_of_a_buffer() {
    let mut reassembler = Reassembler::default();
    let options = DecodeOptions::default();
    let frames = frames();
    for frame in &frames {
        let (head, tail) = frame.bytes.split_at(40);
        let segments = [head, &tail[..3], &tail[3..]];
        let pushed = reassembler.push(&frame.fragment(), segments.into_iter(), 0, &options);
        if let Some((packet, bytes)) = pushed.unwrap() {
            assert_eq!(&bytes[packet.payload_offset as usize..], [7; 100]);
            return;
        }
    }
    panic!("not completed");
}

#[test]
fn a_copy_is_dropped_alone() {
    let mut reassembler = Reassembler::default();
    let frames = frames();
    assert_eq!(push(&mut reassembler, &frames[1], 0), Ok(None));
    assert_eq!(
        push(&mut reassembler, &frames[1], 0),
        Err(DropReason::FragmentDuplicate)
    );
    assert_eq!(reassembler.counts().held, 1);
    // The same place with other bytes is an overlap.
    let mut forged = frames[1].clone();
    *forged.bytes.last_mut().unwrap() ^= 1;
    assert_eq!(
        push(&mut reassembler, &forged, 0),
        Err(DropReason::FragmentOverlap)
    );
}

#[test]
fn overlap_refuses_the_whole_datagram() {
    let mut reassembler = Reassembler::default();
    let frames = frames();
    let wide = Sample::udp4(1, 2, &[7; 100]).fragments4(40);
    assert_eq!(push(&mut reassembler, &frames[0], 0), Ok(None));
    assert_eq!(push(&mut reassembler, &frames[2], 0), Ok(None));
    // Bytes 40 to 80 into a datagram with 0 to 32 and 64 to 96.
    let teardrop = wide[1].clone().ethernet(0x0800);
    assert_eq!(
        push(&mut reassembler, &teardrop, 0),
        Err(DropReason::FragmentOverlap)
    );
    assert_eq!(
        push(&mut reassembler, &frames[1], 0),
        Err(DropReason::FragmentOverlap)
    );
    assert_eq!(reassembler.counts().dropped(DropReason::FragmentOverlap), 2);
    // After the timeout the identification is free again.
    assert_eq!(push(&mut reassembler, &frames[1], 6 * SECOND_NS), Ok(None));
}

#[test]
fn ends_must_agree() {
    let frames = frames();
    let last_of_shorter = Sample::udp4(1, 2, &[7; 70])
        .fragments4(32)
        .pop()
        .unwrap()
        .ethernet(0x0800);
    for order in [[&frames[3], &last_of_shorter], [&last_of_shorter, &frames[3]]] {
        let mut reassembler = Reassembler::default();
        assert_eq!(push(&mut reassembler, order[0], 0), Ok(None));
        assert_eq!(
            push(&mut reassembler, order[1], 0),
            Err(DropReason::FragmentEndConflict)
        );
    }
}

#[test]
fn timeout_by_packet_time_and_flush() {
    let mut reassembler = Reassembler::default();
    let frames = frames();
    assert_eq!(push(&mut reassembler, &frames[0], SECOND_NS), Ok(None));
    reassembler.expire(5 * SECOND_NS);
    assert_eq!(reassembler.counts().held, 1);
    reassembler.expire(6 * SECOND_NS);
    assert_eq!(reassembler.counts().dropped(DropReason::FragmentTimeout), 1);
    assert_eq!(push(&mut reassembler, &frames[0], 7 * SECOND_NS), Ok(None));
    reassembler.flush();
    assert_eq!(reassembler.counts().dropped(DropReason::FragmentUnfinished), 1);
    assert_eq!(reassembler.counts().held, 0);
}

/// The first fragment of datagram number `id`.
fn first_of(id: u16) -> Sample {
    let mut frame = frames().swap_remove(0);
    frame.bytes[18..20].copy_from_slice(&id.to_be_bytes());
    frame
}

#[test]
fn the_oldest_goes_at_either_bound() {
    let few = ReassemblyLimits {
        datagrams: 2,
        ..ReassemblyLimits::default()
    };
    // Two blocks a first fragment: one of data, one of headers.
    let small = ReassemblyLimits {
        bytes: 5 * 504,
        ..ReassemblyLimits::default()
    };
    for limits in [few, small] {
        let mut reassembler = Reassembler::new(limits);
        for id in 0..10 {
            assert_eq!(push(&mut reassembler, &first_of(id), 0), Ok(None));
        }
        assert_eq!(reassembler.counts().held, 2);
        assert_eq!(reassembler.counts().dropped(DropReason::FragmentEvicted), 8);
        // The newest two are still there.
        assert_eq!(
            push(&mut reassembler, &first_of(9), 0),
            Err(DropReason::FragmentDuplicate)
        );
        assert_eq!(
            push(&mut reassembler, &first_of(8), 0),
            Err(DropReason::FragmentDuplicate)
        );
    }
}

#[test]
fn one_datagram_alone_may_not_exceed_the_bounds() {
    let tiny = ReassemblyLimits {
        bytes: 2 * 504,
        ..ReassemblyLimits::default()
    };
    let mut reassembler = Reassembler::new(tiny);
    assert_eq!(push(&mut reassembler, &frames()[0], 0), Ok(None));
    assert_eq!(
        push(&mut reassembler, &frames()[1], 0),
        Err(DropReason::FragmentEvicted)
    );
    assert_eq!(reassembler.counts().held, 0);

    let mut reassembler = Reassembler::default();
    let crumbs = Sample::udp4(1, 2, &[7; 2000]).fragments4(8);
    let pushed: Vec<_> = crumbs
        .into_iter()
        .map(|crumb| push(&mut reassembler, &crumb.ethernet(0x0800), 0))
        .skip_while(|pushed| *pushed == Ok(None))
        .collect();
    assert!(!pushed.is_empty() && pushed.iter().all(|p| *p == Err(DropReason::FragmentTooMany)));
}
