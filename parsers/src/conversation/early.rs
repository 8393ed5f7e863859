//! Responses that came before the end of their requests was seen.

use super::Talk;
use super::exchange::Role;
use super::text::Chain;
use crate::field::{Ended, Kind};
use crate::limits::EARLY_RESPONSE_NS;
use crate::parser::Pairing;

impl Talk<'_> {
    /// Looks for the response of a request of which no more will be seen among those that came before its
    /// end; says whether there was one, and a record was made.
    #[inline]
    pub(super) fn join_early_response(&mut self, request: u32, end_offset: u64) -> bool {
        self.conversation.early.count > 0 && self.join_one_of_early(request, end_offset)
    }

    fn join_one_of_early(&mut self, request: u32, end_offset: u64) -> bool {
        let by_id = self.pairing == Pairing::ById;
        let Some(slot) = self.exchanges.slots.get(request) else {
            return false;
        };
        let (id, tag, peer_offset) = (slot.id, slot.tag, slot.request.peer_offset);
        let found = if by_id {
            let list = &self.conversation.early;
            self.exchanges.find_by_id(self.session, list, id, tag)
        } else {
            self.drop_early_before(peer_offset);
            Some(self.conversation.early.head)
        };
        let Some(found) = found else { return false };
        (by_id || self.answers(request, end_offset, found)) && self.join(request, found)
    }

    /// Whether the response of `early` answers `request`, of which bytes up to `end_offset` were seen.
    fn answers(&self, request: u32, end_offset: u64, early: u32) -> bool {
        let slots = &self.exchanges.slots;
        let (Some(slot), Some(early)) = (slots.get(request), slots.get(early)) else {
            return false;
        };
        let gap = slot.after_gap || self.conversation.response_gap;
        let proven = slot.after_all && early.response.start_offset == slot.request.peer_offset;
        early.response.peer_offset >= end_offset && (proven || !gap)
    }

    /// The flow ends within a response that began before anything was known of its request: it belongs to the
    /// oldest request where both stand in their streams as request and response do. Says whether there was
    /// one, and a record was made.
    pub(super) fn join_cut_response(&mut self, early: u32, ended: Ended) -> bool {
        let request = self.conversation.requests.head;
        let slots = &self.exchanges.slots;
        let (Some(slot), Some(from)) = (slots.get(request), slots.get(early)) else {
            return false;
        };
        let alone = !slot.response.seen && from.role == Role::Response && self.conversation.evicted == 0;
        // What the client had received when it sent the request is no answer to it.
        let later = from.response.start_offset >= slot.request.peer_offset;
        let end_offset = slot.request.start_offset + slot.request.len;
        if self.pairing == Pairing::ById || !alone || !later || !self.answers(request, end_offset, early) {
            return false;
        }
        self.move_response(request, early);
        self.exchanges.unlink(&mut self.conversation.requests, request);
        self.emit_and_free(request, Kind::Matched, ended);
        true
    }

    /// Ends early responses that begin before `offset`: a client that has received them before it sends its
    /// request has not asked for them with it.
    fn drop_early_before(&mut self, offset: u64) {
        while let Some(slot) = self.exchanges.slots.get(self.conversation.early.head) {
            if slot.response.start_offset >= offset {
                return;
            }
            let end_ns = slot.response.end_ns;
            self.end(self.conversation.early.head, Ended::Response, end_ns);
        }
    }

    /// Makes one exchange of a request and a response that came before its end, when they are close enough
    /// in time; says whether it did.
    pub(super) fn join(&mut self, request: u32, early: u32) -> bool {
        let slots = &mut self.exchanges.slots;
        let Some(from) = slots.get(early).copied() else {
            return false;
        };
        let Some(slot) = slots.get(request) else {
            return false;
        };
        let in_time = slot.request.start_ns.saturating_sub(from.response.end_ns) <= EARLY_RESPONSE_NS;
        if !in_time || !from.response.complete || slot.response.seen {
            return false;
        }
        self.exchanges.unlink(&mut self.conversation.early, early);
        self.move_response(request, early);
        self.exchanges.unlink(&mut self.conversation.requests, request);
        self.emit_and_free(request, Kind::Matched, Ended::Response);
        true
    }

    /// Moves the response of `early`, which stands in no list, to the slot of its request.
    fn move_response(&mut self, request: u32, early: u32) {
        let slots = &mut self.exchanges.slots;
        let Some(from) = slots.get(early).copied() else {
            return;
        };
        let Some(slot) = slots.get_mut(request) else {
            return;
        };
        slot.response = from.response;
        slot.proto = slot.proto.or(from.proto);
        slot.status = from.status;
        slot.code = from.code.or(slot.code);
        slot.rows = from.rows.or(slot.rows);
        slot.truncated |= from.truncated;
        slot.gap_bytes += from.gap_bytes;
        // The text now belongs to the request's slot.
        if let Some(slot) = slots.get_mut(early) {
            slot.response.text = Chain::EMPTY;
        }
        self.exchanges.free(early);
    }
}
