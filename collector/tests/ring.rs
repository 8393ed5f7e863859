//! Draining a ring of bytes.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use rtrb::{Producer, RingBuffer, chunks::ChunkError};
use tapir_collector::ring::RecordRing;
use tapir_collector::testing::{Dice, Entry};
use tapir_parsers::field::Field;

/// Commits an entry whole, as an lcore does; false when there is no room.
fn push(producer: &mut Producer<u8>, entry: &[u8]) -> bool {
    match producer.write_chunk_uninit(entry.len()) {
        Ok(chunk) => {
            chunk.fill_from_iter(entry.iter().copied());
            true
        }
        Err(ChunkError::TooFewSlots(_)) => false,
    }
}

fn entry(dice: &mut Dice, id: u64) -> Vec<u8> {
    Entry::default()
        .with(|header| header.flow.flow_id = id)
        .text(Field::Resource, &vec![b'x'; dice.below(700)])
        .bytes()
}

#[test]
fn every_record_comes_out_once_and_in_order_however_the_ring_wraps() {
    for capacity in [1000, 1021, 4096, 5003] {
        let (mut producer, consumer) = RingBuffer::new(capacity);
        let mut ring = RecordRing::new(consumer);
        let mut dice = Dice::new(capacity as u64);
        let (mut made, mut seen) = (0, 0);
        while made < 5000 {
            while push(&mut producer, &entry(&mut dice, made)) {
                made += 1;
            }
            let count = ring.drain(|view| {
                assert_eq!(view.header.flow.flow_id, seen);
                assert!(
                    view.text(Field::Resource)
                        .is_none_or(|text| text.iter().all(|b| *b == b'x'))
                );
                seen += 1;
            });
            assert!(count > 0);
        }
        assert_eq!(seen, made);
        assert_eq!((ring.waiting_bytes(), ring.corrupt_bytes()), (0, 0));
    }
}

#[test]
fn a_long_backlog_is_read_in_parts() {
    let (mut producer, consumer) = RingBuffer::new(4 << 20);
    let mut ring = RecordRing::new(consumer);
    let mut made = 0;
    while push(&mut producer, &Entry::default().bytes()) {
        made += 1;
    }
    let mut parts = Vec::new();
    while ring.waiting_bytes() > 0 {
        parts.push(ring.drain(|_| {}));
    }
    assert!(parts.len() > 10, "{parts:?}");
    assert_eq!(parts.iter().sum::<u64>(), made);
}

#[test]
fn what_is_no_entry_is_thrown_away_and_counted() {
    let (mut producer, consumer) = RingBuffer::new(4096);
    let mut ring = RecordRing::new(consumer);
    for garbage in [&[0u8; 300][..], &[0xFF; 300], &[1, 2], &7u32.to_ne_bytes()] {
        assert!(push(&mut producer, garbage));
        assert_eq!(ring.drain(|_| panic!("not a record")), 0);
        assert_eq!(ring.waiting_bytes(), 0);
    }
    assert_eq!(ring.corrupt_bytes(), 606);
    assert!(push(&mut producer, &Entry::default().bytes()));
    assert_eq!(ring.drain(|_| {}), 1);
}
