//! Writes values, for tests of what reads them.

/// A string in one piece, in its shortest form.
pub(crate) fn string(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().count();
    let head = match units {
        0..=31 => vec![units as u8],
        32..=1023 => vec![0x30 + (units >> 8) as u8, units as u8],
        _ => vec![b'S', (units >> 8) as u8, units as u8],
    };
    [&head, text.as_bytes()].concat()
}

/// A string in pieces of `units` ASCII characters.
pub(crate) fn string_in_pieces(text: &str, units: usize) -> Vec<u8> {
    let pieces: Vec<&[u8]> = text.as_bytes().chunks(units).collect();
    let (last, before) = pieces.split_last().unwrap();
    let mut bytes = Vec::new();
    for (tag, piece) in before.iter().map(|piece| (b'R', piece)).chain([(b'S', last)]) {
        bytes.extend([tag, (piece.len() >> 8) as u8, piece.len() as u8]);
        bytes.extend_from_slice(piece);
    }
    bytes
}

/// Bytes, in pieces of at most 32 KiB.
pub(crate) fn binary(bytes: &[u8]) -> Vec<u8> {
    let pieces: Vec<&[u8]> = bytes.chunks(0x8000).collect();
    let (last, before) = pieces.split_last().unwrap();
    let mut all = Vec::new();
    for (tag, piece) in before.iter().map(|piece| (b'A', piece)).chain([(b'B', last)]) {
        all.extend([tag, (piece.len() >> 8) as u8, piece.len() as u8]);
        all.extend_from_slice(piece);
    }
    all
}

/// An int of four bytes.
pub(crate) fn int(number: i32) -> Vec<u8> {
    [&b"I"[..], &number.to_be_bytes()].concat()
}

/// A map without a type.
pub(crate) fn map(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = vec![b'H'];
    for (key, value) in entries {
        bytes.extend(string(key));
        bytes.extend(string(value));
    }
    bytes.push(b'Z');
    bytes
}

/// The definition of a class and an object of it; `number` classes were defined before.
pub(crate) fn object(number: u8, class: &str, fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = vec![b'C'];
    bytes.extend(string(class));
    bytes.push(0x90 + fields.len() as u8);
    for (name, _) in fields {
        bytes.extend(string(name));
    }
    bytes.push(0x60 + number);
    for (_, value) in fields {
        bytes.extend(value);
    }
    bytes
}
