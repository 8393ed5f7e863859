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
    /// Loops between two calls of `housekeep`: with full bursts about every 16 k packets.
    const HOUSEKEEPING_LOOPS: u32 = 256;
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
                }
            }
            Poll::End => break,
        }
        loops = loops.wrapping_add(1);
        if loops.is_multiple_of(HOUSEKEEPING_LOOPS) {
            housekeep(pipeline);
        }
    }
    housekeep(pipeline);
}

/// Handles what is still waiting, after `stop`: nothing that was received is left out. Bounded, since
/// live traffic does not end by itself.
pub fn drain<S: Source>(source: &mut S, pipeline: &mut Pipeline<S::Buffer>) {
    /// Bursts: more than any queue or ring holds.
    const DRAIN_BURSTS: usize = 1024;
    for _ in 0..DRAIN_BURSTS {
        if source.receive() != Poll::Packets {
            return;
        }
        pipeline.burst(source);
    }
}
