//! What clients send: openings, simple queries, and runs of extended-protocol messages up to a Sync,
//! which make one request together.

use super::startup::{HEAD_BYTES, Opening, Startup};
use super::wire::{HEADER_BYTES, Header, Reader};
use super::{Asked, Note, Phase, PostgreSql, message};
use crate::conversation::{HandOver, Out, Role};
use crate::field::Field;
use crate::l7::Protocol;
use crate::l7::sql::{self, Dialect, Handle};
use crate::limits::{DATABASE_BYTES_MAX, SQL_HEAD_BYTES_MAX};
use crate::parser::{Advance, Input};

/// Longest name of a statement or portal that is told apart, bytes; servers cut them at 63.
const NAME_BYTES_MAX: usize = 63;
/// Bytes of a message that are looked at where only names matter.
const NAMES_BYTES_MAX: usize = 256;
/// First byte of a TLS record that carries a handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// The messages since the last Sync.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    is_open: bool,
    /// Type of its first message.
    first: u8,
    has_parse: bool,
    has_execute: bool,
    /// Its messages.
    count: u32,
    /// The text of its statement is written.
    is_described: bool,
    /// A transaction's begin, which is what the run is about only when nothing else is in it.
    begin: Option<Handle>,
}

impl PostgreSql {
    /// A message of the client's.
    pub(super) fn client_message(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        match input.bytes.first() {
            None => return Advance::Need(HEADER_BYTES),
            // No type is 0: a message without one.
            Some(0) => return self.opening(input, out),
            Some(&TLS_HANDSHAKE) if self.phase == Phase::EncryptionAsked { tls: true } => {
                return hand_over_to_tls(0, out);
            }
            _ if input.bytes.len() < HEADER_BYTES => return Advance::Need(HEADER_BYTES),
            _ => {}
        }
        let Some(header) = Header::read(input.bytes).filter(|h| message::client_fits(*h)) else {
            return Advance::Malformed;
        };
        let wanted = match header.kind {
            b'Q' | b'P' => SQL_HEAD_BYTES_MAX,
            b'B' | b'D' | b'E' | b'C' => NAMES_BYTES_MAX,
            b'F' => 4,
            _ => 0,
        };
        let want = HEADER_BYTES + wanted.min(header.body as usize);
        if input.bytes.len() < want && !input.ended {
            return Advance::Need(want);
        }
        let body = header.body_of(input.bytes);
        let cut = body.len() < header.body as usize;
        if self.phase == Phase::Start {
            self.phase = Phase::Ready;
        }
        let copy_has_ended = std::mem::take(&mut self.copy_has_ended);
        match header.kind {
            b'Q' | b'F' => {
                self.end_unsynced_run(out);
                self.join_run(header.kind, out);
                if header.kind == b'Q' {
                    self.describe(body.strip_suffix(&[0]).unwrap_or(body), cut, out);
                } else if let Some(function) = Reader(body).u32() {
                    out.write(Field::Resource).push_number(function.into());
                }
                self.end_run(out);
            }
            b'P' | b'B' | b'D' | b'E' | b'C' => {
                self.join_run(header.kind, out);
                self.extended(header.kind, body, cut, out);
            }
            // In copy mode the server ignores Sync, so that of the run that began the copy was not
            // answered, and this one repeats it.
            b'S' if copy_has_ended && !self.run.is_open => {}
            b'S' => {
                self.join_run(header.kind, out);
                self.end_run(out);
            }
            b'c' | b'f' => self.copy_has_ended = !self.run.is_open,
            // Flush: what the run asks for so far is answered.
            b'H' if self.run.is_open => out.so_far(),
            // Passwords, data of a copy, Terminate.
            _ => {}
        }
        Advance::Skip(header.message_bytes())
    }

    fn opening(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if input.bytes.len() < HEAD_BYTES {
            return Advance::Need(HEAD_BYTES);
        }
        let Some((opening, len)) = Opening::read(input.bytes) else {
            return Advance::Malformed;
        };
        if input.bytes.len() < len && !input.ended {
            return Advance::Need(len);
        }
        match opening {
            Opening::Encryption { tls } => {
                self.phase = Phase::EncryptionAsked { tls };
                out.open(Role::Request, None);
                out.tag(Asked::Encryption.tag());
                let kind: &[u8] = if tls { b"SSLREQUEST" } else { b"GSSENCREQUEST" };
                out.text(Field::ReqType, kind);
                out.close();
            }
            Opening::Cancel { process } => {
                out.open(Role::OneWay, None);
                out.text(Field::ReqType, b"CANCEL");
                out.write(Field::Resource).push_number(process.into());
                out.close();
            }
            Opening::Startup => {
                let parameters = input.bytes.get(HEAD_BYTES..len.min(input.bytes.len()));
                let Some(startup) = Startup::read(parameters.unwrap_or(&[])) else {
                    return Advance::Malformed;
                };
                self.phase = Phase::Startup;
                self.database.clear();
                let name = startup.database;
                self.database
                    .extend_from_slice(name.get(..name.len().min(DATABASE_BYTES_MAX)).unwrap_or(&[]));
                out.open(Role::Request, None);
                out.tag(Asked::Startup.tag());
                out.text(Field::ReqType, b"STARTUP");
                out.text(Field::Domain, startup.database);
                out.text(Field::Resource, startup.user);
                out.attr("application_name", startup.application);
                out.attr("replication", startup.replication);
                out.close();
            }
        }
        Advance::Skip(len as u64)
    }

    /// Goes on with the run, or begins one.
    fn join_run(&mut self, kind: u8, out: &mut Out<'_>) {
        if !self.run.is_open {
            out.open(Role::Request, None);
            out.tag(Asked::Command.tag());
            out.text(Field::Domain, &self.database);
            self.run = Run {
                is_open: true,
                first: kind,
                ..Run::default()
            };
        }
        self.run.has_parse |= kind == b'P';
        self.run.has_execute |= kind == b'E';
        self.run.count = self.run.count.saturating_add(1);
    }

    /// A simple query begins: what came before it without a Sync is a request of its own.
    fn end_unsynced_run(&mut self, out: &mut Out<'_>) {
        if !self.run.is_open {
            return;
        }
        let asked = Asked::Unsynced(self.run.count);
        if out.outstanding() == 1 {
            // Its answer may have begun.
            self.reply.now_asked(asked);
        }
        out.tag(asked.tag());
        self.describe_run(out);
        out.close_before();
    }

    /// The message at hand is the run's last.
    fn end_run(&mut self, out: &mut Out<'_>) {
        self.describe_run(out);
        out.close();
    }

    /// Writes what the run as a whole is, and forgets it.
    fn describe_run(&mut self, out: &mut Out<'_>) {
        let run = std::mem::take(&mut self.run);
        let begin = run.begin.filter(|_| !run.is_described);
        if let Some(statement) = begin.and_then(|handle| self.statements.get(handle)) {
            sql::describe(out, statement.text, statement.cut, Dialect::PostgreSql);
        }
        let kind = match run {
            Run {
                has_execute: true, ..
            } => "EXECUTE",
            Run { has_parse: true, .. } => "PARSE",
            Run { first, .. } => match first {
                b'Q' => "QUERY",
                b'F' => "FUNCTION_CALL",
                b'B' => "BIND",
                b'D' => "DESCRIBE",
                b'C' => "CLOSE",
                _ => "SYNC",
            },
        };
        out.text(Field::ReqType, kind.as_bytes());
    }

    fn describe(&mut self, text: &[u8], cut: bool, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.run.is_described, true) {
            sql::describe(out, text, cut, Dialect::PostgreSql);
        }
    }

    /// Describes the run by a statement that is known, unless it is described already.
    fn describe_by(&mut self, handle: Option<Handle>, out: &mut Out<'_>) {
        if self.run.is_described {
            return;
        }
        let Some(handle) = handle else { return };
        let Some(statement) = self.statements.get(handle) else {
            return;
        };
        if sql::begins_transaction(statement.text) {
            self.run.begin = self.run.begin.or(Some(handle));
            return;
        }
        self.run.is_described = true;
        sql::describe(out, statement.text, statement.cut, Dialect::PostgreSql);
    }

    /// Parse, Bind, Describe, Execute, Close.
    fn extended(&mut self, kind: u8, body: &[u8], cut: bool, out: &mut Out<'_>) {
        let mut reader = Reader(body);
        match kind {
            b'P' => {
                let (name, text) = (reader.text_so_far(), reader.text_so_far());
                let kept = text.get(..text.len().min(out.settings().resource_bytes_max));
                let kept = kept.unwrap_or(&[]);
                // The text is cut when its end is not here; the types behind it don't matter.
                let cut = cut && reader.0.is_empty();
                let handle = self.statements.insert(
                    Key::statement(name).bytes(),
                    kept,
                    cut || kept.len() < text.len(),
                );
                if sql::begins_transaction(text) {
                    self.describe_by(handle, out);
                } else {
                    self.describe(text, cut, out);
                }
            }
            b'B' => {
                let (portal, name) = (reader.text_so_far(), reader.text_so_far());
                let statement = self.statements.touch(Key::statement(name).bytes());
                if portal.is_empty() {
                    self.portal = statement;
                } else if let Some(handle) = self.statements.insert(Key::portal(portal).bytes(), &[], false)
                    && let Some(kept) = self.statements.get(handle)
                {
                    *kept.note = Note { statement };
                }
                self.describe_by(statement, out);
            }
            b'E' => {
                let statement = self.portal(reader.text_so_far());
                self.describe_by(statement, out);
            }
            b'D' | b'C' => {
                let is_statement = reader.u8() == Some(b'S');
                let name = reader.text_so_far();
                let key = if is_statement {
                    Key::statement(name)
                } else {
                    Key::portal(name)
                };
                if kind == b'C' {
                    self.statements.remove(key.bytes());
                } else {
                    let statement = if is_statement {
                        self.statements.touch(key.bytes())
                    } else {
                        self.portal(name)
                    };
                    self.describe_by(statement, out);
                }
            }
            _ => {}
        }
    }

    /// The statement that a portal was made of.
    fn portal(&mut self, name: &[u8]) -> Option<Handle> {
        if name.is_empty() {
            return self.portal;
        }
        let kept = self.statements.find(Key::portal(name).bytes())?;
        kept.note.statement
    }
}

/// Key of a statement or portal: they have names of their own.
struct Key {
    bytes: [u8; NAME_BYTES_MAX + 1],
    len: usize,
}

impl Key {
    fn new(kind: u8, name: &[u8]) -> Self {
        let mut bytes = [kind; NAME_BYTES_MAX + 1];
        let len = name.len().min(NAME_BYTES_MAX);
        if let (Some(place), Some(name)) = (bytes.get_mut(1..=len), name.get(..len)) {
            place.copy_from_slice(name);
        }
        Self { bytes, len: len + 1 }
    }

    fn statement(name: &[u8]) -> Self {
        Self::new(b'S', name)
    }

    fn portal(name: &[u8]) -> Self {
        Self::new(b'P', name)
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

/// The connection goes on in TLS behind `consumed` bytes.
pub(super) fn hand_over_to_tls(consumed: usize, out: &mut Out<'_>) -> Advance {
    let Some(tls) = Protocol::from_name("tls") else {
        return Advance::Done;
    };
    out.hand_over(HandOver {
        protocol: Some(tls),
        ..HandOver::default()
    });
    Advance::HandOver(consumed)
}
