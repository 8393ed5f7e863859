//! How a request went: OK, ERR and EOF packets. Source: MySQL 8 source documentation, "OK_Packet",
//! "ERR_Packet", "EOF_Packet"; MariaDB "Progress Reporting".

use super::reply::{ERR, OK, Reply, Step};
use super::wire::Reader;
use super::{MySql, Tag, command, errors, set_name};
use crate::conversation::Out;
use crate::field::{Field, Status};
use crate::l7::sql::Handle;

/// Code of an ERR packet that reports progress (MariaDB).
const PROGRESS: u16 = 0xFFFF;
/// Shortest OK packet: mark, two numbers, status, warnings.
pub(super) const OK_BYTES_MIN: u32 = 7;
/// Bytes of an OK packet that are looked at: changes of the session state stand at its end.
pub(super) const OK_BYTES_MAX: usize = 1024;
/// Bytes of an ERR packet that are looked at: its text has 512 characters at most.
pub(super) const ERR_BYTES_MAX: usize = 9 + 512 * 4;

pub(super) const STATUS_MORE_RESULTS: u16 = 0x0008;
pub(super) const STATUS_CURSOR_EXISTS: u16 = 0x0040;
const STATUS_SESSION_STATE_CHANGED: u16 = 0x4000;
/// Kind of session state change: the default database.
const SESSION_TRACK_SCHEMA: u8 = 1;

impl MySql {
    pub(super) fn ok(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
        let (affected, status) = self.read_ok(payload);
        self.rows = self.rows.saturating_add(affected);
        if status & STATUS_MORE_RESULTS != 0 && self.reply != Reply::Login {
            self.reply = Reply::Head;
            return Step::More;
        }
        self.succeed(out)
    }

    /// Reads an OK packet: rows affected, status flags; keeps the database that it may name.
    pub(super) fn read_ok(&mut self, payload: &[u8]) -> (u64, u16) {
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
    pub(super) fn succeed(&mut self, out: &mut Out<'_>) -> Step {
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
    pub(super) fn error(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
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

pub(super) fn eof_status(payload: &[u8]) -> u16 {
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
