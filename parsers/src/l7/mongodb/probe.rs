//! Whether bytes begin a MongoDB message, and who says it.

use super::message::{HEADER_BYTES, Header, Op, PACKED_HEAD_BYTES, Packed, Prelude};
use super::snappy;
use crate::l7::bson::{self, Trouble, begins_document};
use crate::parser::{Direction, Probe, ProbeContext, Speaker};

/// `responseTo` of requests of some old clients; others write 0.
const NO_ANSWER: u32 = u32::MAX;

/// What stands first in what servers answer, where `responseTo` does not tell: it does not when the request
/// had the number 0.
const ANSWERS: &[&[u8]] = &[
    b"ok",
    b"n",
    b"cursor",
    b"helloOk",
    b"topologyVersion",
    b"conversationId",
    b"lastErrorObject",
    b"databases",
    b"values",
    b"value",
    b"electionId",
    b"opTime",
    b"nonce",
    b"you",
];

pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let known = context.direction_is_sure.then_some(context.direction);
    match begins(head) {
        Ok(Speaker::Either) => match known {
            Some(_) => Probe::Match(Speaker::Either),
            None if context.on_known_port => Probe::Match(Speaker::Either),
            None => Probe::Match(by_content(head)),
        },
        Ok(speaker) => {
            let way = match speaker {
                Speaker::Server => Direction::ToClient,
                _ => Direction::ToServer,
            };
            // Clients answer nothing, and servers ask nothing.
            if known.is_some_and(|known| known != way) {
                Probe::NoMatch
            } else {
                Probe::Match(speaker)
            }
        }
        Err(Trouble::Need(_)) if !context.complete => Probe::NeedMore,
        Err(_) => Probe::NoMatch,
    }
}

/// The first place in `bytes` where a message of this direction begins.
pub(super) fn find(direction: Direction, bytes: &[u8]) -> Option<usize> {
    let wanted = |speaker| match speaker {
        Speaker::Either => true,
        Speaker::Client => direction == Direction::ToServer,
        Speaker::Server => direction == Direction::ToClient,
    };
    (0..bytes.len().saturating_sub(HEADER_BYTES)).find(|at| {
        let rest = bytes.get(*at..).unwrap_or(&[]);
        begins(rest).is_ok_and(wanted)
    })
}

/// Whether `head` begins a message, and whose; `Need` where that cannot be told yet.
fn begins(head: &[u8]) -> Result<Speaker, Trouble> {
    let header = Header::read(head)?;
    let end = head.len().min(header.len as usize);
    let body = head.get(HEADER_BYTES..end).unwrap_or(&[]);
    if header.op == Op::Compressed {
        return begins_packed(&header, body);
    }
    let (prelude, used) = Prelude::read(header.op, body).map_err(|trouble| trouble.behind(HEADER_BYTES))?;
    let left = u64::from(header.body_len()).saturating_sub(used as u64);
    let rest = body.get(used..).unwrap_or(&[]);
    let sound = match prelude {
        Prelude::Message { .. } => begins_section(rest, left),
        Prelude::Reply { documents: 0, .. } => Some(left == 0),
        Prelude::KillCursors => Some(left % 8 == 0),
        Prelude::Namespace(_) if header.op == Op::GetMore => Some(left == 12),
        // Flags.
        Prelude::Namespace(_) if header.op != Op::Insert => {
            let documents = rest.get(4..).unwrap_or(&[]);
            begins_document(documents, left.saturating_sub(4))
        }
        _ => begins_document(rest, left),
    };
    match sound {
        Some(true) => Ok(speaker_of(&header, header.op)),
        Some(false) => Err(Trouble::Broken),
        None => Err(Trouble::Need(head.len() + 1)),
    }
}

/// Whether `bytes` begin a section of OP_MSG that is no longer than `left`.
fn begins_section(bytes: &[u8], left: u64) -> Option<bool> {
    let (kind, section) = bytes.split_first()?;
    let left = left.saturating_sub(1);
    match kind {
        0 => begins_document(section, left),
        1 => {
            let len = bson::length(section)?;
            let name = section.get(bson::LENGTH_BYTES..)?;
            let long = u64::from(len) > left || len < 6;
            match bson::cstring(name, 64) {
                _ if long => Some(false),
                // Names of arguments: documents, updates, deletes, ops.
                Ok(name) => Some(!name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric)),
                Err(Trouble::Need(_)) => None,
                Err(Trouble::Broken) => Some(false),
            }
        }
        _ => Some(false),
    }
}

fn begins_packed(header: &Header, body: &[u8]) -> Result<Speaker, Trouble> {
    let packed = Packed::read(body).map_err(|trouble| trouble.behind(HEADER_BYTES))?;
    let data = body.get(PACKED_HEAD_BYTES..).unwrap_or(&[]);
    let need = Trouble::Need(HEADER_BYTES + PACKED_HEAD_BYTES + 5);
    let sound = match packed.method {
        0 => header.body_len() == packed.plain_len + PACKED_HEAD_BYTES as u32,
        1 => match snappy::declared_len(data) {
            Some((len, _)) => len == u64::from(packed.plain_len),
            None if data.len() < 5 => return Err(need),
            None => false,
        },
        // RFC 1950: method 8, no dictionary, a multiple of 31.
        2 => match data {
            [cmf, flags, ..] => {
                cmf & 0x0F == 8 && flags & 0x20 == 0 && u16::from_be_bytes([*cmf, *flags]) % 31 == 0
            }
            _ => return Err(need),
        },
        // RFC 8878: the magic number.
        _ => match data.first_chunk() {
            Some(magic) => *magic == [0x28, 0xB5, 0x2F, 0xFD],
            None => return Err(need),
        },
    };
    if sound {
        Ok(speaker_of(header, packed.op))
    } else {
        Err(Trouble::Broken)
    }
}

/// Who sends a message of this kind.
fn speaker_of(header: &Header, op: Op) -> Speaker {
    match (op.sent_by(), header.response_to) {
        (Some(Direction::ToServer), _) => Speaker::Client,
        (Some(Direction::ToClient), _) => Speaker::Server,
        (None, 0) => Speaker::Either,
        (None, NO_ANSWER) => Speaker::Client,
        (None, _) => Speaker::Server,
    }
}

/// Who says an OP_MSG that does not tell: servers answer with other words than clients ask with.
fn by_content(head: &[u8]) -> Speaker {
    // flagBits and kind stand in front of the body.
    let body = head.get(HEADER_BYTES + 5..).unwrap_or(&[]);
    match bson::element(body.get(bson::LENGTH_BYTES..).unwrap_or(&[])) {
        Ok(Some(first)) if ANSWERS.contains(&first.name) => Speaker::Server,
        // isMaster: 1 asks, ismaster: true answers.
        Ok(Some(first)) if first.kind == bson::Kind::Bool && first.name == b"ismaster" => Speaker::Server,
        _ => Speaker::Client,
    }
}
