//! The straight line: the next segment in order of a connection in which nothing is open to doubt, and datagrams
//! in one piece.
//!
//! Nearly all packets are these. What is looked at here is enough to know that every step of the long way
//! would come to the same; whatever is not exactly so takes that way.

use super::Pipeline;
use super::deliver::feed;
use crate::flow::{Flow, FlowIndex, FlowState, KeyedPacket, side_flag};
use crate::source::{Buffer, Source};
use crate::stream::seq_diff;
use tapir_parsers::engine::Chunk;
use tapir_parsers::wire::{L4, Packet};

/// In either direction: segments held behind a hole, or a window that was closed.
const TROUBLE: u8 = side_flag::HELD | side_flag::ZERO_WINDOW;
/// The sender's direction: begun, it has acknowledged something, so that `ack` can be compared, and it goes on.
const OWN: u8 = side_flag::STARTED | side_flag::ACK;
const OWN_LOOKED_AT: u8 = OWN | side_flag::FIN | TROUBLE;
/// The other direction.
const OTHER: u8 = side_flag::STARTED;
const OTHER_LOOKED_AT: u8 = OTHER | TROUBLE;

impl<B: Buffer> Pipeline<B> {
    /// Takes packet `at` along the straight line; false, and nothing is changed, when it does not lie on it.
    #[inline(always)]
    pub(super) fn straight<S: Source<Buffer = B>>(
        &mut self,
        source: &S,
        at: usize,
        index: FlowIndex,
        packet: &Packet,
        keyed: &KeyedPacket,
        time_ns: u64,
    ) -> bool {
        let state = match packet.l4 {
            L4::Tcp => FlowState::Established,
            L4::Udp => FlowState::Udp,
            L4::Icmp => return false,
        };
        let allowed_ns = self.table.allowed_ns(state);
        let Some(flow) = self.table.get_mut(index) else {
            return false;
        };
        let side = usize::from(!keyed.from_a);
        // A sum that wraps is less than the time: the long way knows.
        if time_ns > flow.last_ns.wrapping_add(allowed_ns) {
            return false;
        }
        let place = match packet.l4 {
            L4::Tcp if !is_straight(flow, side, packet) => return false,
            _ if packet.payload_len == 0 || flow.is_idle(side) => None,
            _ => match payload(source, at, packet) {
                None => return false,
                payload => payload,
            },
        };
        flow.saw(time_ns);
        let (offset, peer_offset) = match packet.l4 {
            L4::Tcp => go_on(flow, side, packet),
            _ => (0, None),
        };
        if let Some(bytes) = place {
            let chunk = Chunk {
                bytes,
                time_ns,
                offset,
                peer_offset,
            };
            feed(
                flow,
                &mut self.engine,
                &mut self.sink,
                side,
                &chunk,
                &packet.encap,
            );
        }
        true
    }
}

/// The payload of TCP or UDP, where all of it lies in one piece.
#[inline(always)]
pub(super) fn payload<'a>(source: &'a impl Source, at: usize, packet: &Packet) -> Option<&'a [u8]> {
    source.piece(at, packet.payload_offset as usize, packet.payload_len as usize)
}

/// Whether a segment is the next in order, whole, and says nothing else.
#[inline(always)]
fn is_straight(flow: &Flow, side: usize, packet: &Packet) -> bool {
    let tcp = &packet.tcp;
    let (own, other) = (&flow.sides[side], &flow.sides[side ^ 1]);
    tcp.flags.is_plain_ack()
        && flow.state == FlowState::Established as u8
        && !flow.is(Flow::HANDSHAKE)
        && tcp.window != 0
        && own.flags & OWN_LOOKED_AT == OWN
        && other.flags & OTHER_LOOKED_AT == OTHER
        && tcp.seq == own.next_seq
        // Nothing before what was acknowledged already: it is of this connection.
        && seq_diff(tcp.ack, own.ack) >= 0
        && packet.payload_missing == 0
}

/// Moves its sender's direction over a segment that is straight. Says where its payload stands, and how much of
/// the other direction the sender had received.
#[inline(always)]
fn go_on(flow: &mut Flow, side: usize, packet: &Packet) -> (u64, Option<u64>) {
    let (tcp, len) = (&packet.tcp, packet.payload_len);
    let other = &flow.sides[side ^ 1];
    let had = other.offset as i64 + i64::from(seq_diff(tcp.ack, other.next_seq));
    let own = &mut flow.sides[side];
    let offset = own.offset;
    own.ack = tcp.ack;
    if len > 0 {
        own.flags |= side_flag::DATA;
        own.offset += u64::from(len);
        own.next_seq = own.next_seq.wrapping_add(len);
    }
    (offset, u64::try_from(had).ok())
}
