//! Recognises a hello of either side.

use super::client_hello::ssl2;
use super::record::{Content, HEADER_BYTES, Header, MESSAGE_HEADER_BYTES, PLAIN_BYTES_MAX};
use super::{CLIENT_HELLO, SERVER_HELLO, version};
use crate::byte_set::ByteSet;
use crate::l7::cursor::Cursor;
use crate::parser::{Probe, Speaker};

/// First byte of a ClientHello in SSL 2.0 format: the high bit, and a length below 1024.
const SSL2_FIRST: ByteSet = ByteSet::range(0x80, 0x83);
const HANDSHAKE: u8 = 22;

/// Type, version and length of a record, or length, type and version in SSL 2.0 format.
pub(super) const FIRST_BYTES: [ByteSet; 4] = [
    SSL2_FIRST.with(HANDSHAKE),
    ByteSet::ANY,
    ByteSet::range(0, 4),
    ByteSet::range(0, (PLAIN_BYTES_MAX >> 8) as u8),
];

/// Version, random, no session id, suite.
const HELLO_BYTES_MIN: usize = 2 + 32 + 2;
/// What a hello may reach: post-quantum key shares of several kinds stay far below.
const HELLO_BYTES_MAX: usize = 0xFFFF;
const RANDOM_BYTES: usize = 32;
const SESSION_ID_BYTES_MAX: u8 = 32;

/// `None`: more bytes are needed.
pub(super) fn probe(head: &[u8]) -> Option<Probe> {
    if head.first().is_some_and(|first| SSL2_FIRST.contains(*first)) {
        let head = head.get(..ssl2::HEAD_BYTES)?;
        return Some(match ssl2::message_len(head) {
            Some(_) => Probe::Match(Speaker::Client),
            None => Probe::NoMatch,
        });
    }
    let Some(header) = Header::read(head.get(..HEADER_BYTES)?) else {
        return Some(Probe::NoMatch);
    };
    if header.content != Content::Handshake || header.len > PLAIN_BYTES_MAX {
        return Some(Probe::NoMatch);
    }
    let speaker = match *head.get(HEADER_BYTES)? {
        CLIENT_HELLO => Speaker::Client,
        SERVER_HELLO => Speaker::Server,
        _ => return Some(Probe::NoMatch),
    };
    let matches = if header.len < MESSAGE_HEADER_BYTES + 2 {
        // A hello in many tiny records: another record has to follow.
        let next = head.get(header.record_len()..header.record_len() + HEADER_BYTES)?;
        Header::read(next).is_some_and(|next| next.content == Content::Handshake)
    } else {
        let content = head.get(HEADER_BYTES..)?;
        is_hello(content.get(..header.len).unwrap_or(content), header, speaker)?
    };
    Some(if matches {
        Probe::Match(speaker)
    } else {
        Probe::NoMatch
    })
}

/// Whether `content` begins a hello whose lengths go with the record's.
fn is_hello(content: &[u8], header: Header, speaker: Speaker) -> Option<bool> {
    let mut hello = Cursor::new(content);
    let _kind = hello.u8()?;
    let len = hello.u24()?;
    let version = hello.u16()?;
    let fits = match speaker {
        // Nothing may follow a ClientHello before it is answered.
        Speaker::Client => MESSAGE_HEADER_BYTES + len >= header.len,
        _ => true,
    };
    let possible =
        fits && (HELLO_BYTES_MIN..=HELLO_BYTES_MAX).contains(&len) && version::is_plausible(version);
    // Where it can be seen: the drafts that lack a session id were few.
    let session_id = hello.take(RANDOM_BYTES).and_then(|_| hello.u8());
    let id_fits = version::is_draft(version) || session_id.is_none_or(|len| len <= SESSION_ID_BYTES_MAX);
    Some(possible && id_fits)
}
