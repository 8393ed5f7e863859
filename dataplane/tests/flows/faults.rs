//! The fault injector does what it says, and the same each time.

use crate::talk::{http_connection, outline};
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_dataplane::source::fault::{FaultCounters, FaultOptions, FaultSource};
use tapir_dataplane::source::{Batch, BatchSource, Buffer, FrameAt, Poll, Source};
use tapir_dataplane::testing::{frame_source, replay_from};
use tapir_parsers::wire::LinkType;

/// Ten thousand numbered frames, in batches of `batch`.
fn numbered(batch: usize) -> impl Source {
    let mut numbers: Vec<u32> = (0..10_000).collect();
    BatchSource::new(move || {
        let now: Vec<u32> = numbers.drain(..batch.min(numbers.len())).collect();
        let frame = |(i, n): (usize, &u32)| FrameAt {
            time_ns: u64::from(*n),
            offset: 8 * i as u32,
            len: 8,
            wire_len: 80,
            link: LinkType::RawIp,
        };
        let frames = now.iter().enumerate().map(frame).collect();
        let bytes = now
            .iter()
            .flat_map(|n| u64::from(*n).to_be_bytes())
            .collect::<Vec<u8>>()
            .into();
        (!now.is_empty()).then(|| std::sync::Arc::new(Batch { bytes, frames }))
    })
}

/// Frames as they come out: time and bytes.
fn frames<S: Source>(source: &mut S) -> Vec<(u64, Vec<u8>)> {
    let mut frames = Vec::new();
    while source.receive() == Poll::Packets {
        assert!((1..=64).contains(&source.len()));
        for i in 0..source.len() {
            assert_eq!((source.link(i), source.wire_len(i)), (LinkType::RawIp, 80));
            let (time_ns, bytes) = (source.time_ns(i), source.frame(i).to_vec());
            assert_eq!(
                (source.frame_len(i), source.segment(i, 0)),
                (bytes.len(), Some(&bytes[..]))
            );
            let kept = source.take(i).expect("a frame can be kept once");
            assert_eq!((kept.segment(0), kept.segment(1)), (Some(&bytes[..]), None));
            assert!(source.take(i).is_none());
            frames.push((time_ns, bytes));
        }
    }
    assert_eq!(source.receive(), Poll::End);
    frames
}

fn with_faults(faults: &str, batch: usize) -> (Vec<(u64, Vec<u8>)>, FaultCounters) {
    let mut source = FaultSource::new(numbered(batch), faults.parse().unwrap());
    let frames = frames(&mut source);
    (frames, source.counters())
}

#[test]
fn without_faults_everything_passes() {
    let (frames, counters) = with_faults("", 1000);
    let numbers: Vec<u64> = frames.iter().map(|(time_ns, _)| *time_ns).collect();
    assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());
    let untouched = FaultCounters {
        received: 10_000,
        sent: 10_000,
        ..FaultCounters::default()
    };
    assert_eq!(counters, untouched);
}

#[test]
fn a_seed_gives_the_same_faults_however_packets_come_in_bursts() {
    let faults = "loss=0.05,duplicate=0.5,reorder=0.1,window=100,truncate=0.1,corrupt=0.1,seed=3";
    let (first, counters) = with_faults(faults, 1000);
    for batch in [1, 63, 10_000] {
        assert!(
            with_faults(faults, batch) == (first.clone(), counters),
            "in batches of {batch}"
        );
    }
    assert!(with_faults(&faults.replace("seed=3", "seed=4"), 1000).0 != first);
}

#[test]
fn every_fault_happens_as_often_as_it_should() {
    let (frames, counters) = with_faults("loss=0.1", 1000);
    assert_eq!(counters.lost + counters.sent, 10_000);
    assert_eq!(frames.len() as u64, counters.sent);
    assert!((900..1100).contains(&counters.lost), "{counters:?}");

    let (frames, counters) = with_faults("duplicate=0.1", 1000);
    assert!((900..1100).contains(&counters.duplicated), "{counters:?}");
    assert_eq!(counters.sent, 10_000 + counters.duplicated);
    let twice = frames.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(twice as u64, counters.duplicated);

    let (frames, counters) = with_faults("truncate=0.1", 1000);
    let cut = frames.iter().filter(|(_, bytes)| bytes.len() < 8).count();
    assert_eq!(cut as u64, counters.truncated);
    assert!((900..1100).contains(&counters.truncated), "{counters:?}");

    let (frames, counters) = with_faults("corrupt=0.1", 1000);
    let is_changed = |frame: &&(u64, Vec<u8>)| frame.1 != frame.0.to_be_bytes();
    let changed = frames.iter().filter(is_changed).count() as u64;
    // Two flips of one bit leave it as it was.
    assert!(
        changed <= counters.corrupted && changed > counters.corrupted * 9 / 10,
        "{changed} {counters:?}"
    );
    assert!((900..1100).contains(&counters.corrupted), "{counters:?}");
}

#[test]
fn late_packets_stay_within_their_window_and_carry_the_time_at_which_they_come() {
    let (frames, counters) = with_faults("reorder=0.1,window=20", 64);
    let numbers: Vec<u64> = frames
        .iter()
        .map(|(_, b)| u64::from_be_bytes(b[..].try_into().unwrap()))
        .collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..10_000).collect::<Vec<_>>(), "nothing is lost");
    assert!(
        frames.windows(2).all(|pair| pair[0].0 <= pair[1].0),
        "time goes on"
    );
    let mut late = 0;
    for (place, number) in numbers.iter().enumerate() {
        let behind = numbers[..place].iter().filter(|n| *n > number).count();
        late += u64::from(behind > 0);
        assert!(behind <= 20, "{number} comes {behind} packets late");
    }
    assert!(
        late <= counters.reordered && late > counters.reordered / 2,
        "{late} {counters:?}"
    );
}

#[test]
fn injectors_stack() {
    let options = |faults: &str| faults.parse::<FaultOptions>().unwrap();
    let inner = FaultSource::new(numbered(500), options("duplicate=1"));
    let mut outer = FaultSource::new(inner, options("loss=0.5,seed=9"));
    let frames = frames(&mut outer);
    let counters = outer.counters();
    assert_eq!(counters.received, 20_000);
    assert_eq!(frames.len() as u64 + counters.lost, 20_000);
}

#[test]
fn a_connection_through_an_idle_injector_is_as_without() {
    let frames = http_connection(1..=40).frames();
    let source = FaultSource::new(frame_source(&frames), FaultOptions::default());
    let replayed = replay_from(vec![source], &PipelineOptions::default());
    let matched: Vec<_> = (1..=40).map(|id| ("matched", Some(id), Some(id))).collect();
    assert_eq!(outline(&replayed), matched);
}

#[test]
fn copies_can_be_held_beyond_their_burst() {
    // Every packet is a copy, and many wait for one that is late.
    let frames = http_connection((0..60).map(|n| 2000 + n)).frames();
    let options = "duplicate=1,reorder=0.3,window=3".parse().unwrap();
    let source = FaultSource::new(frame_source(&frames), options);
    let replayed = replay_from(vec![source], &PipelineOptions::default());
    assert!(replayed.held_max > 0);
    assert!(replayed.told.iter().filter(|told| told.kind == "matched").count() > 50);
}
