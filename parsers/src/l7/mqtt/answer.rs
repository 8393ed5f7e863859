//! CONNACK, SUBACK and UNSUBACK. Source: MQTT 3.1.1 and MQTT 5 sections 3.2, 3.9 and 3.11.

use super::packet::Kind;
use super::property::{Place, Properties, Value, id};
use super::publish::write_reason_text;
use super::reason::{FAILURE_MIN, Reason};
use super::version::Version;
use super::{Mqtt, Packet, tag};
use crate::conversation::Out;
use crate::field::{Field, Status};
use crate::l7::cursor::Cursor;

impl Mqtt {
    pub(super) fn connack(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let mut cursor = Cursor::new(packet.body);
        let (flags, code) = (cursor.u8()?, cursor.u8()?);
        // A server that does not know the client's version answers in its own.
        let (version, properties) = match packet.header.remaining {
            2 => (Version::V3, Properties::none()),
            _ => (Version::V5, Properties::take(&mut cursor, Place::Packet(kind))?.0),
        };
        let assigned = properties
            .find(id::ASSIGNED_CLIENT_ID)
            .map_or(&b""[..], Value::bytes);
        self.remember_client(assigned);
        self.answer(None, tag::CONNECT, kind, out);
        out.text(Field::Domain, assigned);
        out.code(i64::from(code));
        let reason = Reason::of_connack(code, version);
        out.status(reason.map_or(Status::Unknown, |reason| reason.status(packet.direction)));
        write_reason_text(code, reason, properties, out);
        if flags & 1 != 0 {
            out.attr("session_present", b"true");
        }
        out.close();
        Some(())
    }

    /// The code of the first failure counts, or of the first filter where there is none.
    pub(super) fn subscribed(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let mut cursor = Cursor::new(packet.body);
        let packet_id = cursor.u16().filter(|packet_id| *packet_id > 0)?;
        let mut properties = Properties::none();
        if self.version == Version::V5 {
            properties = Properties::take(&mut cursor, Place::Packet(kind))?.0;
        }
        // Where the version could not be told, the first byte may be the length of no properties.
        let mut codes = cursor.rest();
        if let (Version::Unknown, [_, behind @ ..]) = (self.version, codes)
            && !behind.is_empty()
        {
            codes = behind;
        }
        let tag = if kind == Kind::Suback {
            tag::SUBSCRIBE
        } else {
            tag::UNSUBSCRIBE
        };
        self.answer(Some(packet_id), tag, kind, out);
        let failure = codes.iter().find(|code| **code >= FAILURE_MIN);
        match failure.or(codes.first()) {
            Some(&code) => {
                let reason = Reason::of(code);
                out.code(i64::from(code));
                out.status(reason.map_or(Status::Unknown, |reason| reason.status(packet.direction)));
                if code >= FAILURE_MIN || !properties.is_empty() {
                    write_reason_text(code, reason, properties, out);
                }
            }
            // UNSUBACK of MQTT 3 has none.
            None if packet.is_whole() => out.status(Status::Ok),
            None => {}
        }
        if codes.len() > 1 {
            let mut text = out.write_attr("reason_codes");
            for (i, code) in codes.iter().enumerate() {
                if text.is_full() {
                    text.mark_truncated();
                    break;
                }
                if i > 0 {
                    text.push(b",");
                }
                text.push_number(u64::from(*code));
            }
        }
        if !packet.is_whole() {
            out.truncated();
        }
        out.close();
        Some(())
    }
}
