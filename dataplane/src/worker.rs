//! The loop of a worker: receive, handle, again.

use crate::pipeline::Pipeline;
use crate::source::{Poll, Source};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Empty polls in a row, about a millisecond of them, after which a worker naps between polls: a quiet
/// link should not heat a core.
const IDLE_POLLS: u32 = 16 * 1024;

/// How long it naps: a queue of 4096 descriptors holds what 10 Gbit/s of the shortest packets bring in
/// 275 µs, and the first packet ends the napping.
const IDLE_SLEEP: Duration = Duration::from_micros(20);

/// Runs until the source ends or `stop` is set; leaves the flows as they are (see
/// [`Pipeline::finish`]). `housekeep` is called now and then, to publish counters.
pub fn run<S: Source>(
    source: &mut S,
    pipeline: &mut Pipeline<S::Buffer>,
    stop: &AtomicBool,
    mut housekeep: impl FnMut(&Pipeline<S::Buffer>),
) {
    /// Loops between two calls of `housekeep`: with full bursts every 16 k packets.
    const HOUSEKEEPING_LOOPS: u32 = 512;
    /// What a loop with a nap counts as: on a quiet link counters are published every few milliseconds as well.
    const NAP_LOOPS: u32 = 16;
    let mut loops = 0u32;
    let mut idle = 0u32;
    while !stop.load(Ordering::Relaxed) {
        match source.receive() {
            Poll::Packets => {
                idle = 0;
                pipeline.burst(source);
            }
            Poll::Idle => {
                pipeline.idle(source);
                idle = idle.saturating_add(1);
                if idle >= IDLE_POLLS {
                    std::thread::sleep(IDLE_SLEEP);
                    loops += NAP_LOOPS - 1;
                }
            }
            Poll::End => break,
        }
        loops += 1;
        if loops >= HOUSEKEEPING_LOOPS {
            loops = 0;
            housekeep(pipeline);
        }
    }
    housekeep(pipeline);
}

/// Handles what is still waiting, after `stop`: nothing that was received is left out. Bounded, since
/// live traffic does not end by itself.
pub fn drain<S: Source>(source: &mut S, pipeline: &mut Pipeline<S::Buffer>) {
    /// Bursts: as many as the longest queues of 16 ports hold, and more than any ring.
    const DRAIN_BURSTS: usize = 16 * 1024;
    /// Empty polls in a row: queues are polled in turn, one of each port, and there are fewer ports (32 in DPDK).
    const EMPTY_POLLS: usize = 64;
    let (mut bursts, mut empty) = (0, 0);
    while bursts < DRAIN_BURSTS && empty < EMPTY_POLLS {
        match source.receive() {
            Poll::Packets => {
                pipeline.burst(source);
                (bursts, empty) = (bursts + 1, 0);
            }
            Poll::Idle => empty += 1,
            Poll::End => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::drain;
    use crate::pipeline::{Pipeline, PipelineOptions};
    use crate::source::{BatchBuffer, Poll, Source};
    use tapir_parsers::ring::{RingSink, WhenFull};
    use tapir_parsers::wire::LinkType;

    /// Queues of 32 ports in turn: all are empty but one, which has so many bursts of one packet of no bytes.
    struct Turns {
        bursts: usize,
        turn: usize,
    }

    impl Source for Turns {
        type Buffer = BatchBuffer;

        fn receive(&mut self) -> Poll {
            self.turn += 1;
            if !self.turn.is_multiple_of(32) || self.bursts == 0 {
                return Poll::Idle;
            }
            self.bursts -= 1;
            Poll::Packets
        }

        fn len(&self) -> usize {
            1
        }

        fn link(&self, _i: usize) -> LinkType {
            LinkType::Ethernet
        }

        fn time_ns(&self, _i: usize) -> u64 {
            0
        }

        fn frame(&self, _i: usize) -> &[u8] {
            &[]
        }

        fn frame_len(&self, _i: usize) -> usize {
            0
        }

        fn take(&mut self, _i: usize) -> Option<BatchBuffer> {
            None
        }
    }

    #[test]
    fn empty_queues_leave_nothing_in_the_others() {
        let (sink, _ring) = RingSink::new(1 << 16, WhenFull::Drop);
        let mut pipeline = Pipeline::new(PipelineOptions::default(), 0, sink).unwrap();
        let mut source = Turns { bursts: 500, turn: 0 };
        drain(&mut source, &mut pipeline);
        assert_eq!(pipeline.counters().packets, 500);
    }
}
