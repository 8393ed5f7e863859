//! Recognises the protocol in either direction, at its start and mid-stream.

use super::arguments::{Arguments, Scan, scan};
use super::command::whole_name;
use super::resp::{Form, Head, Look, Walk, Walked, look};
use crate::limits::PROBE_BYTES_MAX;
use crate::parser::{Direction, Probe, ProbeContext, Speaker};

/// Lines that no other protocol says: status replies and the codes of errors.
const OWN_LINES: [&[u8]; 17] = [
    b"+PONG\r\n",
    b"+QUEUED\r\n",
    b"+FULLRESYNC ",
    b"+CONTINUE",
    b"-WRONGTYPE ",
    b"-NOAUTH ",
    b"-WRONGPASS ",
    b"-MOVED ",
    b"-ASK ",
    b"-CLUSTERDOWN ",
    b"-CROSSSLOT ",
    b"-MISCONF ",
    b"-READONLY ",
    b"-NOSCRIPT ",
    b"-EXECABORT ",
    b"-MASTERDOWN ",
    b"-UNKILLABLE ",
];

pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let more = if context.complete || head.len() >= PROBE_BYTES_MAX {
        Probe::NoMatch
    } else {
        Probe::NeedMore
    };
    match head.first() {
        Some(b'*') => match look(head, 0) {
            Look::Head(first) => probe_array(head, first, context, more),
            Look::More => more,
            Look::Broken => Probe::NoMatch,
        },
        Some(byte) if byte.is_ascii_alphabetic() => probe_inline(head, context, more),
        Some(_) => probe_reply(head, context, more),
        None => more,
    }
}

/// An array is a command or a reply; a command's name tells, if the direction doesn't.
fn probe_array(head: &[u8], first: Head, context: &ProbeContext, more: Probe) -> Probe {
    let to_client = context.direction_is_sure && context.direction == Direction::ToClient;
    let Form::Elements(count) = first.form else {
        return probe_reply(head, context, more);
    };
    if to_client || count == 0 {
        return probe_reply(head, context, more);
    }
    let arguments = Arguments::Values {
        bytes: head,
        at: first.end,
        left: count,
    };
    match whole_name(arguments) {
        Some(name) if name.is_known() => Probe::Match(match context.on_known_port {
            // The ports say who is the server; a reply may well hold the name of a command.
            true if !context.direction_is_sure => Speaker::Either,
            _ => Speaker::Client,
        }),
        // Commands can be renamed, but their arguments are of one kind.
        Some(_)
            if context.on_known_port
                && context.direction == Direction::ToServer
                && scan(head, first.end, count, PROBE_BYTES_MAX) != Scan::Broken =>
        {
            Probe::Match(Speaker::Either)
        }
        _ => match look(head, first.end) {
            Look::More => more,
            Look::Head(Head {
                form: Form::Bulk(len),
                end,
                ..
            }) if end as u64 + len > head.len() as u64 && len <= super::names::NAME_BYTES_MAX as u64 => more,
            _ => probe_reply(head, context, more),
        },
    }
}

/// A command in words looks like many protocols' commands: the port must say so too.
fn probe_inline(head: &[u8], context: &ProbeContext, more: Probe) -> Probe {
    let to_client = context.direction == Direction::ToClient;
    if !context.on_known_port || to_client {
        return Probe::NoMatch;
    }
    let Some(end) = memchr::memchr(b'\n', head) else {
        return more;
    };
    let line = head.get(..end).unwrap_or(head).trim_ascii_end();
    // HTTP has a method of the same name.
    let is_text =
        line.iter().all(|byte| !byte.is_ascii_control()) && memchr::memmem::find(line, b" HTTP/").is_none();
    match whole_name(Arguments::Words { line }) {
        Some(name) if is_text && name.is_known() => Probe::Match(Speaker::Client),
        _ => Probe::NoMatch,
    }
}

/// Replies: alone they may be too short to tell, and then the port must say so too.
fn probe_reply(head: &[u8], context: &ProbeContext, more: Probe) -> Probe {
    if context.direction_is_sure && context.direction == Direction::ToServer {
        return Probe::NoMatch;
    }
    let first = match look(head, 0) {
        Look::Head(first) => first,
        Look::More => return more,
        Look::Broken => return Probe::NoMatch,
    };
    if !is_value(first, head) {
        return Probe::NoMatch;
    }
    let mut walk = Walk::ENDLESS;
    let walked = walk.advance(head, 0, 0);
    if walked == Walked::Broken {
        return Probe::NoMatch;
    }
    let told = match first.kind {
        b'+' | b'-' => OWN_LINES.iter().any(|line| head.starts_with(line)),
        // The length agrees with the end of line, or reaches beyond what is at hand.
        b'$' => first.form != Form::Null,
        b'*' | b'%' | b'~' | b'>' => match first.form {
            Form::Elements(0) | Form::Null => false,
            _ => match look(head, first.end) {
                Look::Head(second) => is_value(second, head.get(first.end..).unwrap_or(&[])),
                Look::More => return more,
                Look::Broken => false,
            },
        },
        _ => false,
    };
    match context.on_known_port || told {
        true => Probe::Match(Speaker::Server),
        false => Probe::NoMatch,
    }
}

/// Whether the line of a value holds what its kind says.
fn is_value(first: Head, bytes: &[u8]) -> bool {
    let line = bytes.get(1..).unwrap_or(&[]);
    let end = line.iter().position(|byte| *byte == b'\r').unwrap_or(line.len());
    let line = line.get(..end).unwrap_or(line);
    match first.kind {
        b':' | b'(' => {
            let digits = line
                .strip_prefix(b"-")
                .or(line.strip_prefix(b"+"))
                .unwrap_or(line);
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        b'#' => matches!(line, b"t" | b"f"),
        b',' => {
            !line.is_empty()
                && line
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(byte))
        }
        b'+' | b'-' => line.iter().all(|byte| !byte.is_ascii_control()),
        b'.' | b';' => false,
        _ => true,
    }
}

/// Where in `bytes` a command begins: an array whose first value is the name of one, or, since commands can be
/// renamed and modules bring their own, a whole array of bulk strings that stands between others.
pub(super) fn find_command(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'*', bytes).find(|at| {
        let placed = matches!(bytes.get(..*at), Some([] | [.., b'\r', b'\n']));
        is_command(bytes.get(*at..).unwrap_or(&[]), placed)
    })
}

/// Whether a command stands at the start of `bytes`. `placed`: a value may begin there.
fn is_command(bytes: &[u8], placed: bool) -> bool {
    let Look::Head(first) = look(bytes, 0) else {
        return false;
    };
    let Form::Elements(count @ 1..) = first.form else {
        return false;
    };
    let arguments = Arguments::Values {
        bytes,
        at: first.end,
        left: count,
    };
    let Some(name) = whole_name(arguments) else {
        return false;
    };
    name.is_known()
        || placed
            && match scan(bytes, first.end, count, PROBE_BYTES_MAX) {
                Scan::Whole(end) => matches!(bytes.get(end), None | Some(b'*')),
                _ => false,
            }
}
