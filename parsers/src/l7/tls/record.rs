//! The record layer. Source: RFC 8446 section 5.1, RFC 5246 section 6.2.1.

use super::version;
use crate::l7::cursor::Cursor;
use crate::limits::STITCH_BYTES_MAX;
use crate::parser::{Advance, Input};
use arrayvec::ArrayVec;

/// Type, version, length.
pub(super) const HEADER_BYTES: usize = 5;
/// Type and length of a handshake message.
pub(super) const MESSAGE_HEADER_BYTES: usize = 4;
/// Most bytes of a record that is not encrypted.
pub(super) const PLAIN_BYTES_MAX: usize = 1 << 14;
/// Most bytes of an encrypted record (TLS 1.2 allows 2048 above the plain length, 1.3 fewer).
const ENCRYPTED_BYTES_MAX: usize = PLAIN_BYTES_MAX + 2048;

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    ChangeCipherSpec,
    Alert,
    Handshake,
    ApplicationData,
    Heartbeat,
}

/// The header of a record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) content: Content,
    /// Bytes behind the header.
    pub(super) len: usize,
}

impl Header {
    /// Reads a header; `None` where there is none. Needs [`HEADER_BYTES`].
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut bytes = Cursor::new(bytes);
        let content = match bytes.u8()? {
            20 => Content::ChangeCipherSpec,
            21 => Content::Alert,
            22 => Content::Handshake,
            23 => Content::ApplicationData,
            24 => Content::Heartbeat,
            _ => return None,
        };
        let version = bytes.u16()?;
        let len = usize::from(bytes.u16()?);
        let known = matches!(version, version::SSL_3_0..=version::TLS_1_3 | version::TLCP_1_1);
        let empty_allowed = content == Content::ApplicationData;
        let possible = len <= ENCRYPTED_BYTES_MAX && (len > 0 || empty_allowed);
        (known && possible).then_some(Self { content, len })
    }

    /// Bytes of header and content.
    pub(super) fn record_len(self) -> usize {
        HEADER_BYTES + self.len
    }
}

/// The handshake message with which a record begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    /// What is there of its body.
    pub(super) body: &'a [u8],
    /// Whether all of it is there.
    pub(super) is_whole: bool,
    /// Bytes of the stream from its first record to its own last byte.
    pub(super) end: usize,
    /// The same, to the end of the record that holds its last byte.
    pub(super) record_end: usize,
    /// The type of the message behind it in that record, where it can be seen.
    pub(super) next_kind: Option<u8>,
}

/// Holds a message that spans records, on the stack. (Uninitialised until used: it costs nothing where a
/// record holds the whole message, which is nearly always.)
pub(super) type Joined = ArrayVec<u8, STITCH_BYTES_MAX>;

/// Reads the handshake message that begins with the record at the start of `input`. The error is what to
/// return instead: more bytes are needed, or this is no such record.
pub(super) fn read_message<'a>(input: Input<'a>, joined: &'a mut Joined) -> Result<Message<'a>, Advance> {
    let Some(header) = handshake_header(input, 0)? else {
        return Err(Advance::Malformed);
    };
    let content = content_of(input, 0, header);
    match message_len(content) {
        Some(len) if len <= header.len => in_one_record(input, header, content, len),
        None if header.len >= MESSAGE_HEADER_BYTES && !input.ended => {
            Err(Advance::Need(HEADER_BYTES + MESSAGE_HEADER_BYTES))
        }
        _ => across_records(input, joined),
    }
}

fn in_one_record<'a>(
    input: Input<'_>,
    header: Header,
    content: &'a [u8],
    len: usize,
) -> Result<Message<'a>, Advance> {
    let is_whole = content.len() >= len;
    if !is_whole && !input.ended {
        return Err(Advance::Need(HEADER_BYTES + len));
    }
    Ok(Message {
        body: body_of(content, len),
        is_whole,
        end: HEADER_BYTES + len,
        record_end: header.record_len(),
        next_kind: content.get(len).copied(),
    })
}

fn across_records<'a>(input: Input<'_>, joined: &'a mut Joined) -> Result<Message<'a>, Advance> {
    let mut at = 0;
    let (end, record_end) = loop {
        let Some(header) = handshake_header(input, at)? else {
            break (at, at);
        };
        let content = content_of(input, at, header);
        let fitting = content.len().min(joined.remaining_capacity());
        let _fits = joined.try_extend_from_slice(content.get(..fitting).unwrap_or(content));
        let record_end = at + header.record_len();
        let wanted = message_len(joined).unwrap_or(MESSAGE_HEADER_BYTES);
        let there = at + HEADER_BYTES + content.len();
        if joined.len() >= wanted && wanted >= MESSAGE_HEADER_BYTES {
            break (there - (joined.len() - wanted), record_end);
        }
        if fitting < content.len() || content.len() < header.len && input.ended {
            break (there, record_end);
        }
        if content.len() < header.len {
            return Err(Advance::Need(record_end.min(there + wanted - joined.len())));
        }
        at = record_end;
    };
    let len = message_len(joined).ok_or(Advance::Malformed)?;
    Ok(Message {
        body: body_of(joined, len),
        is_whole: joined.len() >= len,
        end,
        record_end,
        next_kind: joined.get(len).copied(),
    })
}

/// The header of the record at `at`; none where no byte of it will come.
fn handshake_header(input: Input<'_>, at: usize) -> Result<Option<Header>, Advance> {
    match input.bytes.get(at..at + HEADER_BYTES).map(Header::read) {
        Some(Some(header)) if header.content == Content::Handshake => Ok(Some(header)),
        Some(_) => Err(Advance::Malformed),
        None if input.ended => Ok(None),
        None => Err(Advance::Need(at + HEADER_BYTES)),
    }
}

/// What is there of the content of the record at `at`.
fn content_of(input: Input<'_>, at: usize, header: Header) -> &[u8] {
    let there = input.bytes.get(at + HEADER_BYTES..).unwrap_or(&[]);
    there.get(..header.len).unwrap_or(there)
}

/// Bytes of the handshake message at the start of `content`, its header included.
fn message_len(content: &[u8]) -> Option<usize> {
    let mut content = Cursor::new(content);
    let _kind = content.u8()?;
    Some(MESSAGE_HEADER_BYTES + content.u24()?)
}

fn body_of(content: &[u8], len: usize) -> &[u8] {
    content
        .get(MESSAGE_HEADER_BYTES..len.min(content.len()))
        .unwrap_or(&[])
}
