//! CONNECT. Sources: MQTT 3.1 section 3.1; MQTT 3.1.1 and MQTT 5 section 3.1.

use super::packet::Kind;
use super::property::{Place, Properties};
use super::version::Version;
use crate::l7::cursor::Cursor;

/// What a client says of itself; `None` where the packet was cut before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connect<'a> {
    pub(super) version: Version,
    /// The state of an earlier connection is not wanted.
    pub(super) clean: bool,
    /// Seconds between packets at most; 0: no matter.
    pub(super) keep_alive: u16,
    pub(super) properties: Properties<'a>,
    pub(super) client_id: Option<&'a [u8]>,
    pub(super) will_topic: Option<&'a [u8]>,
    pub(super) user: Option<&'a [u8]>,
    /// Nothing is missing.
    pub(super) whole: bool,
}

/// Protocol name, level and flags.
#[derive(Clone, Copy, Debug)]
struct Head {
    version: Version,
    flags: u8,
    keep_alive: u16,
}

mod flag {
    pub(super) const RESERVED: u8 = 1;
    pub(super) const CLEAN: u8 = 2;
    pub(super) const WILL: u8 = 4;
    pub(super) const WILL_DETAILS: u8 = 0x38;
    pub(super) const WILL_QOS_3: u8 = 0x18;
    pub(super) const PASSWORD: u8 = 0x40;
    pub(super) const USER: u8 = 0x80;
}

impl Head {
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let name = cursor.vector16()?;
        let version = Version::of_level(cursor.u8()?)?;
        let named = match version {
            Version::V31 => name == b"MQIsdp",
            _ => name == b"MQTT",
        };
        let flags = cursor.u8().filter(|_| named)?;
        let will_is_sound = match flags & flag::WILL {
            0 => flags & flag::WILL_DETAILS == 0,
            _ => flags & flag::WILL_QOS_3 != flag::WILL_QOS_3,
        };
        let passwords_are_sound =
            version == Version::V5 || flags & flag::PASSWORD == 0 || flags & flag::USER != 0;
        // MQTT 3.1 has no say about the reserved bit, nor wills that are not there.
        let is_sound = will_is_sound && passwords_are_sound && flags & flag::RESERVED == 0;
        (is_sound || version == Version::V31).then_some(())?;
        Some(Self {
            version,
            flags,
            keep_alive: cursor.u16()?,
        })
    }
}

impl<'a> Connect<'a> {
    /// Reads what is behind the fixed header; `None` where not even the flags are there, or they are
    /// wrong.
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(body);
        let head = Head::read(&mut cursor)?;
        let mut connect = Self {
            version: head.version,
            clean: head.flags & flag::CLEAN != 0,
            keep_alive: head.keep_alive,
            properties: Properties::none(),
            client_id: None,
            will_topic: None,
            user: None,
            whole: false,
        };
        connect.whole = connect.read_payload(head.flags, &mut cursor).is_some();
        Some(connect)
    }

    fn read_payload(&mut self, flags: u8, cursor: &mut Cursor<'a>) -> Option<()> {
        let is_v5 = self.version == Version::V5;
        if is_v5 {
            let (properties, whole) = Properties::take(cursor, Place::Packet(Kind::Connect))?;
            self.properties = properties;
            whole.then_some(())?;
        }
        self.client_id = Some(cursor.vector16()?);
        if flags & flag::WILL != 0 {
            if is_v5 {
                let (_, whole) = Properties::take(cursor, Place::Will)?;
                whole.then_some(())?;
            }
            self.will_topic = Some(cursor.vector16()?);
            cursor.vector16()?;
        }
        if flags & flag::USER != 0 {
            // MQTT 3.1 lets clients leave out what the flags announce.
            let left_out = self.version == Version::V31 && cursor.rest().is_empty();
            self.user = if left_out { None } else { Some(cursor.vector16()?) };
        }
        Some(())
    }
}

/// Whether a CONNECT begins like this; `None` where more bytes have to tell.
pub(super) fn begins(body: &[u8]) -> Option<bool> {
    const NAMES: [&[u8]; 3] = [b"\x00\x06MQIsdp\x03", b"\x00\x04MQTT\x04", b"\x00\x04MQTT\x05"];
    const HEAD_BYTES_MAX: usize = 12;
    let begins = |name: &[u8]| {
        let len = name.len().min(body.len());
        let (last, rest) = name.split_last().unwrap_or((&0, name));
        let same_level = body.get(rest.len()).is_none_or(|level| level & 0x7F == *last);
        same_level && body.get(..len.min(rest.len())) == rest.get(..len.min(rest.len()))
    };
    if !NAMES.iter().any(|name| begins(name)) {
        return Some(false);
    }
    match Head::read(&mut Cursor::new(body)) {
        Some(_) => Some(true),
        None if body.len() >= HEAD_BYTES_MAX => Some(false),
        None => None,
    }
}
