//! What a parser says of the messages that it reads.

use super::exchange::{Exchange, Role};
use super::writer::TextWriter;
use super::{Exchanges, Moment, NO_MESSAGE, Talk};
use crate::field::{Ended, Field, Status};
use crate::inference::bit;
use crate::l7::Protocol;
use crate::parser::{Framing, Pairing};
use crate::plugin::Plugged;
use crate::settings::Settings;
use crate::slab::NONE;

/// What a flow turns into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOver {
    /// The protocol from here on; `None`: infer it.
    pub protocol: Option<Protocol>,
    /// What it travels in from here on.
    pub framing: Option<Framing>,
    /// Passed to [`Parser::inherit`](crate::parser::Parser::inherit).
    pub domain: Vec<u8>,
    /// Passed to [`Parser::inherit`](crate::parser::Parser::inherit).
    pub resource: Vec<u8>,
}

/// Where a parser puts what it finds. See [`crate::parser`] for the rules.
pub struct Out<'a> {
    pub(crate) talk: Talk<'a>,
    pub(crate) moment: Moment,
    pub(crate) hand_over: &'a mut Option<HandOver>,
    /// What the parser was called with.
    pub(crate) input: &'a [u8],
    /// Those that have to do with the flow.
    pub(crate) plugins: Option<&'a mut Plugged>,
    /// The exchange that text goes to, and the side of it.
    pub(crate) selected: u32,
    pub(crate) role: Role,
}

impl<'a> Out<'a> {
    pub(crate) fn new(
        talk: Talk<'a>,
        moment: Moment,
        hand_over: &'a mut Option<HandOver>,
        input: &'a [u8],
        plugins: Option<&'a mut Plugged>,
    ) -> Self {
        let (selected, role) = talk.conversation.current.get(moment.direction);
        Self {
            talk,
            moment,
            hand_over,
            input,
            plugins,
            selected,
            role,
        }
    }

    /// Begins a message at the first byte of this call's input and selects it. `id` pairs protocols that
    /// declare [`Pairing::ById`] and becomes `request_id`; in-order protocols may give one for the record.
    pub fn open(&mut self, role: Role, id: Option<u64>) {
        self.open_tagged(role, id, 0);
    }

    /// [`open`](Self::open) with a tag that, besides the id, request and response have in common: where
    /// both gave one that is not 0 they pair only when the tags are equal. For protocols whose ids are
    /// short or reused, such as DNS, where the question stands on both sides.
    pub fn open_tagged(&mut self, role: Role, id: Option<u64>, tag: u32) {
        self.open_here(role, id, tag);
    }

    /// [`open_tagged`](Self::open_tagged) as a part of its caller, for messages of which there are very many.
    #[inline(always)]
    pub(crate) fn open_here(&mut self, role: Role, id: Option<u64>, tag: u32) {
        if self.selected != NONE {
            self.deselect();
        }
        self.talk.exchanges.scratch.clear();
        self.selected = self.talk.open(role, id, tag, &self.moment);
        self.role = role;
        self.talk
            .conversation
            .current
            .set(self.moment.direction, (self.selected, role));
    }

    /// Selects a message of this direction that is open already: for protocols that interleave several.
    /// False when there is none of that id.
    pub fn select(&mut self, role: Role, id: u64) -> bool {
        if self.is_selected(role, id) {
            return true;
        }
        self.deselect();
        let found = self.talk.find_open(role, id);
        self.selected = found.unwrap_or(NONE);
        self.role = role;
        self.talk
            .conversation
            .current
            .set(self.moment.direction, (self.selected, role));
        found.is_some()
    }

    /// Whether the message of this direction is this one, and goes on.
    fn is_selected(&mut self, role: Role, id: u64) -> bool {
        let same_role = self.role == role;
        self.slot().is_some_and(|slot| {
            let same_id = slot.id == Some(id);
            let side = slot.side_mut(role);
            same_role && same_id && side.seen && !side.complete && !side.closing
        })
    }

    /// Selects a request that waits for its response, for what is learnt of it before: an
    /// acknowledgement on the way, or the same request again. False when there is none of that id and tag.
    pub fn select_request(&mut self, id: Option<u64>, tag: u32) -> bool {
        let Some(index) = self.talk.find_waiting(id, tag) else {
            return false;
        };
        if self.selected != index {
            self.deselect();
        }
        self.selected = index;
        self.role = Role::Request;
        true
    }

    /// A request is about to begin with an id that an older one waits with. Nobody uses an id again before
    /// it is free: that one's response was lost, unless the client has received bytes of the server that
    /// were not seen yet.
    pub fn end_superseded(&mut self, id: Option<u64>, tag: u32) {
        if self.moment.peer_offset > self.moment.other_offset {
            return;
        }
        if let Some(index) = self.talk.find_waiting(id, tag) {
            self.talk.end(index, Ended::Timeout, self.moment.now_ns);
        }
    }

    /// Selects the exchange of `id` as a whole, for what ends it from outside of its messages (a stream
    /// reset). Text goes to the response once it has begun, as with
    /// [`select_under_way`](Self::select_under_way).
    pub fn select_exchange(&mut self, id: u64) -> Option<Role> {
        let index = self.talk.find_exchange(id, true)?;
        let answered = self.talk.exchanges.slots.get(index)?.response.seen;
        if self.selected != index {
            self.deselect();
        }
        self.selected = index;
        self.role = if answered { Role::Response } else { Role::Request };
        Some(self.role)
    }

    /// The selected exchange is over: nothing more of it comes in either direction. `how` counts unless its
    /// response was whole.
    pub fn conclude(&mut self, how: Ended) {
        let index = self.selected;
        let Some(slot) = self.slot() else { return };
        let how = if slot.response.complete {
            slot.request.complete = slot.request.seen;
            Ended::Response
        } else {
            how
        };
        self.selected = NONE;
        self.talk.end(index, how, self.moment.now_ns);
    }

    /// The client has given the selected exchange up. What the server had sent by then may still come and
    /// belongs to it.
    pub fn give_up(&mut self) {
        let now_ns = self.moment.now_ns;
        match self.slot() {
            Some(slot) if !slot.response.complete => slot.given_up_ns = now_ns,
            _ => self.conclude(Ended::Response),
        }
    }

    /// Whether the response of the selected exchange has ended.
    pub fn is_answered(&mut self) -> bool {
        self.slot().is_some_and(|slot| slot.response.complete)
    }

    /// The request of the selected response has ended, though its end was not seen.
    pub fn end_request(&mut self) {
        if let Some(slot) = self.slot()
            && slot.request.seen
            && !slot.request.complete
        {
            slot.request.complete = true;
            slot.truncated = true;
        }
    }

    /// The selected request was made by the server for the client (a push): its exchange becomes a
    /// `stream` record.
    pub fn pushed(&mut self) {
        if let Some(slot) = self.slot() {
            slot.role = Role::Stream;
        }
    }

    /// Sets the open message of this direction aside: the next one comes in the middle of it, as control
    /// frames do within fragmented messages. [`resume`](Self::resume) goes on with it.
    pub fn set_aside(&mut self) {
        if self.selected != NONE {
            self.talk.keep_text(self.selected, self.role);
        }
        let conversation = &mut *self.talk.conversation;
        let open = conversation.current.take(self.moment.direction);
        conversation.aside.set(self.moment.direction, open);
        self.selected = NONE;
    }

    /// Selects the message that was set aside; false when there is none.
    pub fn resume(&mut self) -> bool {
        self.deselect();
        let conversation = &mut *self.talk.conversation;
        let open = conversation.aside.take(self.moment.direction);
        conversation.current.set(self.moment.direction, open);
        (self.selected, self.role) = open;
        self.selected != NONE
    }

    /// Selects the exchange of the oldest request that is not told yet, for what is learnt of it outside of
    /// its own messages (a TLS alert). Text goes to the side that is returned: the response once it has
    /// begun, so that it can be closed from here. `None` where no request waits.
    pub fn select_under_way(&mut self) -> Option<Role> {
        let index = self.talk.conversation.requests.head;
        let answered = self.talk.exchanges.slots.get(index)?.response.seen;
        if self.selected != index {
            self.deselect();
        }
        self.selected = index;
        self.role = if answered { Role::Response } else { Role::Request };
        Some(self.role)
    }

    fn deselect(&mut self) {
        let index = self.selected;
        if index == NONE {
            self.talk.exchanges.scratch.clear();
            return;
        }
        self.talk.keep_text(index, self.role);
        let multiplexed = self.talk.pairing == Pairing::ById;
        let closing = {
            let role = self.role;
            self.slot().is_some_and(|slot| slot.side_mut(role).closing)
        };
        if closing {
            let end = self.moment.offset;
            self.talk
                .finish(index, self.role, self.moment.now_ns, end, &self.moment);
        } else if !multiplexed {
            // A new message begins while the last was never closed: it was cut short.
            self.truncated();
            self.talk.finish(
                index,
                self.role,
                self.moment.now_ns,
                self.moment.offset,
                &self.moment,
            );
        }
        self.talk
            .conversation
            .current
            .set(self.moment.direction, NO_MESSAGE);
        self.selected = NONE;
    }

    /// The call is over: `used` bytes of its input are done with; `skips` when it reaches further.
    #[inline(always)]
    pub(crate) fn settle(&mut self, used: usize, skips: bool) {
        let (index, role) = (self.selected, self.role);
        if index == NONE {
            self.talk.exchanges.scratch.clear();
            return;
        }
        let closing = self.slot().is_some_and(|slot| slot.side_mut(role).closing);
        if closing && !skips {
            let end = self.moment.offset + used as u64;
            self.talk
                .conversation
                .current
                .set(self.moment.direction, NO_MESSAGE);
            self.talk
                .finish_here(index, role, self.moment.now_ns, end, &self.moment);
        } else {
            self.talk.keep_text(index, role);
        }
    }

    fn slot(&mut self) -> Option<&mut Exchange> {
        self.talk.exchanges.slots.get_mut(self.selected)
    }

    /// Adds a text field. Empty text is left out; what is longer than the field's limit is cut at a
    /// character boundary and the record says `truncated`. The first text of a field counts.
    #[inline]
    pub fn text(&mut self, field: Field, bytes: &[u8]) {
        let max = match field {
            Field::Resource => self.talk.settings.resource_bytes_max,
            _ => self.talk.settings.text_bytes_max,
        };
        // Where no message is selected, scratch is cleared before one is.
        let pushed = bytes.len() <= max && self.talk.exchanges.scratch.push_text(field, bytes);
        if !pushed {
            self.cut_text(field, bytes, max);
        }
    }

    #[cold]
    fn cut_text(&mut self, field: Field, bytes: &[u8], max: usize) {
        let bytes = self.fit(bytes, max);
        self.write(field).push(bytes);
    }

    /// Adds a text field that is written in pieces; otherwise as [`text`](Self::text).
    pub fn write(&mut self, field: Field) -> TextWriter<'_> {
        let max = match field {
            Field::Resource => self.talk.settings.resource_bytes_max,
            _ => self.talk.settings.text_bytes_max,
        };
        let Exchanges { slots, scratch, .. } = &mut *self.talk.exchanges;
        let slot = slots.get_mut(self.selected);
        let room = scratch.room();
        TextWriter::new(
            scratch,
            field,
            max.min(room),
            slot.map(|slot| &mut slot.truncated),
        )
    }

    /// Adds an attribute whose value is written in pieces; otherwise as [`attr`](Self::attr).
    pub fn write_attr(&mut self, key: &str) -> TextWriter<'_> {
        self.write(Field::Attr).with_key(key)
    }

    /// Adds an attribute; `key` must be among the parser's `ATTRS`.
    pub fn attr(&mut self, key: &str, value: &[u8]) {
        let value = self.fit(value, self.talk.settings.text_bytes_max);
        self.write_attr(key).push(value);
    }

    /// `bytes`, cut at `max` and at what one message may carry.
    #[inline]
    fn fit<'b>(&mut self, bytes: &'b [u8], max: usize) -> &'b [u8] {
        if self.selected == NONE {
            return &[];
        }
        let max = max.min(self.talk.exchanges.scratch.room());
        if bytes.len() <= max {
            return bytes;
        }
        self.truncated();
        cut_at_character(bytes, max)
    }

    /// Whether the request of the selected message was seen: what a response repeats of it is known.
    pub fn has_request(&mut self) -> bool {
        self.slot().is_some_and(|slot| slot.request.seen)
    }

    /// Counts a message that only keeps the connection alive, or tells of it; says whether it makes a record.
    pub fn keepalive(&mut self) -> bool {
        self.talk.counters.of_mut(self.talk.protocol).keepalives += 1;
        self.talk.settings.keepalive_records
    }

    /// Whether every input is a whole datagram; else it is a piece of a stream.
    pub fn is_datagram(&self) -> bool {
        self.talk.facts.l4 != 0
    }

    /// Whether the flow's messages go to a group of hosts: answers come from elsewhere, in other flows.
    pub fn is_multicast(&self) -> bool {
        // ff00::/8, and 224.0.0.0/4 as IPv4-mapped.
        const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF];
        let is_group = |ip: &[u8; 16]| ip[0] == 0xFF || (ip[12] >> 4 == 0xE && ip[..12] == MAPPED);
        is_group(&self.talk.facts.client_ip) || is_group(&self.talk.facts.server_ip)
    }

    /// The selected exchange is one of `protocol`, a [`Sibling`](crate::parser::Sibling) of the flow's own: its
    /// record, counters and metrics are that one's.
    pub fn proto(&mut self, protocol: Protocol) {
        if let Some(slot) = self.slot() {
            slot.proto = Some(protocol);
        }
    }

    /// What [`proto`](Self::proto) made of the selected exchange.
    pub fn named_proto(&mut self) -> Option<Protocol> {
        self.slot()?.proto
    }

    /// How the exchange went.
    pub fn status(&mut self, status: Status) {
        if let Some(slot) = self.slot()
            && !slot.status_is_settled
        {
            slot.status = status;
        }
    }

    /// The protocol's own response code.
    pub fn code(&mut self, code: i64) {
        if let Some(slot) = self.slot()
            && !slot.code_is_settled
        {
            slot.code = Some(code);
        }
    }

    /// How the exchange went, and the protocol's own code of that.
    #[inline]
    pub fn ends_with(&mut self, code: i64, status: Status) {
        if let Some(slot) = self.slot() {
            if !slot.code_is_settled {
                slot.code = Some(code);
            }
            if !slot.status_is_settled {
                slot.status = status;
            }
        }
    }

    /// Whether the selected exchange has a code already.
    pub fn has_code(&mut self) -> bool {
        self.slot().is_some_and(|slot| slot.code.is_some())
    }

    /// Rows affected or returned.
    pub fn rows(&mut self, rows: u64) {
        if let Some(slot) = self.slot() {
            slot.rows = Some(rows);
        }
    }

    /// A note to the parser itself, kept with a request until its response: see [`Out::answering`].
    pub fn tag(&mut self, tag: u32) {
        if let Some(slot) = self.slot() {
            slot.tag = tag;
        }
    }

    /// The note to the parser itself that the selected exchange has: see [`tag`](Self::tag).
    pub fn noted(&mut self) -> u32 {
        self.slot().map_or(0, |slot| slot.tag)
    }

    /// Adds to the length of the selected message, for protocols whose messages interleave. Without it a
    /// message is as long as the bytes between its first and its last.
    pub fn add_len(&mut self, bytes: u64) {
        let (role, now_ns) = (self.role, self.moment.now_ns);
        if let Some(slot) = self.slot() {
            let side = slot.side_mut(role);
            side.end_ns = now_ns;
            side.len_is_given = true;
            side.len = side.len.saturating_add(bytes);
        }
    }

    /// The selected message ends with the connection, and is whole then.
    pub fn until_close(&mut self) {
        let role = self.role;
        if let Some(slot) = self.slot() {
            slot.side_mut(role).until_close = true;
        }
    }

    /// A field or the message was cut.
    pub fn truncated(&mut self) {
        if let Some(slot) = self.slot() {
            slot.truncated = true;
        }
    }

    /// The selected message ends with the bytes that this call consumes or skips.
    pub fn close(&mut self) {
        let role = self.role;
        if let Some(slot) = self.slot() {
            slot.side_mut(role).closing = true;
        }
    }

    /// What this call was given belongs to the selected message, which may turn out to have ended with it:
    /// see [`close_before`](Self::close_before).
    pub fn so_far(&mut self) {
        let (role, now_ns) = (self.role, self.moment.now_ns);
        if let Some(slot) = self.slot() {
            slot.side_mut(role).end_ns = now_ns;
        }
    }

    /// The selected message has ended before the bytes of this call, when it was last said to go on.
    pub fn close_before(&mut self) {
        let (index, role) = (self.selected, self.role);
        let Some(slot) = self.slot() else { return };
        let end_ns = slot.side_mut(role).end_ns;
        self.talk.keep_text(index, role);
        let conversation = &mut *self.talk.conversation;
        conversation.current.set(self.moment.direction, NO_MESSAGE);
        self.talk
            .finish(index, role, end_ns, self.moment.offset, &self.moment);
        self.selected = NONE;
    }

    /// The tag of the request that a response beginning now would answer (by `id`, or in order).
    /// `None` where the request was not seen.
    #[inline(always)]
    pub fn answering(&mut self, id: Option<u64>) -> Option<u32> {
        let index = self.talk.find_request(id, 0, &self.moment, false)?;
        self.talk.exchanges.slots.get(index).map(|slot| slot.tag)
    }

    /// Ids of the requests whose exchanges are not told yet, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = u64> {
        let slots = &self.talk.exchanges.slots;
        let mut index = self.talk.conversation.requests.head;
        std::iter::from_fn(move || {
            let slot = slots.get(index)?;
            index = slot.next;
            Some(slot.id)
        })
        .flatten()
    }

    /// Requests of this flow that wait for their responses.
    pub fn outstanding(&self) -> usize {
        self.talk.conversation.requests.count as usize
    }

    /// Whether records are made of `protocol`.
    pub fn wants(&self, protocol: Protocol) -> bool {
        self.talk.wanted & bit(protocol) != 0
    }

    /// What the flow becomes; return [`Advance::HandOver`](crate::parser::Advance::HandOver) after it.
    pub fn hand_over(&mut self, to: HandOver) {
        *self.hand_over = Some(to);
    }

    /// The user's settings.
    pub fn settings(&self) -> &'a Settings {
        self.talk.settings
    }
}

/// At most `max` bytes of `bytes`, not ending within a UTF-8 character.
pub(crate) fn cut_at_character(bytes: &[u8], max: usize) -> &[u8] {
    let mut end = max.min(bytes.len());
    // A continuation byte is 10xxxxxx; a character has at most three of them.
    for _ in 0..3 {
        match bytes.get(end) {
            Some(byte) if byte & 0xC0 == 0x80 && end > 0 => end -= 1,
            _ => break,
        }
    }
    &bytes[..end]
}

#[cfg(test)]
mod tests {
    use super::cut_at_character;

    #[test]
    fn text_is_cut_between_characters() {
        let text = "añ€😀".as_bytes();
        let lengths: Vec<usize> = (0..=text.len())
            .map(|max| cut_at_character(text, max).len())
            .collect();
        assert_eq!(lengths, [0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10]);
    }
}
