//! What some bytes are as a header block, without the table that they need to be read.

use super::static_table::{self, COUNT};
use super::{Broken, Kind, NAME_BYTES_MAX, Reader, Text, huffman};
use crate::l7::http2::message::status_code;
use crate::l7::http2::name::Name;
use crate::limits::HPACK_TABLE_BYTES_MAX;
use arrayvec::ArrayVec;

/// What the first fields of a block tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::l7::http2) enum Begins {
    /// It is that of a request.
    Request,
    /// It is that of a response.
    Response,
    /// Trailers, or fields that only the dynamic table knows.
    Neither,
    /// It ends before anything is told.
    TooShort,
    /// It is no block.
    Broken,
}

/// Highest index there can be: an entry takes 32 bytes at least.
const INDEX_MAX: usize = COUNT + HPACK_TABLE_BYTES_MAX as usize / 32;

/// Looks at the fields of `block`, all of them when it is `whole`.
pub(in crate::l7::http2) fn begins(block: &[u8], whole: bool) -> Begins {
    let mut reader = Reader { bytes: block };
    let mut told = None;
    let mut over = false;
    while !reader.bytes.is_empty() {
        match field(&mut reader) {
            Err(Broken) => return Begins::Broken,
            Ok(None) if whole => return Begins::Broken,
            Ok(None) => return told.unwrap_or(if over { Begins::Neither } else { Begins::TooShort }),
            Ok(Some(Name::Unknown)) => {}
            Ok(Some(name)) => match side(name) {
                Some(side) if over || told.is_some_and(|told| told != side) => return Begins::Broken,
                Some(side) => told = Some(side),
                None => over = true,
            },
        }
    }
    told.unwrap_or(if whole { Begins::Neither } else { Begins::TooShort })
}

/// Whose messages begin with this pseudo-header field (RFC 9113 section 8.3).
fn side(name: Name) -> Option<Begins> {
    match name {
        Name::Method | Name::Path | Name::Authority | Name::Scheme => Some(Begins::Request),
        Name::Status => Some(Begins::Response),
        _ => None,
    }
}

/// Reads one representation: the name of its field, as far as it is known.
fn field(reader: &mut Reader<'_>) -> Result<Option<Name>, Broken> {
    let Some(first) = reader.bytes.first() else {
        return Ok(None);
    };
    let (kind, bits) = Kind::of(*first);
    let Some(index) = reader.integer(bits)? else {
        return Ok(None);
    };
    if index > INDEX_MAX && kind != Kind::Resize {
        return Err(Broken);
    }
    let known = static_table::get(index).map_or(Name::Unknown, |field| field.name);
    let name = match (kind, index) {
        (Kind::Resize, _) => return Ok(Some(Name::Unknown)),
        (Kind::Indexed, 0) => return Err(Broken),
        (Kind::Indexed, _) => return Ok(Some(known)),
        (_, 0) => match reader.text()? {
            Some(text) => Name::of(&plain(text)?),
            None => return Ok(None),
        },
        _ => known,
    };
    let Some(value) = reader.text()? else {
        return Ok(None);
    };
    let value = plain(value)?;
    let fits = match name {
        Name::Status => status_code(&value).is_some(),
        Name::Method => value
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || b"-_".contains(byte)),
        Name::Path => matches!(value.first(), Some(b'/' | b'*')),
        _ => !value.iter().any(u8::is_ascii_control),
    };
    if fits { Ok(Some(name)) } else { Err(Broken) }
}

/// The beginning of a string, decoded.
fn plain(text: Text<'_>) -> Result<ArrayVec<u8, NAME_BYTES_MAX>, Broken> {
    let mut plain = ArrayVec::new();
    let mut push = |piece: &[u8]| super::push_fitting(&mut plain, piece);
    if text.huffman {
        huffman::decode(text.bytes, push)?;
    } else {
        push(text.bytes);
    }
    Ok(plain)
}
