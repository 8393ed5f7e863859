//! Pairs messages into exchanges and exchanges into records.
//!
//! In-order protocols pair the n-th response with the n-th request. That holds only while nothing is
//! lost, so every message also remembers what its sender had received of the other direction when it
//! was sent (TCP acknowledgements tell, exactly). After a gap a response is paired only with a request
//! that was sent having received everything up to where the response begins: the proof that the one
//! answers the other. Without proof a message stands alone; a wrong pair is worse than none.

mod early;
mod entry;
mod exchange;
mod list;
mod out;
mod pairing;
mod piece;
mod plugged;
mod retold;
mod scratch;
mod text;
mod writer;

pub use exchange::Role;
pub(crate) use out::cut_at_character;
pub use out::{HandOver, Out};
pub use piece::Span;
pub use writer::TextWriter;
#[cfg(test)]
pub(crate) use writer::written;

use crate::counters::EngineCounters;
use crate::field::{Ended, Kind};
use crate::inference::{ProtocolSet, bit};
use crate::l7::Protocol;
use crate::limits::{MESSAGE_TEXT_BYTES_MAX, PENDING_PER_LCORE_MAX};
use crate::parser::{Direction, Pairing};
use crate::record::{FlowFacts, RecordSink};
use crate::settings::Settings;
use crate::slab::{NONE, Slab};
use entry::Entry;
use exchange::{Exchange, Queue};
use list::{IdIndex, List};
use scratch::Scratch;
use text::TextPool;

/// The pairing state of one session: lists of the lcore's exchanges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversation {
    /// Requests that wait for their responses, oldest first.
    requests: List,
    /// Responses without a request, oldest first: it may still come. Those by id stand here from their
    /// first byte on, others from their last.
    early: List,
    /// The message being read in each direction.
    current: Open,
    /// The message of each direction that another one has come in the middle of.
    aside: Open,
    /// Response bytes were lost since the last proven pair.
    response_gap: bool,
    /// Request bytes were lost since the last request.
    request_gap: bool,
    /// The client has sent requests while older ones were still being answered: that it had received some
    /// response before a request does not tell that it had received all.
    overlaps: bool,
    /// Its messages pair in order, whatever their protocol declares: a plugin's have no ids.
    in_order: bool,
    /// Requests pushed out whose responses, which come before those of the others, are still to come.
    evicted: u16,
    /// What the server had received when it sent the last bytes that were seen of it: lower 32 bits of
    /// the client's stream offset.
    server_had: u32,
    /// Messages completed.
    pub(crate) completed: u32,
}

/// A message of each direction: its exchange, and its side of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Open {
    exchange: [u32; 2],
    role: [Role; 2],
}

/// Stands in [`Open`] where there is no message.
const NO_MESSAGE: (u32, Role) = (NONE, Role::OneWay);

impl Open {
    const NONE: Self = Self {
        exchange: [NO_MESSAGE.0; 2],
        role: [NO_MESSAGE.1; 2],
    };

    #[inline]
    fn get(&self, direction: Direction) -> (u32, Role) {
        let i = direction.index();
        (self.exchange[i], self.role[i])
    }

    #[inline]
    fn set(&mut self, direction: Direction, (exchange, role): (u32, Role)) {
        let i = direction.index();
        (self.exchange[i], self.role[i]) = (exchange, role);
    }

    fn take(&mut self, direction: Direction) -> (u32, Role) {
        let taken = self.get(direction);
        self.set(direction, NO_MESSAGE);
        taken
    }

    /// The exchange is told: no message of it is open.
    #[inline]
    fn forget(&mut self, exchange: u32) {
        if *self == Self::NONE {
            return;
        }
        for direction in Direction::BOTH {
            if self.get(direction).0 == exchange {
                self.set(direction, NO_MESSAGE);
            }
        }
    }
}

impl Conversation {
    pub(crate) const EMPTY: Self = Self {
        requests: List::empty(Queue::Requests),
        early: List::empty(Queue::Early),
        current: Open::NONE,
        aside: Open::NONE,
        response_gap: false,
        request_gap: false,
        overlaps: false,
        in_order: false,
        evicted: 0,
        server_had: 0,
        completed: 0,
    };

    /// Takes note that the server sent bytes, having received those of the client up to `offset`.
    #[inline]
    pub(crate) fn note_server(&mut self, offset: u64) {
        self.server_had = offset as u32;
    }

    /// Whether the server had received all of the client's stream up to `offset` when it sent the last
    /// bytes that were seen of it.
    fn server_had(&self, offset: u64) -> bool {
        self.server_had.wrapping_sub(offset as u32) < 1 << 31
    }

    /// How messages pair of a flow whose parser is that of `protocol`.
    #[inline]
    pub(crate) fn pairing(&self, protocol: Protocol) -> Pairing {
        if self.in_order {
            Pairing::InOrder
        } else {
            protocol.declaration().pairing
        }
    }

    /// Takes out the messages that are open in `direction`.
    fn take_open(&mut self, direction: Direction) -> [(u32, Role); 2] {
        [self.current.take(direction), self.aside.take(direction)]
    }

    /// The exchange of the oldest request that waits; [`NONE`]: none does.
    #[inline(always)]
    pub(crate) fn oldest(&self) -> u32 {
        self.requests.head
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.requests.count == 0
            && self.early.count == 0
            && self.current == Open::NONE
            && self.aside == Open::NONE
    }
}

/// Where and when the unit at hand stands in its stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Which stream it is.
    pub(crate) direction: Direction,
    /// Capture time of the unit's first byte.
    pub(crate) start_ns: u64,
    /// Capture time of the segment at hand.
    pub(crate) now_ns: u64,
    /// Stream offset of the unit's first byte.
    pub(crate) offset: u64,
    /// What the sender had received of the other direction.
    pub(crate) peer_offset: u64,
    /// What was processed of the other direction.
    pub(crate) other_offset: u64,
}

impl Moment {
    /// A place in the stream of `direction` without more being known of it.
    pub(crate) fn at(direction: Direction, now_ns: u64, offset: u64) -> Self {
        Self {
            direction,
            start_ns: now_ns,
            now_ns,
            offset,
            peer_offset: 0,
            other_offset: 0,
        }
    }
}

/// What all sessions of one lcore share: exchanges, their text, and the buffer a record is built in.
pub(crate) struct Exchanges {
    slots: Slab<Exchange>,
    by_id: IdIndex,
    text: TextPool,
    /// Text of the selected message until it is known whether it must be kept.
    scratch: Scratch,
    entry: Box<Entry>,
    /// What was kept of a request and is looked at again.
    recalled: Vec<u8>,
    /// What a request is told anew in.
    retold: Vec<u8>,
}

impl Exchanges {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slab::with_limit(PENDING_PER_LCORE_MAX),
            by_id: IdIndex::default(),
            text: TextPool::with_limit(2 * PENDING_PER_LCORE_MAX),
            scratch: Scratch::new(),
            entry: Entry::new(),
            recalled: Vec::with_capacity(MESSAGE_TEXT_BYTES_MAX),
            retold: Vec::with_capacity(2 * MESSAGE_TEXT_BYTES_MAX),
        }
    }

    /// Memory of exchanges and their text, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.bytes() + self.by_id.bytes() + self.text.bytes()
    }

    /// Hands out the addresses of an exchange's cache lines, for whoever can prefetch.
    #[inline(always)]
    pub(crate) fn lines(&self, exchange: u32, hint: &impl Fn(*const u8)) {
        self.slots.lines(exchange, hint);
    }

    /// Exchanges in use.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Frees the slot and its text.
    #[inline]
    fn free(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index) {
            self.text.release(&mut slot.request.text);
            self.text.release(&mut slot.response.text);
            slot.vacate();
            self.slots.give_back(index);
        }
    }
}

/// Everything a message needs around it; lives for one call of the engine.
pub(crate) struct Talk<'a> {
    pub(crate) exchanges: &'a mut Exchanges,
    pub(crate) conversation: &'a mut Conversation,
    pub(crate) counters: &'a mut EngineCounters,
    pub(crate) facts: &'a FlowFacts,
    /// The one whose parser reads the flow.
    pub(crate) protocol: Protocol,
    /// How its messages find each other.
    pub(crate) pairing: Pairing,
    /// Those of which records are made.
    pub(crate) wanted: ProtocolSet,
    /// Number of the session.
    pub(crate) session: u32,
    pub(crate) settings: &'a Settings,
    pub(crate) sink: &'a mut dyn RecordSink,
}

impl Talk<'_> {
    /// Builds the record of a slot and hands it out. `scratch` (text not yet kept) belongs to it.
    #[inline(always)]
    fn emit(&mut self, index: u32, kind: Kind, ended: Ended) {
        let Exchanges {
            slots,
            text,
            scratch,
            entry,
            ..
        } = &mut *self.exchanges;
        let Some(slot) = slots.get(index) else { return };
        let protocol = slot.proto.unwrap_or(self.protocol);
        if self.wanted & bit(protocol) == 0 {
            scratch.clear();
            return;
        }
        let kept = [slot.request.text, slot.response.text];
        let entry_len = entry.write_text(text, kept, scratch.as_slice());
        scratch.clear();
        slot.write_header(entry.header_mut(), self.facts, kind, ended);
        let header = entry.header_mut();
        header.entry_len = entry_len as u32;
        header.protocol = protocol as u8;
        self.counters.of_mut(protocol).records += 1;
        self.sink.record(entry.bytes());
    }

    /// Moves the scratch text of the message in `direction` to its exchange.
    fn keep_text(&mut self, index: u32, role: Role) {
        self.keep_text_here(index, role);
    }

    /// [`keep_text`](Self::keep_text) as a part of its caller.
    #[inline(always)]
    fn keep_text_here(&mut self, index: u32, role: Role) {
        if self.exchanges.scratch.is_empty() {
            return;
        }
        let Exchanges {
            slots, text, scratch, ..
        } = &mut *self.exchanges;
        if let Some(slot) = slots.get_mut(index) {
            let chain = &mut slot.side_mut(role).text;
            let room = MESSAGE_TEXT_BYTES_MAX.saturating_sub(chain.len());
            if scratch.len() > room || !text.append(chain, scratch.as_slice()) {
                // Half an entry is no entry: leave out what did not fit as a whole.
                text.release(chain);
                slot.truncated = true;
                self.counters.of_mut(self.protocol).text_refused += 1;
            }
        }
        scratch.clear();
    }
}
