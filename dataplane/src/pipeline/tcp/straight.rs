//! The straight line: the next segment in order of a connection in which nothing is open to doubt.
//!
//! Nearly all segments are these. What is looked at here is enough to know that every step of the long way
//! would come to the same; whatever is not exactly so takes that way.

use super::Pipeline;
use crate::flow::{Flow, FlowIndex, FlowState, side_flag};
use crate::pipeline::deliver::Payload;
use crate::source::{Buffer, Source};
use crate::stream::seq_diff;
use tapir_parsers::wire::Packet;

/// The sender's direction: begun, and it has acknowledged something, so that `ack` can be compared.
const NEEDED: u8 = side_flag::STARTED | side_flag::ACK;
/// In either direction: segments held behind a hole, or a window that was closed.
const TROUBLE: u8 = side_flag::HELD | side_flag::ZERO_WINDOW;

impl<B: Buffer> Pipeline<B> {
    /// Takes the segment along the straight line; false, and nothing is changed, when it does not lie on it.
    #[inline]
    pub(super) fn straight<S: Source<Buffer = B>>(
        &mut self,
        index: FlowIndex,
        side: usize,
        packet: &Packet,
        payload: &Payload<'_, S>,
        time_ns: u64,
    ) -> bool {
        let tcp = &packet.tcp;
        let Some(flow) = self.table.get_mut(index) else {
            return false;
        };
        let (state, doubtful) = (flow.state, flow.is(Flow::HANDSHAKE));
        let [a, b] = &mut flow.sides;
        let (own, other) = if side == 0 { (a, &*b) } else { (b, &*a) };
        let is_straight = tcp.flags.is_plain_ack()
            && state == FlowState::Established as u8
            && !doubtful
            && tcp.window != 0
            && own.flags & (NEEDED | side_flag::FIN) == NEEDED
            && other.flags & side_flag::STARTED != 0
            && (own.flags | other.flags) & TROUBLE == 0
            && tcp.seq == own.next_seq
            // Nothing before what was acknowledged already: it is of this connection.
            && seq_diff(tcp.ack, own.ack) >= 0
            && payload.missing == 0;
        if !is_straight {
            return false;
        }
        if payload.len == 0 {
            own.ack = tcp.ack;
            return true;
        }
        let Some(bytes) = payload.whole() else {
            return false;
        };
        let had = other.offset as i64 + i64::from(seq_diff(tcp.ack, other.next_seq));
        let offset = own.offset;
        own.ack = tcp.ack;
        own.flags |= side_flag::DATA;
        own.offset += bytes.len() as u64;
        own.next_seq = own.next_seq.wrapping_add(bytes.len() as u32);
        let peer_offset = u64::try_from(had).ok();
        self.feed(index, side, bytes, time_ns, offset, peer_offset, &packet.encap);
        true
    }
}
