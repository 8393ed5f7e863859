//! Protocols that travel in the frames of another: what the frames hold is fed to the parser as if it had
//! come without them. Its offsets count what it sees; gaps, times and sequence numbers are those of the wire.

use super::feed::Feed;
use super::session::Stream;
use super::{Chunk, Engine, Verdict};
use crate::field::Ended;
use crate::l7::websocket::{Payloads, Piece, unmask};
use crate::limits::{MALFORMED_MAX, UNMASK_BYTES};
use crate::parser::{Direction, Framing};
use crate::record::{FlowFacts, RecordSink};
use crate::slab::NONE;

/// The frames of a flow.
#[derive(Debug, Default)]
pub(crate) struct Wrapping {
    sides: [Side; 2],
    /// Breaks so far, less what went well behind them.
    broken: u8,
}

#[derive(Debug, Default)]
struct Side {
    payloads: Payloads,
    /// Where the next frame begins is not known.
    lost: bool,
    /// Bytes that were not payload, so far.
    framing: u64,
    /// As many of these stand before the unit at hand.
    framing_before: u64,
    /// How many do is not known, nor are sequence numbers for as long.
    doubtful: bool,
}

impl Engine {
    /// From here on the flow travels in frames. False when there is no room to follow them.
    pub(super) fn wrap(&mut self, index: u32, framing: Framing) -> bool {
        let Framing::WebSocket = framing;
        let Some(wrapping) = self.wrappings.insert(Wrapping::default()) else {
            return false;
        };
        if let Some(session) = self.sessions.get_mut(index) {
            session.wrapping = wrapping;
        }
        true
    }

    /// Bytes of a flow that travels in frames.
    pub(super) fn feed_wrapped(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let mut rest = chunk.bytes;
        while !rest.is_empty() {
            let Some(wrapping) = self.wrapping(index) else {
                // Its protocol turned out to be another, in which nothing was found.
                return Verdict::Continue;
            };
            let [to_server, to_client] = &mut wrapping.sides;
            let (side, other) = match direction {
                Direction::ToServer => (to_server, to_client),
                Direction::ToClient => (to_client, to_server),
            };
            if side.lost {
                let Some(start) = side.payloads.find(direction, rest) else {
                    self.pass_framing(index, direction, rest.len());
                    return Verdict::Continue;
                };
                side.lost = false;
                self.pass_framing(index, direction, start);
                rest = rest.get(start..).unwrap_or(&[]);
                continue;
            }
            let other_framing = other.framing;
            match side.payloads.next(rest) {
                Piece::Framing(len) => {
                    side.framing += len as u64;
                    rest = rest.get(len..).unwrap_or(&[]);
                }
                Piece::Payload(len, key) => {
                    let (payload, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
                    rest = behind;
                    wrapping.broken = wrapping.broken.saturating_sub(1);
                    let chunk = Chunk {
                        bytes: payload,
                        peer_offset: chunk
                            .peer_offset
                            .map(|offset| offset.saturating_sub(other_framing)),
                        ..*chunk
                    };
                    match self.feed_payload(index, direction, &chunk, key, sink) {
                        Verdict::Continue => {}
                        over => return over,
                    }
                }
                Piece::Broken => {
                    wrapping.broken += 1;
                    let hopeless = wrapping.broken >= MALFORMED_MAX;
                    self.lose_frames(index, direction, chunk.time_ns, sink);
                    self.pass_framing(index, direction, rest.len());
                    if hopeless {
                        self.end_all(index, Ended::Evicted, chunk.time_ns, sink);
                        self.release(index);
                        return Verdict::Ignore;
                    }
                    return Verdict::Continue;
                }
            }
        }
        Verdict::Continue
    }

    /// Payload of one frame. What the parser passes by arithmetic is not unmasked.
    fn feed_payload(
        &mut self,
        index: u32,
        direction: Direction,
        chunk: &Chunk<'_>,
        mut key: Option<[u8; 4]>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let unit_goes_on = |stream: &Stream| stream.stitch != NONE;
        let sessions = &self.sessions;
        if !sessions
            .get(index)
            .is_some_and(|s| unit_goes_on(&s.streams[direction.index()]))
        {
            self.move_first_seq(index, direction);
        }
        let mut unmasked = std::mem::take(&mut self.unmasked);
        let mut rest = chunk.bytes;
        let mut verdict = Verdict::Continue;
        while !rest.is_empty() && verdict == Verdict::Continue {
            let skip = self
                .sessions
                .get(index)
                .map_or(0, |session| session.streams[direction.index()].skip);
            let len = match (key, skip) {
                (None, _) => rest.len(),
                (Some(_), 0) => rest.len().min(UNMASK_BYTES),
                (Some(_), skip) => skip.min(rest.len() as u64) as usize,
            };
            let (part, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            rest = behind;
            let mut bytes = part;
            if let Some(key) = &mut key {
                if skip == 0 {
                    unmask(part, *key, &mut unmasked);
                    bytes = &unmasked;
                }
                key.rotate_left(len % 4);
            }
            verdict = self.feed(index, direction, &Chunk { bytes, ..*chunk }, false, sink);
            if self.wrapping(index).is_none() {
                break;
            }
        }
        self.unmasked = unmasked;
        verdict
    }

    /// What begins from here on has all framing so far before it: the sequence number of its offset 0 is
    /// moved as much.
    pub(super) fn move_first_seq(&mut self, index: u32, direction: Direction) {
        let i = direction.index();
        let Some(wrapping) = self.wrapping(index) else {
            return;
        };
        let side = &mut wrapping.sides[i];
        let more = side.framing - side.framing_before;
        side.framing_before = side.framing;
        let was_doubtful = std::mem::take(&mut side.doubtful);
        if let Some(session) = self.sessions.get_mut(index) {
            let facts = &mut session.facts;
            facts.first_seq[i] = facts.first_seq[i].wrapping_add(more as u32);
            if was_doubtful {
                facts.bits |= FlowFacts::FIRST_SEQ[i];
            }
        }
    }

    /// A unit begins in bytes that were kept, behind others: which frame brought them is not known any more,
    /// unless one frame brought all.
    pub(super) fn doubt_first_seq(&mut self, index: u32, direction: Direction) {
        let (i, bit) = (direction.index(), FlowFacts::FIRST_SEQ[direction.index()]);
        let is_known = self.sessions.get(index).is_some_and(|s| s.facts.bits & bit != 0);
        let Some(wrapping) = self.wrapping(index) else {
            return;
        };
        let side = &mut wrapping.sides[i];
        if side.framing == side.framing_before || !is_known {
            return;
        }
        side.doubtful = true;
        if let Some(session) = self.sessions.get_mut(index) {
            session.facts.bits &= !bit;
        }
    }

    /// `len` bytes on the wire will never be seen.
    pub(super) fn gap_wrapped(
        &mut self,
        index: u32,
        direction: Direction,
        len: u64,
        time_ns: u64,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let Some(wrapping) = self.wrapping(index) else {
            return Verdict::Ignore;
        };
        let Some(side) = wrapping.sides.get_mut(direction.index()) else {
            return Verdict::Ignore;
        };
        let was_lost = side.lost;
        match side.payloads.gap(len).filter(|_| !was_lost) {
            Some(payload) => {
                side.framing += len - payload;
                if payload == 0 {
                    return Verdict::Continue;
                }
                self.feed_gap(index, direction, payload, time_ns, sink)
            }
            None => {
                // How much of it was payload can't be told.
                let verdict = self.feed_gap(index, direction, len, time_ns, sink);
                if verdict == Verdict::Continue {
                    self.lose_frames(index, direction, time_ns, sink);
                }
                verdict
            }
        }
    }

    /// Where the next frame begins is not known, nor what came before it.
    fn lose_frames(&mut self, index: u32, direction: Direction, time_ns: u64, sink: &mut dyn RecordSink) {
        if let Some(wrapping) = self.wrapping(index)
            && let Some(side) = wrapping.sides.get_mut(direction.index())
        {
            side.lost = true;
        }
        self.flush_unit(index, direction, sink);
        let feed = Feed::beside(index, direction, time_ns);
        if let Some(stream) = self.stream(&feed) {
            let offset = stream.offset;
            self.lose_place(&feed, offset, 0, sink);
        }
    }

    /// `len` bytes were of no use to the parser.
    fn pass_framing(&mut self, index: u32, direction: Direction, len: usize) {
        if let Some(wrapping) = self.wrapping(index)
            && let Some(side) = wrapping.sides.get_mut(direction.index())
        {
            side.framing += len as u64;
        }
        if let Some(protocol) = self.sessions.get(index).and_then(|session| session.protocol) {
            self.counters.of_mut(protocol).resync_bytes += len as u64;
        }
    }

    fn wrapping(&mut self, index: u32) -> Option<&mut Wrapping> {
        let wrapping = self.sessions.get(index)?.wrapping;
        if wrapping == NONE {
            return None;
        }
        self.wrappings.get_mut(wrapping)
    }
}
