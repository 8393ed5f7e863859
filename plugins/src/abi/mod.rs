//! The form of what crosses the border between host and guest: DeepFlow's, byte for byte.
//!
//! Numbers are big-endian but within protobuf; texts have a length of 16 bits before them.

pub mod context;
pub mod event;
pub mod fuzz;
pub mod hooks;
pub mod reader;
pub mod record;
pub mod writer;

use reader::Reader;
use tapir_parsers::limits::PLUGIN_NAME_BYTES_MAX;

/// A protocol's name as a guest hands it over: one text, which is all there is. Bytes that are not UTF-8
/// are replaced; what is too long is cut between characters.
pub fn name(bytes: &[u8]) -> Option<arrayvec::ArrayVec<u8, PLUGIN_NAME_BYTES_MAX>> {
    let mut reader = Reader::new(bytes);
    let text = reader.text()?;
    if !reader.is_empty() {
        return None;
    }
    let mut name = arrayvec::ArrayVec::new();
    for chunk in text.utf8_chunks() {
        let replaced = if chunk.invalid().is_empty() {
            ""
        } else {
            "\u{FFFD}"
        };
        for character in chunk.valid().chars().chain(replaced.chars()) {
            let mut room = [0; 4];
            let encoded = character.encode_utf8(&mut room).as_bytes();
            if name.try_extend_from_slice(encoded).is_err() {
                return Some(name);
            }
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_is_one_text_and_no_more() {
        assert_eq!(name(b"\0\x04Demo").as_deref(), Some(&b"Demo"[..]));
        assert_eq!(name(b"\0\0").as_deref(), Some(&b""[..]));
        assert_eq!(name(b"\0\x02a\xff").as_deref(), Some("a\u{FFFD}".as_bytes()));
        assert_eq!(name(b"\0\x05Demo"), None);
        assert_eq!(name(b"\0\x03Demo"), None);
        assert_eq!(name(b"\0"), None);
        let long = [&[0, 99][..], &[b'x'; 99]].concat();
        assert_eq!(name(&long).map(|name| name.len()), Some(64));
    }
}
