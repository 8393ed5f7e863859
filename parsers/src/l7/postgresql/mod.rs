//! PostgreSQL, protocol 3.0 and 3.2. Source: PostgreSQL 17 manual, chapter 53 (frontend/backend protocol).
//!
//! A simple query is one message; a query of the extended protocol is a run of messages that a Sync ends.
//! Either has one answer, which ReadyForQuery ends, so runs and answers pair in order. A run that a simple
//! query follows without a Sync has an answer that ends with what its last message is answered by.

mod message;
mod probe;
mod reply;
mod request;
mod startup;
mod status;
#[cfg(test)]
mod tests;
mod wire;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::l7::sql::{Handle, Statements};
use crate::limits::SQL_RESPONSE_TIMEOUT_NS;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use reply::Reply;
use request::Run;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was seen yet.
    Start,
    /// The client asks for encryption; the server answers with one byte.
    EncryptionAsked { tls: bool },
    /// By GSSAPI: nothing that can be read will follow.
    Encrypted,
    /// The client has named itself.
    Startup,
    /// Queries are sent.
    Ready,
}

/// What an answer needs to know of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Startup,
    Command,
    Encryption,
    /// A run without a Sync, and how many messages it has.
    Unsynced(u32),
}

impl Asked {
    fn tag(self) -> u32 {
        match self {
            Self::Startup => 1,
            Self::Command => 2,
            Self::Encryption => 3,
            Self::Unsynced(messages) => 4 | messages.min(0xFF_FFFF) << 8,
        }
    }

    fn from_tag(tag: u32) -> Option<Self> {
        match tag & 0xFF {
            1 => Some(Self::Startup),
            2 => Some(Self::Command),
            3 => Some(Self::Encryption),
            4 => Some(Self::Unsynced(tag >> 8)),
            _ => None,
        }
    }
}

/// What is known of a portal: the statement that it was made of.
#[derive(Clone, Copy, Debug, Default)]
struct Note {
    statement: Option<Handle>,
}

/// The state of one connection.
pub struct PostgreSql {
    phase: Phase,
    run: Run,
    reply: Reply,
    /// An answer was set aside for a notification.
    is_aside: bool,
    /// The client's last message ended a copy to the server.
    copy_has_ended: bool,
    /// Both directions send a copy, as replicas do.
    is_replicating: bool,
    /// The statement that the unnamed portal was made of.
    portal: Option<Handle>,
    database: Vec<u8>,
    statements: Statements<Note>,
}

impl Parser for PostgreSql {
    const NAME: &'static str = "postgresql";
    const ABOUT: &'static str = "PostgreSQL frontend/backend protocol 3.0 and 3.2";
    const TRANSPORTS: Transports = Transports::TCP;
    // The server's own, those of Redshift (5439), PgBouncer (6432) and CockroachDB (26257).
    const PORTS: &'static [u16] = &[5432, 5433, 5439, 6432, 26257];
    const PAIRING: Pairing = Pairing::InOrder;
    const RESPONSE_TIMEOUT_NS: u64 = SQL_RESPONSE_TIMEOUT_NS;
    // A type, or the first byte of an opening's length; then a length below 16 MiB.
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::of(b"\0QPBDECFHSdcfpXRKZTN123ntsIAGWVv"),
        ByteSet::of(&[0]),
        ByteSet::ANY,
        ByteSet::ANY,
    ];
    const ATTRS: &'static [&'static str] = &["sqlstate", "application_name", "replication"];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            phase: Phase::Start,
            run: Run::default(),
            reply: Reply::default(),
            is_aside: false,
            copy_has_ended: false,
            is_replicating: false,
            portal: None,
            database: Vec::new(),
            statements: Statements::new(),
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.phase == Phase::Encrypted {
            return Advance::Done;
        }
        match direction {
            Direction::ToServer => self.client_message(input, out),
            Direction::ToClient => self.server_messages(input, out),
        }
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        if direction == Direction::ToServer {
            // Another Parse may have been lost. Names are kept: drivers hardly ever use one twice, and the
            // text of a statement is worth more than the doubt.
            self.statements.remove(b"S");
            self.portal = None;
        }
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        match direction {
            Direction::ToServer => {
                self.run = Run::default();
                self.copy_has_ended = false;
                probe::find_request(bytes)
            }
            Direction::ToClient => {
                self.reply = Reply::default();
                self.is_aside = false;
                probe::find_answer(bytes)
            }
        }
    }
}
