//! Tells the protocol from the first bytes of either side, and finds packets again after a gap.

use super::command;
use super::compress::begins_message;
use super::handshake::{Greeting, Login};
use super::outcome::{is_error_packet, is_ok_packet};
use super::request::payload;
use super::wire::{HEADER_BYTES, Header};
use crate::l7::sql::{Dialect, begins_like_sql};
use crate::parser::{Direction, Probe, ProbeContext, Speaker};
use memchr::memchr_iter;

/// Longest request that is recognised mid-stream, bytes; what is longer begins like nothing in particular.
const REQUEST_BYTES_MAX: u32 = 1 << 20;

/// Whose packet `head` begins with.
pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let Some(header) = Header::read(head) else {
        return Probe::NeedMore;
    };
    let Some(&first) = head.get(HEADER_BYTES) else {
        return if header.len > 0 && header.sequence <= 2 && !context.complete {
            Probe::NeedMore
        } else {
            Probe::NoMatch
        };
    };
    let len = header.len as usize;
    let body = payload(head, len);
    let whole = body.len() == len;
    let may_grow = !whole && !context.complete && head.len() < crate::limits::PROBE_BYTES_MAX;
    let client = match header.sequence {
        0 if !matches!(first, 0x0A | 0xFF) => is_request(head, context.on_known_port),
        1 | 2 if len >= 32 || whole => is_login(body, len),
        _ => false,
    };
    if client {
        return Probe::Match(Speaker::Client);
    }
    let server = match (header.sequence, first) {
        (0, 0x0A) => len < 512 && Greeting::read(body).is_some(),
        (sequence, 0xFF) => {
            len < 4096 && is_error_packet(body, sequence == 0 && whole && head.len() == len + 4)
        }
        (1, 1..=0xFA) => len == 1 && is_result(head),
        (1, 0x00) => {
            context.on_known_port && head.len() == len + HEADER_BYTES && is_ok_packet(body, header.len)
        }
        _ => false,
    };
    if server {
        return Probe::Match(Speaker::Server);
    }
    if head.len() >= super::HEAD_BYTES_MIN {
        for (direction, speaker) in [
            (Direction::ToServer, Speaker::Client),
            (Direction::ToClient, Speaker::Server),
        ] {
            if begins_message(head, direction) {
                return Probe::Match(speaker);
            }
        }
    }
    let undecided = match (header.sequence, first) {
        (0, 0x0A) => (20..512).contains(&len),
        (0, 0xFF) => (11..512).contains(&len) && context.at_stream_start,
        (0, _) => header.len < REQUEST_BYTES_MAX && command::fits(first, header.len),
        (1, _) => len == 1 || (32..4096).contains(&len),
        _ => false,
    };
    if may_grow && undecided {
        Probe::NeedMore
    } else {
        Probe::NoMatch
    }
}

/// A login is told by its capabilities and its zeros; the short one of old clients only where nothing is
/// left open.
fn is_login(body: &[u8], len: usize) -> bool {
    let Some(login) = Login::read(body, len) else {
        return false;
    };
    let new = login.capabilities & super::capability::PROTOCOL_41 != 0;
    new || (body.len() == len && login.capabilities & !0xA7FF == 0 && login.capabilities & 1 != 0)
}

/// Short commands that may stand before one that can't be mistaken, in one segment.
const SHORT_COMMANDS_MAX: usize = 4;

/// A command that can't be mistaken: SQL text, or the fixed fields of an EXECUTE; or short ones before
/// such a one. Short ones alone are believed only on a port where they are expected.
fn is_request(bytes: &[u8], on_known_port: bool) -> bool {
    let mut rest = bytes;
    for _ in 0..SHORT_COMMANDS_MAX {
        let Some(header) = Header::read(rest).filter(|h| h.sequence == 0 && h.len < REQUEST_BYTES_MAX) else {
            return false;
        };
        let len = header.len as usize;
        let Some((&command, body)) = payload(rest, len).split_first() else {
            return false;
        };
        if !command::fits(command, header.len) || command::is_internal(command) {
            return false;
        }
        let whole = body.len() + 1 == len;
        let alone = whole && rest.len() == HEADER_BYTES + len;
        match command {
            command::QUERY | command::STMT_PREPARE => {
                let text = match body {
                    [0, 1, text @ ..] => text,
                    text => text,
                };
                return begins_like_sql(text, Dialect::MySql) && (whole || text.len() >= 16);
            }
            // Iteration count, always 1, behind id and flags.
            command::STMT_EXECUTE => return matches!(body, [_, _, _, _, 0..=15, 1, 0, 0, 0, ..]) && alone,
            _ if alone => return on_known_port,
            _ if !whole => return false,
            _ => rest = rest.get(HEADER_BYTES + len..).unwrap_or(&[]),
        }
    }
    false
}

/// A number of columns, and the definition of the first of them, whose catalog is always `def`.
fn is_result(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [1, 0, 0, 1, 1..=0xFA, len, _, 0, 2, 3, b'd', b'e', b'f', ..] if *len >= 20 || bytes.get(6) > Some(&0)
    )
}

/// The answer to COM_STMT_PREPARE, with the definition of its first parameter or column behind it.
fn is_prepared(bytes: &[u8]) -> bool {
    let Some((&[12, 0, 0, 1, 0, _, _, _, _, a, b, c, d, 0, _, _], rest)) = bytes.split_first_chunk() else {
        return false;
    };
    let defined = matches!(rest, [_, _, 0, 2, 3, b'd', b'e', b'f', ..]);
    defined || ([a, b, c, d] == [0; 4] && rest.is_empty())
}

/// Where in `bytes` the next command begins.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    let begins = |at: usize| {
        let rest = bytes.get(at..)?;
        let header = Header::read(rest).filter(|h| h.sequence == 0)?;
        let command = *rest.get(HEADER_BYTES)?;
        // A short request ends where its segment does: its client waits for the answer.
        (command::fits(command, header.len) && is_request(rest, true)).then_some(at)
    };
    // Every request has a 0 as its sequence number, behind three bytes of length.
    memchr_iter(0, bytes)
        .filter_map(|zero| zero.checked_sub(3))
        .find_map(begins)
}

/// Where in `bytes` the next answer begins.
pub(super) fn find_answer(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len().saturating_sub(HEADER_BYTES)).find(|at| {
        let rest = bytes.get(*at..).unwrap_or(&[]);
        let Some(header) = Header::read(rest).filter(|h| (1..=8).contains(&h.sequence)) else {
            return false;
        };
        let len = header.len as usize;
        let body = payload(rest, len);
        let whole = body.len() == len;
        let alone = rest.len() == HEADER_BYTES + len;
        match body.first() {
            Some(0x00) => (alone && is_ok_packet(body, header.len)) || is_prepared(rest),
            Some(0xFF) => whole && is_error_packet(body, false),
            Some(1..=0xFA) => len == 1 && header.sequence == 1 && is_result(rest),
            _ => false,
        }
    })
}

/// Whether `plain`, the head of `len` bytes that came out of one compressed packet, begins with a command.
pub(super) fn begins_request(plain: &[u8], len: usize) -> bool {
    let (Some(header), Some(&command)) = (Header::read(plain), plain.get(HEADER_BYTES)) else {
        return false;
    };
    let fits = header.sequence == 0 && command::fits(command, header.len);
    // It is the packet's only one, or goes on in the next packet.
    let alone = header.packet_bytes() == len as u64;
    fits && ((alone && !matches!(command, command::QUERY | command::STMT_PREPARE))
        || is_request(plain, false))
}

/// Whether `plain`, as in [`begins_request`], begins with an answer.
pub(super) fn begins_answer(plain: &[u8], len: usize) -> bool {
    let Some(header) = Header::read(plain).filter(|h| (1..=8).contains(&h.sequence)) else {
        return false;
    };
    let body = payload(plain, header.len as usize);
    match body.first() {
        Some(0x00) => {
            (header.packet_bytes() == len as u64 && is_ok_packet(body, header.len)) || is_prepared(plain)
        }
        Some(0xFF) => header.packet_bytes() == len as u64 && is_error_packet(body, false),
        Some(1..=0xFA) => header.len == 1 && header.sequence == 1 && is_result(plain),
        _ => false,
    }
}
