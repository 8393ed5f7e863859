//! What a client says: commands as arrays of bulk values, or inline as a line.

use super::arguments::{self, Arguments, Scan};
use super::names::Name;
use super::resp::{CRLF, Form, Look, look};
use super::{Redis, Replies, Waiting};
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::limits::REDIS_COMMAND_HEAD_BYTES_MAX;
use crate::parser::{Advance, Input};
use memchr::memchr;

impl Redis {
    pub(super) fn advance_command(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.arguments_left > 0 {
            return self.pass_arguments(input.bytes, 0, out);
        }
        match input.bytes.first() {
            None => Advance::Need(1),
            Some(b'*') => self.read_array(input, out),
            Some(_) => self.read_inline(input, out),
        }
    }

    fn read_array(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let bytes = input.bytes;
        let head = match look(bytes, 0) {
            Look::Head(head) => head,
            Look::More => return Advance::Need(bytes.len() + 1),
            Look::Broken => return Advance::Malformed,
        };
        let count = match head.form {
            // The server passes over an empty command.
            Form::Elements(0) | Form::Null => return Advance::Consumed(head.end),
            Form::Elements(count) => count,
            _ => return Advance::Malformed,
        };
        // However the command is cut into segments, the record tells of the same bytes.
        let view = bytes.get(..REDIS_COMMAND_HEAD_BYTES_MAX).unwrap_or(bytes);
        let text_max = out.settings().resource_bytes_max;
        let scan = arguments::scan(view, head.end, count, text_max);
        match scan {
            Scan::Broken => return Advance::Malformed,
            Scan::More(wanted) if view.len() < REDIS_COMMAND_HEAD_BYTES_MAX && !input.ended => {
                return Advance::Need(wanted.min(REDIS_COMMAND_HEAD_BYTES_MAX));
            }
            _ => {}
        }
        let arguments = Arguments::Values {
            bytes: view,
            at: head.end,
            left: count,
        };
        let Some(name) = whole_name(arguments) else {
            return Advance::Malformed;
        };
        self.open_command(&name, arguments, count, matches!(scan, Scan::Whole(_)), out);
        if let Scan::Whole(end) = scan {
            out.close();
            return Advance::Consumed(end);
        }
        self.arguments_left = count;
        self.pass_arguments(bytes, head.end, out)
    }

    /// Passes the arguments that are left, from `at` on.
    fn pass_arguments(&mut self, bytes: &[u8], mut at: usize, out: &mut Out<'_>) -> Advance {
        while self.arguments_left > 0 {
            let head = match look(bytes, at) {
                Look::Head(head) => head,
                Look::More if at > 0 => return Advance::Consumed(at),
                Look::More => return Advance::Need(bytes.len() + 1),
                Look::Broken => return self.lose_command(),
            };
            let Form::Bulk(len) = head.form else {
                return self.lose_command();
            };
            self.arguments_left -= 1;
            let end = head.end as u64 + len + CRLF.len() as u64;
            if end > bytes.len() as u64 {
                if self.arguments_left == 0 {
                    out.close();
                }
                return Advance::Skip(end);
            }
            at = end as usize;
            if bytes.get(at - CRLF.len()..at) != Some(CRLF) {
                return self.lose_command();
            }
        }
        out.close();
        Advance::Consumed(at)
    }

    fn lose_command(&mut self) -> Advance {
        self.arguments_left = 0;
        Advance::Malformed
    }

    fn read_inline(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let bytes = input.bytes;
        let view = bytes.get(..REDIS_COMMAND_HEAD_BYTES_MAX).unwrap_or(bytes);
        let Some(end) = memchr(b'\n', view) else {
            return if view.len() < REDIS_COMMAND_HEAD_BYTES_MAX && !is_alien(view) {
                Advance::Need(bytes.len() + 1)
            } else {
                Advance::Malformed
            };
        };
        let line = view.get(..end).unwrap_or(view).trim_ascii();
        if line.is_empty() {
            return Advance::Consumed(end + 1);
        }
        let arguments = Arguments::Words { line };
        let Some(name) = whole_name(arguments).filter(Name::is_known) else {
            return Advance::Malformed;
        };
        self.open_command(&name, arguments, arguments.count() as u64, true, out);
        out.close();
        Advance::Consumed(end + 1)
    }

    /// Opens the command of `count` arguments, its name included, and writes it.
    fn open_command(
        &mut self,
        name: &Name,
        arguments: Arguments<'_>,
        count: u64,
        whole: bool,
        out: &mut Out<'_>,
    ) {
        let mut role = match self.replies {
            Replies::On => Role::Request,
            Replies::Off => Role::OneWay,
            Replies::SkipNext => {
                self.replies = Replies::On;
                Role::OneWay
            }
        };
        let mut waiting = Waiting::Any;
        match name.as_bytes() {
            b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE"
            | b"SUNSUBSCRIBE" => {
                // Each channel is confirmed by itself. How many are left without one named is not known.
                waiting = Waiting::Confirmations(u32::try_from(count - 1).unwrap_or(u32::MAX).max(1));
            }
            b"MONITOR" => waiting = Waiting::Monitor,
            b"SYNC" | b"PSYNC" => waiting = Waiting::Replication,
            b"REPLCONF" if is_word(arguments, 1, b"ACK") => {
                role = Role::OneWay;
                self.replicates = true;
            }
            b"REPLCONF" if is_word(arguments, 1, b"GETACK") => role = Role::OneWay,
            b"CLIENT" if is_word(arguments, 1, b"REPLY") => role = self.switch_replies(arguments, role),
            _ => {}
        }
        out.open(role, None);
        out.tag(waiting.to_tag());
        out.text(Field::ReqType, name.as_bytes());
        arguments::write(name, arguments, whole, out);
        out.text(Field::Endpoint, name.as_bytes());
    }

    /// CLIENT REPLY ON, OFF or SKIP: which of what follows is answered.
    fn switch_replies(&mut self, arguments: Arguments<'_>, role: Role) -> Role {
        if is_word(arguments, 2, b"ON") {
            self.replies = Replies::On;
            return Role::Request;
        }
        if is_word(arguments, 2, b"OFF") {
            self.replies = Replies::Off;
            return Role::OneWay;
        }
        if is_word(arguments, 2, b"SKIP") {
            if self.replies == Replies::On {
                self.replies = Replies::SkipNext;
            }
            return Role::OneWay;
        }
        role
    }
}

/// The name of a command, if it is at hand as a whole and a name.
pub(super) fn whole_name(mut arguments: Arguments<'_>) -> Option<Name> {
    match arguments.next() {
        Some((name, true)) => Name::new(name),
        _ => None,
    }
}

fn is_word(mut arguments: Arguments<'_>, index: usize, word: &[u8]) -> bool {
    arguments
        .nth(index)
        .is_some_and(|(argument, _)| argument.eq_ignore_ascii_case(word))
}

/// Whether a line under way can't be an inline command: it would begin with a name.
fn is_alien(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let end = line.iter().position(u8::is_ascii_whitespace);
    match end {
        Some(end) => line
            .get(..end)
            .and_then(Name::new)
            .is_none_or(|name| !name.is_known()),
        None => !line.is_empty() && Name::new(line).is_none(),
    }
}
