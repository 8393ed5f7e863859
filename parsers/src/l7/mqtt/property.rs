//! Properties of MQTT 5. Source: MQTT 5 section 2.2.2 and table 2-4.
//!
//! A property is its number, one byte, and a value whose type the number tells. Properties stand together
//! behind their length.

use super::packet::{Kind, Varint, varint};
use crate::l7::cursor::Cursor;

/// Properties that are read; the others are checked and passed.
pub(super) mod id {
    pub(in super::super) const CONTENT_TYPE: u8 = 0x03;
    pub(in super::super) const RESPONSE_TOPIC: u8 = 0x08;
    pub(in super::super) const CORRELATION_DATA: u8 = 0x09;
    pub(in super::super) const ASSIGNED_CLIENT_ID: u8 = 0x12;
    pub(in super::super) const AUTHENTICATION_METHOD: u8 = 0x15;
    pub(in super::super) const REASON_STRING: u8 = 0x1F;
    pub(in super::super) const TOPIC_ALIAS: u8 = 0x23;
    pub(in super::super) const USER_PROPERTY: u8 = 0x26;
}

/// Largest number of a property.
const ID_MAX: u8 = 0x2A;

/// The value of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(u32),
    /// Text, or bytes.
    Bytes(&'a [u8]),
    Pair(&'a [u8], &'a [u8]),
}

impl<'a> Value<'a> {
    /// Text or bytes; empty where it is something else.
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }
}

/// What a property is for (table 2-4): a bit for each place where it may stand.
mod place {
    pub(super) const CONNECT: u16 = 1;
    pub(super) const WILL: u16 = 2;
    pub(super) const CONNACK: u16 = 4;
    pub(super) const PUBLISH: u16 = 8;
    /// PUBACK, PUBREC, PUBREL, PUBCOMP.
    pub(super) const ANSWER: u16 = 16;
    pub(super) const SUBSCRIBE: u16 = 32;
    /// SUBACK, UNSUBACK.
    pub(super) const SUBACK: u16 = 64;
    pub(super) const UNSUBSCRIBE: u16 = 128;
    pub(super) const DISCONNECT: u16 = 256;
    pub(super) const AUTH: u16 = 512;
    pub(super) const ALL: u16 = 1023;
}

/// Where properties stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Behind the variable header of this packet.
    Packet(Kind),
    /// Before the will in a CONNECT.
    Will,
}

impl Place {
    const fn bit(self) -> u16 {
        match self {
            Self::Will => place::WILL,
            Self::Packet(kind) => match kind {
                Kind::Connect => place::CONNECT,
                Kind::Connack => place::CONNACK,
                Kind::Publish => place::PUBLISH,
                Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => place::ANSWER,
                Kind::Subscribe => place::SUBSCRIBE,
                Kind::Suback | Kind::Unsuback => place::SUBACK,
                Kind::Unsubscribe => place::UNSUBSCRIBE,
                Kind::Disconnect => place::DISCONNECT,
                Kind::Auth => place::AUTH,
                Kind::Pingreq | Kind::Pingresp => 0,
            },
        }
    }
}

#[derive(Clone, Copy)]
enum Type {
    Byte,
    Two,
    Four,
    Varint,
    Bytes,
    Pair,
}

/// Type and places of a property.
const fn declared(id: u8) -> Option<(Type, u16)> {
    use place::*;
    Some(match id {
        0x01 => (Type::Byte, PUBLISH | WILL),
        0x02 => (Type::Four, PUBLISH | WILL),
        0x03 => (Type::Bytes, PUBLISH | WILL),
        0x08 | 0x09 => (Type::Bytes, PUBLISH | WILL),
        0x0B => (Type::Varint, PUBLISH | SUBSCRIBE),
        0x11 => (Type::Four, CONNECT | CONNACK | DISCONNECT),
        0x12 | 0x1A => (Type::Bytes, CONNACK),
        0x13 => (Type::Two, CONNACK),
        0x15 | 0x16 => (Type::Bytes, CONNECT | CONNACK | AUTH),
        0x17 | 0x19 => (Type::Byte, CONNECT),
        0x18 => (Type::Four, WILL),
        0x1C => (Type::Bytes, CONNACK | DISCONNECT),
        0x1F => (Type::Bytes, CONNACK | ANSWER | SUBACK | DISCONNECT | AUTH),
        0x21 | 0x22 => (Type::Two, CONNECT | CONNACK),
        0x23 => (Type::Two, PUBLISH),
        0x24 | 0x25 | 0x28 | 0x29 | ID_MAX => (Type::Byte, CONNACK),
        0x26 => (Type::Pair, ALL),
        0x27 => (Type::Four, CONNECT | CONNACK),
        _ => return None,
    })
}

/// Properties, one after the other; ends at the first that is cut or does not belong here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Properties<'a> {
    rest: Cursor<'a>,
    place: u16,
}

impl<'a> Properties<'a> {
    /// None.
    pub(super) fn none() -> Self {
        Self {
            rest: Cursor::new(&[]),
            place: 0,
        }
    }

    /// Takes the properties at `cursor`, as far as they are there, and whether that is all of them.
    /// `None` where their length can't be read.
    pub(super) fn take(cursor: &mut Cursor<'a>, at: Place) -> Option<(Self, bool)> {
        let Varint::Value(len, width) = varint(cursor.rest()) else {
            return None;
        };
        cursor.take(width)?;
        let there = (len as usize).min(cursor.rest().len());
        let properties = Self {
            rest: Cursor::new(cursor.take(there)?),
            place: at.bit(),
        };
        Some((properties, there == len as usize))
    }

    /// [`take`](Self::take), whole and each well formed.
    pub(super) fn take_valid(cursor: &mut Cursor<'a>, at: Place) -> Option<Self> {
        let (properties, whole) = Self::take(cursor, at)?;
        (whole && properties.are_valid()).then_some(properties)
    }

    /// Whether each is well formed and belongs here.
    pub(super) fn are_valid(self) -> bool {
        let mut left = self;
        while left.next().is_some() {}
        left.rest.rest().is_empty()
    }

    /// Whether not even the first is well formed and belongs here.
    pub(super) fn none_is_valid(self) -> bool {
        let mut first = self;
        first.next().is_none()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.rest.rest().is_empty()
    }

    /// The first of this number.
    pub(super) fn find(self, id: u8) -> Option<Value<'a>> {
        let mut all = self;
        all.find_map(|(found, value)| (found == id).then_some(value))
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = (u8, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = self.rest;
        let id = cursor.u8()?;
        let (kind, places) = declared(id)?;
        if places & self.place == 0 {
            return None;
        }
        let value = match kind {
            Type::Byte => Value::Number(u32::from(cursor.u8()?)),
            Type::Two => Value::Number(u32::from(cursor.u16()?)),
            Type::Four => Value::Number(cursor.u32()?),
            Type::Varint => {
                let Varint::Value(value, width) = varint(cursor.rest()) else {
                    return None;
                };
                cursor.take(width)?;
                Value::Number(value)
            }
            Type::Bytes => Value::Bytes(cursor.vector16()?),
            Type::Pair => Value::Pair(cursor.vector16()?, cursor.vector16()?),
        };
        self.rest = cursor;
        Some((id, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_of_every_type_are_read() {
        let bytes = [
            &[
                28, 0x01, 1, 0x02, 0, 0, 1, 0, 0x03, 0, 1, b'x', 0x0B, 0x80, 1, 0x23, 0, 7,
            ][..],
            &[0x26, 0, 1, b'k', 0, 1, b'v'],
            &[0x09, 0, 1, 0xFF],
            b"rest",
        ]
        .concat();
        let mut cursor = Cursor::new(&bytes);
        let all = Properties::take_valid(&mut cursor, Place::Packet(Kind::Publish)).unwrap();
        assert_eq!(
            all.collect::<Vec<_>>(),
            [
                (0x01, Value::Number(1)),
                (0x02, Value::Number(256)),
                (0x03, Value::Bytes(b"x")),
                (0x0B, Value::Number(128)),
                (0x23, Value::Number(7)),
                (0x26, Value::Pair(b"k", b"v")),
                (0x09, Value::Bytes(&[0xFF])),
            ]
        );
        assert_eq!(all.find(id::TOPIC_ALIAS), Some(Value::Number(7)));
        assert_eq!(cursor.rest(), b"rest");
    }

    #[test]
    fn what_does_not_belong_here_or_is_cut_ends_them() {
        let valid = |bytes: &[u8], kind| {
            Properties::take_valid(&mut Cursor::new(bytes), Place::Packet(kind)).is_some()
        };
        assert!(valid(&[0], Kind::Puback));
        assert!(valid(&[3, 0x23, 0, 7], Kind::Publish));
        assert!(!valid(&[3, 0x23, 0, 7], Kind::Connect));
        assert!(!valid(&[3, 0x23, 0], Kind::Publish));
        assert!(!valid(&[2, 0x23, 0], Kind::Publish));
        assert!(!valid(&[2, 0x04, 0], Kind::Publish));
        assert!(!valid(&[], Kind::Publish));
        assert!(!valid(&[4, 0x1F, 0, 9, b'x'], Kind::Puback));
    }
}
