//! Result sets, and the definitions that follow a PREPARE. Source: MySQL 8 source documentation, "Text
//! Resultset", "Binary Protocol Resultset", "COM_STMT_PREPARE"; MariaDB "Result Set Packets".

use super::MySql;
use super::capability::{DEPRECATE_EOF, MARIADB_CACHE_METADATA, OPTIONAL_METADATA};
use super::outcome::{OK_BYTES_MIN, STATUS_CURSOR_EXISTS, STATUS_MORE_RESULTS, eof_status};
use super::reply::{EOF, EOF_BYTES, ERR, OK, Reply, Step};
use super::request::key_of;
use super::wire::{Header, Reader};
use crate::conversation::{Out, Role};
use crate::l7::sql::Handle;

/// The server wants a file from the client.
const LOCAL_FILE: u8 = 0xFB;
/// Columns of a result that are believed; MySQL and MariaDB allow 4096 in a table.
const COLUMNS_MAX: u64 = 0xFFFF;

impl MySql {
    /// Whether a result can begin with this packet.
    pub(super) fn can_head(&self, header: Header, payload: &[u8]) -> bool {
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

    pub(super) fn result_head(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
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

    /// What follows the definitions of columns: EOF, a row, or at once the end of rows.
    pub(super) fn behind_columns(
        &mut self,
        header: Header,
        payload: &[u8],
        is_eof: bool,
        out: &mut Out<'_>,
    ) -> Step {
        if is_eof && header.len > EOF_BYTES {
            return self.end_of_rows(header, payload, out);
        }
        self.eof_packets = Some(is_eof);
        self.reply = Reply::Rows;
        if is_eof && eof_status(payload) & STATUS_CURSOR_EXISTS != 0 {
            // The rows wait for COM_STMT_FETCH.
            return self.succeed(out);
        }
        self.rows += u64::from(!is_eof);
        Step::More
    }

    pub(super) fn end_of_rows(&mut self, header: Header, payload: &[u8], out: &mut Out<'_>) -> Step {
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
    pub(super) fn prepared(&mut self, payload: &[u8], out: &mut Out<'_>) -> Step {
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

    pub(super) fn definition(
        &mut self,
        is_eof: bool,
        parameters: u16,
        columns: u16,
        out: &mut Out<'_>,
    ) -> Step {
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
        if left == (0, 0) && !self.sends_eof_packets().unwrap_or(self.eof_follows) {
            return self.succeed(out);
        }
        Step::More
    }

    /// Whether EOF packets end definitions: by agreement, or as seen before.
    fn sends_eof_packets(&self) -> Option<bool> {
        self.agreed(DEPRECATE_EOF)
            .map(|agreed| !agreed)
            .or(self.eof_packets)
    }
}
