//! A request and what is known of its response, while either is still to come.

use super::Moment;
use super::text::Chain;
use crate::field::{Ended, Kind, Status};
use crate::l7::Protocol;
use crate::record::{FlowFacts, RecordHeader, flag};
use crate::slab::NONE;

/// What a message is to the one that it belongs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Expects a response.
    Request,
    /// Answers a request.
    Response,
    /// Expects no answer, in either direction.
    OneWay,
    /// One message of a stream, or a push.
    Stream,
}

/// Where an exchange waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    None,
    /// Among the requests that wait for their responses.
    Requests,
    /// Among the responses whose requests were not seen.
    Early,
}

/// One side of an exchange. Offsets count the bytes of its direction's stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) seen: bool,
    pub(crate) complete: bool,
    /// The parser called `close`; complete once the bytes it covers have passed.
    pub(crate) closing: bool,
    /// Ends with the connection, as an HTTP/1.0 body does.
    pub(crate) until_close: bool,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) start_offset: u64,
    /// What the sender had received of the other direction when it began to send this.
    pub(crate) peer_offset: u64,
    pub(crate) len: u64,
    /// `len` was given by the parser: offsets don't tell it.
    pub(crate) len_is_given: bool,
    /// TCP sequence number of its first byte, if that is known.
    pub(crate) seq: u32,
    pub(crate) has_seq: bool,
    pub(crate) text: Chain,
}

impl Side {
    const UNSEEN: Self = Self {
        seen: false,
        complete: false,
        closing: false,
        until_close: false,
        start_ns: 0,
        end_ns: 0,
        start_offset: 0,
        peer_offset: 0,
        len: 0,
        len_is_given: false,
        has_seq: false,
        seq: 0,
        text: Chain::EMPTY,
    };

    /// Its first byte is at hand; `seq` as [`FlowFacts::seq_at`](crate::record::FlowFacts::seq_at) tells it.
    #[inline]
    pub(super) fn begin(&mut self, at: &Moment, seq: (u32, bool)) {
        self.seen = true;
        self.start_ns = at.start_ns;
        self.end_ns = at.now_ns;
        self.start_offset = at.offset;
        self.peer_offset = at.peer_offset;
        (self.seq, self.has_seq) = seq;
    }

    /// Its last byte has passed, and ends before `end_offset`.
    #[inline]
    pub(super) fn complete(&mut self, end_ns: u64, end_offset: u64) {
        self.complete = true;
        self.closing = false;
        self.end_ns = end_ns;
        if !self.len_is_given {
            self.len = end_offset.saturating_sub(self.start_offset);
        }
    }
}

/// A slot of the lcore's exchanges: four cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Exchange {
    pub(crate) next: u32,
    pub(crate) previous: u32,
    /// Number of the session that it belongs to.
    pub(crate) session: u32,
    pub(crate) role: Role,
    /// What its record is a record of, where that is not the protocol of the flow.
    pub(crate) proto: Option<Protocol>,
    pub(crate) status: Status,
    pub(crate) truncated: bool,
    /// A plugin has said how it went: what is said of that later does not count.
    pub(crate) status_is_settled: bool,
    /// As well, with which code.
    pub(crate) code_is_settled: bool,
    /// The request came after a gap in its direction: in-order pairing needs proof.
    pub(crate) after_gap: bool,
    /// Everything that was sent before the request had been answered when it was sent: a response that
    /// begins where its sender had received everything is its own.
    pub(crate) after_all: bool,
    /// The list that it stands in.
    pub(crate) queue: Queue,
    /// It can be found by its id through the index.
    pub(crate) indexed: bool,
    /// Its record was sent when its time was over; it only keeps its place in the queue.
    pub(crate) spent: bool,
    pub(crate) id: Option<u64>,
    pub(crate) tag: u32,
    pub(crate) code: Option<i64>,
    pub(crate) rows: Option<u64>,
    pub(crate) gap_bytes: u64,
    /// When the client gave it up; 0: it did not.
    pub(crate) given_up_ns: u64,
    pub(crate) request: Side,
    pub(crate) response: Side,
}

const _: () = assert!(size_of::<Exchange>() == 256);

impl Exchange {
    pub(crate) const VACANT: Self = Self {
        next: NONE,
        previous: NONE,
        session: NONE,
        role: Role::OneWay,
        proto: None,
        status: Status::Unknown,
        truncated: false,
        status_is_settled: false,
        code_is_settled: false,
        after_gap: false,
        after_all: false,
        queue: Queue::None,
        indexed: false,
        spent: false,
        id: None,
        tag: 0,
        code: None,
        rows: None,
        gap_bytes: 0,
        given_up_ns: 0,
        request: Side::UNSEEN,
        response: Side::UNSEEN,
    };

    /// Makes it what [`VACANT`](Self::VACANT) is, part by part: as a whole it would be copied out of a table.
    #[inline]
    pub(super) fn vacate(&mut self) {
        macro_rules! vacate {
            ($($field:ident),*) => {
                let Self { $($field,)* } = self;
                $(*$field = Self::VACANT.$field;)*
            };
        }
        vacate!(
            next,
            previous,
            session,
            role,
            proto,
            status,
            truncated,
            status_is_settled,
            code_is_settled,
            after_gap,
            after_all,
            queue,
            indexed,
            spent,
            id,
            tag,
            code,
            rows,
            gap_bytes,
            given_up_ns,
            request,
            response
        );
    }

    /// When and where it began, to order exchanges of one session.
    pub(crate) fn first_byte(&self) -> (u64, u64) {
        let first = if self.request.seen {
            &self.request
        } else {
            &self.response
        };
        (first.start_ns, first.start_offset)
    }

    /// What its record is when both sides are complete: a pushed exchange answers nothing that a client said.
    pub(crate) fn kind_when_whole(&self) -> Kind {
        match self.role {
            Role::Stream => Kind::Stream,
            _ => Kind::Matched,
        }
    }

    /// Writes all of a record's header but its length and protocol.
    #[inline]
    pub(super) fn write_header(&self, to: &mut RecordHeader, facts: &FlowFacts, kind: Kind, ended: Ended) {
        // The request of a late response has had its record.
        let request = if kind == Kind::Orphan {
            &Side::UNSEEN
        } else {
            &self.request
        };
        let response = &self.response;
        let first = if request.seen { request } else { response };
        to.flags = self.flags(request, facts);
        to.flow = *facts;
        to.start_ns = first.start_ns;
        to.end_ns = request.end_ns.max(response.end_ns).max(first.start_ns);
        to.rrt_ns = response.start_ns.saturating_sub(request.end_ns);
        to.request_id = self.id.unwrap_or(0);
        to.code = self.code.unwrap_or(0);
        to.request_len = request.len;
        to.response_len = response.len;
        to.rows = self.rows.unwrap_or(0);
        to.gap_bytes = self.gap_bytes;
        to.request_seq = request.seq;
        to.response_seq = response.seq;
        to.kind = kind as u8;
        to.ended = ended as u8;
        to.status = match (kind, ended, self.status) {
            (Kind::NoResponse, Ended::Timeout, Status::Unknown) => Status::Timeout as u8,
            (_, _, status) => status as u8,
        };
        to.joined = 0;
    }

    /// The bits of [`flag`] that hold.
    #[inline]
    fn flags(&self, request: &Side, facts: &FlowFacts) -> u32 {
        let response = &self.response;
        let cut = (request.seen & !request.complete) | (response.seen & !response.complete);
        let bit = |condition: bool, bit: u32| u32::from(condition) * bit;
        bit(self.id.is_some(), flag::REQUEST_ID)
            | bit(self.code.is_some(), flag::CODE)
            | bit(self.rows.is_some(), flag::ROWS)
            | bit(request.seen, flag::REQUEST)
            | bit(response.seen, flag::RESPONSE)
            | bit(request.complete & response.seen, flag::RRT)
            | bit(self.truncated | cut, flag::TRUNCATED)
            | facts.flags()
            | bit(request.has_seq, flag::REQUEST_SEQ)
            | bit(response.has_seq, flag::RESPONSE_SEQ)
    }

    /// The side that a message of `role` fills: a response its own, everything else the request's.
    pub(crate) fn side_mut(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Response => &mut self.response,
            _ => &mut self.request,
        }
    }
}
