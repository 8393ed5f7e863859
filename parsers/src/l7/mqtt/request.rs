//! What clients ask besides publishing, and packets that need no answer. Source: MQTT 3.1.1 and MQTT 5
//! sections 3.1, 3.8, 3.10, 3.12, 3.14 and 3.15.

use super::connect::Connect;
use super::packet::Kind;
use super::property::{Place, Properties, Value, id};
use super::publish::{qos_text, write_reason, write_reason_text};
use super::reason::Reason;
use super::topic::{Filters, Layout};
use super::version::Version;
use super::{Mqtt, Packet, tag};
use crate::conversation::{Out, Role, TextWriter};
use crate::field::{Field, Status};
use crate::l7::cursor::Cursor;
use crate::parser::Direction;

/// An AUTH that begins anew, or goes on (section 3.15.2.1).
const SUCCESS: u8 = 0;
const REAUTHENTICATE: u8 = 0x19;

impl Mqtt {
    pub(super) fn connect(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let connect = Connect::read(packet.body)?;
        if !connect.whole && packet.is_whole() {
            return None;
        }
        *self = Self {
            version: connect.version,
            known: None,
        };
        self.remember_client(connect.client_id.unwrap_or(&[]));
        out.end_superseded(None, tag::CONNECT);
        out.open_tagged(Role::Request, None, tag::CONNECT);
        out.text(Field::ReqType, packet.header.kind.name());
        out.text(Field::Version, self.version.text());
        out.text(Field::Domain, connect.client_id.unwrap_or(&[]));
        out.attr("user", connect.user.unwrap_or(&[]));
        out.attr("will_topic", connect.will_topic.unwrap_or(&[]));
        out.write_attr("keep_alive")
            .push_number(u64::from(connect.keep_alive));
        out.attr("clean_start", if connect.clean { b"true" } else { b"false" });
        if let Some(method) = connect.properties.find(id::AUTHENTICATION_METHOD) {
            out.attr("auth_method", method.bytes());
        }
        if !connect.whole {
            out.truncated();
        }
        out.close();
        Some(())
    }

    pub(super) fn subscribe(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let mut cursor = Cursor::new(packet.body);
        let packet_id = cursor.u16().filter(|packet_id| *packet_id > 0)?;
        let mut list_is_there = true;
        if self.version == Version::V5 {
            list_is_there = Properties::take(&mut cursor, Place::Packet(kind))?.1;
        }
        let layout = Layout::of(kind, self.version);
        let list = if list_is_there { cursor.rest() } else { &[] };
        if packet.is_whole() && !Filters::are_whole(list, layout) {
            return None;
        }
        let tag = if kind == Kind::Subscribe {
            tag::SUBSCRIBE
        } else {
            tag::UNSUBSCRIBE
        };
        out.end_superseded(Some(u64::from(packet_id)), tag);
        self.open(Role::Request, Some(packet_id), tag, kind, out);
        write_joined(
            out.write(Field::Resource),
            Filters::new(list, layout).map(|(filter, _)| filter),
        );
        if let Some((filter, _)) = Filters::new(list, layout).next() {
            out.text(Field::Endpoint, filter);
        }
        if kind == Kind::Subscribe {
            let asked = Filters::new(list, layout).map(|(_, qos)| qos_text(qos));
            write_joined(out.write_attr("qos"), asked);
        }
        if !packet.is_whole() {
            out.truncated();
        }
        out.close();
        Some(())
    }

    /// PINGREQ and PINGRESP say nothing but that both sides are there: they are counted, and told only
    /// where that is asked for.
    pub(super) fn ping(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let kind = packet.header.kind;
        if !out.keepalive() {
            return Some(());
        }
        if kind == Kind::Pingreq {
            out.end_superseded(None, tag::PING);
            self.open(Role::Request, None, tag::PING, kind, out);
        } else {
            self.answer(None, tag::PING, kind, out);
            out.status(Status::Ok);
        }
        out.close();
        Some(())
    }

    pub(super) fn disconnect(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let mut cursor = Cursor::new(packet.body);
        let code = cursor.u8();
        let place = Place::Packet(Kind::Disconnect);
        let properties = Properties::take(&mut cursor, place).map_or(Properties::none(), |(found, _)| found);
        self.open(Role::OneWay, None, 0, packet.header.kind, out);
        match code {
            Some(code) if code > 0 => write_reason(code, properties, packet.direction, out),
            code => {
                if code.is_some() || self.version == Version::V5 {
                    out.code(0);
                }
                out.status(Status::Ok);
                write_reason_text(0, None, properties, out);
            }
        }
        out.close();
        Some(())
    }

    /// AUTH in the middle of a CONNECT, or a client that authenticates again (section 4.12): what goes on
    /// is one-way, and the success of the server answers the client's wish.
    pub(super) fn auth(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        let kind = packet.header.kind;
        let mut cursor = Cursor::new(packet.body);
        // Left out, it is success, and so are properties (section 3.15.2.1).
        let code = cursor.u8().unwrap_or(SUCCESS);
        let properties =
            Properties::take(&mut cursor, Place::Packet(kind)).map_or(Properties::none(), |(found, _)| found);
        match (code, packet.direction) {
            (REAUTHENTICATE, Direction::ToServer) => {
                out.end_superseded(None, tag::AUTH);
                self.open(Role::Request, None, tag::AUTH, kind, out);
            }
            (SUCCESS, Direction::ToClient) => {
                self.answer(None, tag::AUTH, kind, out);
                out.code(i64::from(code));
                out.status(Status::Ok);
            }
            _ => {
                self.open(Role::OneWay, None, 0, kind, out);
                let reason = Reason::of(code);
                out.code(i64::from(code));
                out.status(reason.map_or(Status::Unknown, |reason| reason.status(packet.direction)));
            }
        }
        let method = properties
            .find(id::AUTHENTICATION_METHOD)
            .map_or(&b""[..], Value::bytes);
        out.attr("auth_method", method);
        out.close();
        Some(())
    }
}

/// Joins `pieces` by commas.
pub(super) fn write_joined<'a>(mut text: TextWriter<'_>, pieces: impl Iterator<Item = &'a [u8]>) {
    for (i, piece) in pieces.enumerate() {
        if text.is_full() {
            text.mark_truncated();
            return;
        }
        if i > 0 {
            text.push(b",");
        }
        text.push(piece);
    }
}
