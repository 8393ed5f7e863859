//! The way of records to the collector: one ring of bytes for each thread that makes them.

use crate::record::RecordSink;
use rtrb::{Consumer, Producer, RingBuffer};

/// What the maker of records does when its ring is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// Count the record as dropped: live traffic does not wait.
    Drop,
    /// Wait for the collector: a replay loses nothing.
    Wait,
}

/// The maker's end of its ring. Whole entries only are ever committed.
pub struct RingSink {
    ring: Producer<u8>,
    when_full: WhenFull,
    /// Records put into the ring.
    pub sent: u64,
    /// Records that found no room.
    pub dropped: u64,
}

impl RingSink {
    /// A ring of `bytes`, and the collector's end of it.
    pub fn new(bytes: usize, when_full: WhenFull) -> (Self, Consumer<u8>) {
        let (ring, consumer) = RingBuffer::new(bytes);
        (
            Self {
                ring,
                when_full,
                sent: 0,
                dropped: 0,
            },
            consumer,
        )
    }
}

impl RecordSink for RingSink {
    #[inline]
    fn record(&mut self, entry: &[u8]) {
        while self.ring.push_entire_slice(entry).is_err() {
            let hopeless = self.ring.is_abandoned() || entry.len() > self.ring.buffer().capacity();
            if self.when_full == WhenFull::Drop || hopeless {
                self.dropped += 1;
                return;
            }
            std::thread::yield_now();
        }
        self.sent += 1;
    }
}
