//! Which version a connection speaks: said by its CONNECT, else told by what only one of them can mean.

use super::packet::{Header, Kind};
use super::property::{Place, Properties};
use super::topic::{Filters, Layout};
use crate::l7::cursor::Cursor;

/// The version of a connection, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Unknown,
    /// 3.1 or 3.1.1: behind the CONNECT they look the same.
    V3,
    V31,
    V311,
    V5,
}

impl Version {
    /// Of the level in a CONNECT (3.1.2.2). Its highest bit says that a bridge speaks, a habit of
    /// Mosquitto's.
    pub(super) const fn of_level(level: u8) -> Option<Self> {
        Some(match level & 0x7F {
            3 => Self::V31,
            4 => Self::V311,
            5 => Self::V5,
            _ => return None,
        })
    }

    /// `version` in records; empty where it is not known exactly.
    pub(super) const fn text(self) -> &'static [u8] {
        match self {
            Self::Unknown | Self::V3 => b"",
            Self::V31 => b"3.1",
            Self::V311 => b"3.1.1",
            Self::V5 => b"5",
        }
    }

    /// What a packet says of the version behind its fixed header; `body` is all that is to be seen of it.
    /// [`Unknown`](Self::Unknown) where it may be either.
    pub(super) fn told_by(header: &Header, body: &[u8]) -> Self {
        let whole = body.len() == header.remaining;
        let longer_than = |len| {
            if header.remaining > len {
                Self::V5
            } else {
                Self::Unknown
            }
        };
        match header.kind {
            Kind::Connect | Kind::Pingreq | Kind::Pingresp => Self::Unknown,
            // Where MQTT 3 is over, MQTT 5 has properties.
            Kind::Connack | Kind::Unsuback if header.remaining == 2 => Self::V3,
            Kind::Connack | Kind::Unsuback => Self::V5,
            // What MQTT 5 has behind the packet id it may leave out.
            Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => longer_than(2),
            Kind::Disconnect => longer_than(0),
            Kind::Auth => Self::V5,
            Kind::Suback if header.remaining == 3 => Self::V3,
            Kind::Suback if whole => one_of(
                body.get(2..).is_some_and(are_granted),
                skip_properties(body, header.kind).is_some_and(|codes| !codes.is_empty()),
            ),
            Kind::Subscribe | Kind::Unsubscribe if whole => one_of(
                body.get(2..)
                    .is_some_and(|list| Filters::are_valid(list, Layout::of(header.kind, Self::V3))),
                skip_properties(body, header.kind)
                    .is_some_and(|list| Filters::are_valid(list, Layout::of(header.kind, Self::V5))),
            ),
            Kind::Publish => told_by_publish(header, body),
            Kind::Suback | Kind::Subscribe | Kind::Unsubscribe => Self::Unknown,
        }
    }
}

/// The version of a packet that can be read as MQTT 3, or as MQTT 5.
fn one_of(v3: bool, v5: bool) -> Version {
    match (v3, v5) {
        (true, false) => Version::V3,
        (false, true) => Version::V5,
        _ => Version::Unknown,
    }
}

/// What MQTT 3.1.1 grants in a SUBACK (section 3.9.3).
pub(super) fn are_granted(codes: &[u8]) -> bool {
    !codes.is_empty() && codes.iter().all(|code| matches!(code, 0..=2 | 0x80))
}

/// What stands behind packet id and properties, if these are what they have to be.
pub(super) fn skip_properties(body: &[u8], kind: Kind) -> Option<&[u8]> {
    let mut cursor = Cursor::new(body.get(2..)?);
    Properties::take_valid(&mut cursor, Place::Packet(kind))?;
    Some(cursor.rest())
}

/// Behind topic and packet id MQTT 5 has properties, MQTT 3 the payload. One that begins with a byte of
/// zero may as well be no property at all; anything else is hardly a list of well-formed properties.
fn told_by_publish(header: &Header, body: &[u8]) -> Version {
    let mut cursor = Cursor::new(body);
    let Some(topic) = cursor.vector16() else {
        return Version::Unknown;
    };
    if topic.is_empty() {
        // Only an alias may stand for it.
        return Version::V5;
    }
    if header.qos() > 0 && cursor.u16().is_none() {
        return Version::Unknown;
    }
    if cursor.rest().is_empty() && body.len() < header.remaining {
        return Version::Unknown;
    }
    match Properties::take(&mut cursor, Place::Packet(Kind::Publish)) {
        Some((properties, true)) if properties.is_empty() => Version::Unknown,
        Some((properties, true)) if properties.are_valid() => Version::V5,
        // Cut, though no longer than the packet: what is there decides.
        Some((properties, false)) if body.len() < header.remaining && !properties.none_is_valid() => {
            Version::Unknown
        }
        _ => Version::V3,
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::Read;
    use super::*;

    fn told(packet: &[u8]) -> Version {
        match Header::read(packet) {
            Read::Header(header) => Version::told_by(&header, &packet[header.len..]),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_only_one_version_can_mean_tells_it() {
        for (version, packet) in [
            (Version::V3, &b"\x20\x02\x00\x00"[..]),
            (Version::V5, b"\x20\x03\x00\x00\x00"),
            (Version::Unknown, b"\x40\x02\x00\x01"),
            (Version::V5, b"\x40\x03\x00\x01\x10"),
            (Version::V3, b"\x82\x06\x00\x01\x00\x01a\x00"),
            (Version::V5, b"\x82\x07\x00\x01\x00\x00\x01a\x2C"),
            (Version::V3, b"\xA2\x05\x00\x01\x00\x01a"),
            (Version::V5, b"\xA2\x06\x00\x01\x00\x00\x01a"),
            (Version::V3, b"\x90\x03\x00\x01\x00"),
            (Version::V3, b"\x90\x04\x00\x01\x01\x00"),
            (Version::V5, b"\x90\x04\x00\x01\x00\x87"),
            (Version::Unknown, b"\x90\x04\x00\x01\x00\x00"),
            (Version::V3, b"\xB0\x02\x00\x01"),
            (Version::V5, b"\xB0\x04\x00\x01\x00\x11"),
            (Version::Unknown, b"\xE0\x00"),
            (Version::V5, b"\xE0\x01\x04"),
            (Version::V5, b"\xF0\x00"),
            (Version::V3, b"\x30\x03\x00\x01a"),
            (Version::V3, b"\x30\x09\x00\x01a{\"x\":1"),
            (Version::Unknown, b"\x30\x06\x00\x01a\x00hi"),
            (Version::V5, b"\x30\x07\x00\x01a\x02\x01\x01!"),
            (Version::V5, b"\x30\x06\x00\x00\x03\x23\x00\x01"),
            (Version::V5, b"\x32\x09\x00\x01a\x00\x01\x02\x01\x01!"),
        ] {
            assert_eq!(told(packet), version, "{packet:?}");
        }
    }
}
