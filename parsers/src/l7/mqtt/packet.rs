//! Fixed headers. Source: MQTT 3.1.1 and MQTT 5 sections 2.1 and 2.2; MQTT 3.1 section 2.1.
//!
//! ```text
//! byte 0: packet type (4 bits), flags (4 bits)    then: bytes that follow, in one to four bytes of 7 bits
//! ```

use crate::parser::Direction;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Connack,
    Publish,
    Puback,
    Pubrec,
    Pubrel,
    Pubcomp,
    Subscribe,
    Suback,
    Unsubscribe,
    Unsuback,
    Pingreq,
    Pingresp,
    Disconnect,
    /// MQTT 5.
    Auth,
}

impl Kind {
    fn new(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::Connack,
            3 => Self::Publish,
            4 => Self::Puback,
            5 => Self::Pubrec,
            6 => Self::Pubrel,
            7 => Self::Pubcomp,
            8 => Self::Subscribe,
            9 => Self::Suback,
            10 => Self::Unsubscribe,
            11 => Self::Unsuback,
            12 => Self::Pingreq,
            13 => Self::Pingresp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// `req_type` in records.
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Connect => b"CONNECT",
            Self::Connack => b"CONNACK",
            Self::Publish => b"PUBLISH",
            Self::Puback => b"PUBACK",
            Self::Pubrec => b"PUBREC",
            Self::Pubrel => b"PUBREL",
            Self::Pubcomp => b"PUBCOMP",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Suback => b"SUBACK",
            Self::Unsubscribe => b"UNSUBSCRIBE",
            Self::Unsuback => b"UNSUBACK",
            Self::Pingreq => b"PINGREQ",
            Self::Pingresp => b"PINGRESP",
            Self::Disconnect => b"DISCONNECT",
            Self::Auth => b"AUTH",
        }
    }

    /// The only way in which it may travel, where there is but one (table 2-1).
    pub(super) const fn direction(self) -> Option<Direction> {
        match self {
            Self::Connect | Self::Subscribe | Self::Unsubscribe | Self::Pingreq => Some(Direction::ToServer),
            Self::Connack | Self::Suback | Self::Unsuback | Self::Pingresp => Some(Direction::ToClient),
            _ => None,
        }
    }

    /// Whether these four bits may stand beside it (table 2-2). MQTT 3.1 repeats requests with the bit of
    /// duplicates set.
    const fn allows(self, flags: u8) -> bool {
        match self {
            Self::Publish => {
                let qos = flags >> 1 & 3;
                qos != 3 && (qos > 0 || flags & DUPLICATE == 0)
            }
            Self::Pubrel | Self::Subscribe | Self::Unsubscribe => flags & !DUPLICATE == 2,
            _ => flags == 0,
        }
    }

    /// Fewest and most bytes that may follow the fixed header, in any version.
    const fn remaining(self) -> (u32, u32) {
        match self {
            // Protocol name, level, flags, keep alive, client id.
            Self::Connect => (12, REMAINING_MAX),
            // A topic of no bytes, an alias among the properties.
            Self::Publish => (2, REMAINING_MAX),
            Self::Connack | Self::Puback | Self::Pubrec | Self::Pubrel | Self::Pubcomp | Self::Unsuback => {
                (2, REMAINING_MAX)
            }
            // Packet id, a topic of a byte, and options.
            Self::Subscribe => (6, REMAINING_MAX),
            Self::Unsubscribe => (5, REMAINING_MAX),
            Self::Suback => (3, REMAINING_MAX),
            Self::Pingreq | Self::Pingresp => (0, 0),
            Self::Disconnect | Self::Auth => (0, REMAINING_MAX),
        }
    }
}

const DUPLICATE: u8 = 8;
/// What four bytes of 7 bits can say (section 2.1.4).
const REMAINING_MAX: u32 = (1 << 28) - 1;

/// A fixed header, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    flags: u8,
    /// Bytes of the header.
    pub(super) len: usize,
    /// Bytes behind it.
    pub(super) remaining: usize,
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    Header(Header),
    /// So many bytes are needed to tell.
    Need(usize),
    /// No MQTT.
    Wrong,
}

impl Header {
    /// Reads the header at the start of `bytes`.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Read {
        let Some((&first, rest)) = bytes.split_first() else {
            return Read::Need(2);
        };
        let flags = first & 15;
        let Some(kind) = Kind::new(first >> 4).filter(|kind| kind.allows(flags)) else {
            return Read::Wrong;
        };
        match varint(rest) {
            Varint::Value(value, len) => {
                let (least, most) = kind.remaining();
                if value < least || value > most {
                    return Read::Wrong;
                }
                Read::Header(Self {
                    kind,
                    flags,
                    len: 1 + len,
                    remaining: value as usize,
                })
            }
            Varint::Part => Read::Need(bytes.len() + 1),
            Varint::Wrong => Read::Wrong,
        }
    }

    /// Bytes of the whole packet.
    pub(super) fn packet_bytes(&self) -> usize {
        self.len + self.remaining
    }

    /// Quality of service of a PUBLISH: 0, 1 or 2.
    pub(super) fn qos(&self) -> u8 {
        self.flags >> 1 & 3
    }

    /// A PUBLISH that the server is to keep, or has kept.
    pub(super) fn is_retained(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Sent again.
    pub(super) fn is_duplicate(&self) -> bool {
        self.flags & DUPLICATE != 0
    }
}

/// A number in one to four bytes of 7 bits, the lowest first (section 1.5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Varint {
    /// The number and how many bytes it takes.
    Value(u32, usize),
    Part,
    /// Longer than it may be, or than it has to be.
    Wrong,
}

/// Reads the number at the start of `bytes`.
#[inline]
pub(super) fn varint(bytes: &[u8]) -> Varint {
    let mut value = 0;
    for (i, byte) in bytes.iter().take(4).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return match byte {
                0 if i > 0 => Varint::Wrong,
                _ => Varint::Value(value, i + 1),
            };
        }
    }
    if bytes.len() < 4 {
        Varint::Part
    } else {
        Varint::Wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_one_to_four_bytes_are_read_in_their_shortest_form() {
        assert_eq!(varint(&[0]), Varint::Value(0, 1));
        assert_eq!(varint(&[0x7F, 9]), Varint::Value(127, 1));
        assert_eq!(varint(&[0x80, 1]), Varint::Value(128, 2));
        assert_eq!(varint(&[0xFF, 0xFF, 0xFF, 0x7F]), Varint::Value(268_435_455, 4));
        assert_eq!(varint(&[0x80, 0]), Varint::Wrong);
        assert_eq!(varint(&[0x80, 0x80, 0x80, 0x80, 1]), Varint::Wrong);
        assert_eq!((varint(&[]), varint(&[0x80])), (Varint::Part, Varint::Part));
    }

    #[test]
    fn flags_and_lengths_that_no_packet_has_are_refused() {
        let reads = |bytes: &[u8]| matches!(Header::read(bytes), Read::Header(_));
        for good in [
            &[0x30, 2][..],
            &[0x3D, 9],
            &[0x62, 2],
            &[0x82, 6],
            &[0x8A, 6],
            &[0xC0, 0],
            &[0xE0, 0],
            &[0xF0, 3],
        ] {
            assert!(reads(good), "{good:?}");
        }
        for bad in [
            &[0x00, 2][..],
            &[0x36, 9],
            &[0x38, 9],
            &[0x60, 2],
            &[0x11, 20],
            &[0x10, 3],
            &[0xC0, 1],
            &[0xC1, 0],
            &[0x90, 2],
        ] {
            assert!(!reads(bad), "{bad:?}");
        }
    }
}
