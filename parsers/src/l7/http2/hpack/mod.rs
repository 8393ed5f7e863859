//! Header compression. Source: RFC 7541.
//!
//! Text is decoded only of the fields that are worth reading ([`Name`]); of the others as much as the
//! dynamic table's sizes need.

mod begins;
pub(super) mod huffman;
mod integer;
mod static_table;
mod table;

#[cfg(test)]
pub(super) mod encoder;
#[cfg(test)]
mod tests;

pub(super) use begins::{Begins, begins};
pub(super) use table::Table;

use super::fields::Fields;
use super::name::Name;
use arrayvec::ArrayVec;
use table::Found;

/// The bytes are no header block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Longest name that is looked at, bytes: those worth reading are shorter.
const NAME_BYTES_MAX: usize = 64;

/// A string as it stands in the block.
#[derive(Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    huffman: bool,
}

impl Text<'_> {
    /// Its length when decoded.
    fn len(self) -> Result<usize, Broken> {
        if self.huffman {
            huffman::decoded_len(self.bytes)
        } else {
            Ok(self.bytes.len())
        }
    }
}

/// Reads field after field.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// See [`integer::read`]; `None` also where the bytes end.
    #[inline]
    fn integer(&mut self, bits: u32) -> Result<Option<usize>, Broken> {
        let Some((value, len)) = integer::read(self.bytes, bits)? else {
            return Ok(None);
        };
        self.bytes = self.bytes.get(len..).unwrap_or(&[]);
        Ok(Some(value))
    }

    /// A string literal (section 5.2).
    #[inline]
    fn text(&mut self) -> Result<Option<Text<'a>>, Broken> {
        let huffman = self.bytes.first().is_some_and(|first| first & 0x80 != 0);
        let Some(len) = self.integer(7)? else {
            return Ok(None);
        };
        let Some((bytes, rest)) = self.bytes.split_at_checked(len) else {
            return Ok(None);
        };
        self.bytes = rest;
        Ok(Some(Text { bytes, huffman }))
    }
}

/// How one representation begins (section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Indexed,
    /// A literal that is added to the table.
    Added,
    /// A literal that is not.
    Literal,
    Resize,
}

impl Kind {
    #[inline]
    fn of(first: u8) -> (Self, u32) {
        match first {
            0x80.. => (Self::Indexed, 7),
            0x40.. => (Self::Added, 6),
            0x20.. => (Self::Resize, 5),
            _ => (Self::Literal, 4),
        }
    }
}

/// Reads the fields of a whole block into `fields`, and what they do to `table`.
pub(super) fn decode(block: &[u8], table: &mut Table, fields: &mut Fields) -> Result<(), Broken> {
    match decode_part(block, table, fields)? {
        0 => Ok(()),
        _ => Err(Broken),
    }
}

/// Reads the fields at the start of `block` as far as they are whole: how many bytes are left over.
pub(super) fn decode_part(block: &[u8], table: &mut Table, fields: &mut Fields) -> Result<usize, Broken> {
    table.mark_used();
    let mut reader = Reader { bytes: block };
    loop {
        let left = reader.bytes.len();
        if read_field(&mut reader, table, fields)?.is_none() {
            return Ok(left);
        }
    }
}

/// Reads one representation; `None` where the bytes end before it does.
#[inline]
fn read_field(reader: &mut Reader<'_>, table: &mut Table, fields: &mut Fields) -> Result<Option<()>, Broken> {
    let Some(first) = reader.bytes.first() else {
        return Ok(None);
    };
    let (kind, bits) = Kind::of(*first);
    let Some(index) = reader.integer(bits)? else {
        return Ok(None);
    };
    match kind {
        Kind::Indexed => indexed(index, table, fields)?,
        Kind::Resize => table.resize(index),
        Kind::Added | Kind::Literal => return literal(reader, index, kind == Kind::Added, table, fields),
    }
    Ok(Some(()))
}

/// A field that stands in one of the tables (section 6.1).
#[inline]
fn indexed(index: usize, table: &Table, fields: &mut Fields) -> Result<(), Broken> {
    if let Some(field) = static_table::get(index) {
        if field.name.is_wanted() && !fields.has(field.name) {
            let mark = fields.mark();
            fields.push(field.value);
            fields.keep(field.name, mark);
        }
        return Ok(());
    }
    let index = index.checked_sub(static_table::COUNT + 1).ok_or(Broken)?;
    match table.get(index)? {
        Found::Unknown => fields.unknown = true,
        Found::Entry(entry) if entry.name.is_wanted() && !fields.has(entry.name) => {
            let mark = fields.mark();
            fields.push(table.value(&entry));
            fields.cut |= entry.is_cut();
            fields.keep(entry.name, mark);
        }
        Found::Entry(entry) => fields.unknown |= entry.name == Name::Unknown,
    }
    Ok(())
}

/// A field whose value stands here, and its name here (index 0) or in one of the tables (section 6.2).
#[inline]
fn literal(
    reader: &mut Reader<'_>,
    index: usize,
    add: bool,
    table: &mut Table,
    fields: &mut Fields,
) -> Result<Option<()>, Broken> {
    let (name, name_len) = if index == 0 {
        let Some(text) = reader.text()? else {
            return Ok(None);
        };
        name_of(text)?
    } else if let Some(field) = static_table::get(index) {
        (field.name, field.name_len as usize)
    } else {
        match table.get(index - static_table::COUNT - 1)? {
            Found::Entry(entry) => (entry.name, entry.name_len as usize),
            Found::Unknown => (Name::Unknown, 0),
        }
    };
    fields.unknown |= name == Name::Unknown;
    let Some(value) = reader.text()? else {
        return Ok(None);
    };
    if !name.is_wanted() || (fields.has(name) && !add) {
        if add {
            table.insert(name, name_len, value.len()?, &[]);
        }
        return Ok(Some(()));
    }
    let mark = fields.mark();
    let len = if value.huffman {
        fields.push_coded(value.bytes)?
    } else {
        fields.push(value.bytes);
        value.bytes.len()
    };
    if add {
        table.insert(name, name_len, len, fields.since(mark));
    }
    fields.keep(name, mark);
    Ok(Some(()))
}

/// What a name is, and its length.
fn name_of(text: Text<'_>) -> Result<(Name, usize), Broken> {
    if !text.huffman {
        return Ok((Name::of(text.bytes), text.bytes.len()));
    }
    let mut name = ArrayVec::<u8, NAME_BYTES_MAX>::new();
    let mut len = 0;
    huffman::decode(text.bytes, |piece| {
        // A longer one is not worth reading, but `tri-` may begin it.
        push_fitting(&mut name, piece);
        len += piece.len();
    })?;
    Ok((Name::of(&name), len))
}

/// Appends of `bytes` what there is room for.
#[inline]
pub(super) fn push_fitting<const ROOM: usize>(to: &mut ArrayVec<u8, ROOM>, bytes: &[u8]) {
    let fits = bytes.get(..to.remaining_capacity()).unwrap_or(bytes);
    // It fits.
    let _ = to.try_extend_from_slice(fits);
}
