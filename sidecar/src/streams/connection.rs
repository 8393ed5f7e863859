//! One connection between an application and whoever it speaks with.

use super::arrivals::Arrivals;
use super::side::Side;
use super::{Numbers, Parties};
use crate::event::{Data, Open, Role, Way, Who};
use crate::tls::library::Library;
use std::net::{IpAddr, Ipv6Addr};
use tapir_parsers::engine::{Ends, SessionId};
use tapir_parsers::l7::DECLARATIONS;
use tapir_parsers::limits::PROBE_TRIES_MAX;
use tapir_parsers::parser::Direction;
use tapir_parsers::record::FlowFacts;

/// What became of the search for a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interest {
    /// It goes on, or there is a session.
    Open,
    /// It rests: recognised before, nothing remembered.
    Recognised,
    /// Nothing more is wanted.
    None,
}

pub(super) struct Connection {
    pub(super) open: Open,
    /// The name of the Unix socket that it goes through, as the server is bound to it.
    pub(super) socket: Option<Box<[u8]>>,
    pub(super) sides: [Side; 2],
    pub(super) session: Option<SessionId>,
    pub(super) interest: Interest,
    /// This end is the client's, by the handshake or by a guess.
    is_client: bool,
    /// The kernel was told that no protocol begins with what it told.
    pub(super) no_match_told: bool,
    /// When it spoke last, Unix ns; of datagrams only.
    pub(super) last_ns: u64,
    /// An answer was seen; of datagrams only.
    pub(super) is_answered: bool,
    /// Who made the last call.
    pub(super) speaker: Who,
    /// Its number in records.
    pub(super) flow_id: u64,
    /// These are the plain bytes that a TLS library encrypts for the connection below.
    pub(super) plain: Option<Library>,
    /// The TLS library whose calls move its bytes.
    pub(super) library: Option<Library>,
    /// It began like TLS.
    pub(super) is_tls: bool,
    /// There are plain bytes of it.
    pub(super) is_read: bool,
    /// Of plain bytes, where their ciphertext began.
    pub(super) numbers: Option<Box<Numbers>>,
    /// How long what was received last had waited.
    pub(super) arrivals: Arrivals,
}

impl Connection {
    pub(super) fn new(open: Open, flow_id: u64) -> Self {
        let is_client = match open.role {
            Role::Client => true,
            Role::Server => false,
            Role::Unknown => {
                let (local, remote) = (open.local.1, open.remote.1);
                is_likely_client(local, remote, local >= 1024 || remote < 1024)
            }
        };
        Self {
            open,
            socket: None,
            sides: [0, 1].map(|way| Side::starting_at(open.seq[way], open.passed[way])),
            no_match_told: false,
            last_ns: 0,
            is_answered: false,
            session: None,
            interest: Interest::Open,
            is_client,
            speaker: open.this,
            flow_id,
            plain: None,
            library: None,
            is_tls: false,
            is_read: false,
            numbers: None,
            arrivals: Arrivals::default(),
        }
    }

    /// The plain bytes above `below`, from the given offsets on.
    pub(super) fn above(below: &mut Self, library: Library, offsets: [u64; 2]) -> Self {
        below.is_read = true;
        let begins = offsets == [0, 0] && below.open.from_start;
        let open = Open {
            seq: offsets.map(|offset| offset as u32),
            passed: [0, 0],
            from_start: begins,
            ..below.open
        };
        let mut plain = Self::new(open, below.flow_id);
        plain.plain = Some(library);
        plain.socket.clone_from(&below.socket);
        plain.numbers = Some(Box::default());
        plain.speaker = below.speaker;
        for (side, offset) in plain.sides.iter_mut().zip(offsets) {
            side.offset = offset;
        }
        plain
    }

    /// A handshake told who is the client.
    pub(super) fn is_sure(&self) -> bool {
        self.open.role != Role::Unknown && self.open.l4 == 0
    }

    pub(super) fn direction(&self, way: Way) -> Direction {
        if (way == Way::Sent) == self.is_client {
            Direction::ToServer
        } else {
            Direction::ToClient
        }
    }

    pub(super) fn side(&mut self, way: Way) -> &mut Side {
        &mut self.sides[way as usize]
    }

    /// Whether data is next, all of it is there, and nothing waits, as it mostly is.
    pub(super) fn is_in_turn(&self, data: &Data<'_>) -> bool {
        self.sides[data.way as usize].next_seq == data.seq
            && data.bytes.len() == data.len as usize
            && !data.bytes.is_empty()
            && self.sides.iter().all(Side::holds_nothing)
    }

    /// Whether nothing that comes this way is wanted.
    pub(super) fn is_idle(&self, way: Way) -> bool {
        let vain = |side: &Side| side.tries >= PROBE_TRIES_MAX;
        let unknown = self.session.is_none() && vain(&self.sides[way as usize]);
        self.interest == Interest::None || unknown
    }

    /// Inference looked at payload in vain; after enough of both directions nothing more is of interest.
    pub(super) fn count_try(&mut self, way: Way) {
        let side = self.side(way);
        side.tries = side.tries.saturating_add(1);
        if self.sides.iter().all(|side| side.tries >= PROBE_TRIES_MAX) {
            self.interest = Interest::None;
        }
    }

    pub(super) fn begin_session(&mut self, id: SessionId) {
        self.session = Some(id);
        for side in &mut self.sides {
            side.tries = 0;
        }
    }

    pub(super) fn end_session(&mut self, interest: Interest) {
        self.session = None;
        self.interest = interest;
    }

    pub(super) fn parties(&self) -> Parties<'_> {
        Parties {
            this: self.speaker,
            peer: self.open.peer,
            library: self.library,
            numbers: self.numbers.as_deref(),
            local: (mapped(self.open.local.0), self.open.local.1),
            arrivals: &self.arrivals,
            socket: self.socket.as_deref(),
        }
    }

    pub(super) fn ends(&self) -> Ends {
        Ends {
            l4: self.open.l4,
            ports: [self.open.local.1, self.open.remote.1],
        }
    }

    /// The facts as records carry them.
    pub(super) fn facts(&self) -> FlowFacts {
        let (local, remote) = (self.open.local, self.open.remote);
        let (client, server) = if self.is_client {
            (local, remote)
        } else {
            (remote, local)
        };
        let mut facts = FlowFacts {
            client_ip: mapped(client.0),
            server_ip: mapped(server.0),
            flow_id: self.flow_id,
            client_port: client.1,
            server_port: server.1,
            l4: self.open.l4,
            bits: match self.socket {
                Some(_) => FlowFacts::UNIX,
                None if local.0.is_ipv6() => FlowFacts::IPV6,
                None => 0,
            },
            source: tapir_parsers::field::Source::Host as u8,
            tls_library: self.plain.map_or(0, |library| library as u8),
            ..FlowFacts::default()
        };
        // Datagrams have none.
        for way in Way::BOTH.into_iter().filter(|_| self.open.l4 == 0) {
            let seq = match self.plain {
                Some(_) => Numbers::first(way),
                None => self.sides[way as usize].first_seq(),
            };
            facts.set_first_seq(self.direction(way), seq);
        }
        facts
    }
}

fn mapped(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => Ipv6Addr::octets(&v6),
    }
}

/// A guess: a port that a protocol is known by serves; where none or both are, it is as `otherwise` says. Content
/// corrects it.
pub(super) fn is_likely_client(local: u16, remote: u16, otherwise: bool) -> bool {
    let is_known = |port| DECLARATIONS.iter().any(|d| d.ports.contains(&port));
    match (is_known(local), is_known(remote)) {
        (true, false) => false,
        (false, true) => true,
        _ => otherwise,
    }
}
