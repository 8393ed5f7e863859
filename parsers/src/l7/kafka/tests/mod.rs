//! Conversations as the protocol guide lays them out.

mod conversations;
mod hostile;
mod recognition;

use crate::testing::Script;

/// Writes a message's fields.
#[derive(Clone, Default)]
pub(super) struct Wire(pub(super) Vec<u8>);

impl Wire {
    pub(super) fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    pub(super) fn int8(self, value: i8) -> Self {
        self.bytes(value.to_be_bytes())
    }

    pub(super) fn int16(self, value: i16) -> Self {
        self.bytes(value.to_be_bytes())
    }

    pub(super) fn int32(self, value: i32) -> Self {
        self.bytes(value.to_be_bytes())
    }

    pub(super) fn int64(self, value: i64) -> Self {
        self.bytes(value.to_be_bytes())
    }

    /// STRING.
    pub(super) fn text(self, text: &str) -> Self {
        self.int16(text.len() as i16).bytes(text)
    }

    /// COMPACT_STRING.
    pub(super) fn compact(self, text: &str) -> Self {
        self.unsigned_varint(text.len() as u32 + 1).bytes(text)
    }

    /// UNSIGNED_VARINT.
    pub(super) fn unsigned_varint(mut self, mut value: u32) -> Self {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    /// VARINT.
    pub(super) fn varint(self, value: i32) -> Self {
        self.unsigned_varint(((value << 1) ^ (value >> 31)).cast_unsigned())
    }

    /// No tagged fields.
    pub(super) fn no_tags(self) -> Self {
        self.int8(0)
    }

    /// What was written, as a message.
    pub(super) fn message(self) -> Vec<u8> {
        Self::default().int32(self.0.len() as i32).bytes(&self.0).0
    }
}

/// The head of a request of client `shop`.
pub(super) fn request(key: i16, version: i16, correlation: i32) -> Wire {
    Wire::default()
        .int16(key)
        .int16(version)
        .int32(correlation)
        .text("shop")
}

/// The head of a request of a flexible version.
pub(super) fn flexible(key: i16, version: i16, correlation: i32) -> Wire {
    request(key, version, correlation).no_tags()
}

/// The head of a response.
pub(super) fn response(correlation: i32) -> Wire {
    Wire::default().int32(correlation)
}

/// A record batch with one record, and its headers.
pub(super) fn batch(attributes: i16, value: &[u8], headers: &[(&str, &str)]) -> Vec<u8> {
    let mut record = Wire::default()
        .int8(0)
        .varint(0)
        .varint(0)
        .varint(-1)
        .varint(value.len() as i32)
        .bytes(value)
        .varint(headers.len() as i32);
    for (name, value) in headers {
        record = record
            .varint(name.len() as i32)
            .bytes(name)
            .varint(value.len() as i32)
            .bytes(value);
    }
    let records = Wire::default().varint(record.0.len() as i32).bytes(&record.0).0;
    Wire::default()
        .int64(0)
        .int32(49 + records.len() as i32)
        .int32(-1)
        .int8(2)
        .int32(0x1234_5678)
        .int16(attributes)
        .int32(0)
        .int64(1_700_000_000_000)
        .int64(1_700_000_000_000)
        .int64(-1)
        .int16(-1)
        .int32(-1)
        .int32(1)
        .bytes(records)
        .0
}

pub(super) fn session() -> Script {
    Script::tcp(9092)
}
