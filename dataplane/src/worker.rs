//! The loop of a worker: receive, handle, again.

use crate::pipeline::Pipeline;
use crate::source::{Poll, Source};
use std::sync::atomic::{AtomicBool, Ordering};

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
    while !stop.load(Ordering::Relaxed) {
        match source.receive() {
            Poll::Packets => pipeline.burst(source),
            Poll::Idle => pipeline.idle(source),
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
