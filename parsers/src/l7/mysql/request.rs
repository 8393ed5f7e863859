//! What clients send: logins and commands.

use super::capability::{CONNECT_ATTRS, CONNECT_WITH_DB, QUERY_ATTRIBUTES};
use super::command::{self, Command};
use super::handshake::{LOGIN_BYTES_MAX, Login, read_change_user};
use super::parameters::{self, Named, Value};
use super::reply::Reply;
use super::wire::{HEADER_BYTES, Header, Reader};
use super::{MySql, Phase, Tag, set_name};
use crate::conversation::{HandOver, Out, Role};
use crate::field::Field;
use crate::l7::Protocol;
use crate::l7::sql::{self, Dialect};
use crate::limits::SQL_HEAD_BYTES_MAX;
use crate::parser::{Advance, Input};

/// COM_STMT_EXECUTE, flags: the number of parameters stands in the packet (with query attributes).
const PARAMETER_COUNT_AVAILABLE: u8 = 8;
/// Statement id that stands for the last PREPARE, for clients that don't wait for its answer (MariaDB).
const LAST_STATEMENT: u32 = u32::MAX;

impl MySql {
    /// A packet of the client's.
    pub(super) fn client_packet(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(header) = Header::read(input.bytes) else {
            return Advance::Need(HEADER_BYTES);
        };
        let whole = header.packet_bytes();
        if std::mem::replace(&mut self.goes_on[0], header.goes_on()) {
            self.message_has_ended = !header.goes_on();
            return Advance::Skip(whole);
        }
        let advance = if self.file {
            // Content of a file for LOAD DATA LOCAL; an empty packet ends it.
            self.file = header.len > 0;
            Advance::Skip(whole)
        } else if header.sequence == 0 && self.reply != Reply::Dump {
            self.command(header, input, out)
        } else if self.reply == Reply::Dump || self.is_authenticating(out) {
            // Acknowledgements of a replica; answers to the server's challenges.
            Advance::Skip(whole)
        } else if self.phase == Phase::Command {
            Advance::Malformed
        } else {
            self.login(header, input, out)
        };
        if !matches!(advance, Advance::Skip(_)) {
            self.goes_on[0] = false;
        }
        advance
    }

    fn is_authenticating(&self, out: &mut Out<'_>) -> bool {
        let mut asked = || {
            out.answering(None)
                .map(|tag| Tag(tag).command())
                .is_some_and(|c| matches!(c, command::CONNECT | command::CHANGE_USER))
        };
        self.phase == Phase::Authenticating || self.reply == Reply::Login || asked()
    }

    fn login(&mut self, header: Header, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let len = header.len as usize;
        let want = HEADER_BYTES + len.min(LOGIN_BYTES_MAX);
        if input.bytes.len() < want && !input.ended {
            return Advance::Need(want);
        }
        let whole = header.packet_bytes();
        let payload = payload(input.bytes, len);
        let Some(login) = Login::read(payload, len) else {
            return Advance::Malformed;
        };
        self.client_capabilities = login.capabilities;
        if login.is_ssl_request {
            let consumed = usize::try_from(whole).unwrap_or(usize::MAX);
            let Some(tls) = Protocol::from_name("tls") else {
                return Advance::Done;
            };
            out.hand_over(HandOver {
                protocol: Some(tls),
                ..HandOver::default()
            });
            return Advance::HandOver(consumed);
        }
        self.phase = Phase::Authenticating;
        out.open(Role::Request, None);
        out.text(Field::ReqType, b"LOGIN");
        out.text(Field::Resource, login.user);
        out.text(Field::Domain, login.database);
        out.attr("program_name", login.program);
        if payload.len() < len && login.capabilities & (CONNECT_WITH_DB | CONNECT_ATTRS) != 0 {
            out.truncated();
        }
        set_name(&mut self.database, login.database);
        out.tag(Tag::new(command::CONNECT, 0).0);
        self.message_has_ended = !header.goes_on();
        Advance::Skip(whole)
    }

    fn command(&mut self, header: Header, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(&command) = input.bytes.get(HEADER_BYTES) else {
            return if header.len > 0 {
                Advance::Need(HEADER_BYTES + 1)
            } else {
                Advance::Malformed
            };
        };
        if !command::fits(command, header.len) {
            return Advance::Malformed;
        }
        let len = header.len as usize;
        // Attributes before a SQL text have as much room again.
        let want = HEADER_BYTES + len.min(SQL_HEAD_BYTES_MAX);
        if input.bytes.len() < want && !input.ended {
            return Advance::Need(want);
        }
        let Some((_, body)) = payload(input.bytes, len).split_first() else {
            return Advance::Malformed;
        };
        let cut = body.len() + 1 < len || header.goes_on();
        self.phase = Phase::Command;
        self.packing_is_known = true;
        if std::mem::take(&mut self.database_is_asked) {
            // The answer was never seen.
            self.database.clear();
        }
        let role = if command::is_one_way(command) {
            Role::OneWay
        } else {
            Role::Request
        };
        out.open(role, None);
        if let Some(name) = command::name(command) {
            out.text(Field::ReqType, name.as_bytes());
        }
        out.text(Field::Domain, &self.database);
        let note = self.describe(command, body, cut, out);
        out.tag(Tag::new(command, note).0);
        self.message_has_ended = !header.goes_on();
        Advance::Skip(header.packet_bytes())
    }

    /// Writes what a command says; what it returns goes into the request's tag.
    fn describe(&mut self, command: Command, body: &[u8], cut: bool, out: &mut Out<'_>) -> u32 {
        match command {
            command::QUERY => return self.describe_query(body, cut, out),
            command::STMT_PREPARE => {
                let kept = body.get(..body.len().min(out.settings().resource_bytes_max));
                let kept = kept.unwrap_or(&[]);
                let handle = self
                    .statements
                    .insert(&NO_STATEMENT, kept, cut || kept.len() < body.len());
                sql::describe(out, body, cut, Dialect::MySql);
                self.last_prepared = handle;
                return handle.map_or(0, sql::Handle::to_number);
            }
            command::STMT_EXECUTE | command::STMT_BULK_EXECUTE => {
                self.describe_execute(command, body, cut, out);
            }
            command::STMT_CLOSE
            | command::STMT_RESET
            | command::STMT_FETCH
            | command::STMT_SEND_LONG_DATA => {
                if let Some(id) = Reader(body).u32() {
                    out.write_attr("statement_id").push_number(id.into());
                    if command == command::STMT_CLOSE {
                        self.statements.remove(&key_of(id));
                    }
                }
            }
            command::INIT_DB | command::CREATE_DB | command::DROP_DB => {
                out.text(Field::Resource, body);
                if command == command::INIT_DB {
                    self.ask_database(body);
                }
            }
            command::FIELD_LIST => {
                let table = Reader(body).nul_text();
                out.text(Field::Resource, table);
            }
            command::CHANGE_USER => {
                let (user, database) = read_change_user(body, self.client_capabilities);
                out.text(Field::Resource, user);
                self.ask_database(database);
            }
            command::PROCESS_KILL => {
                if let Some(id) = Reader(body).u32() {
                    out.write(Field::Resource).push_number(id.into());
                }
            }
            command::BINLOG_DUMP => {
                // position (4), flags (2), server id (4), file name
                out.text(Field::Resource, body.get(10..).unwrap_or(&[]));
            }
            command::BINLOG_DUMP_GTID => {
                let mut reader = Reader(body.get(6..).unwrap_or(&[]));
                let len = reader.u32().unwrap_or(0) as usize;
                out.text(Field::Resource, reader.take(len).unwrap_or(&[]));
            }
            _ => {}
        }
        0
    }

    /// COM_QUERY: query attributes where they were agreed on, then the text.
    fn describe_query(&mut self, body: &[u8], cut: bool, out: &mut Out<'_>) -> u32 {
        let mut reader = Reader(body);
        let agreed = self.agreed(QUERY_ATTRIBUTES);
        // A text never begins with these bytes: a small count, and the number of sets, always 1.
        let looks = matches!(body, [0..=8 | 11 | 12 | 14..=31, 1, ..]);
        let mut whole = true;
        if agreed.unwrap_or(looks) && looks {
            let count = reader.lenenc().unwrap_or(0) as usize;
            let _sets = reader.lenenc();
            if count > 0 {
                let redacted = out.settings().redaction.sql_literals;
                let mut types = Vec::new();
                let mut trace = &[][..];
                let mut to = out.write_attr("query_attributes");
                whole = parameters::read(&mut reader, count, true, &mut types, |(name, value)| {
                    if let (b"traceparent", Value::Text(text)) = (name, value) {
                        trace = text;
                    }
                    parameters::write_named(&mut to, (name, value), redacted);
                });
                drop(to);
                sql::write_traceparent(out, trace);
            }
        }
        if !whole {
            // Where the text begins is not known.
            out.truncated();
            return 0;
        }
        sql::describe(out, reader.0, cut, Dialect::MySql);
        match sql::used_database(reader.0) {
            Some(database) => {
                self.ask_database(database);
                1
            }
            None => 0,
        }
    }

    /// COM_STMT_EXECUTE: statement id, flags, iteration count, parameters.
    /// COM_STMT_BULK_EXECUTE: statement id, flags; its rows of parameters are left out.
    fn describe_execute(&mut self, command: Command, body: &[u8], cut: bool, out: &mut Out<'_>) {
        let mut reader = Reader(body);
        let Some(mut id) = reader.u32() else { return };
        let attributes = self.agreed(QUERY_ATTRIBUTES) == Some(true);
        let last = self.last_prepared.filter(|_| id == LAST_STATEMENT);
        if let Some(known) = last
            .and_then(|handle| self.statements.get(handle))
            .and_then(|s| s.note.id)
        {
            id = known;
        }
        if id != LAST_STATEMENT {
            out.write_attr("statement_id").push_number(id.into());
        }
        let statement = match last {
            Some(handle) => self.statements.get(handle),
            None => self.statements.find(&key_of(id)),
        };
        let Some(statement) = statement else { return };
        sql::describe(out, statement.text, statement.cut, Dialect::MySql);
        if command == command::STMT_BULK_EXECUTE {
            return;
        }
        let (Some(flags), Some(_iterations)) = (reader.u8(), reader.u32()) else {
            return;
        };
        let declared = statement.note.count.map(usize::from);
        let named = attributes && (flags & PARAMETER_COUNT_AVAILABLE != 0 || declared.is_some_and(|n| n > 0));
        let count = if named {
            reader.lenenc().and_then(|n| usize::try_from(n).ok())
        } else {
            declared
        };
        let Some(count) = count.filter(|n| *n > 0) else {
            return;
        };
        let redacted = out.settings().redaction.sql_literals;
        let mut to = out.write_attr("parameters");
        let types = &mut statement.note.types;
        let whole = parameters::read(&mut reader, count, named, types, |(_, value): Named<'_>| {
            parameters::write_listed(&mut to, value, redacted);
        });
        if !whole || cut {
            to.mark_truncated();
        }
    }
}

/// Key of a statement whose id the server has not said yet.
const NO_STATEMENT: [u8; 5] = [0; 5];

/// Key of the statement with this id.
pub(super) fn key_of(id: u32) -> [u8; 5] {
    let [a, b, c, d] = id.to_le_bytes();
    [1, a, b, c, d]
}

/// The payload of the packet that `bytes` begin with, as far as it is here.
pub(super) fn payload(bytes: &[u8], len: usize) -> &[u8] {
    let end = bytes.len().min(HEADER_BYTES + len);
    bytes.get(HEADER_BYTES..end).unwrap_or(&[])
}
