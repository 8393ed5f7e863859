//! Holes in a stream: segments that wait behind one, and when it is given up.
//!
//! A hole is filled by a late segment, or given up as a gap: when the receiver has acknowledged it and
//! answers what came behind it, when it was acknowledged some time ago, when it has waited too long, or when
//! the budget for held segments is used up (then the oldest hole of the stream goes: that costs the messages
//! in it, and never the connection). Times count from packet to packet of the flow, so that a replay gives
//! up the same holes however many flows share its worker.

use super::super::deliver::{Held, Payload};
use super::Pipeline;
use crate::flow::{FlowIndex, side_flag};
use crate::limits::UNACKED_HOLE_PATIENCE;
use crate::source::{Buffer, Source};
use crate::stream::{HeldSegment, Insertion, ahead, seq_diff};
use tapir_parsers::wire::Packet;

impl<B: Buffer> Pipeline<B> {
    /// Keeps a segment that is ahead of its turn.
    pub(super) fn hold<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        side: usize,
        packet: &Packet,
        seq: u32,
        payload: Payload<'_, S>,
        time_ns: u64,
    ) {
        let (len, missing) = (payload.len, payload.missing);
        let Some(buffer) = payload.hold(packet.encap) else {
            return;
        };
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        let own = &mut flow.sides[side];
        own.out_of_order = own.out_of_order.saturating_add(1);
        own.flags |= side_flag::HELD;
        self.counters.tcp_out_of_order += 1;
        let tcp = &packet.tcp;
        let segment = HeldSegment {
            seq,
            ack: tcp.flags.ack().then_some(tcp.ack),
            len,
            missing,
            time_ns,
            fin: tcp.flags.fin(),
            buffer,
        };
        match self.held.insert(index, side as u8, segment) {
            Insertion::Held => self.counters.tcp_held += 1,
            Insertion::Redundant => self.count_seen(index, side),
            Insertion::OverBudget => {
                self.counters.tcp_held += 1;
                self.counters.tcp_gaps_budget += 1;
                self.give_up_hole(index, side, time_ns);
            }
        }
    }

    /// Hands on held segments whose turn has come.
    pub(super) fn release_held(&mut self, index: FlowIndex, side: usize) {
        loop {
            let Some(flow) = self.table.get(index) else { return };
            let own = flow.sides[side];
            if own.flags & side_flag::HELD == 0 {
                return;
            }
            let Some((seq, _)) = self.held.first(index, side as u8) else {
                return;
            };
            if ahead(seq, own.next_seq) > 0 {
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
        // It is not ahead any more.
        let skip = next_seq.wrapping_sub(segment.seq);
        if skip > total {
            return;
        }
        let peer = self.peer_offset(index, side, segment.ack);
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
    pub(in super::super) fn give_up_hole(&mut self, index: FlowIndex, side: usize, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        let Some((seq, _)) = self.held.first(index, side as u8) else {
            return;
        };
        let hole = ahead(seq, flow.sides[side].next_seq);
        if hole > 0 {
            self.skip_ahead(index, side, hole as u32, time_ns);
        }
        self.release_held(index, side);
    }

    /// Holes that `ack` covers, with what was held behind them: the receiver has it all.
    pub(super) fn give_up_acknowledged(&mut self, index: FlowIndex, side: usize, ack: u32, time_ns: u64) {
        while let Some((seq, _)) = self.held.first(index, side as u8) {
            if seq_diff(ack, seq) <= 0 {
                return;
            }
            self.counters.tcp_gaps_acked += 1;
            self.give_up_hole(index, side, time_ns);
        }
    }

    /// Gives up the holes of a flow whose time is over by `now_ns`.
    pub(super) fn close_due_holes(&mut self, index: FlowIndex, now_ns: u64) {
        for side in [0, 1] {
            while let Some((due_ns, acked)) =
                self.first_hole_due(index, side).filter(|(due, _)| *due <= now_ns)
            {
                if acked {
                    self.counters.tcp_gaps_acked += 1;
                } else {
                    self.counters.tcp_gaps_timeout += 1;
                }
                self.give_up_hole(index, side, due_ns);
            }
        }
    }

    /// When the first hole of a direction is to be given up, and whether its receiver has acknowledged it.
    fn first_hole_due(&self, index: FlowIndex, side: usize) -> Option<(u64, bool)> {
        let (seq, since_ns) = self.held.first(index, side as u8)?;
        let receiver = &self.table.get(index)?.sides[1 - side];
        let is_seen = receiver.flags & side_flag::ACK != 0;
        let acked = is_seen && seq_diff(receiver.ack, seq) >= 0;
        let patience_ns = match (acked, is_seen) {
            (true, _) => self.options.acked_hole_grace_ns,
            // The receiver misses it too: the sender will repeat it.
            (false, true) => self.options.hole_timeout_ns.saturating_mul(UNACKED_HOLE_PATIENCE),
            (false, false) => self.options.hole_timeout_ns,
        };
        Some((since_ns.saturating_add(patience_ns), acked))
    }

    /// Gives up the holes of all flows whose time is over.
    pub(in super::super) fn close_old_holes(&mut self, now_ns: u64) {
        if self.held.is_empty() {
            return;
        }
        let soonest = self.options.acked_hole_grace_ns.min(self.options.hole_timeout_ns);
        let mut waiting = std::mem::take(&mut self.waiting);
        self.held
            .waiting_since(now_ns.saturating_sub(soonest), &mut waiting);
        for (index, _) in waiting.drain(..) {
            self.close_due_holes(index, now_ns);
        }
        self.waiting = waiting;
    }
}
