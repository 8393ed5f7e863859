//! Hands payload to the engine, where it lies.

use super::Pipeline;
use super::facts::{ends_of, facts_of};
use crate::flow::{Flow, FlowIndex, KeyedPacket, NO_FLOW, side_flag};
use crate::source::{Buffer, Source};
use tapir_parsers::engine::{Begin, Chunk, Engine, SessionId, Standing, Verdict};
use tapir_parsers::parser::Direction;
use tapir_parsers::ring::RingSink;
use tapir_parsers::wire::{Encap, L4, Packet};

/// Payload of a packet, in the buffer that the source still holds or in the pipeline's own memory.
pub(super) struct Payload<'a, S> {
    origin: Origin<'a, S>,
    offset: usize,
    pub(super) len: u32,
    pub(super) missing: u32,
}

enum Origin<'a, S> {
    Frame(&'a mut S, usize),
    Memory(&'a [u8]),
}

/// Payload that outlives its burst.
pub(super) struct Held<B> {
    memory: Memory<B>,
    offset: usize,
    pub(super) encap: Encap,
}

enum Memory<B> {
    Buffer(B),
    /// Of a datagram that came in fragments; there are few.
    Copy(Vec<u8>),
}

impl<'a, S: Source> Payload<'a, S> {
    pub(super) fn of_frame(source: &'a mut S, at: usize, packet: &Packet) -> Self {
        Self::new(Origin::Frame(source, at), packet)
    }

    pub(super) fn of_memory(datagram: &'a [u8], packet: &Packet) -> Self {
        Self::new(Origin::Memory(datagram), packet)
    }

    fn new(origin: Origin<'a, S>, packet: &Packet) -> Self {
        // Echo is read from its type byte on; the header before the payload is 8 bytes.
        let back = if packet.l4 == L4::Icmp {
            8.min(packet.payload_offset)
        } else {
            0
        };
        Self {
            origin,
            offset: (packet.payload_offset - back) as usize,
            len: packet.payload_len + back,
            missing: packet.payload_missing,
        }
    }

    /// The bytes from `skip` on, piece by piece.
    #[inline]
    pub(super) fn pieces(&self, skip: u32, see: impl FnMut(&[u8])) {
        let segment = |n| match &self.origin {
            Origin::Frame(source, at) => source.segment(*at, n),
            Origin::Memory(datagram) => (n == 0).then_some(*datagram),
        };
        pieces(
            segment,
            self.offset + skip as usize,
            (self.len - skip.min(self.len)) as usize,
            see,
        );
    }

    /// The bytes where all of them lie in one piece: the rule. `None`: see [`pieces`](Self::pieces).
    #[inline(always)]
    pub(super) fn whole(&self) -> Option<&[u8]> {
        let first = match &self.origin {
            Origin::Frame(source, at) => source.frame(*at),
            Origin::Memory(datagram) => datagram,
        };
        first.get(self.offset..self.offset + self.len as usize)
    }

    /// Keeps the payload beyond the burst.
    pub(super) fn hold(self, encap: Encap) -> Option<Held<S::Buffer>> {
        let memory = match self.origin {
            Origin::Frame(source, at) => Memory::Buffer(source.take(at)?),
            Origin::Memory(datagram) => Memory::Copy(datagram.to_vec()),
        };
        Some(Held {
            memory,
            offset: self.offset,
            encap,
        })
    }
}

impl<B: Buffer> Held<B> {
    /// The bytes from `skip` to `len`, piece by piece.
    pub(super) fn pieces(&self, skip: u32, len: u32, see: impl FnMut(&[u8])) {
        let segment = |n| match &self.memory {
            Memory::Buffer(buffer) => buffer.segment(n),
            Memory::Copy(bytes) => (n == 0).then_some(bytes.as_slice()),
        };
        pieces(
            segment,
            self.offset + skip as usize,
            (len - skip.min(len)) as usize,
            see,
        );
    }
}

/// Walks `len` bytes from `offset` on over the segments of a buffer.
#[inline]
fn pieces<'s>(
    segment: impl Fn(usize) -> Option<&'s [u8]>,
    mut offset: usize,
    mut len: usize,
    mut see: impl FnMut(&[u8]),
) {
    let mut n = 0;
    while len > 0 {
        let Some(bytes) = segment(n) else { return };
        n += 1;
        if offset >= bytes.len() {
            offset -= bytes.len();
            continue;
        }
        let piece = &bytes[offset..bytes.len().min(offset + len)];
        offset = 0;
        len -= piece.len();
        see(piece);
    }
}

/// The direction in which the end `side` (0 for `a`) sends.
#[inline]
pub(super) fn direction_of(flow: &Flow, side: usize) -> Direction {
    if (side == 1) == flow.is(Flow::CLIENT_IS_B) {
        Direction::ToServer
    } else {
        Direction::ToClient
    }
}

impl<B: Buffer> Pipeline<B> {
    /// A UDP datagram or ICMP message.
    pub(super) fn datagram<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        packet: &Packet,
        keyed: &KeyedPacket,
        payload: &Payload<'_, S>,
        time_ns: u64,
    ) {
        let side = usize::from(!keyed.from_a);
        let Some(flow) = self.table.get(index) else { return };
        if flow.is_idle(side) || payload.len == 0 {
            return;
        }
        if let Some(bytes) = payload.whole() {
            self.feed(index, side, bytes, time_ns, 0, None, &packet.encap);
            return;
        }
        let mut whole = std::mem::take(&mut self.scratch);
        let mut count = 0;
        whole.clear();
        payload.pieces(0, |piece| {
            count += 1;
            if count > 1 || (piece.len() as u32) < payload.len {
                whole.extend_from_slice(piece);
            } else {
                self.feed(index, side, piece, time_ns, 0, None, &packet.encap);
            }
        });
        if !whole.is_empty() {
            self.feed(index, side, &whole, time_ns, 0, None, &packet.encap);
        }
        self.scratch = whole;
    }

    /// Bytes that are next in order, to the flow's session or to inference.
    #[allow(clippy::too_many_arguments)] // The facts of one chunk; a struct would be filled once and read once.
    pub(super) fn feed(
        &mut self,
        index: FlowIndex,
        side: usize,
        bytes: &[u8],
        time_ns: u64,
        offset: u64,
        peer_offset: Option<u64>,
        encap: &Encap,
    ) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let chunk = Chunk {
            bytes,
            time_ns,
            offset,
            peer_offset,
        };
        if !flow.is_idle(side) {
            feed(flow, &mut self.engine, &mut self.sink, side, &chunk, encap);
        }
    }

    /// Bytes that will never be seen, to the flow's session.
    pub(super) fn feed_gap(&mut self, index: FlowIndex, side: usize, len: u64, time_ns: u64) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        if flow.session == NO_FLOW {
            return;
        }
        let direction = direction_of(flow, side);
        let id = SessionId(flow.session);
        if self.engine.gap(id, direction, len, time_ns, &mut self.sink) == Verdict::Ignore {
            flow.session = NO_FLOW;
            flow.set(Flow::IGNORED, true);
        }
    }
}

/// Bytes that are next in order and of interest, to the flow's session or to inference.
#[inline(always)]
pub(super) fn feed(
    flow: &mut Flow,
    engine: &mut Engine,
    sink: &mut RingSink,
    side: usize,
    chunk: &Chunk<'_>,
    encap: &Encap,
) {
    if flow.session == NO_FLOW {
        begin(flow, engine, sink, side, chunk, encap);
        return;
    }
    let id = SessionId(flow.session);
    match engine.data(id, direction_of(flow, side), chunk, sink) {
        Verdict::Continue => {}
        Verdict::Ignore => {
            flow.session = NO_FLOW;
            flow.set(Flow::IGNORED, true);
        }
        Verdict::Rest => {
            flow.session = NO_FLOW;
            flow.set(Flow::RECOGNISED, true);
        }
    }
}

/// Bytes of a flow without a session, to inference.
#[inline(never)]
fn begin(
    flow: &mut Flow,
    engine: &mut Engine,
    sink: &mut RingSink,
    side: usize,
    chunk: &Chunk<'_>,
    encap: &Encap,
) {
    // Asked of TCP alone: a datagram would wait for a cache line that says nothing of it.
    let (at_stream_start, behind_loss, other_offset) = if flow.is_tcp() {
        let [this, other] = [flow.sides[side], flow.sides[1 - side]];
        let at_start = this.flags & side_flag::SYN != 0 && chunk.offset == 0;
        (at_start, chunk.offset > 0 && !flow.was_tried(side), other.offset)
    } else {
        (false, false, 0)
    };
    let standing = Standing {
        direction_is_sure: flow.is(Flow::SURE),
        at_stream_start,
        recognised_before: flow.is(Flow::RECOGNISED),
        behind_loss,
        other_offset: Some(other_offset),
    };
    let begun = engine.begin_with(
        ends_of(flow),
        || facts_of(flow, encap),
        direction_of(flow, side),
        standing,
        chunk,
        sink,
    );
    match begun {
        Begin::Session(SessionId(id)) => flow.begin_session(id),
        Begin::Ignore => flow.set(Flow::IGNORED, true),
        Begin::Rest => flow.set(Flow::RECOGNISED, true),
        Begin::NoMatch => {
            flow.count_try(side);
        }
    }
}
