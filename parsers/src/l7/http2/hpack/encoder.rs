//! Writes header blocks, for tests.

use super::huffman;

/// A field of a block, in the way in which it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::l7::http2) enum Write<'a> {
    /// An index of either table.
    Indexed(usize),
    /// A literal that is added to the dynamic table.
    Added(&'a str, &'a str),
    /// A literal that is not.
    Plain(&'a str, &'a str),
    /// A literal with a name out of a table, added.
    AddedAt(usize, &'a str),
    /// A literal with a name out of a table, never indexed.
    NeverAt(usize, &'a str),
    /// A new table size.
    Resize(usize),
}

/// Writes an integer with `bits` bits of prefix in a byte that begins with `first`.
pub(in crate::l7::http2) fn integer(to: &mut Vec<u8>, first: u8, bits: u32, mut value: usize) {
    let mask = (1 << bits) - 1;
    if value < mask {
        to.push(first | value as u8);
        return;
    }
    to.push(first | mask as u8);
    value -= mask;
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

/// Writes a string, Huffman-coded or not.
pub(in crate::l7::http2) fn text(to: &mut Vec<u8>, text: &[u8], huffman: bool) {
    if !huffman {
        integer(to, 0, 7, text.len());
        to.extend_from_slice(text);
        return;
    }
    let (mut coded, mut held, mut bits) = (Vec::new(), 0u64, 0);
    for byte in text {
        let (code, length) = huffman::code_of(*byte);
        held = held << length | u64::from(code);
        bits += length;
        while bits >= 8 {
            bits -= 8;
            coded.push((held >> bits) as u8);
        }
    }
    if bits > 0 {
        coded.push((held << (8 - bits)) as u8 | 0xFF >> bits);
    }
    integer(to, 0x80, 7, coded.len());
    to.extend_from_slice(&coded);
}

/// Writes a block.
pub(in crate::l7::http2) fn block(fields: &[Write<'_>], huffman: bool) -> Vec<u8> {
    let mut to = Vec::new();
    let named = |to: &mut Vec<u8>, first, bits, index: usize, name: &str, value: &str| {
        integer(to, first, bits, index);
        if index == 0 {
            text(to, name.as_bytes(), huffman);
        }
        text(to, value.as_bytes(), huffman);
    };
    for field in fields {
        let to = &mut to;
        match *field {
            Write::Added(name, value) => named(to, 0x40, 6, 0, name, value),
            Write::Plain(name, value) => named(to, 0x00, 4, 0, name, value),
            Write::AddedAt(index, value) => named(to, 0x40, 6, index, "", value),
            Write::NeverAt(index, value) => named(to, 0x10, 4, index, "", value),
            Write::Indexed(index) => integer(to, 0x80, 7, index),
            Write::Resize(size) => integer(to, 0x20, 5, size),
        }
    }
    to
}
