//! The way of bytes from a segment to the parser.

use super::session::Stream;
use super::{Chunk, Engine, Verdict};
use crate::conversation::{HandOver, Moment, Out};
use crate::field::Ended;
use crate::limits::{IDLE_ADVANCES_MAX, RESYNC_TAIL_BYTES, STITCH_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, Speaker};
use crate::record::RecordSink;
use crate::slab::NONE;

/// What follows from a call of the parser.
pub(super) enum Step {
    /// So many bytes of the input are done with.
    Advanced(usize),
    /// So many bytes are wanted before the next call.
    Need(usize),
    /// The unit is broken: look for the next message behind its first byte.
    Resync,
    /// So many bytes of the input are done with, and what follows travels in frames.
    Wrapped(usize),
    /// The flow has no parser any more: infer again from here.
    Infer,
    /// Nothing more is wanted of the flow.
    Ignore,
}

impl Engine {
    /// Bytes of a flow with a parser. `datagram`: these bytes are a unit of their own.
    pub(super) fn feed(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        datagram: bool,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        self.feed_here(index, direction, chunk, datagram, sink)
    }

    /// [`feed`](Self::feed) as a part of its caller: of the one through which nearly all bytes come. Nearly all are
    /// a unit that begins and ends with its segment, which one call of the parser passes.
    #[inline(always)]
    pub(super) fn feed_here(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        datagram: bool,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        let other_offset = session.streams[direction.opposite().index()].offset;
        let stream = &mut session.streams[direction.index()];
        stream.started = true;
        stream.last_ns = chunk.time_ns;
        let is_plain = stream.stitch == NONE && stream.skip == 0 && !stream.resync;
        let peer_offset = chunk.peer_offset.unwrap_or(other_offset);
        if direction == Direction::ToClient {
            session.conversation.note_server(peer_offset);
        }
        let (bytes, time_ns) = (chunk.bytes, chunk.time_ns);
        let mut first = None;
        if is_plain && !bytes.is_empty() {
            let start = (time_ns, peer_offset);
            let ended = datagram;
            first = self.call(index, direction, time_ns, Input { bytes, ended }, start, sink);
            if let Some(called) = &first
                && called.passes
                && called.used == bytes.len()
            {
                return Verdict::Continue;
            }
        }
        let feed = Feed {
            index,
            direction,
            time_ns,
            peer_offset,
            ended: datagram,
            datagram,
            idle: 0,
        };
        // Put together anew: so what came of the call need not be in memory before.
        let first = first.map(|called| Called { ..called });
        self.feed_on(feed, chunk, first, sink)
    }

    /// Bytes that are no unit of their own. `first`: what came of the first call of the parser, where there was one.
    fn feed_on(
        &mut self,
        mut feed: Feed,
        chunk: &Chunk<'_>,
        first: Option<Called>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let mut bytes = chunk.bytes;
        if first.is_none() && self.stream(&feed).is_some_and(|stream| stream.stitch != NONE) {
            match self.feed_stitched(&mut feed, bytes, sink) {
                Fed::Rest(used) => bytes = bytes.get(used..).unwrap_or(&[]),
                Fed::Kept => return Verdict::Continue,
                Fed::Wrapped(used) => {
                    let bytes = bytes.get(used..).unwrap_or(&[]);
                    return self.feed_wrapped(feed.index, feed.direction, &Chunk { bytes, ..*chunk }, sink);
                }
                Fed::Over(verdict) => return verdict,
            }
        }
        self.feed_direct(&mut feed, bytes, first, sink)
    }

    /// Joins `bytes` to the stitch buffer and reads units until they begin within `bytes`.
    pub(super) fn feed_stitched(&mut self, feed: &mut Feed, bytes: &[u8], sink: &mut dyn RecordSink) -> Fed {
        let Some(stream) = self.stream(feed) else {
            return Fed::Over(Verdict::Ignore);
        };
        let (stitch, need, unit_ns, unit_peer) = (
            stream.stitch,
            usize::from(stream.need),
            stream.unit_ns,
            stream.unit_peer_offset,
        );
        let mut buffer = self.stitches.take(stitch);
        let before = buffer.len();
        let joined = bytes.len().min(STITCH_BYTES_MAX.saturating_sub(before));
        buffer.extend_from_slice(&bytes[..joined]);
        let full = buffer.len() >= STITCH_BYTES_MAX;
        if buffer.len() < need && !full && !feed.ended {
            self.stitches.put_back(stitch, buffer);
            return Fed::Kept;
        }
        let mut at = 0;
        let fed = loop {
            if at >= before {
                break Fed::Rest(at - before);
            }
            let first = at == 0;
            if !first {
                self.doubt_first_seq(feed.index, feed.direction);
            }
            let start = if first {
                (unit_ns, unit_peer)
            } else {
                (feed.time_ns, feed.peer_offset)
            };
            let searching = self.stream(feed).is_some_and(|s| s.resync);
            let input = Input {
                bytes: &buffer[at..],
                ended: feed.ended || full,
            };
            let step = if searching {
                Step::Resync
            } else {
                self.step(feed, input, start, sink)
            };
            match step {
                Step::Advanced(n) => at += n,
                Step::Wrapped(n) => break Fed::Wrapped((at + n).saturating_sub(before)),
                Step::Need(n) => {
                    buffer.drain(..at);
                    if let Some(stream) = self.stream(feed) {
                        stream.need = n.min(STITCH_BYTES_MAX) as u16;
                        if !first {
                            stream.unit_ns = feed.time_ns;
                            stream.unit_peer_offset = feed.peer_offset;
                        }
                    }
                    self.stitches.put_back(stitch, buffer);
                    return Fed::Kept;
                }
                Step::Resync => match self.resync(feed, &buffer[at..], usize::from(!searching)) {
                    Some(n) => at += n,
                    None if joined < bytes.len() => {
                        self.count_resync(feed, (buffer.len() - at) as u64);
                        break Fed::Rest(joined);
                    }
                    None => {
                        let passed = buffer.len().saturating_sub(RESYNC_TAIL_BYTES).max(at);
                        if passed > 0 {
                            self.doubt_first_seq(feed.index, feed.direction);
                        }
                        self.count_resync(feed, (passed - at) as u64);
                        buffer.drain(..passed);
                        self.stitches.put_back(stitch, buffer);
                        return Fed::Kept;
                    }
                },
                Step::Infer => break Fed::Over(self.infer_anew(feed)),
                Step::Ignore => break Fed::Over(Verdict::Ignore),
            }
        };
        if matches!(fed, Fed::Over(_)) {
            // The session let go of the index already.
            return fed;
        }
        self.drop_stitch(feed, stitch, buffer);
        fed
    }

    pub(super) fn drop_stitch(&mut self, feed: &Feed, stitch: u32, buffer: Vec<u8>) {
        self.stitches.give(stitch, buffer);
        self.move_first_seq(feed.index, feed.direction);
        if let Some(stream) = self.stream(feed) {
            stream.stitch = NONE;
        }
    }

    /// Reads units straight out of the segment; the first may have been read already.
    fn feed_direct(
        &mut self,
        feed: &mut Feed,
        mut bytes: &[u8],
        mut first: Option<Called>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        loop {
            let step = match first.take() {
                Some(called) => self.outcome(feed, &called, bytes.len(), sink),
                None => match self.next_step(feed, &mut bytes, sink) {
                    Ok(step) => step,
                    Err(verdict) => return verdict,
                },
            };
            match step {
                Step::Advanced(n) => {
                    bytes = bytes.get(n..).unwrap_or(&[]);
                    if bytes.is_empty() {
                        return Verdict::Continue;
                    }
                }
                Step::Wrapped(n) => {
                    let chunk = Chunk {
                        bytes: bytes.get(n..).unwrap_or(&[]),
                        time_ns: feed.time_ns,
                        offset: 0,
                        peer_offset: Some(feed.peer_offset),
                    };
                    return self.feed_wrapped(feed.index, feed.direction, &chunk, sink);
                }
                Step::Need(n) => {
                    self.keep_unit(feed, bytes, n);
                    return Verdict::Continue;
                }
                Step::Resync if feed.datagram => return Verdict::Continue,
                Step::Resync => match self.resync(feed, bytes, 1) {
                    Some(n) => bytes = bytes.get(n..).unwrap_or(&[]),
                    None => {
                        self.keep_tail(feed, bytes);
                        return Verdict::Continue;
                    }
                },
                Step::Infer => return self.infer_rest(feed, bytes, sink),
                Step::Ignore => return Verdict::Ignore,
            }
        }
    }

    /// What comes of the next unit of `bytes`, from which is taken what lies before it. `Err`: of what was left
    /// nothing more can be read now.
    #[inline]
    fn next_step(
        &mut self,
        feed: &mut Feed,
        bytes: &mut &[u8],
        sink: &mut dyn RecordSink,
    ) -> Result<Step, Verdict> {
        loop {
            let Some(stream) = self.stream(feed) else {
                return Err(Verdict::Ignore);
            };
            if stream.skip > 0 {
                let count = stream.skip.min(bytes.len() as u64);
                stream.skip -= count;
                stream.offset += count;
                let done = stream.skip == 0;
                *bytes = bytes.get(count as usize..).unwrap_or(&[]);
                self.count_skipped(feed, count);
                if !done {
                    return Err(Verdict::Continue);
                }
                self.settle(feed, sink);
                continue;
            }
            if bytes.is_empty() {
                return Err(Verdict::Continue);
            }
            if stream.resync {
                match self.resync(feed, bytes, 0) {
                    Some(n) => *bytes = bytes.get(n..).unwrap_or(&[]),
                    None => {
                        self.keep_tail(feed, bytes);
                        return Err(Verdict::Continue);
                    }
                }
                continue;
            }
            let input = Input {
                bytes,
                ended: feed.ended,
            };
            return Ok(self.step(feed, input, (feed.time_ns, feed.peer_offset), sink));
        }
    }

    /// One call of the parser, and what follows from it.
    #[inline(never)]
    pub(super) fn step(
        &mut self,
        feed: &mut Feed,
        input: Input<'_>,
        start: (u64, u64),
        sink: &mut dyn RecordSink,
    ) -> Step {
        match self.call(feed.index, feed.direction, feed.time_ns, input, start, sink) {
            Some(called) => self.outcome(feed, &called, input.bytes.len(), sink),
            None if self.sessions.get(feed.index).is_some() => Step::Infer,
            None => Step::Ignore,
        }
    }

    /// Calls the parser and passes what it is done with. `start`: when the first byte of `input` was captured, and
    /// what its sender had received by then. `None`: there is no parser.
    #[inline(always)]
    fn call(
        &mut self,
        index: u32,
        direction: Direction,
        now_ns: u64,
        input: Input<'_>,
        start: (u64, u64),
        sink: &mut dyn RecordSink,
    ) -> Option<Called> {
        let session = self.sessions.get_mut(index)?;
        let protocol = session.protocol?;
        let plugins = match &mut self.plugins {
            Some(plugged) if plugged.concerns(&mut session.plugins, protocol, &session.facts) => {
                Some(plugged)
            }
            _ => None,
        };
        let (this, other) = (direction.index(), direction.opposite().index());
        let moment = Moment {
            direction,
            start_ns: start.0,
            now_ns,
            offset: session.streams[this].offset,
            peer_offset: start.1,
            other_offset: session.streams[other].offset,
        };
        let (parser, completed) = (session.parser, session.conversation.completed);
        let talk = crate::conversation::Talk {
            exchanges: &mut self.exchanges,
            pairing: session.conversation.pairing(protocol),
            conversation: &mut session.conversation,
            counters: &mut self.counters,
            facts: &session.facts,
            protocol,
            wanted: self.wanted,
            session: index,
            settings: &self.settings,
            sink,
        };
        let mut out = Out::new(talk, moment, &mut self.hand_over, input.bytes, plugins);
        let advance = self.parsers.advance(protocol, parser, direction, input, &mut out);
        let len = input.bytes.len();
        let (used, skip) = match advance {
            Advance::Consumed(n) | Advance::HandOver(n) => (n.min(len), 0),
            Advance::Skip(n) => (n.min(len as u64) as usize, n.saturating_sub(len as u64)),
            _ => (0, 0),
        };
        out.settle(used, skip > 0);
        let stream = &mut session.streams[this];
        stream.offset += used as u64;
        stream.skip = skip;
        let passes = matches!(advance, Advance::Consumed(_) | Advance::Skip(_));
        if passes && session.malformed > 0 && session.conversation.completed > completed {
            session.malformed -= 1;
        }
        Some(Called {
            advance,
            used,
            passes,
            ended: input.ended,
        })
    }

    /// What follows from a call with `len` bytes.
    fn outcome(&mut self, feed: &mut Feed, called: &Called, len: usize, sink: &mut dyn RecordSink) -> Step {
        let &Called {
            advance, used, ended, ..
        } = called;
        feed.idle = if used > 0 { 0 } else { feed.idle + 1 };
        let hand_over = self.hand_over.take();
        match advance {
            Advance::Consumed(0) if feed.idle > IDLE_ADVANCES_MAX => self.malformed(feed, sink),
            Advance::Consumed(_) | Advance::Skip(_) => Step::Advanced(used),
            Advance::Need(_) if ended => self.malformed(feed, sink),
            Advance::Need(n) => Step::Need(n.max(len + 1)),
            Advance::HandOver(_) => self.switch(feed, used, hand_over, sink),
            Advance::Done => {
                self.end_all(feed.index, Ended::Fin, feed.time_ns, sink);
                self.release(feed.index);
                Step::Ignore
            }
            Advance::Malformed => self.malformed(feed, sink),
        }
    }

    /// The flow changes its protocol.
    pub(super) fn switch(
        &mut self,
        feed: &Feed,
        used: usize,
        to: Option<HandOver>,
        sink: &mut dyn RecordSink,
    ) -> Step {
        self.end_all(feed.index, Ended::Fin, feed.time_ns, sink);
        self.disown_keeping_stitch(feed);
        let Some(HandOver {
            protocol: Some(protocol),
            framing,
            domain,
            resource,
        }) = to
        else {
            // What follows is inferred when it is there. Every such turn counts as a try: a wire that
            // turns at every message must not go on for ever.
            if let Some(session) = self.sessions.get_mut(feed.index) {
                session.tries = session.tries.saturating_add(1);
            }
            return Step::Advanced(used);
        };
        if !self.adopt(
            feed.index,
            protocol,
            Speaker::Either,
            feed.direction,
            feed.time_ns,
        ) {
            self.release(feed.index);
            return Step::Ignore;
        }
        if let Some(session) = self.sessions.get(feed.index) {
            self.parsers.inherit(protocol, session.parser, &domain, &resource);
        }
        match framing {
            Some(framing) if self.wrap(feed.index, framing) => Step::Wrapped(used),
            Some(_) => {
                self.counters.of_mut(protocol).exchanges_refused += 1;
                self.release(feed.index);
                Step::Ignore
            }
            None => Step::Advanced(used),
        }
    }

    /// Takes the parser away but leaves the stitch buffer that the caller is reading from in place.
    pub(super) fn disown_keeping_stitch(&mut self, feed: &Feed) {
        let this = feed.direction.index();
        let kept = self
            .sessions
            .get_mut(feed.index)
            .map(|s| std::mem::replace(&mut s.streams[this].stitch, NONE));
        self.disown(feed.index);
        if let (Some(kept), Some(session)) = (kept, self.sessions.get_mut(feed.index)) {
            session.streams[this].stitch = kept;
        }
    }

    /// Keeps a unit that is not whole.
    pub(super) fn keep_unit(&mut self, feed: &Feed, bytes: &[u8], need: usize) {
        let stored = self.stitches.store(bytes).unwrap_or(NONE);
        if let Some(stream) = self.stream(feed) {
            stream.stitch = stored;
            stream.need = need.min(STITCH_BYTES_MAX) as u16;
            stream.unit_ns = feed.time_ns;
            stream.unit_peer_offset = feed.peer_offset;
        }
    }

    pub(super) fn stream(&mut self, feed: &Feed) -> Option<&mut Stream> {
        self.sessions
            .get_mut(feed.index)
            .map(|s| &mut s.streams[feed.direction.index()])
    }

    pub(super) fn count_skipped(&mut self, feed: &Feed, count: u64) {
        if let Some(protocol) = self.sessions.get(feed.index).and_then(|s| s.protocol) {
            self.counters.of_mut(protocol).skipped_bytes += count;
        }
    }

    /// A skip has ended: so does the message that was closed with it.
    pub(super) fn settle(&mut self, feed: &Feed, sink: &mut dyn RecordSink) {
        let Some(session) = self.sessions.get(feed.index) else {
            return;
        };
        let (this, other) = (feed.direction.index(), feed.direction.opposite().index());
        let moment = Moment {
            direction: feed.direction,
            start_ns: feed.time_ns,
            now_ns: feed.time_ns,
            offset: session.streams[this].offset,
            peer_offset: feed.peer_offset,
            other_offset: session.streams[other].offset,
        };
        if let Some(mut talk) = self.talk(feed.index, sink) {
            talk.settle_current(feed.direction, moment.offset, &moment);
        }
    }
}

/// What one call of the parser came to.
struct Called {
    advance: Advance,
    /// So many bytes of the input are done with.
    used: usize,
    /// The parser goes on behind them, or behind what it skips.
    passes: bool,
    /// No more of the unit will be seen than the parser was given.
    ended: bool,
}

/// What stays the same while one chunk is read.
pub(super) struct Feed {
    pub(super) index: u32,
    pub(super) direction: Direction,
    pub(super) time_ns: u64,
    pub(super) peer_offset: u64,
    /// The chunk is a unit of its own: no byte follows.
    pub(super) ended: bool,
    /// The transport keeps message boundaries.
    pub(super) datagram: bool,
    /// Calls in a row that consumed nothing.
    pub(super) idle: u32,
}

impl Feed {
    /// For what happens beside the bytes: a gap, or a loss of place.
    pub(super) fn beside(index: u32, direction: Direction, time_ns: u64) -> Self {
        Self {
            index,
            direction,
            time_ns,
            peer_offset: 0,
            ended: false,
            datagram: false,
            idle: 0,
        }
    }
}

/// What became of a chunk that was joined to a stitch buffer.
pub(super) enum Fed {
    /// So many bytes of the chunk are done with; the rest can be read where it lies.
    Rest(usize),
    /// All of it is kept until more comes.
    Kept,
    /// So many bytes of the chunk are done with; the rest travels in frames.
    Wrapped(usize),
    /// The flow goes on without a parser, or not at all.
    Over(Verdict),
}
