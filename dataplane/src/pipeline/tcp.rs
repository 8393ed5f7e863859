//! A TCP segment's way: handshake and flags, then its bytes in order (RFC 9293).
//!
//! What is missing is a hole. A hole is filled by a late segment, or given up as a gap: when the
//! receiver has acknowledged it and answers what came behind it, when it was acknowledged some time
//! ago, when it has waited too long, or when the budget for held segments is used up (then the oldest
//! hole goes: that costs the messages in it, and never the connection).

use super::Pipeline;
use super::deliver::{Held, Payload};
use crate::flow::{Flow, FlowIndex, FlowState, KeyedPacket, TcpSide, side_flag};
use crate::source::{Buffer, Source};
use crate::stream::{HeldSegment, Placement, seq_diff};
use tapir_parsers::field::Ended;
use tapir_parsers::wire::{Encap, Packet, TcpHeader};

/// A RST further than this from the next byte is not believed (RFC 5961 section 3.2 wants the exact
/// byte; a tap may have lost some): the largest window there can be.
const RST_WINDOW: u32 = 1 << 30;

impl<B: Buffer> Pipeline<B> {
    pub(super) fn tcp<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        packet: &Packet,
        keyed: &KeyedPacket,
        payload: Payload<'_, S>,
        time_ns: u64,
    ) {
        let (tcp, side) = (&packet.tcp, usize::from(!keyed.from_a));
        if tcp.flags.syn() {
            self.syn(index, side, tcp, time_ns);
        }
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        if tcp.flags.ack() {
            acknowledge(flow, side, tcp, time_ns);
        }
        if flow.state == FlowState::Opening as u8 && !tcp.flags.syn() && tcp.flags.ack() {
            self.table.set_state(index, FlowState::Established, time_ns);
        }
        if tcp.flags.rst() {
            self.rst(index, side, tcp, time_ns);
            return;
        }
        self.count_window(index, side, tcp);
        if payload.len + payload.missing > 0 || tcp.flags.fin() {
            self.segment(index, side, packet, payload, time_ns);
        }
    }

    /// A SYN or SYN-ACK begins a direction; on a connection that has carried data, a new connection.
    fn syn(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        let own = flow.sides[side];
        let first = tcp.seq.wrapping_add(1);
        let used = flow
            .sides
            .iter()
            .any(|s| s.flags & (side_flag::DATA | side_flag::FIN) != 0);
        let again = own.flags & side_flag::SYN != 0 && own.next_seq.wrapping_sub(own.offset as u32) == first;
        if again {
            self.counters.tcp_retransmissions += 1;
            return;
        }
        if flow.state == FlowState::Closed as u8 || (used && !tcp.flags.ack()) {
            self.end_flow(index, Ended::Timeout, time_ns);
            self.reopen(index, time_ns);
        }
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        if flow.sides[side].flags & side_flag::DATA != 0 {
            return;
        }
        let answered = tcp.flags.ack();
        let client_is_b = (side == 1) != answered;
        let other_syn = flow.sides[1 - side].flags & side_flag::SYN != 0;
        // Of a simultaneous open the first SYN tells the client.
        if answered || !other_syn {
            flow.set(Flow::CLIENT_IS_B, client_is_b);
        }
        flow.set(Flow::SURE, true);
        flow.sides[side] = TcpSide {
            next_seq: first,
            flags: side_flag::STARTED | side_flag::SYN,
            window_scale: tcp.window_scale.map_or(0, |shift| shift + 1),
            ..TcpSide::default()
        };
        if answered && other_syn && flow.server_rtt_ns == 0 {
            flow.server_rtt_ns = saturate(time_ns.saturating_sub(flow.last_ns));
            flow.set(Flow::HANDSHAKE, true);
        }
    }

    /// The same ends, a new connection.
    fn reopen(&mut self, index: FlowIndex, time_ns: u64) {
        self.table.renew(index, FlowState::Opening, time_ns);
        self.counters.flows_created += 1;
    }

    fn rst(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        let own = &flow.sides[side];
        let known = own.flags & side_flag::DATA != 0;
        if known && seq_diff(tcp.seq, own.next_seq).unsigned_abs() > RST_WINDOW {
            self.counters.tcp_rst_ignored += 1;
            return;
        }
        self.close(index, Ended::Rst, time_ns);
    }

    /// The connection is over; the flow stays for stragglers.
    fn close(&mut self, index: FlowIndex, ended: Ended, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        if flow.state == FlowState::Closed as u8 {
            return;
        }
        self.counters.flows_closed += 1;
        self.end_flow(index, ended, time_ns);
        self.table.set_state(index, FlowState::Closed, time_ns);
    }

    fn count_window(&mut self, index: FlowIndex, side: usize, tcp: &TcpHeader) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        let was = own.flags & side_flag::ZERO_WINDOW != 0;
        if tcp.window == 0 && !was && !tcp.flags.syn() {
            own.flags |= side_flag::ZERO_WINDOW;
            own.zero_windows = own.zero_windows.saturating_add(1);
            self.counters.tcp_zero_windows += 1;
        } else if tcp.window != 0 && was {
            own.flags &= !side_flag::ZERO_WINDOW;
        }
    }

    /// A segment with payload, or a FIN.
    fn segment<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        side: usize,
        packet: &Packet,
        payload: Payload<'_, S>,
        time_ns: u64,
    ) {
        let tcp = &packet.tcp;
        let seq = tcp.seq.wrapping_add(u32::from(tcp.flags.syn()));
        let total = payload.len + payload.missing;
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        if own.flags & side_flag::STARTED == 0 {
            own.flags |= side_flag::STARTED;
            own.next_seq = seq;
        }
        own.flags |= if total > 0 { side_flag::DATA } else { 0 };
        let (next_seq, ignored) = (own.next_seq, flow.is(Flow::IGNORED));
        // What the other side held back came before this answer to it.
        if flow.sides[1 - side].flags & side_flag::HELD != 0 && tcp.flags.ack() {
            self.give_up_acknowledged(index, 1 - side, tcp.ack, time_ns);
        }
        let placement = match (total, seq_diff(seq, next_seq)) {
            (0, ..=0) => Placement::InOrder { skip: 0 },
            (0, _) => Placement::Ahead,
            _ => Placement::of(seq, total, next_seq),
        };
        match placement {
            Placement::InOrder { skip } => {
                if skip > 0 {
                    self.count_seen(index, side);
                }
                let peer = self.peer_offset(index, side, tcp.flags.ack().then_some(tcp.ack));
                let missing = payload.missing.min(total - skip);
                payload.pieces(skip.min(payload.len), |piece| {
                    self.in_order(index, side, piece, time_ns, peer, &packet.encap)
                });
                // What the capture does not hold of the segment is a gap.
                if missing > 0 {
                    self.skip_ahead(index, side, missing, time_ns);
                }
                if tcp.flags.fin() {
                    self.fin(index, side, time_ns);
                }
                self.release_held(index, side);
            }
            Placement::Seen => self.count_seen(index, side),
            Placement::Ahead if ignored => {
                if let Some(flow) = self.table.get_mut(index) {
                    let own = &mut flow.sides[side];
                    let ahead = seq_diff(seq, own.next_seq) as u32;
                    own.offset += u64::from(ahead) + u64::from(total);
                    own.next_seq = seq.wrapping_add(total);
                }
                if tcp.flags.fin() {
                    self.fin(index, side, time_ns);
                }
            }
            Placement::Ahead => self.hold(index, side, packet, seq, payload, time_ns),
        }
    }

    fn count_seen(&mut self, index: FlowIndex, side: usize) {
        self.counters.tcp_retransmissions += 1;
        if let Some(flow) = self.table.get_mut(index) {
            let own = &mut flow.sides[side];
            own.retransmissions = own.retransmissions.saturating_add(1);
        }
    }

    /// Hands the next bytes of a direction on.
    #[inline]
    fn in_order(
        &mut self,
        index: FlowIndex,
        side: usize,
        bytes: &[u8],
        time_ns: u64,
        peer: Option<u64>,
        encap: &Encap,
    ) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        let offset = own.offset;
        own.offset += bytes.len() as u64;
        own.next_seq = own.next_seq.wrapping_add(bytes.len() as u32);
        self.feed(index, side, bytes, time_ns, offset, peer, encap);
    }

    /// Moves a direction over bytes that will never be seen.
    fn skip_ahead(&mut self, index: FlowIndex, side: usize, len: u32, time_ns: u64) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        own.offset += u64::from(len);
        own.next_seq = own.next_seq.wrapping_add(len);
        self.counters.tcp_gap_bytes += u64::from(len);
        self.feed_gap(index, side, u64::from(len), time_ns);
    }

    /// How much of the other direction the sender of an acknowledgement had received.
    fn peer_offset(&self, index: FlowIndex, side: usize, ack: Option<u32>) -> Option<u64> {
        let other = &self.table.get(index)?.sides[1 - side];
        if other.flags & side_flag::STARTED == 0 {
            return None;
        }
        let ahead = i64::from(seq_diff(ack?, other.next_seq));
        u64::try_from(other.offset as i64 + ahead).ok()
    }

    /// The end of a direction was reached in order.
    fn fin(&mut self, index: FlowIndex, side: usize, time_ns: u64) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        if own.flags & side_flag::FIN != 0 {
            return;
        }
        own.flags |= side_flag::FIN;
        let both = flow.sides.iter().all(|s| s.flags & side_flag::FIN != 0);
        self.half_close(index, side);
        if both {
            self.close(index, Ended::Fin, time_ns);
        }
    }

    /// Keeps a segment that is ahead of its turn.
    fn hold<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        side: usize,
        packet: &Packet,
        seq: u32,
        payload: Payload<'_, S>,
        time_ns: u64,
    ) {
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        own.out_of_order = own.out_of_order.saturating_add(1);
        own.flags |= side_flag::HELD;
        self.counters.tcp_out_of_order += 1;
        let (len, missing) = (payload.len, payload.missing);
        let Some(buffer) = payload.hold(packet.encap) else {
            return;
        };
        let tcp = &packet.tcp;
        let ack = if tcp.flags.ack() { tcp.ack } else { 0 };
        let segment = HeldSegment {
            seq,
            ack,
            len,
            missing,
            time_ns,
            fin: tcp.flags.fin(),
            buffer,
        };
        self.counters.tcp_held += 1;
        if !self.held.insert(index, side as u8, segment) {
            self.counters.tcp_gaps_budget += 1;
            self.give_up_hole(index, side, time_ns);
        }
    }

    /// Hands on held segments whose turn has come.
    fn release_held(&mut self, index: FlowIndex, side: usize) {
        loop {
            let Some(flow) = self.table.get(index) else { return };
            let own = flow.sides[side];
            if own.flags & side_flag::HELD == 0 {
                return;
            }
            let Some((seq, _)) = self.held.first(index, side as u8) else {
                return;
            };
            if seq_diff(seq, own.next_seq) > 0 {
                return;
            }
            let Some((segment, more)) = self.held.pop(index, side as u8) else {
                return;
            };
            if !more && let Some(flow) = self.table.get_mut(index) {
                flow.sides[side].flags &= !side_flag::HELD;
            }
            self.deliver_held(index, side, &segment, own.next_seq);
        }
    }

    fn deliver_held(&mut self, index: FlowIndex, side: usize, segment: &HeldSegment<Held<B>>, next_seq: u32) {
        let total = segment.len + segment.missing;
        let skip = seq_diff(next_seq, segment.seq).max(0) as u32;
        if skip > total {
            return;
        }
        let peer = self.peer_offset(index, side, Some(segment.ack));
        let skipped = skip.min(segment.len);
        segment.buffer.pieces(skipped, segment.len, |piece| {
            self.in_order(index, side, piece, segment.time_ns, peer, &segment.buffer.encap);
        });
        let missing = segment.missing.min(total - skip);
        if missing > 0 {
            self.skip_ahead(index, side, missing, segment.time_ns);
        }
        if segment.fin {
            self.fin(index, side, segment.time_ns);
        }
    }

    /// The hole before the first held segment becomes a gap.
    pub(super) fn give_up_hole(&mut self, index: FlowIndex, side: usize, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        let Some((seq, _)) = self.held.first(index, side as u8) else {
            return;
        };
        let hole = seq_diff(seq, flow.sides[side].next_seq);
        if hole > 0 {
            self.skip_ahead(index, side, hole as u32, time_ns);
        }
        self.release_held(index, side);
    }

    /// Holes that `ack` covers, with what was held behind them: the receiver has it all.
    fn give_up_acknowledged(&mut self, index: FlowIndex, side: usize, ack: u32, time_ns: u64) {
        while let Some((seq, _)) = self.held.first(index, side as u8) {
            if seq_diff(ack, seq) <= 0 {
                return;
            }
            self.counters.tcp_gaps_acked += 1;
            self.give_up_hole(index, side, time_ns);
        }
    }

    /// Holes that have waited long enough: shorter where the receiver has acknowledged them.
    pub(super) fn close_old_holes(&mut self, now_ns: u64) {
        if self.held.is_empty() {
            return;
        }
        let (grace, timeout) = (self.options.acked_hole_grace_ns, self.options.hole_timeout_ns);
        let mut waiting = std::mem::take(&mut self.waiting);
        self.held
            .waiting_since(now_ns.saturating_sub(grace.min(timeout)), &mut waiting);
        for (index, side) in waiting.drain(..) {
            let side = usize::from(side);
            let Some((seq, since_ns)) = self.held.first(index, side as u8) else {
                continue;
            };
            let Some(flow) = self.table.get(index) else {
                continue;
            };
            let other = &flow.sides[1 - side];
            let acked = other.flags & side_flag::ACK != 0 && seq_diff(other.ack, seq) >= 0;
            let waited = now_ns.saturating_sub(since_ns);
            if acked && waited >= grace {
                self.counters.tcp_gaps_acked += 1;
            } else if waited >= timeout {
                self.counters.tcp_gaps_timeout += 1;
            } else {
                continue;
            }
            self.give_up_hole(index, side, now_ns);
        }
        self.waiting = waiting;
    }
}

/// Notes an acknowledgement; it also tells where the other direction stands when that was never seen.
fn acknowledge(flow: &mut Flow, side: usize, tcp: &TcpHeader, time_ns: u64) {
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
