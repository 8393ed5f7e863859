//! MQTT 3.1, 3.1.1 and 5. Sources: MQTT V3.1 Protocol Specification (IBM, Eurotech); OASIS MQTT 3.1.1; OASIS
//! MQTT 5.0. Over WebSocket, too (section 6).
//!
//! Packets pair by packet id. Both sides publish, and each numbers what it sends by itself, so a tag keeps
//! what the client asks apart from what the server asks. A PUBLISH is one exchange whatever its quality of
//! service: it ends with PUBACK, or with PUBCOMP after PUBREC and PUBREL. Payloads are passed, never touched.

mod answer;
mod connect;
mod packet;
mod probe;
mod property;
mod publish;
mod reason;
mod request;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;
mod topic;
mod version;

use super::Protocol;
use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::limits::{MQTT_CLIENT_ID_BYTES_MAX, MQTT_HEAD_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use packet::{Header, Kind, Read};
use topic::Aliases;
use version::Version;

/// Which requests an answer may belong to, besides the packet id: the tag of [`Out::open_tagged`].
mod tag {
    pub(super) const CONNECT: u32 = 1;
    pub(super) const SUBSCRIBE: u32 = 2;
    pub(super) const UNSUBSCRIBE: u32 = 3;
    pub(super) const PING: u32 = 4;
    pub(super) const AUTH: u32 = 5;
    /// A PUBLISH of the client.
    pub(super) const PUBLISH: u32 = 6;
    /// A PUBLISH of the server.
    pub(super) const DELIVERY: u32 = 7;
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Known {
    client_id: Vec<u8>,
    /// Of each direction.
    aliases: [Aliases; 2],
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Mqtt {
    version: Version,
    known: Option<Box<Known>>,
}

const _: () = assert!(
    size_of::<Mqtt>() <= 16,
    "devices are many, and silent for most of the time"
);

/// A packet, or as much of it as is needed.
#[derive(Clone, Copy, Debug)]
struct Packet<'a> {
    header: Header,
    direction: Direction,
    /// What is behind the fixed header.
    body: &'a [u8],
}

impl Packet<'_> {
    /// The way of the packet that this one answers.
    fn asked(&self) -> Direction {
        self.direction.opposite()
    }

    /// All of it is there.
    fn is_whole(&self) -> bool {
        self.body.len() == self.header.remaining
    }
}

impl Parser for Mqtt {
    const NAME: &'static str = "mqtt";
    const ABOUT: &'static str = "MQTT 3.1, 3.1.1 and 5, over WebSocket too (OASIS MQTT 5.0)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[1883, 1884];
    const PAIRING: Pairing = Pairing::ById;
    const FIRST_BYTES: [ByteSet; 4] = [FIRST, ByteSet::ANY, ByteSet::ANY, ByteSet::ANY];
    const ATTRS: &'static [&'static str] = &[
        "auth_method",
        "clean_start",
        "content_type",
        "correlation_data",
        "duplicate",
        "keep_alive",
        "qos",
        "reason_codes",
        "response_topic",
        "retain",
        "session_present",
        "topic_alias",
        "user",
        "will_topic",
    ];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http1];
    // The registry has both (IANA, WebSocket Subprotocol Name Registry).
    const SUBPROTOCOLS: &'static [&'static str] = &["mqtt", "mqttv3.1"];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        Self {
            version: Version::Unknown,
            known: None,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let header = match Header::read(input.bytes) {
            Read::Header(header) => header,
            Read::Need(count) => return Advance::Need(count),
            Read::Wrong => return Advance::Malformed,
        };
        if header.kind.direction().is_some_and(|only| only != direction) {
            return Advance::Malformed;
        }
        let Some(wanted) = self.wanted(&header, input.bytes) else {
            return Advance::Malformed;
        };
        if input.bytes.len() < wanted && !input.ended {
            return Advance::Need(wanted);
        }
        let end = wanted.min(input.bytes.len());
        let packet = Packet {
            header,
            direction,
            body: input.bytes.get(header.len..end).unwrap_or(&[]),
        };
        if self.version == Version::Unknown {
            self.version = Version::told_by(&header, packet.body);
        }
        // Where too little was seen of a packet to say anything, the next one begins behind it all the same.
        if self.read(&packet, out).is_none() && packet.is_whole() {
            return Advance::Malformed;
        }
        Advance::Skip(header.packet_bytes() as u64)
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        self.forget(direction);
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.forget(direction);
        probe::find(direction, bytes)
    }
}

/// A type and flags that go with it (table 2-2): see [`Header::read`].
const FIRST: ByteSet = ByteSet::of(&[
    0x10, 0x20, 0x40, 0x50, 0x62, 0x6A, 0x70, 0x82, 0x8A, 0x90, 0xA2, 0xAA, 0xB0, 0xC0, 0xD0, 0xE0, 0xF0,
])
.or(ByteSet::range(0x30, 0x35))
.or(ByteSet::range(0x3A, 0x3D));

impl Mqtt {
    /// Bytes of the packet that must be at hand before it is read; `None` when they contradict each other.
    fn wanted(&self, header: &Header, bytes: &[u8]) -> Option<usize> {
        let wanted = match header.kind {
            Kind::Publish => publish::wanted(header, bytes, self.version)?,
            _ => header.packet_bytes(),
        };
        Some(wanted.min(MQTT_HEAD_BYTES_MAX))
    }

    /// Tells of a packet; `None` when it can't be read.
    fn read(&mut self, packet: &Packet<'_>, out: &mut Out<'_>) -> Option<()> {
        match packet.header.kind {
            Kind::Connect => self.connect(packet, out),
            Kind::Connack => self.connack(packet, out),
            Kind::Publish => self.publish(packet, out),
            Kind::Puback | Kind::Pubcomp => self.published(packet, out),
            Kind::Pubrec => self.received(packet, out),
            Kind::Pubrel => self.release(packet, out),
            Kind::Subscribe | Kind::Unsubscribe => self.subscribe(packet, out),
            Kind::Suback | Kind::Unsuback => self.subscribed(packet, out),
            Kind::Pingreq | Kind::Pingresp => self.ping(packet, out),
            Kind::Disconnect => self.disconnect(packet, out),
            Kind::Auth => self.auth(packet, out),
        }
    }

    /// What was learnt in `direction` may no longer hold.
    fn forget(&mut self, direction: Direction) {
        if let Some(known) = &mut self.known
            && let Some(aliases) = known.aliases.get_mut(direction.index())
        {
            aliases.clear();
        }
    }

    /// Begins a message that asks, or needs no answer, and says what all of them say.
    fn open(&self, role: Role, id: Option<u16>, tag: u32, kind: Kind, out: &mut Out<'_>) {
        out.open_tagged(role, id.map(u64::from), tag);
        self.introduce(kind, out);
    }

    /// Begins an answer. What it has in common with its request is said where that was not seen.
    fn answer(&self, id: Option<u16>, tag: u32, kind: Kind, out: &mut Out<'_>) {
        out.open_tagged(Role::Response, id.map(u64::from), tag);
        if !out.has_request() {
            self.introduce(kind, out);
        }
    }

    fn introduce(&self, kind: Kind, out: &mut Out<'_>) {
        out.text(Field::ReqType, kind.name());
        out.text(Field::Version, self.version.text());
        if let Some(known) = &self.known {
            out.text(Field::Domain, &known.client_id);
        }
    }

    fn remember_client(&mut self, client_id: &[u8]) {
        if client_id.is_empty() {
            return;
        }
        let kept = client_id.get(..MQTT_CLIENT_ID_BYTES_MAX).unwrap_or(client_id);
        self.known.get_or_insert_default().client_id = kept.to_vec();
    }
}

/// The tag of a PUBLISH that travels this way.
fn publish_tag(direction: Direction) -> u32 {
    match direction {
        Direction::ToServer => tag::PUBLISH,
        Direction::ToClient => tag::DELIVERY,
    }
}
