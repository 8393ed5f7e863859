//! Records of messages within a message: the pieces of a stream.

use super::exchange::{Exchange, Role, Side};
use super::out::Out;
use super::text::Chain;
use crate::field::{Ended, Kind, Status};

/// When and where a piece passed, and how long it is, bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Capture time of its first byte.
    pub start_ns: u64,
    /// Capture time of its last byte.
    pub end_ns: u64,
    /// Bytes on the wire.
    pub len: u64,
    /// TCP sequence number of its first byte, and whether that is known.
    pub seq: (u32, bool),
}

impl Out<'_> {
    /// Tells a piece of the selected message as a `stream` record of its own. It says of itself what the
    /// request says of the whole; the selected exchange goes on as if nothing had been told.
    pub fn piece(&mut self, span: &Span) {
        let role = self.role;
        self.talk.keep_text(self.selected, role);
        let Some(whole) = self.talk.exchanges.slots.get(self.selected) else {
            return;
        };
        let side = |text: Chain, role_is_its: bool| {
            let unseen = Side {
                text,
                ..Exchange::VACANT.request
            };
            let mut seen = Side {
                seen: true,
                complete: true,
                start_ns: span.start_ns,
                end_ns: span.end_ns,
                len: span.len,
                ..unseen
            };
            (seen.seq, seen.has_seq) = span.seq;
            if role_is_its { seen } else { unseen }
        };
        let answers = role == Role::Response;
        let piece = Exchange {
            session: whole.session,
            role: Role::Stream,
            proto: whole.proto,
            status: Status::Ok,
            truncated: whole.truncated,
            id: whole.id,
            request: side(whole.request.text, !answers),
            response: side(Chain::EMPTY, answers),
            ..Exchange::VACANT
        };
        // It borrows the text of the whole, so it goes without giving it back.
        let slots = &mut self.talk.exchanges.slots;
        let Some(index) = slots.insert(piece) else {
            self.talk.counters.of_mut(self.talk.protocol).exchanges_refused += 1;
            return;
        };
        self.talk.emit(index, Kind::Stream, Ended::Response);
        self.talk.exchanges.slots.remove(index, Exchange::VACANT);
    }

    /// Where this call's input begins: the time of its first byte, that of the segment at hand, no length.
    pub fn here(&self) -> Span {
        Span {
            start_ns: self.moment.start_ns,
            end_ns: self.moment.now_ns,
            len: 0,
            seq: self.talk.facts.seq_at(self.moment.direction, self.moment.offset),
        }
    }
}
