//! The way of a burst.
//!
//! ```text
//! for the burst:  decode and hash every packet, prefetch its index bucket
//!                 look at every bucket, prefetch the flow
//! packet by packet, in order:  look at the flow of one some packets ahead, prefetch its session
//!                              look at the session of one a few ahead, prefetch parser, oldest request and payload
//!                              find or insert the flow ─► TCP order ─► engine
//! ```
//!
//! What the first two passes ask for hides the latency of one packet behind that of the others. Sessions and what
//! belongs to them are many lines: a core has a dozen loads under way at most and would wait for those of a whole
//! burst, so that they are asked for while other packets are handled.

use super::deliver::Payload;
use super::{Pipeline, Separation, straight};
use crate::flow::{FlowIndex, KeyedPacket, NO_FLOW, Reader};
use crate::limits::{BURST_PACKETS, EXPIRE_PER_BURST};
use crate::prefetch::{prefetch_address, prefetch_beginning};
use crate::source::{Buffer, Source};
use tapir_parsers::engine::SessionId;
use tapir_parsers::wire::{Encap, Packet, decode_otherwise, decode_straight};

/// So many packets before its own is handled, a session is asked for.
const SESSION_AHEAD: usize = 12;

/// So many before, the parser is: its session has had the time of the packets between to come.
const PARSER_AHEAD: usize = 4;

const _: () = assert!(PARSER_AHEAD < SESSION_AHEAD);

/// A burst between decoding and handling.
pub(super) type Stage = [Staged; BURST_PACKETS];

/// What came in.
#[derive(Clone, Copy)]
enum Kind {
    Packet,
    /// So many fragments of the burst came before.
    Fragment(u8),
    /// Counted, and not read any further.
    Dropped,
}

/// A packet of the burst, and where it belongs, as far as is known.
#[derive(Clone, Copy)]
pub(super) struct Staged {
    /// Of no meaning where `kind` is another.
    packet: Packet,
    kind: Kind,
    keyed: KeyedPacket,
    likely: FlowIndex,
    session: u32,
    /// Its flow has no session and may take one.
    may_begin: bool,
    time_ns: u64,
}

impl Staged {
    /// No packet.
    fn vacant() -> Self {
        Self {
            packet: Packet::VACANT,
            kind: Kind::Dropped,
            keyed: KeyedPacket::default(),
            likely: NO_FLOW,
            session: NO_FLOW,
            may_begin: false,
            time_ns: 0,
        }
    }
}

/// Room for a burst.
pub(super) fn vacant() -> Box<Stage> {
    Box::new([Staged::vacant(); BURST_PACKETS])
}

/// Puts back the VLAN tags that the NIC took off. There are two at most, and the decoder had room for more.
#[inline(always)]
fn put_tags_back(encap: &mut Encap, tags: [Option<u16>; 2]) {
    for tag in tags.into_iter().rev().flatten() {
        let _ = encap.prepend_vlan(tag & 0x0FFF);
    }
}

impl<B: Buffer> Pipeline<B> {
    /// Handles the burst that `source` has received.
    pub fn burst<S: Source<Buffer = B>>(&mut self, source: &mut S) {
        let Some(mut stage) = self.stage.take() else {
            return;
        };
        let burst = &mut stage[..source.len().min(BURST_PACKETS)];
        self.decode(source, burst);
        for staged in &mut *burst {
            staged.likely = self.table.prefetch_flow(staged.keyed.hash).unwrap_or(NO_FLOW);
        }
        let mut beginning = 0;
        for step in 0..burst.len() + SESSION_AHEAD {
            if let Some(staged) = burst.get_mut(step) {
                self.ask_for_session(staged, &mut beginning);
            }
            // Before the first packet of the burst there is none either.
            let at = step.wrapping_sub(SESSION_AHEAD - PARSER_AHEAD);
            if let Some(staged) = burst.get(at) {
                self.ask_for_parser(source, at, staged);
            }
            let at = step.wrapping_sub(SESSION_AHEAD);
            if let Some(staged) = burst.get(at) {
                source.look_ahead(at);
                beginning -= usize::from(staged.may_begin);
                match staged.kind {
                    Kind::Packet => self.packet(source, at, staged),
                    Kind::Fragment(number) => self.fragment(number, source, at, staged.time_ns),
                    Kind::Dropped => {}
                }
            }
        }
        self.fragments.clear();
        self.stage = Some(stage);
        self.tick(self.now_ns, EXPIRE_PER_BURST);
    }

    /// Looks at the packet's flow and starts to load its session, or the one that it takes if one begins now.
    /// `beginning`: sessions asked for that were not taken yet.
    #[inline(always)]
    fn ask_for_session(&self, staged: &mut Staged, beginning: &mut usize) {
        (staged.session, staged.may_begin) = (NO_FLOW, false);
        match self.table.prefetch_sides(staged.likely) {
            Reader::Session(session) => {
                staged.session = session;
                self.engine.session_lines(SessionId(session), &prefetch_address);
            }
            Reader::Inference if staged.packet.payload_len > 0 => {
                self.engine.vacant_lines(*beginning, &prefetch_address);
                *beginning += 1;
                staged.may_begin = true;
            }
            Reader::Inference | Reader::Nobody => {}
        }
    }

    /// Looks at the packet's session and starts to load its parser, its oldest request and the payload that will
    /// be read.
    #[inline(always)]
    fn ask_for_parser<S: Source<Buffer = B>>(&self, source: &S, at: usize, staged: &Staged) {
        let reads = self
            .engine
            .parser_lines(SessionId(staged.session), &prefetch_address);
        if reads && let Some(payload) = straight::payload(source, at, &staged.packet) {
            prefetch_beginning(payload);
        }
    }

    /// Decodes every packet of the burst to where it stays until it is handled, finds its flow key, and counts
    /// what is no packet.
    fn decode<S: Source<Buffer = B>>(&mut self, source: &S, burst: &mut [Staged]) {
        let (verify, seed, separation) = (
            self.options.verify_checksums,
            self.table.seed(),
            Separation::of(&self.options),
        );
        let (mut bytes, mut others, mut now_ns) = (0, 0, self.now_ns);
        for (at, received) in source.burst().enumerate() {
            let Some(staged) = burst.get_mut(at) else { break };
            bytes += received.wire_len as u64;
            now_ns = now_ns.max(received.time_ns);
            staged.time_ns = received.time_ns;
            let (link, frame, frame_len) = (received.link, received.frame, received.frame_len);
            let decode = &self.options.decode;
            if (verify && source.has_bad_checksum(at))
                || !decode_straight(link, frame, frame_len, decode, &mut staged.packet)
            {
                others += 1;
                self.decode_otherwise(source, at, staged);
                continue;
            }
            staged.kind = Kind::Packet;
            put_tags_back(&mut staged.packet.encap, source.stripped_vlans(at));
            staged.keyed = KeyedPacket::new(&staged.packet, separation.domain(&staged.packet.encap), seed);
            self.table.prefetch_index(staged.keyed.hash);
        }
        let count = burst.len() as u64;
        self.counters.packets += count;
        self.counters.decoded += count - others;
        self.counters.bytes += bytes;
        self.now_ns = now_ns;
    }

    /// The same for a packet that is not as most are.
    #[inline(never)]
    fn decode_otherwise<S: Source<Buffer = B>>(&mut self, source: &S, at: usize, staged: &mut Staged) {
        staged.kind = Kind::Dropped;
        if self.options.verify_checksums && source.has_bad_checksum(at) {
            self.counters.bad_checksum += 1;
            return;
        }
        let (link, frame, frame_len) = (source.link(at), source.frame(at), source.frame_len(at));
        let packet = &mut staged.packet;
        match decode_otherwise(link, frame, frame_len, &self.options.decode, packet) {
            Ok(None) => {
                staged.kind = Kind::Packet;
                self.counters.decoded += 1;
                self.counters.tunnel_rejected += u64::from(packet.encap.tunnel_rejected());
                put_tags_back(&mut packet.encap, source.stripped_vlans(at));
                let domain = Separation::of(&self.options).domain(&packet.encap);
                staged.keyed = KeyedPacket::new(packet, domain, self.table.seed());
                self.table.prefetch_index(staged.keyed.hash);
            }
            Ok(Some(mut fragment)) => {
                staged.kind = Kind::Fragment(self.fragments.len() as u8);
                put_tags_back(&mut fragment.encap, source.stripped_vlans(at));
                self.fragments.push(fragment);
            }
            Err(reason) => self.counters.drops[reason as usize] += 1,
        }
    }

    /// Packet `at` of the burst, of a flow.
    #[inline(always)]
    fn packet<S: Source<Buffer = B>>(&mut self, source: &mut S, at: usize, staged: &Staged) {
        let (packet, keyed, time_ns) = (&staged.packet, &staged.keyed, staged.time_ns);
        let index = if self.table.is_of(keyed, staged.likely) {
            staged.likely
        } else {
            match self.find_or_insert(packet, keyed, time_ns) {
                Some(index) => index,
                None => return,
            }
        };
        if !self.straight(source, at, index, packet, keyed, time_ns) {
            self.long_way(
                index,
                packet,
                keyed,
                Payload::of_frame(source, at, packet),
                time_ns,
            );
        }
    }
}
