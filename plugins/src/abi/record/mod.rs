//! What a guest tells of messages: batches of `L7ProtocolInfo`.
//!
//! A batch is a sequence of records, each behind its length of 16 bits. A record that begins with `PB` is
//! protobuf, any other one of three older forms that are not marked: the first that fits exactly counts.

mod legacy;
mod protobuf;
#[cfg(test)]
mod tests;

use super::reader::Reader;
use crate::limits::BATCH_RECORDS_MAX;
use tapir_parsers::parser::Direction;
use tapir_parsers::plugin::Info;

/// In which form a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Protobuf, since March 2025.
    Protobuf,
    /// With the protocol's name and a type of business, since April 2024.
    Legacy4,
    /// With a type of business, since February 2024.
    Legacy3,
    /// With neither, since August 2023.
    Legacy1,
}

impl Dialect {
    /// Its name in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Legacy4 => "legacy of 2024-04",
            Self::Legacy3 => "legacy of 2024-02",
            Self::Legacy1 => "legacy of 2023-08",
        }
    }
}

/// What marks a record in protobuf. No older one begins like this: their first byte is 0, or above 127.
const PROTOBUF_MARK: &[u8; 2] = b"PB";

/// Reads one record of a call in `direction`; `None` when it is none.
pub fn read(bytes: &[u8], direction: Direction) -> Option<(Info<'_>, Dialect)> {
    if let Some(message) = bytes.strip_prefix(PROTOBUF_MARK) {
        return Some((protobuf::read(message)?, Dialect::Protobuf));
    }
    [Dialect::Legacy4, Dialect::Legacy3, Dialect::Legacy1]
        .into_iter()
        .find_map(|dialect| Some((legacy::read(bytes, direction, dialect)?, dialect)))
}

/// The records of a batch, unread.
pub fn split(batch: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Reader::new(batch);
    std::iter::from_fn(move || reader.text())
}

/// Whether `batch` holds records, all of them whole and readable.
pub fn is_valid(batch: &[u8], direction: Direction) -> bool {
    let mut reader = Reader::new(batch);
    let mut count = 0;
    while !reader.is_empty() {
        count += 1;
        let readable = reader
            .text()
            .is_some_and(|record| read(record, direction).is_some());
        if !readable || count > BATCH_RECORDS_MAX {
            return false;
        }
    }
    count > 0
}

/// Bytes that are written as hexadecimal digits, and texts in double quotes: as the interface's examples.
#[cfg(test)]
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (i, part) in text.split('"').enumerate() {
        if i % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<_> = part.chars().filter_map(|digit| digit.to_digit(16)).collect();
        bytes.extend(digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8));
    }
    bytes
}
