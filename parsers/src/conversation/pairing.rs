//! How messages find their exchange, and how exchanges end.

use super::exchange::{Exchange, Queue, Role};
use super::{Moment, NO_MESSAGE, Talk};
use crate::field::{Ended, Kind};
use crate::limits::{EARLY_RESPONSE_NS, EARLY_RESPONSES_PER_FLOW_MAX, GIVEN_UP_NS, PENDING_PER_FLOW_MAX};
use crate::parser::{Direction, Pairing};
use crate::slab::NONE;

impl Talk<'_> {
    /// Begins a message; [`NONE`] when the lcore is at its limit (counted).
    #[inline(always)]
    pub(crate) fn open(&mut self, role: Role, id: Option<u64>, tag: u32, at: &Moment) -> u32 {
        let index = match role {
            Role::Request => self.insert_request(id, tag, at),
            Role::Response => match self.find_request(id, tag, at, true) {
                Some(request) => request,
                None => self.insert_early(id, tag, at),
            },
            Role::OneWay | Role::Stream => self.insert(role, id, tag, at),
        };
        if let Some(slot) = self.exchanges.slots.get_mut(index) {
            let seq = self.facts.seq_at(at.direction, at.offset);
            slot.side_mut(role).begin(at, seq);
        }
        index
    }

    #[inline(always)]
    fn insert_request(&mut self, id: Option<u64>, tag: u32, at: &Moment) -> u32 {
        let index = self.insert(Role::Request, id, tag, at);
        let by_id = self.pairing == Pairing::ById;
        let after_all = !by_id && index != NONE && self.is_after_all(at);
        if let Some(slot) = self.exchanges.slots.get_mut(index) {
            slot.after_all = after_all;
            slot.after_gap = std::mem::take(&mut self.conversation.request_gap);
            self.exchanges.link(&mut self.conversation.requests, index, by_id);
        }
        index
    }

    #[inline(always)]
    fn insert(&mut self, role: Role, id: Option<u64>, tag: u32, at: &Moment) -> u32 {
        if role == Role::Request && self.conversation.requests.count as usize >= PENDING_PER_FLOW_MAX {
            self.evict_oldest(at);
        }
        if let Some(index) = self.exchanges.slots.take(|| Exchange::VACANT) {
            if let Some(slot) = self.exchanges.slots.get_mut(index) {
                slot.role = role;
                slot.session = self.session;
                slot.id = id;
                slot.tag = tag;
            }
            return index;
        }
        self.refuse(role);
        NONE
    }

    /// There is no slot for a message of `role`.
    #[cold]
    fn refuse(&mut self, role: Role) {
        self.counters.of_mut(self.protocol).exchanges_refused += 1;
        if role == Role::Request {
            // Its response will come in between: from here on only proof pairs.
            self.conversation.request_gap = true;
        }
    }

    /// A response whose request was not seen. By id several may be open at once, so it is listed from its
    /// first byte on.
    fn insert_early(&mut self, id: Option<u64>, tag: u32, at: &Moment) -> u32 {
        let index = self.insert(Role::Response, id, tag, at);
        if index != NONE && self.pairing == Pairing::ById {
            self.link_early(index, at.now_ns);
        }
        index
    }

    fn link_early(&mut self, index: u32, now_ns: u64) {
        if self.conversation.early.count as usize >= EARLY_RESPONSES_PER_FLOW_MAX {
            let oldest = self.conversation.early.head;
            self.end(oldest, Ended::Evicted, now_ns);
        }
        let by_id = self.pairing == Pairing::ById;
        self.exchanges.link(&mut self.conversation.early, index, by_id);
    }

    fn evict_oldest(&mut self, at: &Moment) {
        let oldest = self.conversation.requests.head;
        self.counters.of_mut(self.protocol).evicted += 1;
        if self
            .exchanges
            .slots
            .get(oldest)
            .is_some_and(|slot| !slot.response.seen)
        {
            match self.conversation.evicted.checked_add(1) {
                Some(evicted) => self.conversation.evicted = evicted,
                None => self.conversation.response_gap = true,
            }
        }
        self.end(oldest, Ended::Evicted, at.now_ns);
    }

    /// The open message of this role and id.
    pub(crate) fn find_open(&mut self, role: Role, id: u64) -> Option<u32> {
        let found = self.find_exchange(id, role == Role::Response)?;
        let side = self.exchanges.slots.get_mut(found)?.side_mut(role);
        (side.seen && !side.complete).then_some(found)
    }

    /// The exchange of this id; `early`: a response without a request will do.
    pub(crate) fn find_exchange(&self, id: u64, early: bool) -> Option<u32> {
        let (exchanges, conversation) = (&*self.exchanges, &*self.conversation);
        let find = |list| exchanges.find_by_id(self.session, list, Some(id), 0);
        find(&conversation.requests).or_else(|| find(&conversation.early).filter(|_| early))
    }

    /// The oldest request of this id and tag that waits for its response.
    pub(crate) fn find_waiting(&self, id: Option<u64>, tag: u32) -> Option<u32> {
        let requests = &self.conversation.requests;
        let found = self.exchanges.find_by_id(self.session, requests, id, tag)?;
        let slot = self.exchanges.slots.get(found)?;
        (slot.request.complete && !slot.response.seen).then_some(found)
    }

    /// The request that a response beginning at `at` answers. With `settle`, requests that can't be
    /// answered any more are ended on the way.
    #[inline(always)]
    pub(crate) fn find_request(
        &mut self,
        id: Option<u64>,
        tag: u32,
        at: &Moment,
        settle: bool,
    ) -> Option<u32> {
        if self.pairing == Pairing::ById {
            let requests = &self.conversation.requests;
            return self.exchanges.find_by_id(self.session, requests, id, tag);
        }
        let front = self.conversation.requests.head;
        let slot = self.exchanges.slots.get(front)?;
        if slot.response.seen {
            // Its response is being read: the next one belongs to the next request.
            return None;
        }
        if self.conversation.evicted > 0 && !self.conversation.response_gap {
            // The oldest requests were pushed out: the next responses are theirs.
            self.conversation.evicted -= u16::from(settle);
            return None;
        }
        if !self.conversation.response_gap && !slot.after_gap {
            return Some(front);
        }
        self.find_proven_request(at, settle)
    }

    /// The same where requests or responses may have been lost.
    fn find_proven_request(&mut self, at: &Moment, settle: bool) -> Option<u32> {
        let proven = self.find_proven(at.offset)?;
        if settle {
            while self.conversation.requests.head != proven && self.conversation.requests.count > 0 {
                self.end(self.conversation.requests.head, Ended::Timeout, at.now_ns);
            }
            self.conversation.response_gap = false;
            self.conversation.evicted = 0;
            if let Some(slot) = self.exchanges.slots.get_mut(proven) {
                slot.after_gap = false;
            }
        }
        Some(proven)
    }

    /// Whether all that the client sent before a request that begins at `at` had been answered by then, as
    /// far as can be told: the client had received all that was seen of the server, which had received all
    /// that the client sent before when it sent the last of that. Where the server's last bytes were lost
    /// themselves, a client that has always waited for its responses is believed to have waited again.
    fn is_after_all(&mut self, at: &Moment) -> bool {
        let conversation = &mut *self.conversation;
        let oldest = self.exchanges.slots.get(conversation.requests.head);
        let newest = self.exchanges.slots.get(conversation.requests.tail);
        let sent_later =
            |slot: Option<&Exchange>| slot.is_none_or(|slot| slot.request.peer_offset < at.peer_offset);
        if oldest.is_some() && sent_later(oldest) && !conversation.response_gap {
            conversation.overlaps = true;
        }
        if at.peer_offset >= at.other_offset && conversation.server_had(at.offset) {
            return true;
        }
        !conversation.request_gap && !conversation.overlaps && sent_later(newest)
    }

    /// The first request that was sent having received exactly what came before `offset`, if all requests
    /// before it were answered by then.
    fn find_proven(&self, offset: u64) -> Option<u32> {
        let mut index = self.conversation.requests.head;
        while let Some(slot) = self.exchanges.slots.get(index) {
            if slot.request.peer_offset == offset && slot.after_all {
                return Some(index);
            }
            index = slot.next;
        }
        None
    }

    /// The bytes of a message have passed: its side is complete, and perhaps its exchange.
    pub(crate) fn finish(&mut self, index: u32, role: Role, end_ns: u64, end_offset: u64, at: &Moment) {
        self.finish_here(index, role, end_ns, end_offset, at);
    }

    /// [`finish`](Self::finish) as a part of its caller: of the one by which nearly all messages end.
    #[inline(always)]
    pub(super) fn finish_here(&mut self, index: u32, role: Role, end_ns: u64, end_offset: u64, at: &Moment) {
        let Some(slot) = self.exchanges.slots.get_mut(index) else {
            return;
        };
        slot.side_mut(role).complete(end_ns, end_offset);
        self.conversation.completed = self.conversation.completed.saturating_add(1);
        match role {
            Role::OneWay => self.emit_and_free(index, Kind::OneWay, Ended::Response),
            Role::Stream => self.emit_and_free(index, Kind::Stream, Ended::Response),
            Role::Request => {
                let response = &slot.response;
                let (is_begun, is_whole) = (response.seen, response.complete);
                self.keep_text_here(index, role);
                if is_whole {
                    self.tell_whole(index);
                } else if !is_begun {
                    self.join_early_response(index, end_offset);
                }
            }
            Role::Response if slot.request.complete || slot.given_up_ns > 0 => self.tell_whole(index),
            // The request is still being sent: its end makes the record.
            Role::Response if slot.request.seen => self.keep_text(index, role),
            Role::Response => self.keep_or_orphan(index, at),
        }
    }

    /// Nothing more will be seen of an exchange that waits among the requests: its record.
    fn tell_whole(&mut self, index: u32) {
        let slot = self.exchanges.slots.get(index);
        let kind = slot.map_or(Kind::Matched, Exchange::kind_when_whole);
        self.exchanges.unlink(&mut self.conversation.requests, index);
        self.emit_and_free_here(index, kind, Ended::Response);
    }

    /// A response without a request: when its request may still come (it answers bytes that were not
    /// seen yet, or another mirror port is behind), it waits a moment.
    fn keep_or_orphan(&mut self, index: u32, at: &Moment) {
        let may_come = match self.pairing {
            Pairing::ById => true,
            Pairing::InOrder => at.peer_offset > at.other_offset && self.conversation.requests.count == 0,
        };
        if !may_come {
            self.emit_and_free(index, Kind::Orphan, Ended::Response);
            return;
        }
        self.keep_text(index, Role::Response);
        let Some(slot) = self.exchanges.slots.get(index) else {
            return;
        };
        let (id, tag) = (slot.id, slot.tag);
        if slot.queue == Queue::None {
            self.link_early(index, at.now_ns);
        }
        // Its request may have come while it was on its way.
        let requests = &self.conversation.requests;
        if self.pairing == Pairing::ById
            && let Some(request) = self.exchanges.find_by_id(self.session, requests, id, tag)
            && self
                .exchanges
                .slots
                .get(request)
                .is_some_and(|slot| slot.request.complete)
        {
            self.join(request, index);
        }
    }

    pub(super) fn emit_and_free(&mut self, index: u32, kind: Kind, ended: Ended) {
        self.emit_and_free_here(index, kind, ended);
    }

    /// [`emit_and_free`](Self::emit_and_free) as a part of its caller.
    #[inline(always)]
    fn emit_and_free_here(&mut self, index: u32, kind: Kind, ended: Ended) {
        let spent = self.exchanges.slots.get(index).is_some_and(|s| s.spent);
        let kind = if spent && kind == Kind::Matched {
            Kind::Orphan
        } else {
            kind
        };
        self.emit(index, kind, ended);
        self.exchanges.free(index);
        let conversation = &mut *self.conversation;
        conversation.current.forget(index);
        conversation.aside.forget(index);
    }

    /// Ends an exchange with what is known of it.
    pub(crate) fn end(&mut self, index: u32, ended: Ended, now_ns: u64) {
        let Some(slot) = self.exchanges.slots.get(index) else {
            return;
        };
        if slot.role == Role::Request && slot.request.seen && !slot.request.complete && !slot.response.seen {
            // The end of the request was never seen, but its response may have been.
            let end_offset = slot.request.start_offset + slot.request.len;
            if self.join_early_response(index, end_offset) {
                return;
            }
        }
        let Some(slot) = self.exchanges.slots.get(index) else {
            return;
        };
        let timeout = self.settings.response_timeout_ns(self.protocol);
        let overdue =
            slot.request.seen && !slot.response.seen && now_ns.saturating_sub(slot.request.end_ns) > timeout;
        let kind = match (slot.role, slot.request.seen, slot.response.seen) {
            (Role::OneWay, ..) => Kind::OneWay,
            (Role::Stream, ..) => Kind::Stream,
            (_, true, true) => Kind::Matched,
            (_, true, false) => Kind::NoResponse,
            (_, false, _) => Kind::Orphan,
        };
        let ended = match ended {
            Ended::Fin | Ended::Shutdown | Ended::Timeout if slot.given_up_ns > 0 => Ended::Rst,
            Ended::Fin | Ended::Shutdown if overdue => Ended::Timeout,
            _ if kind == Kind::Orphan && slot.response.complete => Ended::Response,
            ended => ended,
        };
        let silent = slot.spent && !slot.response.seen;
        match slot.queue {
            Queue::None => {}
            Queue::Requests => self.exchanges.unlink(&mut self.conversation.requests, index),
            Queue::Early => self.exchanges.unlink(&mut self.conversation.early, index),
        }
        if silent {
            self.exchanges.free(index);
        } else {
            self.emit_and_free(index, kind, ended);
        }
    }

    /// Ends whatever is open or waits, as the session goes: messages that last until the connection
    /// closes are whole.
    pub(crate) fn end_all(&mut self, ended: Ended, now_ns: u64, last_ns: [u64; 2], offset: [u64; 2]) {
        self.exchanges.scratch.clear();
        for direction in Direction::BOTH {
            let i = direction.index();
            for (index, role) in self.conversation.take_open(direction) {
                let Some(slot) = self.exchanges.slots.get_mut(index) else {
                    continue;
                };
                let side = slot.side_mut(role);
                if side.complete {
                    continue;
                }
                side.end_ns = last_ns[i];
                if !side.len_is_given {
                    side.len = offset[i].saturating_sub(side.start_offset);
                }
                if slot.queue == Queue::None && !self.join_cut_response(index, ended) {
                    self.end(index, ended, now_ns);
                }
            }
        }
        while self.conversation.requests.count > 0 {
            self.end(self.conversation.requests.head, ended, now_ns);
        }
        while self.conversation.early.count > 0 {
            self.end(self.conversation.early.head, ended, now_ns);
        }
    }

    /// Ends requests whose time is over and early responses whose requests did not come.
    pub(crate) fn expire(&mut self, now_ns: u64) {
        let timeout = self.settings.response_timeout_ns(self.protocol);
        let in_order = self.pairing == Pairing::InOrder;
        let mut index = self.conversation.requests.head;
        while let Some(slot) = self.exchanges.slots.get(index) {
            let next = slot.next;
            let waits = slot.request.complete && !slot.response.seen && !slot.spent;
            // Answered, and still asking: by id nothing that comes later brings it up again.
            let answered = !in_order && slot.response.complete;
            if waits && now_ns.saturating_sub(slot.request.end_ns) > timeout {
                if in_order {
                    self.spend(index);
                } else {
                    self.end(index, Ended::Timeout, now_ns);
                }
            } else if slot.given_up_ns > 0 && now_ns.saturating_sub(slot.given_up_ns) > GIVEN_UP_NS {
                self.end(index, Ended::Rst, now_ns);
            } else if answered && now_ns.saturating_sub(slot.response.end_ns) > timeout {
                self.end(index, Ended::Response, now_ns);
            } else if in_order && waits {
                // Those behind it are younger.
                break;
            }
            index = next;
        }
        let mut index = self.conversation.early.head;
        while let Some(slot) = self.exchanges.slots.get(index) {
            let next = slot.next;
            if slot.response.complete && now_ns.saturating_sub(slot.response.end_ns) > EARLY_RESPONSE_NS {
                self.end(index, Ended::Response, now_ns);
            }
            index = next;
        }
    }

    /// Tells of a request that was not answered in time, and keeps its place in the queue: a late
    /// response is still its own, and must not be taken for the next request's.
    fn spend(&mut self, index: u32) {
        self.emit(index, Kind::NoResponse, Ended::Timeout);
        let Some(slot) = self.exchanges.slots.get_mut(index) else {
            return;
        };
        let mut chain = slot.request.text;
        slot.request.text = super::text::Chain::EMPTY;
        slot.spent = true;
        self.exchanges.text.release(&mut chain);
    }

    /// Bytes of `direction` were lost: the open message misses them. False when there is none.
    pub(crate) fn gap(&mut self, direction: Direction, len: u64) -> bool {
        let (index, _) = self.conversation.current.get(direction);
        let open = self.exchanges.slots.get_mut(index);
        open.map(|slot| slot.gap_bytes = slot.gap_bytes.saturating_add(len))
            .is_some()
    }

    /// Messages of `direction` may have been lost as a whole, and with them `len` bytes that no open message
    /// misses. In-order pairing needs proof from here on.
    pub(crate) fn lost_messages(&mut self, direction: Direction, len: u64) {
        match direction {
            Direction::ToServer => self.conversation.request_gap = true,
            Direction::ToClient => {
                self.conversation.response_gap = true;
                let front = self.conversation.requests.head;
                if let Some(slot) = self.exchanges.slots.get_mut(front) {
                    slot.gap_bytes = slot.gap_bytes.saturating_add(len);
                }
            }
        }
    }

    /// The message being read in `direction` can't be read any further: it ends with what is known, unless
    /// its parts come between those of others.
    pub(crate) fn cut_current(&mut self, direction: Direction, end_ns: u64, end_offset: u64, at: &Moment) {
        self.exchanges.scratch.clear();
        let by_id = self.pairing == Pairing::ById;
        for (index, role) in self.conversation.take_open(direction) {
            if let Some(slot) = self.exchanges.slots.get_mut(index) {
                slot.truncated = true;
                let (queue, side) = (slot.queue, slot.side_mut(role));
                // One of several open messages goes on when its next part comes.
                let goes_on = side.len_is_given && queue != Queue::None && by_id;
                if !side.complete && !goes_on {
                    self.finish(index, role, end_ns, end_offset, at);
                }
            }
        }
    }

    /// What a skip belonged to has passed: the message that was closed with it is complete.
    pub(crate) fn settle_current(&mut self, direction: Direction, end_offset: u64, at: &Moment) {
        let (index, role) = self.conversation.current.get(direction);
        let closing = self
            .exchanges
            .slots
            .get_mut(index)
            .is_some_and(|slot| slot.side_mut(role).closing);
        if closing {
            self.conversation.current.set(direction, NO_MESSAGE);
            self.finish(index, role, at.now_ns, end_offset, at);
        }
    }

    /// The stream of `direction` has ended: so does a message that lasts until then.
    pub(crate) fn finish_until_close(&mut self, direction: Direction, end_ns: u64, end_offset: u64) {
        let (index, role) = self.conversation.current.get(direction);
        let lasts = self
            .exchanges
            .slots
            .get_mut(index)
            .is_some_and(|slot| slot.side_mut(role).until_close);
        if lasts {
            self.conversation.current.set(direction, NO_MESSAGE);
            let at = Moment::at(direction, end_ns, end_offset);
            self.finish(index, role, end_ns, end_offset, &at);
        }
    }

    /// A wrong guess: nothing of it becomes a record.
    pub(crate) fn withdraw(&mut self) {
        self.exchanges.scratch.clear();
        let mut withdrawn = 0;
        let open = Direction::BOTH.map(|direction| self.conversation.take_open(direction));
        for (index, _) in open.into_iter().flatten() {
            if self
                .exchanges
                .slots
                .get(index)
                .is_some_and(|slot| slot.queue == Queue::None)
            {
                self.exchanges.free(index);
                withdrawn += 1;
            }
        }
        let Self {
            exchanges,
            conversation,
            ..
        } = self;
        for list in [&mut conversation.requests, &mut conversation.early] {
            while let Some(index) = exchanges.unlink_front(list) {
                exchanges.free(index);
                withdrawn += 1;
            }
        }
        self.counters.of_mut(self.protocol).withdrawn += withdrawn;
    }
}
