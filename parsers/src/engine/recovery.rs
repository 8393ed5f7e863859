//! What happens when a unit is broken or bytes are lost: messages are cut, the next one is looked for.

use super::feed::{Feed, Step};
use super::{Engine, Verdict};
use crate::conversation::Moment;
use crate::field::Ended;
use crate::limits::{MALFORMED_MAX, RESYNC_TAIL_BYTES};
use crate::parser::{Direction, Input, OnGap};
use crate::record::RecordSink;
use crate::slab::NONE;

impl Engine {
    /// The unit at hand is broken.
    pub(super) fn malformed(&mut self, feed: &Feed, sink: &mut dyn RecordSink) -> Step {
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
    pub(super) fn lose_place(&mut self, feed: &Feed, offset: u64, gap: u64, sink: &mut dyn RecordSink) {
        let moment = Moment::at(feed.direction, feed.time_ns, offset);
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

    /// Looks for the next message in `bytes` from `from` on; says how many bytes lie before it.
    pub(super) fn resync(&mut self, feed: &Feed, bytes: &[u8], from: usize) -> Option<usize> {
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
    pub(super) fn keep_tail(&mut self, feed: &Feed, bytes: &[u8]) {
        let (passed, tail) = bytes.split_at(bytes.len().saturating_sub(RESYNC_TAIL_BYTES));
        self.count_resync(feed, passed.len() as u64);
        self.keep_unit(feed, tail, 0);
    }

    pub(super) fn count_resync(&mut self, feed: &Feed, passed: u64) {
        let Some(session) = self.sessions.get_mut(feed.index) else {
            return;
        };
        session.streams[feed.direction.index()].offset += passed;
        if let Some(protocol) = session.protocol {
            self.counters.of_mut(protocol).resync_bytes += passed;
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
        let feed = Feed::beside(index, direction, time_ns);
        let Some(session) = self.sessions.get_mut(index) else {
            return Verdict::Ignore;
        };
        let stream = &mut session.streams[direction.index()];
        let Some(protocol) = session.protocol else {
            stream.offset += len;
            stream.started = true;
            return Verdict::Continue;
        };
        let in_skip = stream.skip.min(len);
        self.counters.of_mut(protocol).gap_bytes += in_skip;
        let skip_ends = stream.skip > 0 && in_skip == stream.skip;
        stream.skip -= in_skip;
        stream.offset += in_skip;
        let resyncing = stream.resync;
        let last_seen = Feed::beside(index, direction, stream.last_ns);
        let parser = session.parser;
        if in_skip > 0 {
            if let Some(mut talk) = self.talk(index, sink) {
                talk.gap(direction, in_skip);
            }
            if skip_ends {
                self.settle(&last_seen, sink);
            }
        }
        let beyond = len - in_skip;
        if beyond == 0 {
            return Verdict::Continue;
        }
        let on_gap = if resyncing {
            OnGap::Resync
        } else {
            self.parsers.on_gap(protocol, parser, direction, beyond)
        };
        if on_gap == OnGap::Pass && self.pass_message(&feed, sink) {
            return self.feed_gap(index, direction, beyond, time_ns, sink);
        }
        self.counters.of_mut(protocol).gap_bytes += beyond;
        let missed = self
            .talk(index, sink)
            .is_some_and(|mut talk| talk.gap(direction, beyond));
        let offset = self.stream(&feed).map_or(0, |s| s.offset);
        match on_gap {
            OnGap::Resume => {}
            OnGap::Resync | OnGap::Pass => {
                self.lose_place(&feed, offset, if missed { 0 } else { beyond }, sink);
            }
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

    /// Lets the parser close the message at hand, whose last bytes will never be seen; whether it skips them.
    #[cold]
    fn pass_message(&mut self, feed: &Feed, sink: &mut dyn RecordSink) -> bool {
        let Some(stream) = self.stream(feed) else {
            return false;
        };
        let (last_ns, peer_offset) = (stream.last_ns, stream.unit_peer_offset);
        let mut feed = Feed {
            ended: true,
            ..Feed::beside(feed.index, feed.direction, last_ns)
        };
        let input = Input {
            bytes: &[],
            ended: true,
        };
        let step = self.step(&mut feed, input, (last_ns, peer_offset), sink);
        matches!(step, Step::Advanced(_)) && self.stream(&feed).is_some_and(|stream| stream.skip > 0)
    }

    /// No further byte follows what is stitched in `direction`: the parser makes do with it.
    pub(super) fn flush_unit(&mut self, index: u32, direction: Direction, sink: &mut dyn RecordSink) {
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
