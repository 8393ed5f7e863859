//! How a connection begins and ends, and which segments are not its own (RFC 9293 sections 3.5, 3.6, 3.10).

use super::super::deliver::direction_of;
use super::Pipeline;
use crate::flow::{Flow, FlowIndex, FlowState, NO_FLOW, TcpSide, side_flag};
use crate::limits::SYN_ACK_REUSE_NS;
use crate::source::Buffer;
use crate::stream::{WINDOW_BYTES_MAX, ahead, seq_diff};
use tapir_parsers::engine::SessionId;
use tapir_parsers::field::Ended;
use tapir_parsers::wire::TcpHeader;

/// The first byte of a direction whose SYN was seen, unless so much has passed that sequence numbers no
/// longer tell before from behind.
fn known_start(side: &TcpSide) -> Option<u32> {
    let known = side.flags & side_flag::SYN != 0 && side.offset < u64::from(WINDOW_BYTES_MAX);
    known.then(|| side.first_seq())
}

/// Whether a segment is of an earlier connection between the same ends: it stands before the first byte of this
/// one, or acknowledges what was before it. One byte before may be a keep-alive (RFC 9293 section 3.8.4).
pub(super) fn is_stale(flow: &Flow, side: usize, tcp: &TcpHeader) -> bool {
    let before = |number, sent: &TcpSide, tolerated| {
        known_start(sent).is_some_and(|start| seq_diff(number, start) < tolerated)
    };
    before(tcp.seq, &flow.sides[side], -1) || tcp.flags.ack() && before(tcp.ack, &flow.sides[1 - side], 0)
}

impl<B: Buffer> Pipeline<B> {
    /// A SYN or SYN-ACK: it begins a direction, is seen again, or begins another connection between the same
    /// ends. False when it is of none that can be going on.
    pub(super) fn syn(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader, time_ns: u64) -> bool {
        let Some(flow) = self.table.get(index) else {
            return false;
        };
        let (own, other) = (flow.sides[side], flow.sides[1 - side]);
        let first = tcp.seq.wrapping_add(1);
        let is_used = |s: &TcpSide| s.flags & (side_flag::DATA | side_flag::FIN | side_flag::HELD) != 0;
        let used = is_used(&own) || is_used(&other);
        let closed = flow.state == FlowState::Closed as u8;
        let answers = tcp.flags.ack();
        // A refused connection may be tried again with the same number.
        let tried_again = closed && !used && !answers;
        if own.flags & side_flag::STARTED != 0 && own.first_seq() == first && !tried_again {
            self.syn_of_known_direction(index, side, answers);
            return true;
        }
        if answers {
            let fits = ahead(tcp.ack, other.first_seq()) >= 0 && ahead(tcp.ack, other.next_seq) <= 0;
            let newer = ahead(tcp.ack, other.next_seq) > 0
                || time_ns.saturating_sub(flow.last_ns) >= SYN_ACK_REUSE_NS;
            let unknown = other.flags & side_flag::STARTED == 0;
            if !(closed || unknown || fits || newer) || (fits && !closed && is_used(&own)) {
                self.counters.tcp_stale += 1;
                return false;
            }
            if closed || (used && !fits) {
                self.begin_anew(index, time_ns);
            }
        } else if closed || used {
            self.begin_anew(index, time_ns);
        }
        self.begin_direction(index, side, tcp, time_ns);
        true
    }

    /// A SYN of a direction whose numbers are known: a retransmission, or one that comes behind what it began.
    fn syn_of_known_direction(&mut self, index: FlowIndex, side: usize, answers: bool) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        if flow.sides[side].flags & side_flag::SYN != 0 {
            self.counters.tcp_retransmissions += 1;
            return;
        }
        flow.sides[side].flags |= side_flag::SYN;
        // Who was taken for whom stays with a session.
        if flow.session == NO_FLOW {
            tell_client(flow, side, answers);
        }
    }

    fn begin_direction(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader, time_ns: u64) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let answers = tcp.flags.ack();
        let other_syn = flow.sides[1 - side].flags & side_flag::SYN != 0;
        tell_client(flow, side, answers);
        flow.sides[side] = TcpSide {
            next_seq: tcp.seq.wrapping_add(1),
            flags: side_flag::STARTED | side_flag::SYN,
            window_scale: tcp.window_scale.map_or(0, |shift| shift + 1),
            ..TcpSide::default()
        };
        if flow.session != NO_FLOW {
            // Of a connection whose SYN brought data (RFC 7413).
            let (id, direction) = (SessionId(flow.session), direction_of(flow, side));
            self.engine.set_first_seq(id, direction, tcp.seq.wrapping_add(1));
        }
        if !answers {
            return;
        }
        if other_syn && flow.server_rtt_ns == 0 {
            flow.server_rtt_ns = saturate(time_ns.saturating_sub(flow.last_ns));
            flow.set(Flow::HANDSHAKE, true);
        }
        // Of the other direction's SYN, this is the better witness.
        let other = &mut flow.sides[1 - side];
        if ahead(tcp.ack, other.next_seq) != 0 && other.flags & side_flag::DATA == 0 {
            *other = TcpSide::default();
        }
    }

    /// The same ends, a new connection.
    fn begin_anew(&mut self, index: FlowIndex, time_ns: u64) {
        let closed = self
            .table
            .get(index)
            .is_some_and(|f| f.state == FlowState::Closed as u8);
        self.end_flow(index, Ended::Timeout, time_ns);
        self.table.renew(index, FlowState::Opening, time_ns);
        self.counters.flows_created += 1;
        self.counters.flows_replaced += u64::from(!closed);
    }

    pub(super) fn rst(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        let own = &flow.sides[side];
        let known = own.flags & side_flag::DATA != 0;
        // RFC 5961 section 3.2 wants the exact byte; a tap may have lost some.
        if known && seq_diff(tcp.seq, own.next_seq).unsigned_abs() > WINDOW_BYTES_MAX {
            self.counters.tcp_rst_ignored += 1;
            return;
        }
        self.close(index, Ended::Rst, time_ns);
    }

    /// The connection is over; the flow stays for stragglers.
    pub(super) fn close(&mut self, index: FlowIndex, ended: Ended, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        if flow.state == FlowState::Closed as u8 {
            return;
        }
        // First, since what is held may hold a FIN, and the connection ends once.
        self.table.set_state(index, FlowState::Closed, time_ns);
        self.counters.flows_closed += 1;
        self.end_flow(index, ended, time_ns);
    }
}

/// A handshake tells who is the client; of a simultaneous open the first SYN does.
fn tell_client(flow: &mut Flow, side: usize, answers: bool) {
    let other_syn = flow.sides[1 - side].flags & side_flag::SYN != 0;
    if answers || !other_syn {
        flow.set(Flow::CLIENT_IS_B, (side == 1) != answers);
    }
    flow.set(Flow::SURE, true);
}

/// Notes an acknowledgement; it also tells where the other direction stands when that was never seen.
pub(super) fn acknowledge(flow: &mut Flow, side: usize, tcp: &TcpHeader, time_ns: u64) {
    if flow.is(Flow::HANDSHAKE) && !tcp.flags.syn() {
        let from_client = (side == 1) == flow.is(Flow::CLIENT_IS_B);
        if from_client {
            flow.client_rtt_ns = saturate(time_ns.saturating_sub(flow.last_ns));
            flow.set(Flow::HANDSHAKE, false);
        }
    }
    let own = &mut flow.sides[side];
    if own.flags & side_flag::ACK == 0 || seq_diff(tcp.ack, own.ack) > 0 {
        own.ack = tcp.ack;
        own.flags |= side_flag::ACK;
    }
    let other = &mut flow.sides[1 - side];
    if other.flags & side_flag::STARTED == 0 && !tcp.flags.rst() {
        other.flags |= side_flag::STARTED;
        other.next_seq = tcp.ack;
    }
}

fn saturate(ns: u64) -> u32 {
    u32::try_from(ns).unwrap_or(u32::MAX).max(1)
}
