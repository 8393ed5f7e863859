//! The way of bytes from a segment to the parser.

use super::session::Stream;
use super::{Chunk, Engine, Verdict, transport_of};
use crate::conversation::{HandOver, Moment, Out};
use crate::field::Ended;
use crate::inference::Inference;
use crate::l7::Protocol;
use crate::limits::{IDLE_ADVANCES_MAX, MALFORMED_MAX, PROBE_TRIES_MAX, RESYNC_TAIL_BYTES, STITCH_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, OnGap, Probe, ProbeContext, Speaker, Transports};
use crate::record::RecordSink;
use crate::slab::NONE;

/// What one call of the parser led to.
enum Step {
    /// So many bytes of the input are done with.
    Advanced(usize),
    /// So many bytes are wanted before the next call.
    Need(usize),
    /// The unit is broken: look for the next message behind its first byte.
    Resync,
    /// The flow has no parser any more: infer again from here.
    Infer,
    /// Nothing more is wanted of the flow.
    Ignore,
}

impl Engine {
    /// Bytes of a flow whose protocol is not known yet.
    pub(super) fn data_unknown(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        if self.is_answered(index, direction, chunk)
            && self.give_up(index, direction, chunk.offset, chunk.time_ns) == Verdict::Ignore
        {
            return Verdict::Ignore;
        }
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        let (facts, refused, sure) = (session.facts, session.refused, session.direction_is_sure);
        let behind_unknown = session.behind_unknown;
        let stream = &mut session.streams[direction.index()];
        let at_stream_start = !stream.started;
        let stitch = stream.stitch;
        let mut stitched = if stitch == NONE {
            Vec::new()
        } else {
            self.stitches.take(stitch)
        };
        let room = STITCH_BYTES_MAX.saturating_sub(stitched.len());
        stitched.extend_from_slice(if stitch == NONE {
            &[]
        } else {
            &chunk.bytes[..chunk.bytes.len().min(room)]
        });
        let head: &[u8] = if stitch == NONE { chunk.bytes } else { &stitched };

        let transport = transport_of(&facts);
        let candidates = self.candidates.of(head, transport) & !refused;
        let context = ProbeContext {
            transport,
            direction,
            direction_is_sure: sure,
            on_known_port: false,
            at_stream_start,
            behind_unknown,
            complete: transport != Transports::TCP || chunk.bytes.len() > room,
        };
        let inference = match candidates {
            0 => Inference::NoMatch,
            _ => self.infer(&facts, candidates, &context, head, chunk.time_ns),
        };
        if stitch != NONE {
            // What the buffer holds of this chunk is dropped again below or kept as a whole.
            let kept = stitched.len() - chunk.bytes.len().min(room);
            if inference != Inference::NeedMore {
                stitched.truncate(kept);
            }
            self.stitches.put_back(stitch, stitched);
        }
        match inference {
            Inference::Match(protocol, speaker) => {
                let early = self.early_direction(index, direction);
                if !self.adopt(index, protocol, speaker, direction, chunk.time_ns) {
                    self.release(index);
                    return Verdict::Ignore;
                }
                let direction = if Self::turned(direction, speaker) {
                    direction.opposite()
                } else {
                    direction
                };
                // What the other direction said before, and was kept, comes first.
                let context = ProbeContext {
                    direction: direction.opposite(),
                    ..context
                };
                if early && self.replay_stitched(index, protocol, &context, sink) == Verdict::Ignore {
                    return Verdict::Ignore;
                }
                self.data_known_or_unknown(index, direction, chunk, sink)
            }
            Inference::NeedMore => {
                let stored = if stitch == NONE {
                    self.stitches.store(chunk.bytes)
                } else {
                    Some(stitch)
                };
                let Some(session) = self.sessions.get_mut(index) else {
                    return Verdict::Ignore;
                };
                let stream = &mut session.streams[direction.index()];
                if stitch == NONE {
                    stream.unit_ns = chunk.time_ns;
                    stream.unit_peer_offset = chunk.peer_offset.unwrap_or(0);
                }
                stream.last_ns = chunk.time_ns;
                stream.stitch = stored.unwrap_or(NONE);
                Verdict::Continue
            }
            Inference::NoMatch => self.give_up_chunk(index, direction, chunk),
        }
    }

    /// Whether the sender of `chunk` has heard of the other side since it sent what is kept: that was no
    /// beginning then, but a whole that nobody knew.
    fn is_answered(&self, index: u32, direction: Direction, chunk: &Chunk<'_>) -> bool {
        let stream = self.sessions.get(index).map(|s| s.streams[direction.index()]);
        stream.is_some_and(|s| s.stitch != NONE && chunk.peer_offset > Some(s.unit_peer_offset))
    }

    /// After `adopt`: whether the match turned client and server round.
    fn turned(direction: Direction, speaker: Speaker) -> bool {
        matches!(
            (speaker, direction),
            (Speaker::Client, Direction::ToClient) | (Speaker::Server, Direction::ToServer)
        )
    }

    fn early_direction(&self, index: u32, direction: Direction) -> bool {
        self.sessions
            .get(index)
            .is_some_and(|s| s.streams[direction.opposite().index()].stitch != NONE)
    }

    /// Reads what was kept of the direction of `context`. It may have been kept for another protocol's
    /// sake and be the end of another conversation: then it passes.
    fn replay_stitched(
        &mut self,
        index: u32,
        protocol: Protocol,
        context: &ProbeContext,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let direction = context.direction;
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        let stream = &mut session.streams[direction.index()];
        if stream.stitch == NONE {
            return Verdict::Continue;
        }
        let buffer = self.stitches.take(stream.stitch);
        let foreign = (protocol.declaration().probe)(&buffer, context) == Probe::NoMatch;
        let len = buffer.len() as u64;
        self.stitches.put_back(stream.stitch, buffer);
        if foreign {
            self.stitches.release(&mut stream.stitch);
            stream.offset += len;
            return Verdict::Continue;
        }
        let chunk = Chunk {
            bytes: &[],
            time_ns: stream.unit_ns,
            offset: stream.offset,
            peer_offset: Some(stream.unit_peer_offset),
        };
        stream.need = 0;
        self.feed(index, direction, &chunk, false, sink)
    }

    fn data_known_or_unknown(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        match self.sessions.get(index) {
            Some(session) if session.protocol.is_some() => {
                let datagram = session.facts.l4 != 0;
                self.feed(index, direction, chunk, datagram, sink)
            }
            Some(_) => self.give_up_chunk(index, direction, chunk),
            None => Verdict::Ignore,
        }
    }

    /// No protocol begins with this chunk: it passes, and so does the flow after some such chunks.
    fn give_up_chunk(&mut self, index: u32, direction: Direction, chunk: &Chunk<'_>) -> Verdict {
        let end = chunk.offset + chunk.bytes.len() as u64;
        self.give_up(index, direction, end, chunk.time_ns)
    }

    /// No protocol begins with what came before `offset`.
    fn give_up(&mut self, index: u32, direction: Direction, offset: u64, time_ns: u64) -> Verdict {
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        session.tries = session.tries.saturating_add(1);
        session.behind_unknown = true;
        let stream = &mut session.streams[direction.index()];
        self.stitches.release(&mut stream.stitch);
        stream.offset = offset;
        stream.started = true;
        stream.last_ns = time_ns;
        if session.tries >= PROBE_TRIES_MAX {
            self.counters.unknown_flows += 1;
            self.release(index);
            return Verdict::Ignore;
        }
        Verdict::Continue
    }

    /// Bytes of a flow with a parser. `datagram`: these bytes are a unit of their own.
    pub(super) fn feed(
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
        let peer_offset = chunk.peer_offset.unwrap_or(other_offset);
        if direction == Direction::ToClient {
            session.conversation.note_server(peer_offset);
        }
        let time_ns = chunk.time_ns;
        let mut feed = Feed {
            index,
            direction,
            time_ns,
            peer_offset,
            ended: datagram,
            datagram,
            idle: 0,
        };
        let mut bytes = chunk.bytes;
        if stream.stitch != NONE {
            match self.feed_stitched(&mut feed, bytes, sink) {
                Fed::Rest(used) => bytes = bytes.get(used..).unwrap_or(&[]),
                Fed::Kept => return Verdict::Continue,
                Fed::Over(verdict) => return verdict,
            }
        }
        self.feed_direct(&mut feed, bytes, sink)
    }

    /// Joins `bytes` to the stitch buffer and reads units until they begin within `bytes`.
    fn feed_stitched(&mut self, feed: &mut Feed, bytes: &[u8], sink: &mut dyn RecordSink) -> Fed {
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

    fn drop_stitch(&mut self, feed: &Feed, stitch: u32, buffer: Vec<u8>) {
        self.stitches.give(stitch, buffer);
        if let Some(stream) = self.stream(feed) {
            stream.stitch = NONE;
        }
    }

    /// Reads units straight out of the segment.
    fn feed_direct(&mut self, feed: &mut Feed, mut bytes: &[u8], sink: &mut dyn RecordSink) -> Verdict {
        loop {
            let Some(stream) = self.stream(feed) else {
                return Verdict::Ignore;
            };
            if stream.skip > 0 {
                let count = stream.skip.min(bytes.len() as u64);
                stream.skip -= count;
                stream.offset += count;
                let done = stream.skip == 0;
                bytes = bytes.get(count as usize..).unwrap_or(&[]);
                self.count_skipped(feed, count);
                if !done {
                    return Verdict::Continue;
                }
                self.settle(feed, sink);
            }
            if bytes.is_empty() {
                return Verdict::Continue;
            }
            let resync = self.stream(feed).is_some_and(|s| s.resync);
            if resync {
                match self.resync(feed, bytes, 0) {
                    Some(n) => bytes = bytes.get(n..).unwrap_or(&[]),
                    None => {
                        self.keep_tail(feed, bytes);
                        return Verdict::Continue;
                    }
                }
                continue;
            }
            let input = Input {
                bytes,
                ended: feed.ended,
            };
            match self.step(feed, input, (feed.time_ns, feed.peer_offset), sink) {
                Step::Advanced(n) => bytes = bytes.get(n..).unwrap_or(&[]),
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

    /// One call of the parser.
    fn step(
        &mut self,
        feed: &mut Feed,
        input: Input<'_>,
        start: (u64, u64),
        sink: &mut dyn RecordSink,
    ) -> Step {
        let Some(session) = self.sessions.get_mut(feed.index) else {
            return Step::Ignore;
        };
        let Some(protocol) = session.protocol else {
            return Step::Infer;
        };
        let (this, other) = (feed.direction.index(), feed.direction.opposite().index());
        let offset = session.streams[this].offset;
        let moment = Moment {
            start_ns: start.0,
            now_ns: feed.time_ns,
            offset,
            peer_offset: start.1,
            other_offset: session.streams[other].offset,
        };
        let (parser, completed) = (session.parser, session.conversation.completed);
        let mut hand_over = None;
        let talk = crate::conversation::Talk {
            exchanges: &mut self.exchanges,
            conversation: &mut session.conversation,
            counters: &mut self.counters,
            facts: &session.facts,
            protocol,
            wanted: self.wanted,
            session: feed.index,
            settings: &self.settings,
            sink,
        };
        let mut out = Out::new(talk, &self.settings, feed.direction, moment, &mut hand_over);
        let advance = self
            .parsers
            .advance(protocol, parser, feed.direction, input, &mut out);
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
        feed.idle = if used > 0 { 0 } else { feed.idle + 1 };
        match advance {
            Advance::Consumed(0) if feed.idle > IDLE_ADVANCES_MAX => self.malformed(feed, sink),
            Advance::Consumed(_) | Advance::Skip(_) => {
                if session.conversation.completed > completed {
                    session.malformed = session.malformed.saturating_sub(1);
                }
                Step::Advanced(used)
            }
            Advance::Need(_) if input.ended => self.malformed(feed, sink),
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
    fn switch(&mut self, feed: &Feed, used: usize, to: Option<HandOver>, sink: &mut dyn RecordSink) -> Step {
        self.end_all(feed.index, Ended::Fin, feed.time_ns, sink);
        self.disown_keeping_stitch(feed);
        let Some(HandOver {
            protocol: Some(protocol),
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
        Step::Advanced(used)
    }

    /// Takes the parser away but leaves the stitch buffer that the caller is reading from in place.
    fn disown_keeping_stitch(&mut self, feed: &Feed) {
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

    /// The unit at hand is broken.
    fn malformed(&mut self, feed: &Feed, sink: &mut dyn RecordSink) -> Step {
        let Some(session) = self.sessions.get_mut(feed.index) else {
            return Step::Ignore;
        };
        let Some(protocol) = session.protocol else {
            return Step::Infer;
        };
        self.counters.of_mut(protocol).malformed += 1;
        session.malformed = session.malformed.saturating_add(1);
        let confirmed = session.conversation.completed > 0;
        if confirmed && session.malformed < MALFORMED_MAX {
            let offset = session.streams[feed.direction.index()].offset;
            self.lose_place(feed, offset, 0, sink);
            return Step::Resync;
        }
        session.refused |= 1 << (protocol as u8);
        session.tries = session.tries.saturating_add(1);
        if confirmed {
            self.end_all(feed.index, Ended::Evicted, feed.time_ns, sink);
        } else if let Some(mut talk) = self.talk(feed.index, sink) {
            talk.withdraw();
        }
        self.disown_keeping_stitch(feed);
        Step::Infer
    }

    /// The parser no longer knows where it is in `direction`.
    fn lose_place(&mut self, feed: &Feed, offset: u64, gap: u64, sink: &mut dyn RecordSink) {
        let moment = Moment {
            start_ns: feed.time_ns,
            now_ns: feed.time_ns,
            offset,
            ..Moment::default()
        };
        let last_ns = self.stream(feed).map_or(feed.time_ns, |s| s.last_ns);
        if let Some(mut talk) = self.talk(feed.index, sink) {
            talk.cut_current(feed.direction, last_ns, offset, &moment);
            talk.lost_messages(feed.direction, gap);
        }
        if let Some(stream) = self.stream(feed) {
            stream.resync = !feed.datagram;
            stream.skip = 0;
        }
    }

    /// After a wrong guess: the flow waits for its next bytes, or is given up.
    fn infer_anew(&mut self, feed: &Feed) -> Verdict {
        let Some(session) = self.sessions.get_mut(feed.index) else {
            return Verdict::Ignore;
        };
        for stream in &mut session.streams {
            self.stitches.release(&mut stream.stitch);
        }
        if session.tries >= PROBE_TRIES_MAX {
            self.counters.unknown_flows += 1;
            self.release(feed.index);
            return Verdict::Ignore;
        }
        Verdict::Continue
    }

    /// Infers again, from the bytes on which the last guess failed.
    fn infer_rest(&mut self, feed: &Feed, bytes: &[u8], sink: &mut dyn RecordSink) -> Verdict {
        if self.infer_anew(feed) == Verdict::Ignore {
            return Verdict::Ignore;
        }
        let Some(stream) = self.stream(feed) else {
            return Verdict::Ignore;
        };
        let chunk = Chunk {
            bytes,
            time_ns: feed.time_ns,
            offset: stream.offset,
            peer_offset: Some(feed.peer_offset),
        };
        if bytes.is_empty() {
            Verdict::Continue
        } else {
            self.data_unknown(feed.index, feed.direction, &chunk, sink)
        }
    }

    /// Looks for the next message in `bytes` from `from` on; says how many bytes lie before it.
    fn resync(&mut self, feed: &Feed, bytes: &[u8], from: usize) -> Option<usize> {
        let session = self.sessions.get_mut(feed.index)?;
        let protocol = session.protocol?;
        let found = self
            .parsers
            .resync(protocol, session.parser, feed.direction, bytes.get(from..)?);
        let passed = found.map(|n| n + from).filter(|n| *n <= bytes.len());
        let counters = self.counters.of_mut(protocol);
        let stream = &mut session.streams[feed.direction.index()];
        if let Some(n) = passed {
            stream.resync = false;
            stream.offset += n as u64;
            counters.resynchronised += 1;
            counters.resync_bytes += n as u64;
        }
        passed
    }

    /// Keeps the end of bytes in which no message begins: a start may straddle the segments.
    fn keep_tail(&mut self, feed: &Feed, bytes: &[u8]) {
        let (passed, tail) = bytes.split_at(bytes.len().saturating_sub(RESYNC_TAIL_BYTES));
        self.count_resync(feed, passed.len() as u64);
        self.keep_unit(feed, tail, 0);
    }

    fn count_resync(&mut self, feed: &Feed, passed: u64) {
        let Some(session) = self.sessions.get_mut(feed.index) else {
            return;
        };
        session.streams[feed.direction.index()].offset += passed;
        if let Some(protocol) = session.protocol {
            self.counters.of_mut(protocol).resync_bytes += passed;
        }
    }

    /// Keeps a unit that is not whole.
    fn keep_unit(&mut self, feed: &Feed, bytes: &[u8], need: usize) {
        let stored = self.stitches.store(bytes).unwrap_or(NONE);
        if let Some(stream) = self.stream(feed) {
            stream.stitch = stored;
            stream.need = need.min(STITCH_BYTES_MAX) as u16;
            stream.unit_ns = feed.time_ns;
            stream.unit_peer_offset = feed.peer_offset;
        }
    }

    fn stream(&mut self, feed: &Feed) -> Option<&mut Stream> {
        self.sessions
            .get_mut(feed.index)
            .map(|s| &mut s.streams[feed.direction.index()])
    }

    fn count_skipped(&mut self, feed: &Feed, count: u64) {
        if let Some(protocol) = self.sessions.get(feed.index).and_then(|s| s.protocol) {
            self.counters.of_mut(protocol).skipped_bytes += count;
        }
    }

    /// A skip has ended: so does the message that was closed with it.
    fn settle(&mut self, feed: &Feed, sink: &mut dyn RecordSink) {
        let Some(session) = self.sessions.get(feed.index) else {
            return;
        };
        let (this, other) = (feed.direction.index(), feed.direction.opposite().index());
        let moment = Moment {
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

    /// Bytes that will never be seen.
    pub(super) fn feed_gap(
        &mut self,
        index: u32,
        direction: Direction,
        len: u64,
        time_ns: u64,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        self.flush_unit(index, direction, sink);
        let feed = Feed {
            index,
            direction,
            time_ns,
            peer_offset: 0,
            ended: false,
            datagram: false,
            idle: 0,
        };
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        let stream = &mut session.streams[direction.index()];
        let Some(protocol) = session.protocol else {
            stream.offset += len;
            stream.started = true;
            return Verdict::Continue;
        };
        self.counters.of_mut(protocol).gap_bytes += len;
        let in_skip = stream.skip.min(len);
        let skip_ends = stream.skip > 0 && in_skip == stream.skip;
        stream.skip -= in_skip;
        stream.offset += in_skip;
        let resyncing = stream.resync;
        let parser = session.parser;
        if in_skip > 0 {
            if let Some(mut talk) = self.talk(index, sink) {
                talk.gap(direction, in_skip);
            }
            if skip_ends {
                self.settle(&feed, sink);
            }
        }
        let beyond = len - in_skip;
        if beyond == 0 {
            return Verdict::Continue;
        }
        if let Some(mut talk) = self.talk(index, sink) {
            talk.gap(direction, beyond);
        }
        let on_gap = if resyncing {
            OnGap::Resync
        } else {
            self.parsers.on_gap(protocol, parser, direction, beyond)
        };
        let offset = self.stream(&feed).map_or(0, |s| s.offset);
        match on_gap {
            OnGap::Resume => {}
            OnGap::Resync => self.lose_place(&feed, offset, beyond, sink),
            OnGap::Lost => {
                self.end_all(index, Ended::Evicted, time_ns, sink);
                self.disown(index);
            }
        }
        if let Some(stream) = self.stream(&feed) {
            stream.offset += beyond;
        }
        Verdict::Continue
    }

    /// No further byte follows what is stitched in `direction`: the parser makes do with it.
    fn flush_unit(&mut self, index: u32, direction: Direction, sink: &mut dyn RecordSink) {
        let Some(session) = self.sessions.get_mut(index) else {
            return;
        };
        let readable = session.protocol.is_some();
        let stream = &mut session.streams[direction.index()];
        let held = stream.stitch;
        if held == NONE {
            return;
        }
        if readable && !stream.resync {
            let mut feed = Feed {
                index,
                direction,
                time_ns: stream.last_ns,
                peer_offset: stream.unit_peer_offset,
                ended: true,
                datagram: false,
                idle: 0,
            };
            stream.need = 0;
            self.feed_stitched(&mut feed, &[], sink);
        }
        let Some(session) = self.sessions.get_mut(index) else {
            return;
        };
        let stream = &mut session.streams[direction.index()];
        if stream.stitch == held {
            let buffer = self.stitches.take(held);
            stream.offset += buffer.len() as u64;
            stream.stitch = NONE;
            self.stitches.give(held, buffer);
        }
    }

    /// The stream of `direction` has ended.
    pub(super) fn feed_end(&mut self, index: u32, direction: Direction, sink: &mut dyn RecordSink) {
        self.flush_unit(index, direction, sink);
        let Some(session) = self.sessions.get(index) else {
            return;
        };
        let stream = session.streams[direction.index()];
        if let Some(mut talk) = self.talk(index, sink) {
            talk.finish_until_close(direction, stream.last_ns, stream.offset);
        }
    }
}

/// What stays the same while one chunk is read.
struct Feed {
    index: u32,
    direction: Direction,
    time_ns: u64,
    peer_offset: u64,
    /// The chunk is a unit of its own: no byte follows.
    ended: bool,
    /// The transport keeps message boundaries.
    datagram: bool,
    /// Calls in a row that consumed nothing.
    idle: u32,
}

/// What became of a chunk that was joined to a stitch buffer.
enum Fed {
    /// So many bytes of the chunk are done with; the rest can be read where it lies.
    Rest(usize),
    /// All of it is kept until more comes.
    Kept,
    /// The flow goes on without a parser, or not at all.
    Over(Verdict),
}
