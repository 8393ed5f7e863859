//! Wire faults on purpose: a source around another that loses, delays, duplicates, cuts and flips.
//!
//! For tests. The same seed over the same packets gives the same faults, however they come in bursts.
//! A frame that nothing happens to stays where the inner source holds it; one that is changed, delayed or
//! sent twice is a copy. Injectors stack, as any source does.

mod options;
mod random;

pub use options::{FaultOptions, UnknownFault};

use super::{Buffer, Poll, Source};
use crate::limits::BURST_PACKETS;
use random::Random;
use std::collections::VecDeque;
use tapir_parsers::wire::LinkType;

/// What was done to the packets of the inner source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultCounters {
    /// Packets received from the inner source.
    pub received: u64,
    /// Packets handed out.
    pub sent: u64,
    /// Packets left out.
    pub lost: u64,
    /// Packets handed out once more.
    pub duplicated: u64,
    /// Packets handed out behind later ones.
    pub reordered: u64,
    /// Packets cut short.
    pub truncated: u64,
    /// Packets with bits flipped.
    pub corrupted: u64,
}

/// A source that hands on what another brings, with faults.
pub struct FaultSource<S: Source> {
    inner: S,
    options: FaultOptions,
    random: Random,
    counters: FaultCounters,
    /// What goes out next: of the inner source's burst, and copies.
    queue: VecDeque<Place>,
    /// Copies that wait until so many packets have passed.
    delayed: Vec<(u64, Copied)>,
    /// Number of packets that have passed.
    passed: u64,
    /// Time of the latest of them.
    now_ns: u64,
    /// How many of `queue` are the burst at hand.
    len: usize,
    ended: bool,
}

enum Place {
    Inner(usize),
    Copy(Copied),
    /// Taken out of the burst.
    Taken,
}

/// A frame of its own.
struct Copied {
    bytes: Vec<u8>,
    time_ns: u64,
    wire_len: usize,
    link: LinkType,
    stripped_vlans: [Option<u16>; 2],
    has_bad_checksum: bool,
}

/// A kept frame, as the inner source keeps it or a copy.
#[derive(Debug)]
pub enum FaultBuffer<B> {
    /// Untouched.
    Inner(B),
    /// Changed, delayed or sent twice.
    Copy(Vec<u8>),
}

impl<B: Buffer> Buffer for FaultBuffer<B> {
    fn segment(&self, n: usize) -> Option<&[u8]> {
        match self {
            Self::Inner(buffer) => buffer.segment(n),
            Self::Copy(bytes) => (n == 0).then_some(bytes.as_slice()),
        }
    }
}

impl<S: Source> FaultSource<S> {
    /// Puts faults on the packets of `inner`.
    pub fn new(inner: S, options: FaultOptions) -> Self {
        Self {
            inner,
            options,
            random: Random::new(options.seed),
            counters: FaultCounters::default(),
            queue: VecDeque::new(),
            delayed: Vec::new(),
            passed: 0,
            now_ns: 0,
            len: 0,
            ended: false,
        }
    }

    /// What was done so far.
    pub fn counters(&self) -> FaultCounters {
        self.counters
    }

    /// Decides over packet `i` of the inner source's burst.
    fn admit(&mut self, i: usize) {
        let options = self.options;
        self.counters.received += 1;
        // Every packet draws the same number of times, so that one rate does not shift the others' luck.
        let lost = self.random.happens(options.loss);
        let truncated = self.random.happens(options.truncate);
        let corrupted = self.random.happens(options.corrupt);
        let duplicated = self.random.happens(options.duplicate);
        let delays = [options.reorder, options.reorder].map(|rate| {
            let window = self.random.below(u64::from(options.window.max(1)));
            self.random.happens(rate).then_some(window + 1)
        });
        let mut dice = self.random.split();
        self.pass(self.inner.time_ns(i));
        if lost {
            self.counters.lost += 1;
            return;
        }
        let changes = truncated || corrupted;
        if !changes && !duplicated && delays[0].is_none() {
            self.queue.push_back(Place::Inner(i));
            return;
        }
        let copies = 1 + usize::from(duplicated);
        self.counters.duplicated += u64::from(duplicated);
        for delay in delays.into_iter().take(copies) {
            let mut copy = self.copy(i);
            if truncated {
                let len = dice.below(copy.bytes.len().max(1) as u64);
                copy.bytes.truncate(len as usize);
            }
            if corrupted {
                flip_bits(&mut copy.bytes, &mut dice);
            }
            self.counters.truncated += u64::from(truncated);
            self.counters.corrupted += u64::from(corrupted);
            match delay {
                Some(behind) => {
                    self.counters.reordered += 1;
                    self.delayed.push((self.passed + behind, copy));
                }
                None => self.queue.push_back(Place::Copy(copy)),
            }
        }
    }

    fn copy(&self, i: usize) -> Copied {
        let segments = (0..).map_while(|n| self.inner.segment(i, n));
        let mut bytes = segments.collect::<Vec<_>>().concat();
        bytes.truncate(self.inner.frame_len(i));
        Copied {
            bytes,
            time_ns: self.inner.time_ns(i),
            wire_len: self.inner.wire_len(i),
            link: self.inner.link(i),
            stripped_vlans: self.inner.stripped_vlans(i),
            has_bad_checksum: self.inner.has_bad_checksum(i),
        }
    }

    /// One more packet passes, at `time_ns`: what waited for it comes before it.
    fn pass(&mut self, time_ns: u64) {
        self.passed += 1;
        self.now_ns = self.now_ns.max(time_ns);
        let mut n = 0;
        while let Some((due, _)) = self.delayed.get(n) {
            if *due < self.passed {
                let (_, copy) = self.delayed.remove(n);
                self.release(copy);
            } else {
                n += 1;
            }
        }
    }

    /// A late packet is captured when it comes, not when it should have come.
    fn release(&mut self, mut copy: Copied) {
        copy.time_ns = self.now_ns;
        self.queue.push_back(Place::Copy(copy));
    }

    fn place(&self, i: usize) -> Option<&Place> {
        self.queue.get(i)
    }

    fn hand_out(&mut self) -> Poll {
        self.len = self.queue.len().min(BURST_PACKETS);
        self.counters.sent += self.len as u64;
        Poll::Packets
    }
}

/// Flips one to three bits.
fn flip_bits(bytes: &mut [u8], dice: &mut Random) {
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len().max(1) as u64) as usize;
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << dice.below(8);
        }
    }
}

impl<S: Source> Source for FaultSource<S> {
    type Buffer = FaultBuffer<S::Buffer>;

    fn receive(&mut self) -> Poll {
        self.queue.drain(..self.len);
        self.len = 0;
        loop {
            // The rest of a burst that duplicates made longer than one may be.
            if !self.queue.is_empty() {
                return self.hand_out();
            }
            if self.ended {
                return Poll::End;
            }
            match self.inner.receive() {
                Poll::Packets => (0..self.inner.len()).for_each(|i| self.admit(i)),
                Poll::Idle => return Poll::Idle,
                Poll::End => {
                    self.ended = true;
                    let late = std::mem::take(&mut self.delayed);
                    late.into_iter().for_each(|(_, copy)| self.release(copy));
                }
            }
        }
    }

    fn len(&self) -> usize {
        self.len
    }

    fn link(&self, i: usize) -> LinkType {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.link(*i),
            Some(Place::Copy(copy)) => copy.link,
            _ => LinkType::Ethernet,
        }
    }

    fn time_ns(&self, i: usize) -> u64 {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.time_ns(*i),
            Some(Place::Copy(copy)) => copy.time_ns,
            _ => 0,
        }
    }

    fn frame(&self, i: usize) -> &[u8] {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.frame(*i),
            Some(Place::Copy(copy)) => &copy.bytes,
            _ => &[],
        }
    }

    fn frame_len(&self, i: usize) -> usize {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.frame_len(*i),
            Some(Place::Copy(copy)) => copy.bytes.len(),
            _ => 0,
        }
    }

    fn wire_len(&self, i: usize) -> usize {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.wire_len(*i),
            Some(Place::Copy(copy)) => copy.wire_len,
            _ => 0,
        }
    }

    fn segment(&self, i: usize, n: usize) -> Option<&[u8]> {
        match self.place(i)? {
            Place::Inner(i) => self.inner.segment(*i, n),
            Place::Copy(copy) => (n == 0).then_some(copy.bytes.as_slice()),
            Place::Taken => None,
        }
    }

    fn take(&mut self, i: usize) -> Option<Self::Buffer> {
        match std::mem::replace(self.queue.get_mut(i)?, Place::Taken) {
            Place::Inner(i) => self.inner.take(i).map(FaultBuffer::Inner),
            Place::Copy(copy) => Some(FaultBuffer::Copy(copy.bytes)),
            Place::Taken => None,
        }
    }

    fn stripped_vlans(&self, i: usize) -> [Option<u16>; 2] {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.stripped_vlans(*i),
            Some(Place::Copy(copy)) => copy.stripped_vlans,
            _ => [None; 2],
        }
    }

    fn has_bad_checksum(&self, i: usize) -> bool {
        match self.place(i) {
            Some(Place::Inner(i)) => self.inner.has_bad_checksum(*i),
            Some(Place::Copy(copy)) => copy.has_bad_checksum,
            _ => false,
        }
    }

    fn idle_time_ns(&self) -> Option<u64> {
        self.inner.idle_time_ns()
    }
}
