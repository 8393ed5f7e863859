//! Flows whose protocol is not known: inference over their first bytes, and again after a wrong guess.

use super::feed::Feed;
use super::{Chunk, Ends, Engine, Verdict};
use crate::inference::Inference;
use crate::l7::Protocol;
use crate::limits::{PROBE_TRIES_MAX, STITCH_BYTES_MAX};
use crate::parser::{Direction, Probe, ProbeContext, Speaker, Transports};
use crate::record::RecordSink;
use crate::slab::NONE;

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

        let transport = Transports::of_l4(facts.l4);
        let on_ports = self.candidates.on_ports(Ends::of(&facts).ports);
        let candidates = self.candidates.of(head, transport, on_ports) & !refused;
        let context = ProbeContext {
            transport,
            direction,
            direction_is_sure: sure,
            on_known_port: false,
            at_stream_start,
            behind_unknown,
            complete: transport != Transports::TCP || chunk.bytes.len() > room,
        };
        let unchecked = self.interest(Ends::of(&facts)).refused();
        let sets = (candidates, refused | unchecked);
        let inference = self.infer_or_claim(
            Ends::of(&facts),
            &|| facts,
            sets,
            &mut context.clone(),
            head,
            chunk.time_ns,
        );
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
    pub(super) fn is_answered(&self, index: u32, direction: Direction, chunk: &Chunk<'_>) -> bool {
        let stream = self.sessions.get(index).map(|s| s.streams[direction.index()]);
        stream.is_some_and(|s| s.stitch != NONE && chunk.peer_offset > Some(s.unit_peer_offset))
    }

    /// After `adopt`: whether the match turned client and server round.
    pub(super) fn turned(direction: Direction, speaker: Speaker) -> bool {
        matches!(
            (speaker, direction),
            (Speaker::Client, Direction::ToClient) | (Speaker::Server, Direction::ToServer)
        )
    }

    pub(super) fn early_direction(&self, index: u32, direction: Direction) -> bool {
        self.sessions
            .get(index)
            .is_some_and(|s| s.streams[direction.opposite().index()].stitch != NONE)
    }

    /// Reads what was kept of the direction of `context`. It may have been kept for another protocol's
    /// sake and be the end of another conversation: then it passes.
    pub(super) fn replay_stitched(
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

    pub(super) fn data_known_or_unknown(
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
    pub(super) fn give_up_chunk(&mut self, index: u32, direction: Direction, chunk: &Chunk<'_>) -> Verdict {
        let end = chunk.offset + chunk.bytes.len() as u64;
        self.give_up(index, direction, end, chunk.time_ns)
    }

    /// No protocol begins with what came before `offset`.
    pub(super) fn give_up(&mut self, index: u32, direction: Direction, offset: u64, time_ns: u64) -> Verdict {
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

    /// After a wrong guess: the flow waits for its next bytes, or is given up.
    pub(super) fn infer_anew(&mut self, feed: &Feed) -> Verdict {
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
    pub(super) fn infer_rest(&mut self, feed: &Feed, bytes: &[u8], sink: &mut dyn RecordSink) -> Verdict {
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
}
