//! Whether bytes are MQTT, and where in some bytes a packet begins.
//!
//! Only a CONNECT has a mark. Other packets are believed by what is in them (topics, filters) and because
//! they reach to the end of the segment, one behind the other; those of a few bytes only where MQTT is at
//! home.

use super::connect;
use super::packet::{Header, Kind, Read};
use super::property::{Place, Properties};
use super::reason::Reason;
use super::topic::{Filters, Layout, is_text, is_topic_name};
use super::version::{Version, are_granted, skip_properties};
use crate::l7::cursor::Cursor;
use crate::parser::{Direction, Probe, ProbeContext, Speaker};

/// Packets looked at in a row.
const CHAIN_MAX: usize = 8;
/// Shortest topic that is believed where nothing else speaks for MQTT, bytes.
const TOPIC_BYTES_MIN: usize = 3;

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// A packet, or the beginning of a long one.
    Packet(Header, Belief),
    /// More bytes have to tell.
    Part,
    Wrong,
}

/// How much the content of a packet speaks for MQTT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Belief {
    /// Other bytes may well look like this.
    Weak,
    /// Nothing else looks like this.
    Sure,
}

/// How packets in a row end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With the bytes, or there are enough of them.
    Exact,
    /// The last one goes on behind the bytes.
    Beyond,
    /// What is left at the end may be a packet.
    Part,
    Wrong,
}

/// Packets in a row.
#[derive(Clone, Copy, Debug)]
struct Chain {
    packets: usize,
    first: Option<Kind>,
    best: Belief,
    end: End,
    /// The way that they travel, where one of them tells.
    direction: Option<Direction>,
}

impl Chain {
    /// Walks the packets at the start of `bytes`, which travel in `direction` as far as that is known, and
    /// takes what is looked at from `budget`, bytes.
    fn walk(bytes: &[u8], direction: Option<Direction>, budget: &mut usize) -> Self {
        let mut chain = Self {
            packets: 0,
            first: None,
            best: Belief::Weak,
            end: End::Exact,
            direction,
        };
        let mut rest = bytes;
        while !rest.is_empty() && chain.packets < CHAIN_MAX {
            let (header, belief) = match look(rest) {
                Look::Packet(header, belief) => (header, belief),
                Look::Part => {
                    chain.end = End::Part;
                    return chain;
                }
                Look::Wrong => {
                    chain.end = End::Wrong;
                    return chain;
                }
            };
            let only = header.kind.direction();
            let len = header.packet_bytes();
            *budget = budget.saturating_sub(len.min(rest.len()));
            if (only.is_some() && chain.direction.is_some() && only != chain.direction) || *budget == 0 {
                chain.end = End::Wrong;
                return chain;
            }
            chain.direction = chain.direction.or(only);
            chain.first = chain.first.or(Some(header.kind));
            chain.best = chain.best.max(belief);
            chain.packets += 1;
            match rest.get(len..) {
                Some(behind) => rest = behind,
                None => {
                    chain.end = End::Beyond;
                    return chain;
                }
            }
        }
        chain
    }
}

/// Whether the head of a direction is MQTT.
pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let direction = context.direction_is_sure.then_some(context.direction);
    let mut budget = usize::MAX;
    let chain = Chain::walk(head, direction, &mut budget);
    if chain.end == End::Wrong {
        return Probe::NoMatch;
    }
    let Some(first) = chain.first else {
        return Probe::NeedMore;
    };
    // Each side begins in one way (sections 3.1 and 3.2.0).
    let begins = context.at_stream_start && context.direction_is_sure;
    let may_begin = match context.direction {
        Direction::ToServer => first == Kind::Connect,
        Direction::ToClient => matches!(first, Kind::Connack | Kind::Auth | Kind::Disconnect),
    };
    if begins && !may_begin {
        return Probe::NoMatch;
    }
    let believed = match chain.end {
        End::Exact | End::Beyond => chain.best == Belief::Sure || context.on_known_port,
        _ => chain.best == Belief::Sure,
    };
    match chain.direction.filter(|_| direction.is_none()) {
        _ if !believed && chain.end == End::Part => Probe::NeedMore,
        _ if !believed => Probe::NoMatch,
        Some(Direction::ToServer) => Probe::Match(Speaker::Client),
        Some(Direction::ToClient) => Probe::Match(Speaker::Server),
        None => Probe::Match(Speaker::Either),
    }
}

/// Where in `bytes` of `direction` the next packet begins. Where a segment begins, a packet is likely to;
/// within, it takes several of them, or one that nothing else looks like.
pub(super) fn find(direction: Direction, bytes: &[u8]) -> Option<usize> {
    // Bytes full of packets that lead nowhere would be walked again from every one of them.
    let mut budget = 16 * bytes.len() + 256;
    (0..bytes.len()).find(|&at| {
        let rest = bytes.get(at..).unwrap_or(&[]);
        let chain = Chain::walk(rest, Some(direction), &mut budget);
        let several = chain.packets > 1;
        match chain.end {
            End::Exact => at == 0 && chain.packets > 0 || several || chain.best == Belief::Sure,
            End::Beyond | End::Part => chain.best == Belief::Sure,
            End::Wrong => false,
        }
    })
}

/// Looks at one packet, strictly: what no client or broker sends is no packet.
fn look(bytes: &[u8]) -> Look {
    let header = match Header::read(bytes) {
        Read::Header(header) => header,
        Read::Need(_) => return Look::Part,
        Read::Wrong => return Look::Wrong,
    };
    let end = header.packet_bytes().min(bytes.len());
    let body = bytes.get(header.len..end).unwrap_or(&[]);
    let belief = match header.kind {
        Kind::Connect => match connect::begins(body) {
            Some(true) => Some(Belief::Sure),
            Some(false) => None,
            None => return Look::Part,
        },
        Kind::Publish => match publish(&header, body) {
            Ok(belief) => belief,
            Err(()) => return Look::Part,
        },
        _ if body.len() < header.remaining => return part(&header, body),
        Kind::Subscribe | Kind::Unsubscribe => list(header.kind, body),
        Kind::Connack => connack(body),
        Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => acknowledgement(header.kind, body),
        Kind::Suback | Kind::Unsuback => granted(header.kind, body),
        Kind::Pingreq | Kind::Pingresp => Some(Belief::Weak),
        Kind::Disconnect | Kind::Auth => farewell(header.kind, body),
    };
    belief.map_or(Look::Wrong, |belief| Look::Packet(header, belief))
}

/// A packet that is not whole: where there is a packet id, it is not 0.
fn part(header: &Header, body: &[u8]) -> Look {
    let has_id = !matches!(header.kind, Kind::Connack | Kind::Disconnect | Kind::Auth);
    if has_id && body.starts_with(&[0, 0]) {
        Look::Wrong
    } else {
        Look::Part
    }
}

/// `Err` where more bytes have to tell.
fn publish(header: &Header, body: &[u8]) -> Result<Option<Belief>, ()> {
    let whole = body.len() == header.remaining;
    let mut cursor = Cursor::new(body);
    let Some((topic, topic_is_whole)) = cursor.vector16_or_part() else {
        return Err(());
    };
    let announced = body
        .first_chunk()
        .map_or(0, |len| usize::from(u16::from_be_bytes(*len)));
    if 2 + announced > header.remaining || !is_topic_name(topic) {
        return Ok(None);
    }
    if !topic_is_whole {
        // UTF-8 may be cut; control characters can't be.
        let is_control = |byte: &u8| *byte < b' ' || *byte == 0x7F;
        return if topic.iter().any(is_control) {
            Ok(None)
        } else {
            Err(())
        };
    }
    if !is_text(topic) {
        return Ok(None);
    }
    if header.qos() > 0 {
        match cursor.u16() {
            Some(0) => return Ok(None),
            Some(_) => {}
            None => return if whole { Ok(None) } else { Err(()) },
        }
    }
    if topic.is_empty() {
        // An alias stands for it.
        let mut properties = cursor;
        let found = Properties::take(&mut properties, Place::Packet(Kind::Publish));
        return match found {
            Some((found, true)) if found.are_valid() && !found.is_empty() => Ok(Some(Belief::Weak)),
            None | Some((_, false)) if !whole => Err(()),
            _ => Ok(None),
        };
    }
    Ok(Some(if topic.len() >= TOPIC_BYTES_MIN {
        Belief::Sure
    } else {
        Belief::Weak
    }))
}

fn has_packet_id(body: &[u8]) -> bool {
    body.first_chunk::<2>().is_some_and(|id| *id != [0, 0])
}

/// SUBSCRIBE and UNSUBSCRIBE of either version.
fn list(kind: Kind, body: &[u8]) -> Option<Belief> {
    let plain = body.get(2..)?;
    let is_list = Filters::are_valid(plain, Layout::of(kind, Version::V3))
        || skip_properties(body, kind)
            .is_some_and(|list| Filters::are_valid(list, Layout::of(kind, Version::V5)));
    (has_packet_id(body) && is_list).then_some(Belief::Sure)
}

fn connack(body: &[u8]) -> Option<Belief> {
    let (&[flags, code], _) = body.split_first_chunk::<2>()?;
    let version = if body.len() == 2 { Version::V3 } else { Version::V5 };
    Reason::of_connack(code, version)?;
    if flags > 1 || body.len() > 2 && skip_properties(body, Kind::Connack).is_none_or(|rest| !rest.is_empty())
    {
        return None;
    }
    // Some properties in their place are no accident.
    Some(if body.len() > 5 {
        Belief::Sure
    } else {
        Belief::Weak
    })
}

/// PUBACK, PUBREC, PUBREL, PUBCOMP: packet id, and in MQTT 5 a reason code and properties.
fn acknowledgement(kind: Kind, body: &[u8]) -> Option<Belief> {
    if !has_packet_id(body) {
        return None;
    }
    ends_well(kind, body.get(2..)?)
}

/// DISCONNECT and AUTH: in MQTT 5 a reason code and properties.
fn farewell(kind: Kind, body: &[u8]) -> Option<Belief> {
    ends_well(kind, body)
}

/// A reason code and properties, both of which may be left out.
fn ends_well(kind: Kind, rest: &[u8]) -> Option<Belief> {
    let mut cursor = Cursor::new(rest);
    let Some(code) = cursor.u8() else {
        return Some(Belief::Weak);
    };
    Reason::of(code)?;
    if cursor.rest().is_empty() {
        return Some(Belief::Weak);
    }
    let properties = Properties::take_valid(&mut cursor, Place::Packet(kind))?;
    if !cursor.rest().is_empty() {
        return None;
    }
    Some(if properties.is_empty() {
        Belief::Weak
    } else {
        Belief::Sure
    })
}

/// SUBACK and UNSUBACK of either version.
fn granted(kind: Kind, body: &[u8]) -> Option<Belief> {
    let plain = body.get(2..)?;
    let of_v3 = match kind {
        Kind::Suback => are_granted(plain),
        _ => plain.is_empty(),
    };
    let of_v5 = skip_properties(body, kind)
        .is_some_and(|codes| !codes.is_empty() && codes.iter().all(|code| Reason::of(*code).is_some()));
    (has_packet_id(body) && (of_v3 || of_v5)).then_some(Belief::Weak)
}
