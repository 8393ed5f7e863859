//! Which messages there are in each direction, and whether bytes can be one: for recognition, and for
//! finding the way back after a loss. Source: PostgreSQL 17 manual, section 53.7.

use super::wire::{HEADER_BYTES, Header, Reader};
use crate::l7::sql::{Dialect, begins_like_sql};

/// Columns of a result, at most (MaxTupleAttributeNumber is 1664).
const COLUMNS_MAX: u16 = 1664;
/// Longest message of those that are short by nature, bytes.
const SHORT_MAX: u32 = 30_000;

/// Whether a client's message of this type can have this length.
pub(super) fn client_fits(header: Header) -> bool {
    let len = header.body;
    match header.kind {
        b'Q' | b'f' => len >= 1,
        b'P' => len >= 4,
        b'B' => len >= 8,
        b'D' | b'C' => (2..SHORT_MAX).contains(&len),
        b'E' => (5..SHORT_MAX).contains(&len),
        b'F' => len >= 10,
        b'H' | b'S' | b'c' | b'X' => len == 0,
        b'd' => true,
        b'p' => len >= 1,
        kind => is_foreign(kind, len),
    }
}

/// Types that PostgreSQL does not have, but servers descended from it do (GaussDB's batches `U`): passed
/// by their length, never taken for a sign of the protocol.
fn is_foreign(kind: u8, len: u32) -> bool {
    kind.is_ascii_alphabetic() && len < SHORT_MAX
}

/// Whether a server's message of this type can have this length.
pub(super) fn server_fits(header: Header) -> bool {
    let len = header.body;
    match header.kind {
        b'R' => (4..SHORT_MAX).contains(&len),
        b'K' => (8..=260).contains(&len),
        b'S' => (2..SHORT_MAX).contains(&len),
        b'Z' => len == 1,
        b'1' | b'2' | b'3' | b'n' | b's' | b'I' | b'c' => len == 0,
        b'T' | b't' | b'D' => len >= 2,
        b'C' => (2..=256).contains(&len),
        b'E' | b'N' => len >= 3,
        b'A' => (6..SHORT_MAX).contains(&len),
        b'G' | b'H' | b'W' => (3..SHORT_MAX).contains(&len),
        b'V' => len >= 4,
        b'v' => (8..SHORT_MAX).contains(&len),
        b'd' => true,
        kind => is_foreign(kind, len),
    }
}

fn is_text(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|b| *b >= 0x20 || matches!(b, b'\t' | b'\n' | b'\r'))
}

/// What the bytes of a message say of whether it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// It can't be.
    Wrong,
    /// Nothing speaks against it, little for it.
    Possible,
    /// It could hardly be anything else.
    Sure,
}

fn look(right: Option<bool>) -> Look {
    match right {
        Some(true) => Look::Sure,
        _ => Look::Wrong,
    }
}

/// Looks at a client's message, of which `body` is the part that is here (all of it if `whole`).
pub(super) fn look_at_client(header: Header, body: &[u8], whole: bool) -> Look {
    if !client_fits(header) {
        return Look::Wrong;
    }
    let mut reader = Reader(body);
    match header.kind {
        b'Q' => {
            let text = reader.text_so_far();
            let ends = !whole || (reader.0.is_empty() && body.ends_with(&[0]));
            look(Some(ends && begins_like_sql(text, Dialect::PostgreSql)))
        }
        b'P' => {
            let name = reader.text_so_far();
            let sql = reader.text_so_far();
            let types = reader.u16();
            let ends = !whole || types.is_some_and(|n| reader.0.len() == usize::from(n) * 4);
            look(Some(
                is_text(name) && ends && begins_like_sql(sql, Dialect::PostgreSql),
            ))
        }
        b'B' if whole => look(bind_ends(reader)),
        b'D' | b'C' if whole => {
            let kind = reader.u8();
            let ends = reader.text().is_some_and(is_text) && reader.0.is_empty();
            look(Some(matches!(kind, Some(b'S' | b'P')) && ends))
        }
        b'E' if whole => {
            let named = reader.text().is_some_and(is_text);
            look(Some(named && reader.u32().is_some() && reader.0.is_empty()))
        }
        b'S' | b'H' => Look::Sure,
        b'B' | b'D' | b'C' | b'E' | b'F' | b'd' | b'c' | b'f' | b'p' | b'X' => Look::Possible,
        _ => Look::Wrong,
    }
}

/// Whether a Bind holds what its counts say.
fn bind_ends(mut reader: Reader<'_>) -> Option<bool> {
    let named = is_text(reader.text()?) && is_text(reader.text()?);
    let formats = usize::from(reader.u16()?);
    reader.take(formats * 2)?;
    for _ in 0..reader.u16()? {
        let len = reader.u32()?;
        if len != u32::MAX {
            reader.take(len as usize)?;
        }
    }
    let results = usize::from(reader.u16()?);
    Some(named && reader.0.len() == results * 2)
}

/// Looks at a server's message, as [`look_at_client`].
pub(super) fn look_at_server(header: Header, body: &[u8], whole: bool) -> Look {
    if !server_fits(header) {
        return Look::Wrong;
    }
    let mut reader = Reader(body);
    match header.kind {
        b'Z' if whole => look(Some(matches!(body, [b'I' | b'T' | b'E']))),
        b'1' | b'2' | b'3' | b'n' | b's' | b'I' => Look::Sure,
        b'C' if whole => {
            let tag = reader.text().unwrap_or(&[]);
            let verb = tag.split(|b| *b == b' ').next().unwrap_or(&[]);
            let upper = verb.len() >= 2 && verb.iter().all(u8::is_ascii_uppercase);
            look(Some(upper && reader.0.is_empty()))
        }
        b'E' | b'N' => {
            let severity = body.first() == Some(&b'S') && body.get(1).is_some_and(|b| *b >= b'A');
            look(Some(severity && (!whole || body.ends_with(&[0, 0]))))
        }
        b'R' => look(reader.u32().map(|code| code <= 12)),
        b'T' => look(row_description(reader)),
        b'D' if whole => look(data_row_ends(reader)),
        b'S' if whole => {
            let named = reader.text().is_some_and(|t| !t.is_empty() && is_text(t));
            look(Some(named && reader.text().is_some() && reader.0.is_empty()))
        }
        b'A' if whole => {
            let _process = reader.u32();
            let named = reader.text().is_some_and(|t| !t.is_empty() && is_text(t));
            look(Some(named && reader.text().is_some() && reader.0.is_empty()))
        }
        b'G' | b'H' | b'W' if whole => look(copy_ends(reader)),
        b'D' | b'd' | b'c' | b'K' | b't' | b'V' | b'v' => Look::Possible,
        _ => Look::Wrong,
    }
}

/// Whether the first column of a result reads like one: name, and numbers of which some are bounded.
fn row_description(mut reader: Reader<'_>) -> Option<bool> {
    let columns = reader.u16()?;
    if columns == 0 {
        return Some(reader.0.is_empty());
    }
    let name = reader.text()?;
    let (_table, _column, _kind) = (reader.u32()?, reader.u16()?, reader.u32()?);
    let (_size, _modifier, format) = (reader.u16()?, reader.u32()?, reader.u16()?);
    Some(columns <= COLUMNS_MAX && is_text(name) && format <= 1)
}

fn data_row_ends(mut reader: Reader<'_>) -> Option<bool> {
    let columns = reader.u16()?;
    for _ in 0..columns {
        let len = reader.u32()?;
        if len != u32::MAX {
            reader.take(len as usize)?;
        }
    }
    Some(reader.0.is_empty() && columns <= COLUMNS_MAX)
}

fn copy_ends(mut reader: Reader<'_>) -> Option<bool> {
    let format = reader.u8()?;
    let columns = usize::from(reader.u16()?);
    Some(format <= 1 && reader.0.len() == 2 * columns)
}

/// A row of messages, as far as they are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Whole messages.
    pub(super) whole: usize,
    /// Messages that could hardly be anything else.
    pub(super) sure: usize,
    /// Type of the last whole message.
    pub(super) last: u8,
    /// Nothing but whole messages is here.
    pub(super) ends: bool,
}

/// Follows the messages that `bytes` begin with; `None` as soon as one can't be one.
pub(super) fn follow(bytes: &[u8], look_at: fn(Header, &[u8], bool) -> Look) -> Option<Chain> {
    let mut chain = Chain::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest.len() < HEADER_BYTES {
            return Some(chain);
        }
        let header = Header::read(rest)?;
        let body = header.body_of(rest);
        let whole = body.len() == header.body as usize;
        match look_at(header, body, whole) {
            Look::Wrong => return None,
            Look::Possible => {}
            Look::Sure => chain.sure += 1,
        }
        if !whole {
            return Some(chain);
        }
        chain.whole += 1;
        chain.last = header.kind;
        rest = rest.get(HEADER_BYTES + body.len()..).unwrap_or(&[]);
    }
    chain.ends = true;
    Some(chain)
}
