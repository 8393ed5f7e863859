//! MySQL and MariaDB. Source: MySQL 8 source documentation, "Client/Server Protocol"; MariaDB knowledge
//! base, "Client/Server Protocol".
//!
//! The server greets, the client logs in, and then each command has one answer, before which the client
//! sends no other (some pipeline). Packets have a header of four bytes; what they hold depends on the
//! command that is answered, so each request carries its command as a tag.

mod capability;
mod command;
mod compress;
mod errors;
mod handshake;
mod outcome;
mod parameters;
mod probe;
mod reply;
mod request;
mod result;
#[cfg(test)]
mod tests;
mod wire;

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::l7::sql::{Handle, Statements};
use crate::limits::{DATABASE_BYTES_MAX, SQL_RESPONSE_TIMEOUT_NS};
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use capability::Capabilities;
use command::Command;
use compress::Compression;
use parameters::Parameters;
use reply::Reply;

/// Bytes that tell a compressed packet with a command in it from a plain one.
const HEAD_BYTES_MIN: usize = 12;

/// Where a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing was seen, or it was joined mid-stream.
    Start,
    /// The server has greeted.
    Greeted,
    /// The client has sent its login.
    Authenticating,
    /// Commands are sent.
    Command,
}

/// What an answer needs to know of its request: the command, and 24 bits more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tag(u32);

impl Tag {
    fn new(command: Command, note: u32) -> Self {
        Self(u32::from(command) | note << 8)
    }

    fn command(self) -> Command {
        self.0 as u8
    }

    /// COM_STMT_PREPARE: where the statement is kept. COM_QUERY: 1 when it changes the database.
    fn note(self) -> u32 {
        self.0 >> 8
    }
}

/// The state of one connection.
pub struct MySql {
    phase: Phase,
    reply: Reply,
    /// The payload of the last packet of each direction goes on in the next.
    goes_on: [bool; 2],
    /// A message has ended with what was read last: the compressed protocol has to know.
    message_has_ended: bool,
    /// The client is sending a file.
    file: bool,
    /// Whether EOF packets were seen to end definitions, or to be left out.
    eof_packets: Option<bool>,
    /// An EOF packet follows the definition at hand: for when nothing else tells.
    eof_follows: bool,
    /// The request that the answer at hand belongs to.
    asked: Option<Tag>,
    client_capabilities: Capabilities,
    server_capabilities: Capabilities,
    /// Rows of the answer at hand, so far.
    rows: u64,
    database: Vec<u8>,
    /// What the database will be when the server agrees.
    asked_database: Vec<u8>,
    /// The server has not said yet whether it agrees.
    database_is_asked: bool,
    statements: Statements<Parameters>,
    last_prepared: Option<Handle>,
    /// Whether packets are compressed is known: from the login, or because one was read.
    packing_is_known: bool,
    /// Packets travel in compressed ones.
    compression: Option<Box<Compression>>,
}

impl MySql {
    /// Packets as they are without compression, or within it.
    fn plain_packets(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        match direction {
            Direction::ToServer => self.client_packet(input, out),
            Direction::ToClient => self.server_packets(input, out),
        }
    }

    /// Forgets what it was in the middle of.
    fn forget(&mut self, direction: Direction) {
        self.goes_on[direction.index()] = false;
        match direction {
            Direction::ToServer => self.file = false,
            Direction::ToClient => self.reply = Reply::Idle,
        }
    }

    /// The client asks for another database.
    fn ask_database(&mut self, name: &[u8]) {
        set_name(&mut self.asked_database, name);
        self.database_is_asked = true;
    }

    /// Whether both sides can do this; `None` where the login was not seen.
    fn agreed(&self, capability: Capabilities) -> Option<bool> {
        let (client, server) = (self.client_capabilities, self.server_capabilities);
        match (client, server) {
            (0, _) => None,
            // The client knows what the server can do, and asks for nothing else.
            (_, 0) => Some(client & capability != 0),
            _ => Some(client & server & capability != 0),
        }
    }
}

/// Replaces a database's name.
fn set_name(place: &mut Vec<u8>, name: &[u8]) {
    place.clear();
    place.extend_from_slice(name.get(..name.len().min(DATABASE_BYTES_MAX)).unwrap_or(&[]));
}

impl Parser for MySql {
    const NAME: &'static str = "mysql";
    const ABOUT: &'static str = "MySQL and MariaDB client/server protocol";
    const TRANSPORTS: Transports = Transports::TCP;
    // The servers' own, those of proxies (ProxySQL 6033), TiDB (4000), OceanBase (2881, 2883) and Doris (9030).
    const PORTS: &'static [u16] = &[2881, 2883, 3306, 3307, 4000, 6033, 9030];
    const PAIRING: Pairing = Pairing::InOrder;
    const RESPONSE_TIMEOUT_NS: u64 = SQL_RESPONSE_TIMEOUT_NS;
    // Length below 16 MiB (a long first payload is no more than a few hundred KiB), sequence number.
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::ANY,
        ByteSet::ANY,
        ByteSet::range(0, 15),
        ByteSet::range(0, 8),
    ];
    const ATTRS: &'static [&'static str] = &[
        "statement_id",
        "parameters",
        "query_attributes",
        "sqlstate",
        "program_name",
    ];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            phase: Phase::Start,
            reply: Reply::Idle,
            goes_on: [false; 2],
            message_has_ended: false,
            file: false,
            eof_packets: None,
            eof_follows: false,
            asked: None,
            client_capabilities: 0,
            server_capabilities: 0,
            rows: 0,
            database: Vec::new(),
            asked_database: Vec::new(),
            database_is_asked: false,
            statements: Statements::new(),
            last_prepared: None,
            packing_is_known: false,
            compression: None,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if !self.packing_is_known && input.bytes.len() >= HEAD_BYTES_MIN {
            let is_compressed = compress::begins_message(input.bytes, direction);
            self.packing_is_known |= is_compressed;
            self.compression = is_compressed.then(Box::default);
        }
        if self.compression.is_some() {
            return self.compressed_packet(direction, input, out);
        }
        self.message_has_ended = false;
        let advance = self.plain_packets(direction, input, out);
        if self.message_has_ended {
            out.close();
        }
        advance
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        if direction == Direction::ToServer {
            // A command that was lost may have changed it.
            self.database.clear();
        }
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.forget(direction);
        let plain = match direction {
            _ if self.compression.is_some() => return self.find_compressed(direction, bytes),
            Direction::ToServer => probe::find_request(bytes),
            Direction::ToClient => probe::find_answer(bytes),
        };
        if self.packing_is_known {
            return plain;
        }
        let compressed = self.find_compressed(direction, bytes);
        plain.into_iter().chain(compressed).min()
    }
}
