//! PUBLISH, and what answers it. Source: MQTT 3.1.1 and MQTT 5 sections 3.3 to 3.7 and 4.3.

use super::packet::{Header, Kind, Varint, varint};
use super::property::{Place, Properties, Value, id};
use super::reason::{FAILURE_MIN, Reason};
use super::topic::is_topic_name;
use super::version::Version;
use super::{Mqtt, Packet, publish_tag};
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::l7::cursor::Cursor;
use crate::l7::http::header;
use crate::parser::Direction;

/// Bytes of a PUBLISH up to its payload, as far as they can be told from `bytes`, its beginning; `None`
/// when lengths contradict each other.
pub(super) fn wanted(header: &Header, bytes: &[u8], version: Version) -> Option<usize> {
    let end = header.packet_bytes();
    let mut cursor = Cursor::new(bytes.get(header.len..).unwrap_or(&[]));
    let Some(topic) = cursor.u16() else {
        return Some(header.len + 2);
    };
    let packet_id = if header.qos() > 0 { 2 } else { 0 };
    let fixed = header.len + 2 + usize::from(topic) + packet_id;
    let has_properties = match version {
        Version::V5 => true,
        // They would tell the version.
        Version::Unknown => fixed < end,
        _ => false,
    };
    match bytes.get(fixed..).map(varint) {
        _ if fixed > end => None,
        _ if !has_properties => Some(fixed),
        Some(Varint::Value(len, width)) => {
            let behind = fixed + width + len as usize;
            match version {
                _ if behind <= end => Some(behind),
                Version::V5 => None,
                _ => Some(fixed),
            }
        }
        Some(Varint::Wrong) if version == Version::V5 => None,
        Some(Varint::Wrong) => Some(fixed),
        Some(Varint::Part) | None if bytes.len() >= end => Some(fixed),
        Some(Varint::Part) | None => Some(bytes.len().max(fixed) + 1),
    }
}

impl Mqtt {
    pub(super) fn publish(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let (header, direction) = (&packet.header, packet.direction);
        let mut cursor = Cursor::new(packet.body);
        let (topic, topic_is_whole) = cursor.vector16_or_part()?;
        if !is_topic_name(topic) {
            return None;
        }
        let asks = header.qos() > 0;
        let packet_id = if asks { cursor.u16() } else { None };
        if packet_id == Some(0) {
            return None;
        }
        let tag = publish_tag(direction);
        if let Some(packet_id) = packet_id {
            let known = u64::from(packet_id);
            if header.is_duplicate() && out.select_request(Some(known), tag) {
                // Sent again, as what it was: the one exchange goes on.
                return Some(());
            }
            out.end_superseded(Some(known), tag);
        }
        let role = if packet_id.is_some() {
            Role::Request
        } else {
            Role::OneWay
        };
        self.open(role, packet_id, tag, header.kind, out);
        if !topic_is_whole || asks != packet_id.is_some() {
            out.truncated();
        }
        let mut properties = Properties::none();
        if self.version == Version::V5 && topic_is_whole {
            match Properties::take(&mut cursor, Place::Packet(Kind::Publish)) {
                Some((found, whole)) => {
                    properties = found;
                    if !whole {
                        out.truncated();
                    }
                }
                None => out.truncated(),
            }
        }
        self.write_topic(packet, topic, properties, out);
        out.attr("qos", qos_text(header.qos()));
        if header.is_retained() {
            out.attr("retain", b"true");
        }
        if header.is_duplicate() {
            out.attr("duplicate", b"true");
        }
        write_properties(properties, out);
        out.close();
        Some(())
    }

    /// The topic by its name or by its alias, which it may have got just now.
    fn write_topic(
        &mut self,
        packet: &Packet<'_>,
        topic: &[u8],
        properties: Properties<'_>,
        out: &mut Out<'_>,
    ) {
        let mut name = topic;
        if let Some(Value::Number(alias @ 1..=0xFFFF)) = properties.find(id::TOPIC_ALIAS) {
            let alias = alias as u16;
            out.write_attr("topic_alias").push_number(u64::from(alias));
            let known = self.known.get_or_insert_default();
            let [to_server, to_client] = &mut known.aliases;
            let aliases = match packet.direction {
                Direction::ToServer => to_server,
                Direction::ToClient => to_client,
            };
            if topic.is_empty() {
                name = aliases.get(alias).unwrap_or(&[]);
            } else {
                aliases.set(alias, topic);
            }
        }
        out.text(Field::Resource, name);
        out.text(Field::Endpoint, name);
    }

    /// PUBACK or PUBCOMP: the message has arrived.
    pub(super) fn published(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let (packet_id, reason, properties) = acknowledged(packet)?;
        self.answer(
            Some(packet_id),
            publish_tag(packet.asked()),
            packet.header.kind,
            out,
        );
        match reason {
            Some(code) if code > 0 => write_reason(code, properties, packet.direction, out),
            reason => {
                // MQTT 5 leaves out what says success; PUBREC may have said which.
                let is_v5 = reason.is_some() || self.version == Version::V5;
                if is_v5 && !out.has_code() {
                    out.code(0);
                }
                out.status(Status::Ok);
            }
        }
        out.close();
        Some(())
    }

    /// PUBREC: the first half of delivery with QoS 2. A failure is all of it (section 4.3.3).
    pub(super) fn received(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let (packet_id, reason, properties) = acknowledged(packet)?;
        let tag = publish_tag(packet.asked());
        let code = reason.unwrap_or(0);
        if code >= FAILURE_MIN {
            self.answer(Some(packet_id), tag, packet.header.kind, out);
            write_reason(code, properties, packet.direction, out);
            out.close();
        } else if code > 0 && out.select_request(Some(u64::from(packet_id)), tag) {
            out.code(i64::from(code));
        }
        Some(())
    }

    /// PUBREL: the second half. It is an exchange of its own, of which half is missing, only where the PUBLISH
    /// was not seen.
    pub(super) fn release(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let (packet_id, ..) = acknowledged(packet)?;
        let tag = publish_tag(packet.direction);
        if !out.select_request(Some(u64::from(packet_id)), tag) {
            self.open(Role::Request, Some(packet_id), tag, packet.header.kind, out);
            out.truncated();
            out.close();
        }
        Some(())
    }
}

/// Packet id, reason code and properties of PUBACK, PUBREC, PUBREL and PUBCOMP; MQTT 5 may leave out the
/// last two (section 3.4.2).
fn acknowledged<'a>(packet: &Packet<'a>) -> Option<(u16, Option<u8>, Properties<'a>)> {
    let mut cursor = Cursor::new(packet.body);
    let packet_id = cursor.u16().filter(|packet_id| *packet_id > 0)?;
    let reason = cursor.u8();
    let place = Place::Packet(packet.header.kind);
    let properties = Properties::take(&mut cursor, place).map_or(Properties::none(), |(found, _)| found);
    Some((packet_id, reason, properties))
}

/// Code, status and text of a reason; `said` is the way of the packet that gives it.
pub(super) fn write_reason(code: u8, properties: Properties<'_>, said: Direction, out: &mut Out<'_>) {
    out.code(i64::from(code));
    let reason = Reason::of(code);
    out.status(reason.map_or(Status::Unknown, |reason| reason.status(said)));
    write_reason_text(code, reason, properties, out);
}

/// What went wrong, in the words of who says so, else in the specification's.
pub(super) fn write_reason_text(
    code: u8,
    reason: Option<Reason>,
    properties: Properties<'_>,
    out: &mut Out<'_>,
) {
    let said = properties.find(id::REASON_STRING).map_or(&b""[..], Value::bytes);
    let name = reason.map_or("", |reason| reason.name);
    let failed = code >= FAILURE_MIN || reason.is_some_and(Reason::is_failure);
    let field = if failed { Field::Exception } else { Field::Result };
    if !said.is_empty() {
        out.text(field, said);
    } else if failed || code > 0 {
        out.text(field, name.as_bytes());
    }
}

/// What requests and responses over MQTT have in common, what a payload is, and the trace that it belongs to.
fn write_properties(properties: Properties<'_>, out: &mut Out<'_>) {
    for (number, value) in properties {
        match (number, value) {
            (id::CONTENT_TYPE, Value::Bytes(text)) => out.attr("content_type", text),
            (id::RESPONSE_TOPIC, Value::Bytes(topic)) => out.attr("response_topic", topic),
            (id::CORRELATION_DATA, Value::Bytes(data)) => write_correlation(data, out),
            (id::USER_PROPERTY, Value::Pair(name, value)) => header::write_trace(out, name, value),
            _ => {}
        }
    }
}

/// Text as it is; other bytes as hexadecimal digits.
fn write_correlation(data: &[u8], out: &mut Out<'_>) {
    if super::topic::is_text(data) {
        out.attr("correlation_data", data);
        return;
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = out.write_attr("correlation_data");
    for byte in data {
        if text.is_full() {
            text.mark_truncated();
            break;
        }
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'?');
        text.push(&[digit(byte >> 4), digit(byte & 15)]);
    }
}

/// `attrs.qos`.
pub(super) const fn qos_text(qos: u8) -> &'static [u8] {
    match qos {
        0 => b"0",
        1 => b"1",
        _ => b"2",
    }
}
