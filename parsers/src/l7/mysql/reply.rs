//! What servers send: the greeting, and the answers to logins and commands.
//!
//! Source: MySQL 8 source documentation, "Command Phase", "Text Resultset", "Binary Protocol Resultset",
//! "OK_Packet", "ERR_Packet", "EOF_Packet"; MariaDB "Result Set Packets", "Progress Reporting".

use super::capability::{COMPRESS, DEPRECATE_EOF, MARIADB_CACHE_METADATA, OPTIONAL_METADATA, ZSTD};
use super::command;
use super::errors;
use super::handshake::{GREETING_BYTES_MAX, Greeting};
use super::request::{key_of, payload};
use super::wire::{HEADER_BYTES, Header, PAYLOAD_MAX, Reader};
use super::{MySql, Phase, Tag, set_name};
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::l7::sql::Handle;
use crate::parser::{Advance, Input};

const OK: u8 = 0x00;
const MORE_AUTH_DATA: u8 = 0x01;
const LOCAL_FILE: u8 = 0xFB;
/// EOF; OK at the end of rows; a request to switch the authentication method.
const EOF: u8 = 0xFE;
const ERR: u8 = 0xFF;

/// Code of an ERR packet that reports progress (MariaDB).
const PROGRESS: u16 = 0xFFFF;
/// EOF packets are shorter than this, OK packets in their place longer than [`EOF_BYTES`].
const EOF_BYTES: u32 = 5;
/// Shortest OK packet: mark, two numbers, status, warnings.
const OK_BYTES_MIN: u32 = 7;

/// Bytes of an OK packet that are looked at: changes of the session state stand at its end.
const OK_BYTES_MAX: usize = 1024;
/// Bytes of an ERR packet that are looked at: its text has 512 characters at most.
const ERR_BYTES_MAX: usize = 9 + 512 * 4;
/// Columns of a result that are believed; MySQL and MariaDB allow 4096 in a table.
const COLUMNS_MAX: u64 = 0xFFFF;

const STATUS_MORE_RESULTS: u16 = 0x0008;
const STATUS_CURSOR_EXISTS: u16 = 0x0040;
const STATUS_SESSION_STATE_CHANGED: u16 = 0x4000;
/// Kind of session state change: the default database.
const SESSION_TRACK_SCHEMA: u8 = 1;

/// What the server's next packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The first of an answer.
    Idle,
    /// Part of an authentication.
    Login,
    /// The head of a (further) result: OK, ERR, a number of columns, a wish for a file.
    Head,
    /// A definition of so many columns.
    Columns(u16),
    /// What follows the definitions: EOF, or a row where there are no EOF packets.
    BehindColumns,
    /// A row, or the end of rows.
    Rows,
    /// A definition of a table's field, or the end of them.
    Fields,
    /// A definition of so many parameters, then of so many columns, of a prepared statement.
    Prepared(u16, u16),
    /// An event of the binary log: goes on for ever.
    Dump,
}

/// What became of a packet.
enum Step {
    /// The message goes on.
    More,
    /// It was the message's last.
    End,
    /// It belongs to no message.
    Silent,
    /// It can't stand here.
    Refused,
}

impl MySql {
    /// Packets of the server's, up to the end of an answer.
    pub(super) fn server_packets(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let mut at = 0;
        loop {
            let bytes = input.bytes.get(at..).unwrap_or(&[]);
            let (header, payload) = match self.server_packet(bytes) {
                Ok(packet) => packet,
                Err(need) if at > 0 || (input.ended && bytes.len() < HEADER_BYTES) => {
                    return if at > 0 { Advance::Consumed(at) } else { Advance::Need(need) };
                }
                Err(need) if !input.ended => return Advance::Need(need),
                // No more will come: what is here must do.
                Err(_) => match Header::read(bytes) {
                    Some(header) => (header, payload(bytes, header.len as usize)),
                    None => return Advance::Malformed,
                },
            };
            let was_going_on = std::mem::replace(&mut self.goes_on[1], header.goes_on());
            let step = if was_going_on {
                Step::More
            } else {
                self.reply_packet(header, payload, out)
            };
            let end = at as u64 + header.packet_bytes();
            match step {
                Step::More => {}
                Step::End => {
                    self.message_has_ended = true;
                    return Advance::Skip(end);
                }
                Step::Silent => return Advance::Skip(end),
                Step::Refused => {
                    self.goes_on[1] = false;
                    return Advance::Malformed;
                }
            }
            match usize::try_from(end) {
                Ok(next) if next < input.bytes.len() => at = next,
                _ => return Advance::Skip(end),
            }
        }
    }

    /// The packet that `bytes` begin with, as much of it as is wanted; or how many bytes that takes.
    fn server_packet<'a>(&self, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), usize> {
        let header = Header::read(bytes).ok_or(HEADER_BYTES)?;
        let len = header.len as usize;
        let here = payload(bytes, len);
        if len == 0 || self.goes_on[1] {
            return Ok((header, here));
        }
        let first = here.first().ok_or(HEADER_BYTES + 1)?;
        let rows = matches!(
            self.reply,
            Reply::Rows | Reply::BehindColumns | Reply::Columns(_) | Reply::Fields | Reply::Prepared(..)
        );
        let wanted = match (*first, self.reply) {
            (_, Reply::Dump) => 1,
            (ERR, _) => ERR_BYTES_MAX,
            (EOF, _) => OK_BYTES_MAX,
            (_, _) if rows => 1,
            (OK, _) => OK_BYTES_MAX,
            _ => GREETING_BYTES_MAX,
        };
        let wanted = wanted.min(len);
        if here.len() < wanted {
            return Err(HEADER_BYTES + wanted);
        }
        Ok((header, here))
    }

    fn reply_packet(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        let Some(first) = payload.first().copied() else {
            return Step::Refused;
        };
        let is_eof = first == EOF && header.len < PAYLOAD_MAX;
        let step = match self.reply {
            Reply::Idle => self.begin(header, payload, out),
            Reply::Dump => {
                if is_eof || first == ERR {
                    self.reply = Reply::Idle;
                }
                Step::Silent
            }
            Reply::Login => self.login_packet(header, payload, out),
            Reply::Head => self.result_head(header, payload, out),
            _ if first == ERR => self.error(payload, out),
            Reply::Columns(left) => {
                self.reply = match left {
                    0 | 1 => Reply::BehindColumns,
                    _ => Reply::Columns(left - 1),
                };
                Step::More
            }
            Reply::BehindColumns if is_eof && header.len <= EOF_BYTES => {
                self.eof_packets = Some(true);
                self.reply = Reply::Rows;
                if eof_status(payload) & STATUS_CURSOR_EXISTS != 0 {
                    // The rows wait for COM_STMT_FETCH.
                    self.succeed(out)
                } else {
                    Step::More
                }
            }
            Reply::BehindColumns | Reply::Rows if is_eof => self.end_of_rows(header, payload, out),
            Reply::BehindColumns => {
                self.eof_packets = Some(false);
                self.reply = Reply::Rows;
                self.rows += 1;
                Step::More
            }
            Reply::Rows => {
                self.rows += 1;
                Step::More
            }
            Reply::Fields if is_eof => self.succeed(out),
            Reply::Fields => Step::More,
            Reply::Prepared(parameters, columns) => self.definition(is_eof, parameters, columns, out),
        };
        if matches!(step, Step::End) {
            self.file = false;
            if self.reply != Reply::Dump {
                self.reply = Reply::Idle;
            }
        }
        step
    }

    /// The first packet of an answer, or one that answers nothing.
    fn begin(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        if header.sequence == 0
            && self.phase != Phase::Command
            && let Some(greeting) = Greeting::read(payload)
        {
            self.server_capabilities = greeting.capabilities;
            self.phase = Phase::Greeted;
            return Step::Silent;
        }
        let tag = out.answering(None).map(Tag);
        let first = payload.first().copied().unwrap_or(0);
        let (is_ok, is_eof) = (first == OK && header.len >= OK_BYTES_MIN, first == EOF);
        self.rows = 0;
        self.asked = tag;
        let Some(command) = tag.map(Tag::command) else {
            return self.begin_unasked(header, payload, out);
        };
        if header.sequence == 0 && first != ERR {
            return Step::Refused;
        }
        let reply = match command {
            command::CONNECT | command::CHANGE_USER => Reply::Login,
            command::FIELD_LIST => Reply::Fields,
            command::STMT_FETCH => Reply::Rows,
            _ if first == ERR => Reply::Head,
            command::QUERY | command::STMT_EXECUTE | command::STMT_BULK_EXECUTE | command::PROCESS_INFO => {
                if !self.can_head(header, payload) {
                    return Step::Refused;
                }
                Reply::Head
            }
            command::STATISTICS => {
                out.open(Role::Response, None);
                out.text(Field::Result, payload);
                return self.succeed(out);
            }
            command::STMT_PREPARE if first == OK => return self.prepared(payload, out),
            command::BINLOG_DUMP | command::BINLOG_DUMP_GTID if first == OK => {
                out.open(Role::Response, None);
                self.reply = Reply::Dump;
                return self.succeed(out);
            }
            _ if is_ok || is_eof => Reply::Head,
            _ => return Step::Refused,
        };
        self.reply = reply;
        out.open(Role::Response, None);
        self.reply_packet(header, payload, out)
    }

    /// An answer whose request was not seen: only what can't be mistaken is taken for one.
    fn begin_unasked(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        let first = payload.first().copied().unwrap_or(0);
        let is_error = first == ERR && is_error_packet(payload, header.sequence == 0);
        let is_result = match first {
            EOF if header.len == EOF_BYTES => return Step::Silent,
            OK => is_ok_packet(payload, header.len),
            1..=0xFA => header.len == 1,
            _ => false,
        };
        let is_answer = is_error || (is_result && header.sequence > 0);
        if !is_answer {
            return Step::Refused;
        }
        self.reply = Reply::Head;
        out.open(Role::Response, None);
        self.result_head(header, payload, out)
    }

    fn login_packet(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        match payload.first() {
            Some(&OK) if header.len >= 3 => {
                if self.phase != Phase::Command && self.agreed(COMPRESS | ZSTD) == Some(true) {
                    self.compression = Some(Box::default());
                }
                self.phase = Phase::Command;
                self.packing_is_known = true;
                self.statements.clear();
                self.ok(payload, out)
            }
            Some(&ERR) => self.error(payload, out),
            // Another authentication method, or data of the one at hand, follows.
            Some(&(EOF | MORE_AUTH_DATA..=4)) => Step::More,
            _ => Step::Refused,
        }
    }

    /// Whether a result can begin with this packet.
    fn can_head(&self, header: Header, payload: &[u8]) -> bool {
        match payload.first() {
            Some(&OK) => header.len >= 2,
            Some(&(LOCAL_FILE | EOF | ERR)) => true,
            _ => self.column_count(header, payload).is_some(),
        }
    }

    /// How many columns a result has, and whether their definitions follow.
    fn column_count(&self, header: Header, payload: &[u8]) -> Option<(u16, bool)> {
        let mut reader = Reader(payload);
        let mut definitions = true;
        if self.agreed(OPTIONAL_METADATA) == Some(true) && header.len > 1 {
            definitions = reader.u8()? != 0;
        }
        let count = reader.lenenc().filter(|n| (1..=COLUMNS_MAX).contains(n))?;
        if let [flag] = reader.0
            && self.agreed(MARIADB_CACHE_METADATA) != Some(false)
        {
            definitions = *flag != 0;
            reader.0 = &[];
        }
        let whole = reader.0.is_empty() && payload.len() == header.len as usize;
        whole.then_some((count as u16, definitions))
    }

    fn result_head(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        match payload.first() {
            Some(&ERR) => self.error(payload, out),
            Some(&OK) if header.len >= OK_BYTES_MIN => self.ok(payload, out),
            Some(&EOF) if header.len <= EOF_BYTES => self.succeed(out),
            Some(&EOF) => self.ok(payload, out),
            Some(&LOCAL_FILE) => {
                self.file = true;
                Step::More
            }
            _ => match self.column_count(header, payload) {
                Some((count, true)) => {
                    self.reply = Reply::Columns(count);
                    Step::More
                }
                Some((_, false)) => {
                    self.reply = Reply::BehindColumns;
                    Step::More
                }
                None => Step::Refused,
            },
        }
    }

    fn end_of_rows(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
        let status = if header.len <= EOF_BYTES {
            eof_status(payload)
        } else {
            self.read_ok(payload).1
        };
        if status & STATUS_MORE_RESULTS != 0 {
            self.reply = Reply::Head;
            return Step::More;
        }
        self.succeed(out)
    }

    /// The answer to COM_STMT_PREPARE: statement id, columns, parameters, and their definitions.
    fn prepared(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
        let mut reader = Reader(payload);
        let (Some(_), Some(id), Some(columns), Some(parameters)) =
            (reader.u8(), reader.u32(), reader.u16(), reader.u16())
        else {
            return Step::Refused;
        };
        out.open(Role::Response, None);
        out.write_attr("statement_id").push_number(id.into());
        if let Some(tag) = self.asked {
            let handle = Handle::from_number(tag.note());
            self.statements.rename(handle, &key_of(id));
            if let Some(statement) = self.statements.get(handle) {
                statement.note.id = Some(id);
                statement.note.count = Some(parameters);
            }
        }
        // Filler, warnings; then whether definitions follow, where that was agreed on.
        let follows = reader.0.get(3).is_none_or(|flag| *flag != 0);
        let definitions = u32::from(parameters) + u32::from(columns);
        if definitions == 0 || (self.agreed(OPTIONAL_METADATA) == Some(true) && !follows) {
            return self.succeed(out);
        }
        self.reply = Reply::Prepared(parameters, columns);
        Step::More
    }

    fn definition(&mut self, is_eof: bool, parameters: u16, columns: u16, out: &mut Out<'_>) -> Step {
        if is_eof {
            self.eof_packets = Some(true);
            return if (parameters, columns) == (0, 0) {
                self.succeed(out)
            } else {
                Step::More
            };
        }
        let left = if parameters > 0 {
            (parameters - 1, columns)
        } else {
            (0, columns.saturating_sub(1))
        };
        self.reply = Reply::Prepared(left.0, left.1);
        // Where it is not known whether EOF packets are sent, the last one is passed by itself.
        if left == (0, 0) && !self.sends_eof_packets().unwrap_or(false) {
            return self.succeed(out);
        }
        Step::More
    }

    /// Whether EOF packets end definitions: by agreement, or as seen before.
    fn sends_eof_packets(&self) -> Option<bool> {
        self.agreed(DEPRECATE_EOF).map(|agreed| !agreed).or(self.eof_packets)
    }

    fn ok(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
        let (affected, status) = self.read_ok(payload);
        self.rows = self.rows.saturating_add(affected);
        if status & STATUS_MORE_RESULTS != 0 && self.reply != Reply::Login {
            self.reply = Reply::Head;
            return Step::More;
        }
        self.succeed(out)
    }

    /// Reads an OK packet: rows affected, status flags; keeps the database that it may name.
    fn read_ok(&mut self, payload: &[u8]) -> (u64, u16) {
        let mut reader = Reader(payload.get(1..).unwrap_or(&[]));
        let affected = reader.lenenc().unwrap_or(0);
        let _last_insert_id = reader.lenenc();
        let status = reader.u16().unwrap_or(0);
        let _warnings = reader.u16();
        if status & STATUS_SESSION_STATE_CHANGED != 0 {
            let _ = self.read_session_state(&mut reader);
        }
        (affected, status)
    }

    fn read_session_state(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        let _info = reader.lenenc_text()?;
        let mut changes = Reader(reader.lenenc_text()?);
        loop {
            let kind = changes.u8()?;
            let mut data = Reader(changes.lenenc_text()?);
            if kind == SESSION_TRACK_SCHEMA {
                set_name(&mut self.database, data.lenenc_text()?);
            }
        }
    }

    /// The request was done.
    fn succeed(&mut self, out: &mut Out<'_>) -> Step {
        out.status(Status::Ok);
        out.code(0);
        let command = self.asked.map(Tag::command);
        let has_rows = matches!(
            command,
            None | Some(
                command::QUERY
                    | command::STMT_EXECUTE
                    | command::STMT_BULK_EXECUTE
                    | command::STMT_FETCH
                    | command::PROCESS_INFO
            )
        );
        if has_rows {
            out.rows(self.rows);
        }
        if self.asked_for_database() {
            std::mem::swap(&mut self.database, &mut self.asked_database);
            self.database_is_asked = false;
        }
        Step::End
    }

    /// Whether the request at hand changes the database.
    fn asked_for_database(&self) -> bool {
        self.asked.is_some_and(|tag| match tag.command() {
            command::INIT_DB | command::CHANGE_USER => true,
            command::QUERY => tag.note() == 1,
            _ => false,
        })
    }

    /// An ERR packet: it ends whatever was under way, but for a report of progress.
    fn error(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
        let mut reader = Reader(payload.get(1..).unwrap_or(&[]));
        let Some(code) = reader.u16() else {
            return Step::Refused;
        };
        if code == PROGRESS {
            return Step::More;
        }
        let text = match reader.0 {
            [b'#', _, _, _, _, _, text @ ..] => {
                out.attr("sqlstate", reader.0.get(1..6).unwrap_or(&[]));
                text
            }
            text => text,
        };
        out.code(code.into());
        out.status(errors::status(code));
        out.text(Field::Exception, text);
        if self.asked_for_database() {
            self.database_is_asked = false;
        }
        if let Some(tag) = self.asked.filter(|tag| tag.command() == command::STMT_PREPARE) {
            self.statements.remove_handle(Handle::from_number(tag.note()));
        }
        Step::End
    }
}

fn eof_status(payload: &[u8]) -> u16 {
    match payload {
        [_, _, _, low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    }
}

/// Whether this is an OK packet beyond doubt: numbers, flags that exist, few warnings, and where nothing
/// says that more follows, nothing more.
pub(super) fn is_ok_packet(payload: &[u8], len: u32) -> bool {
    let mut reader = Reader(payload);
    if reader.u8() != Some(OK) || len < OK_BYTES_MIN {
        return false;
    }
    let (Some(_), Some(_), Some(status), Some(warnings)) =
        (reader.lenenc(), reader.lenenc(), reader.u16(), reader.u16())
    else {
        return false;
    };
    let text = reader.0.iter().all(|b| *b >= 0x20 || *b == b'\n');
    let plausible = status & 0x8000 == 0 && warnings <= 1024;
    plausible && (text || status & STATUS_SESSION_STATE_CHANGED != 0 || reader.0.len() as u32 <= 64)
}

/// Whether this is an ERR packet beyond doubt. Before the login there is no SQL state in it (`bare`).
pub(super) fn is_error_packet(payload: &[u8], bare: bool) -> bool {
    let [ERR, low, high, text @ ..] = payload else {
        return false;
    };
    let code = u16::from_le_bytes([*low, *high]);
    let printable = |text: &[u8]| text.iter().all(|b| *b >= 0x20 || matches!(b, b'\n' | b'\t'));
    match text {
        [b'#', state @ ..] => {
            let state = state.get(..5).unwrap_or(&[]);
            state.len() == 5 && state.iter().all(u8::is_ascii_alphanumeric) && code >= 1000
        }
        text => bare && (1000..5000).contains(&code) && text.len() >= 8 && printable(text),
    }
}
