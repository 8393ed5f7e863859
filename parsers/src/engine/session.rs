//! What the engine knows of one flow that speaks a protocol, or may.

use crate::conversation::Conversation;
use crate::inference::ProtocolSet;
use crate::l7::Protocol;
use crate::parser::Direction;
use crate::plugin::Note;
use crate::record::FlowFacts;
use crate::slab::NONE;

/// One direction of a session. Offsets count the bytes of the stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    /// Offset of the first byte that is not done with.
    pub(crate) offset: u64,
    /// Bytes from `offset` on that nobody needs.
    pub(crate) skip: u64,
    /// Capture time of the first byte in the stitch buffer.
    pub(crate) unit_ns: u64,
    /// What the sender of that byte had received of the other direction.
    pub(crate) unit_peer_offset: u64,
    /// Capture time of the last byte seen.
    pub(crate) last_ns: u64,
    /// Buffer that holds the unit at hand while it is not whole.
    pub(crate) stitch: u32,
    /// Bytes that the parser wants before it is called again.
    pub(crate) need: u16,
    /// The next message start is being looked for.
    pub(crate) resync: bool,
    /// Bytes of this direction were seen before those at hand.
    pub(crate) started: bool,
}

impl Stream {
    pub(crate) const NEW: Self = Self {
        offset: 0,
        skip: 0,
        unit_ns: 0,
        unit_peer_offset: 0,
        last_ns: 0,
        stitch: NONE,
        need: 0,
        resync: false,
        started: false,
    };
}

/// A flow with a parser, or on the way to one: four cache lines.
#[repr(align(64))]
pub(crate) struct Session {
    pub(crate) facts: FlowFacts,
    pub(crate) streams: [Stream; 2],
    pub(crate) conversation: Conversation,
    /// Protocols that were guessed and turned out wrong.
    pub(crate) refused: ProtocolSet,
    pub(crate) parser: u32,
    /// The frames that it travels in, if it does.
    pub(crate) wrapping: u32,
    pub(crate) plugins: Note,
    pub(crate) protocol: Option<Protocol>,
    pub(crate) malformed: u8,
    pub(crate) tries: u8,
    /// Client and server are the other way round than the caller thought.
    pub(crate) flipped: bool,
    pub(crate) direction_is_sure: bool,
    /// Bytes have passed in which no protocol was found.
    pub(crate) behind_unknown: bool,
    pub(crate) in_use: bool,
}

impl Session {
    pub(crate) const VACANT: Self = Self {
        facts: FlowFacts {
            client_ip: [0; 16],
            server_ip: [0; 16],
            flow_id: 0,
            first_seq: [0; 2],
            tunnel_id: 0,
            client_port: 0,
            server_port: 0,
            vlan: [0; crate::record::VLANS_MAX],
            vlan_count: 0,
            tunnel_kind: 0,
            l4: 0,
            bits: 0,
            source: 0,
            tls_library: 0,
            reserved: [0; 2],
        },
        streams: [Stream::NEW; 2],
        conversation: Conversation::EMPTY,
        plugins: Note::NONE,
        refused: 0,
        parser: NONE,
        wrapping: NONE,
        protocol: None,
        malformed: 0,
        tries: 0,
        flipped: false,
        direction_is_sure: false,
        behind_unknown: false,
        in_use: false,
    };

    /// The caller's direction as the protocol sees it.
    #[inline]
    pub(crate) fn logical(&self, direction: Direction) -> Direction {
        if self.flipped {
            direction.opposite()
        } else {
            direction
        }
    }

    /// Swaps client and server.
    pub(crate) fn flip(&mut self) {
        self.flipped = !self.flipped;
        self.facts = self.facts.reversed();
        self.streams.swap(0, 1);
    }
}

const _: () = assert!(size_of::<Session>() <= 256);
