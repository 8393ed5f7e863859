//! What a server says: replies, confirmations of subscriptions, and what it pushes.

use super::arguments::{self, Arguments};
use super::command::whole_name;
use super::names::Name;
use super::resp::{Bulk, Form, Head, Look, Walk, Walked, bulk, look};
use super::{Phase, Redis, Waiting};
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::limits::REDIS_ERROR_BYTES_MAX;
use crate::parser::{Advance, Input};

/// Longest name of a push, bytes: `punsubscribe` has 12; the rest is for what is to come.
const PUSH_NAME_MAX: usize = 32;

/// How a replica tells what it has.
const REPLICA_ACK: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n";

/// What a server pushes: an array that begins with one of the names for it.
#[derive(Clone, Copy)]
struct Push<'a> {
    name: &'a [u8],
    /// The channel; of a pattern's message the pattern.
    first: &'a [u8],
    /// The channel of a pattern's message.
    second: &'a [u8],
}

/// What the head of a reply is, as far as it can be told.
enum Sight<'a> {
    Push(Push<'a>),
    Other,
    More(usize),
}

impl Redis {
    pub(super) fn advance_reply(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        match self.phase {
            Phase::Start => self.begin_reply(input, out),
            Phase::Attribute | Phase::Value => self.walk_on(input.bytes, 0, out),
            Phase::Typing => match look(input.bytes, 0) {
                Look::Head(head) => self.type_reply(head, input, out),
                Look::More => Advance::Need(input.bytes.len() + 1),
                Look::Broken => Advance::Malformed,
            },
        }
    }

    fn begin_reply(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let bytes = input.bytes;
        let waiting = out.answering(None).map(Waiting::from_tag);
        if self.adrift {
            match self.find_place(bytes, waiting, out) {
                Some(0) => self.adrift = false,
                Some(passed) => return Advance::Consumed(passed),
                None => return Advance::Consumed(bytes.len()),
            }
        }
        let head = match look(bytes, 0) {
            Look::Head(head) => head,
            Look::More => return Advance::Need(bytes.len() + 1),
            // A server that prepares a copy for its replica keeps the line busy with empty lines.
            Look::Broken if waiting == Some(Waiting::Replication) && bytes.first() == Some(&b'\n') => {
                return Advance::Consumed(1);
            }
            Look::Broken => return Advance::Malformed,
        };
        if bytes.starts_with(REPLICA_ACK) {
            // What was taken for the client is a primary, and this its replica.
            return Advance::Done;
        }
        if self.monitors && head.kind == b'+' && is_monitor_line(bytes) {
            return self.stream_command(head, bytes, out);
        }
        let confirms = matches!(waiting, Some(Waiting::Confirmations(_))) || self.confirmations > 0;
        let may_push = match head.kind {
            b'>' => true,
            b'*' => self.subscribed || confirms || waiting.is_none(),
            _ => false,
        };
        let sight = if may_push {
            see_push(head, bytes, input.ended)
        } else {
            Sight::Other
        };
        match sight {
            Sight::More(wanted) => Advance::Need(wanted),
            Sight::Push(push) if confirms && is_confirmation(push.name) => {
                self.confirm(head, waiting, bytes, out)
            }
            Sight::Push(push) => self.stream_push(&push, bytes, out),
            Sight::Other if head.kind == b'>' => {
                let push = Push {
                    name: b"push",
                    first: b"",
                    second: b"",
                };
                self.stream_push(&push, bytes, out)
            }
            Sight::Other if head.kind == b'!' && !input.ended => {
                match bulk(bytes, 0, REDIS_ERROR_BYTES_MAX) {
                    Bulk::More(wanted) => Advance::Need(wanted),
                    _ => self.begin_response(head, input, out),
                }
            }
            Sight::Other => self.begin_response(head, input, out),
        }
    }

    fn begin_response(&mut self, head: Head, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let waiting = out.answering(None).map(Waiting::from_tag);
        self.confirmations = 0;
        out.open(Role::Response, None);
        self.walk = Walk::over(1);
        if let Form::Attribute(_) = head.form {
            self.phase = Phase::Attribute;
            self.walk.enter(head.form);
            return self.walk_on(input.bytes, head.end, out);
        }
        if waiting == Some(Waiting::Monitor) && head.kind == b'+' {
            self.monitors = true;
        }
        if waiting == Some(Waiting::Replication) && begins_replication(head, input.bytes) {
            // What follows is a database and the commands that change it, for nobody's record.
            self.replicates = true;
            write_outcome(head, input.bytes, out);
            out.close();
            return Advance::Consumed(head.end);
        }
        self.type_reply(head, input, out)
    }

    /// Writes what kind of reply this is; an attribute before it has passed.
    fn type_reply(&mut self, head: Head, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        write_outcome(head, input.bytes, out);
        self.phase = Phase::Value;
        self.walk_on(input.bytes, 0, out)
    }

    /// The confirmation of one channel: the exchange ends with that of the last.
    fn confirm(&mut self, head: Head, waiting: Option<Waiting>, bytes: &[u8], out: &mut Out<'_>) -> Advance {
        self.subscribed = true;
        if self.confirmations == 0 {
            if let Some(Waiting::Confirmations(count)) = waiting {
                self.confirmations = count;
            }
            out.open(Role::Response, None);
            write_outcome(head, bytes, out);
        }
        self.walk = Walk::over(1);
        self.phase = Phase::Value;
        self.walk_on(bytes, 0, out)
    }

    fn stream_push(&mut self, push: &Push<'_>, bytes: &[u8], out: &mut Out<'_>) -> Advance {
        self.subscribed = true;
        self.confirmations = 0;
        out.open(Role::Stream, None);
        let mut name = [0; PUSH_NAME_MAX];
        let upper = name.get_mut(..push.name.len()).unwrap_or(&mut []);
        upper.copy_from_slice(push.name.get(..upper.len()).unwrap_or(&[]));
        upper.make_ascii_uppercase();
        out.text(Field::ReqType, upper);
        out.text(Field::Endpoint, upper);
        if push.second.is_empty() {
            out.text(Field::Resource, push.first);
        } else {
            out.text(Field::Resource, push.second);
            out.attr("pattern", push.first);
        }
        self.walk = Walk::over(1);
        self.phase = Phase::Value;
        self.walk_on(bytes, 0, out)
    }

    /// A command of another client, as MONITOR shows it: `+time [db address] "name" "argument" …`.
    fn stream_command(&mut self, head: Head, bytes: &[u8], out: &mut Out<'_>) -> Advance {
        let whole = head.form == Form::Line;
        let line = bytes.get(1..head.end).unwrap_or(&[]).trim_ascii_end();
        let open = line.iter().position(|byte| *byte == b'[').unwrap_or(line.len());
        // An IPv6 address stands in brackets of its own.
        let close = memchr::memmem::find(line, b"] ").unwrap_or(line.len());
        let origin = line.get(open + 1..close).unwrap_or(&[]);
        let arguments = Arguments::Words {
            line: line.get(close + 1..).unwrap_or(&[]),
        };
        out.open(Role::Stream, None);
        out.text(Field::ReqType, b"MONITOR");
        out.text(Field::Endpoint, b"MONITOR");
        match whole_name(arguments) {
            Some(name) => arguments::write(&name, arguments, whole, out),
            None => out.truncated(),
        }
        if let Some(blank) = origin.iter().position(|byte| *byte == b' ') {
            out.attr("database", origin.get(..blank).unwrap_or(&[]));
            out.attr("client", origin.get(blank + 1..).unwrap_or(&[]));
        }
        self.walk = Walk::over(1);
        self.phase = Phase::Value;
        self.walk_on(bytes, 0, out)
    }

    /// Passes the values of the message under way, from `at` on.
    fn walk_on(&mut self, bytes: &[u8], at: usize, out: &mut Out<'_>) -> Advance {
        // An attribute ends where the value that it is about begins.
        let stop = u64::from(self.phase == Phase::Attribute);
        match self.walk.advance(bytes, at, stop) {
            Walked::Done(end) => {
                if self.phase == Phase::Attribute && !self.walk.is_done() {
                    self.phase = Phase::Typing;
                    return Advance::Skip(end);
                }
                self.phase = Phase::Start;
                self.confirmations = self.confirmations.saturating_sub(1);
                if self.confirmations == 0 {
                    out.close();
                }
                Advance::Skip(end)
            }
            Walked::Beyond(end) => Advance::Skip(end),
            Walked::More(0) => Advance::Need(bytes.len() + 1),
            Walked::More(at) => Advance::Consumed(at),
            Walked::Broken => {
                self.drift();
                Advance::Malformed
            }
        }
    }

    /// The place in the server's stream is lost.
    pub(super) fn drift(&mut self) {
        self.adrift = true;
        self.phase = Phase::Start;
        self.walk = Walk::IDLE;
        self.confirmations = 0;
    }

    /// How many bytes lie before the next message that is sure to be one: what a request that was sent
    /// having received everything before waits for, or a push, which tells by itself. Inside an array
    /// that was lost every element looks like a reply.
    fn find_place(&self, bytes: &[u8], waiting: Option<Waiting>, out: &Out<'_>) -> Option<usize> {
        if waiting.is_some() {
            return Some(0);
        }
        if self.subscribed || self.monitors {
            let starts = |at: &usize| {
                let rest = bytes.get(*at..).unwrap_or(&[]);
                (self.monitors && is_monitor_line(rest)) || (self.subscribed && is_message(rest))
            };
            return memchr::memchr_iter(b'\n', bytes)
                .map(|end| end + 1)
                .chain([0])
                .filter(starts)
                .min();
        }
        // Where requests are not seen at all, whole replies in one segment must do.
        let mut walk = Walk::ENDLESS;
        let whole = out.outstanding() == 0 && walk.advance(bytes, 0, 0) == Walked::More(bytes.len());
        whole.then_some(0)
    }
}

fn begins_replication(head: Head, bytes: &[u8]) -> bool {
    match head.kind {
        b'$' => true,
        b'+' => bytes.starts_with(b"+FULLRESYNC") || bytes.starts_with(b"+CONTINUE"),
        _ => false,
    }
}

/// Writes the kind of a reply, how the command went, and the error's text.
fn write_outcome(head: Head, bytes: &[u8], out: &mut Out<'_>) {
    out.text(Field::Result, type_name(head).as_bytes());
    let error = match head.kind {
        b'-' => bytes.get(1..head.end).unwrap_or(&[]).trim_ascii_end(),
        b'!' => match bulk(bytes, 0, REDIS_ERROR_BYTES_MAX) {
            Bulk::Text(text, _) => text,
            _ => bytes.get(head.end..).unwrap_or(&[]),
        },
        _ => {
            out.status(Status::Ok);
            return;
        }
    };
    out.status(Status::ServerError);
    let told = without_hidden_arguments(error, out);
    out.text(Field::Exception, told);
    if head.form == Form::LongLine || told.len() < error.len() {
        out.truncated();
    }
}

/// An unknown command is quoted with its arguments: the text up to there, where the request would not be told
/// with all of them.
fn without_hidden_arguments<'a>(error: &'a [u8], out: &Out<'_>) -> &'a [u8] {
    let Some(end) = memchr::memmem::find(error, b", with args beginning with") else {
        return error;
    };
    let told = error.get(..end).unwrap_or(error);
    // The command stands in quotes, which ones depends on the server's version.
    let mut quoted = told.splitn(3, |byte| matches!(byte, b'`' | b'\''));
    let name = quoted.nth(1).and_then(Name::new);
    let is_told = name.is_some_and(|name| !arguments::may_be_secret(&name));
    if is_told && !out.settings().redaction.redis_values {
        error
    } else {
        told
    }
}

/// The protocol's name for a kind of value.
fn type_name(head: Head) -> &'static str {
    if head.form == Form::Null {
        return "Null";
    }
    match head.kind {
        b'+' => "SimpleString",
        b'-' => "SimpleError",
        b':' => "Integer",
        b'$' => "BulkString",
        b'*' => "Array",
        b'#' => "Boolean",
        b',' => "Double",
        b'(' => "BigNumber",
        b'!' => "BulkError",
        b'=' => "VerbatimString",
        b'%' => "Map",
        b'~' => "Set",
        b'>' => "Push",
        _ => "Attribute",
    }
}

/// Whether the array at the start of `bytes` is a push, and of what.
fn see_push(head: Head, bytes: &[u8], ended: bool) -> Sight<'_> {
    let Form::Elements(count) = head.form else {
        return Sight::Other;
    };
    let (name, next) = match bulk(bytes, head.end, PUSH_NAME_MAX) {
        Bulk::Text(name, next) => (name, next),
        Bulk::More(wanted) if !ended => return Sight::More(wanted),
        _ => return Sight::Other,
    };
    let (is_known, has_pattern) = match (name, count) {
        (b"message" | b"smessage", 3) => (true, false),
        (b"pmessage", 4) => (true, true),
        (name, 3) if is_confirmation(name) => (true, false),
        _ => (head.kind == b'>', false),
    };
    if !is_known || name.len() >= PUSH_NAME_MAX {
        return Sight::Other;
    }
    let text_max = crate::limits::REDIS_CHANNEL_BYTES_MAX;
    let mut push = Push {
        name,
        first: b"",
        second: b"",
    };
    match bulk(bytes, next as usize, text_max) {
        Bulk::Text(text, next) => {
            push.first = text;
            match bulk(bytes, next as usize, text_max) {
                Bulk::Text(text, _) if has_pattern => push.second = text,
                Bulk::More(wanted) if has_pattern && !ended => return Sight::More(wanted),
                _ => {}
            }
        }
        Bulk::More(wanted) if !ended && count > 1 => return Sight::More(wanted),
        _ => {}
    }
    Sight::Push(push)
}

fn is_confirmation(name: &[u8]) -> bool {
    matches!(
        name,
        b"subscribe" | b"unsubscribe" | b"psubscribe" | b"punsubscribe" | b"ssubscribe" | b"sunsubscribe"
    )
}

/// Whether a published message begins here.
fn is_message(bytes: &[u8]) -> bool {
    const HEADS: [&[u8]; 3] = [
        b"3\r\n$7\r\nmessage\r\n",
        b"3\r\n$8\r\nsmessage\r\n",
        b"4\r\n$8\r\npmessage\r\n",
    ];
    matches!(bytes.first(), Some(b'*' | b'>')) && HEADS.iter().any(|head| bytes[1..].starts_with(head))
}

/// Whether a line of MONITOR begins here: `+1700000000.123456 [`.
fn is_monitor_line(bytes: &[u8]) -> bool {
    let Some(line) = bytes.strip_prefix(b"+") else {
        return false;
    };
    let time = line
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    time > 10 && line.get(time..).is_some_and(|rest| rest.starts_with(b" ["))
}
