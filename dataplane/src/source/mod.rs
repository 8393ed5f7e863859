//! Where packets come from.
//!
//! A source holds the burst it has received; the pipeline reads frames where they lie and takes out the
//! few buffers that must outlive the burst.

mod batch;
pub mod capture;
mod distribute;
#[cfg(feature = "dpdk")]
pub mod dpdk;
pub mod fault;

pub use batch::{Batch, BatchBuffer, BatchSource, FrameAt};
pub use distribute::Distributor;

use tapir_parsers::wire::LinkType;

/// What a receive call brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// A burst of at least one packet.
    Packets,
    /// Nothing now, perhaps later.
    Idle,
    /// Nothing ever again.
    End,
}

/// A frame's memory, kept beyond its burst.
pub trait Buffer {
    /// The frame's `n`-th segment; 0 always exists.
    fn segment(&self, n: usize) -> Option<&[u8]>;
}

/// What the decoder wants of a packet, all at once.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// See [`Source::link`].
    pub link: LinkType,
    /// See [`Source::frame`].
    pub frame: &'a [u8],
    /// See [`Source::frame_len`].
    pub frame_len: usize,
    /// See [`Source::wire_len`].
    pub wire_len: usize,
    /// See [`Source::time_ns`].
    pub time_ns: u64,
}

/// A queue of packets.
pub trait Source {
    /// What a kept frame is.
    type Buffer: Buffer;

    /// Gives the last burst back and receives the next.
    fn receive(&mut self) -> Poll;

    /// Packet `i` is about to be handled: a source that knows the burst behind this one may start to load the packet
    /// that has this number there.
    #[inline(always)]
    fn look_ahead(&self, _i: usize) {}

    /// Packets in the burst.
    fn len(&self) -> usize;

    /// Whether the burst is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Link type of packet `i`.
    fn link(&self, i: usize) -> LinkType;

    /// Capture time of packet `i`, Unix ns.
    fn time_ns(&self, i: usize) -> u64;

    /// First segment of packet `i`; all headers are in it, or the packet is dropped by name.
    fn frame(&self, i: usize) -> &[u8];

    /// `len` bytes of packet `i` from `offset` on, where all of them are in its first segment.
    #[inline(always)]
    fn piece(&self, i: usize, offset: usize, len: usize) -> Option<&[u8]> {
        self.frame(i).get(offset..offset + len)
    }

    /// Captured length of packet `i` over all segments, bytes.
    fn frame_len(&self, i: usize) -> usize;

    /// Length of packet `i` on the wire, bytes: more than was captured where a snap length cut it.
    fn wire_len(&self, i: usize) -> usize {
        self.frame_len(i)
    }

    /// Packet `i`.
    #[inline(always)]
    fn received(&self, i: usize) -> Received<'_> {
        Received {
            link: self.link(i),
            frame: self.frame(i),
            frame_len: self.frame_len(i),
            wire_len: self.wire_len(i),
            time_ns: self.time_ns(i),
        }
    }

    /// All packets of the burst in order, for sources that find one behind the other.
    #[inline(always)]
    fn burst(&self) -> impl Iterator<Item = Received<'_>> {
        (0..self.len()).map(|i| self.received(i))
    }

    /// Segment `n` of packet `i`.
    fn segment(&self, i: usize, n: usize) -> Option<&[u8]> {
        (n == 0).then(|| self.frame(i))
    }

    /// Takes packet `i` out of the burst, to keep it.
    fn take(&mut self, i: usize) -> Option<Self::Buffer>;

    /// Tags that the NIC took off packet `i`: outer, inner (802.1Q tag control information).
    fn stripped_vlans(&self, _i: usize) -> [Option<u16>; 2] {
        [None; 2]
    }

    /// Whether the NIC found a checksum of packet `i` wrong.
    fn has_bad_checksum(&self, _i: usize) -> bool {
        false
    }

    /// The present time where packets have stopped coming, Unix ns; `None` where time is that of the
    /// packets (a replay).
    fn idle_time_ns(&self) -> Option<u64> {
        None
    }
}
