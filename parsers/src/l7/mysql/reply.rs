//! What servers send: the greeting, and the answers to logins and commands.
//!
//! Source: MySQL 8 source documentation, "Command Phase"; MariaDB "Result Set Packets".

use super::capability::{COMPRESS, ZSTD};
use super::command;
use super::handshake::{GREETING_BYTES_MAX, Greeting};
use super::outcome::{ERR_BYTES_MAX, OK_BYTES_MAX, OK_BYTES_MIN, is_error_packet, is_ok_packet};
use super::request::payload;
use super::wire::{HEADER_BYTES, Header, PAYLOAD_MAX};
use super::{MySql, Phase, Tag};
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::parser::{Advance, Input};

pub(super) const OK: u8 = 0x00;
const MORE_AUTH_DATA: u8 = 0x01;
/// EOF; OK at the end of rows; a request to switch the authentication method.
pub(super) const EOF: u8 = 0xFE;
pub(super) const ERR: u8 = 0xFF;
/// EOF packets are no longer than this, OK packets in their place no shorter than [`OK_BYTES_MIN`].
pub(super) const EOF_BYTES: u32 = 5;

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
pub(super) enum Step {
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
                    return if at > 0 {
                        Advance::Consumed(at)
                    } else {
                        Advance::Need(need)
                    };
                }
                Err(need) if !input.ended => return Advance::Need(need),
                // No more will come: what is here must do.
                Err(_) => match Header::read(bytes) {
                    Some(header) => (header, payload(bytes, header.len as usize)),
                    None => return Advance::Malformed,
                },
            };
            let was_going_on = std::mem::replace(&mut self.goes_on[1], header.goes_on());
            let end = at as u64 + header.packet_bytes();
            if matches!(self.reply, Reply::Prepared(..)) {
                let rest = usize::try_from(end).ok().and_then(|end| input.bytes.get(end..));
                self.eof_follows = matches!(rest, Some([5, 0, 0, _, EOF, ..]));
            }
            let step = if was_going_on {
                Step::More
            } else {
                self.reply_packet(header, payload, out)
            };
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
            Reply::BehindColumns => self.behind_columns(header, payload, is_eof, out),
            Reply::Rows if is_eof => self.end_of_rows(header, payload, out),
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
}
