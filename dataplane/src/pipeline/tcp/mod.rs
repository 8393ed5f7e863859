//! A TCP segment's way: handshake and flags, then its bytes in order (RFC 9293).

mod handshake;
mod holes;

use super::Pipeline;
use super::deliver::Payload;
use crate::flow::{FlowIndex, FlowState, KeyedPacket, side_flag};
use crate::source::{Buffer, Source};
use crate::stream::{Placement, ahead, seq_diff};
use handshake::{acknowledge, is_stale};
use tapir_parsers::field::Ended;
use tapir_parsers::wire::{Encap, Packet, TcpHeader};

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
        if tcp.flags.syn() && !self.syn(index, side, tcp, time_ns) {
            return;
        }
        let Some(flow) = self.table.get(index) else {
            return;
        };
        if is_stale(flow, side, tcp) {
            self.counters.tcp_stale += 1;
            return;
        }
        if (flow.sides[0].flags | flow.sides[1].flags) & side_flag::HELD != 0 {
            self.close_due_holes(index, time_ns);
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
        let (next_seq, ignored) = (own.next_seq, flow.is_idle(side));
        // What the other side held back came before this answer to it.
        if flow.sides[1 - side].flags & side_flag::HELD != 0 && tcp.flags.ack() {
            self.give_up_acknowledged(index, 1 - side, tcp.ack, time_ns);
        }
        match Placement::of(seq, total, tcp.flags.fin(), next_seq) {
            Placement::InOrder { skip } => {
                if skip > 0 {
                    self.count_seen(index, side);
                }
                let peer = self.peer_offset(index, side, tcp.flags.ack().then_some(tcp.ack));
                let missing = payload.missing.min(total - skip);
                payload.pieces(skip.min(payload.len), |piece| {
                    self.in_order(index, side, piece, time_ns, peer, &packet.encap);
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
                    own.offset += ahead(seq, own.next_seq).unsigned_abs() + u64::from(total);
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
}
