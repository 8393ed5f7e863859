//! WebSocket messages, after their upgrade from HTTP/1. Source: RFC 6455.
//!
//! Each message is a record, fragments joined, control frames between them told on their own. Payload
//! is passed, never touched, but for the code and reason of a close. Where both sides agreed on a protocol
//! that is read (section 1.9), the frames are only what it travels in: its messages are told, not theirs.

mod frame;
mod payload;
#[cfg(test)]
mod tests;

use super::Protocol;
use super::http::target;
use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use frame::{Frame, Opcode, Read};
pub(crate) use payload::{Payloads, Piece, unmask};

/// The request that opened the connection.
#[derive(Debug)]
struct Opened {
    domain: Vec<u8>,
    resource: Vec<u8>,
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Websocket {
    opened: Option<Box<Opened>>,
    /// A message whose last fragment has not come, of each direction.
    fragmented: [bool; 2],
    /// It was set aside for a control frame.
    set_aside: [bool; 2],
}

const _: () = assert!(size_of::<Websocket>() <= 16, "idle WebSockets are many");

impl Parser for Websocket {
    const NAME: &'static str = "websocket";
    const ABOUT: &'static str = "WebSocket messages after their upgrade (RFC 6455)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[];
    const PAIRING: Pairing = Pairing::InOrder;
    // Nothing tells frames from other bytes: a connection becomes one by its upgrade only.
    const FIRST_BYTES: [ByteSet; 4] = [ByteSet::NONE; 4];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http1];

    fn probe(_head: &[u8], _context: &ProbeContext) -> Probe {
        Probe::NoMatch
    }

    fn new() -> Self {
        Self {
            opened: None,
            fragmented: [false; 2],
            set_aside: [false; 2],
        }
    }

    fn inherit(&mut self, domain: &[u8], resource: &[u8]) {
        self.opened = Some(Box::new(Opened {
            domain: domain.to_vec(),
            resource: resource.to_vec(),
        }));
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let frame = match Frame::read(input.bytes) {
            Read::Frame(frame) => frame,
            Read::Need(count) => return Advance::Need(count),
            Read::Wrong => return Advance::Malformed,
        };
        let rest = input.bytes.get(frame.header..).unwrap_or(&[]);
        if frame.opcode == Opcode::Close && (rest.len() as u64) < frame.payload && !input.ended {
            return Advance::Need(frame.len() as usize);
        }
        let i = direction.index();
        if frame.opcode.is_control() {
            self.control(i, &frame, rest, out);
        } else {
            self.data(i, &frame, out);
        }
        Advance::Skip(frame.len())
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        self.forget(direction);
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.forget(direction);
        find_frames(direction, bytes)
    }
}

impl Websocket {
    fn forget(&mut self, direction: Direction) {
        self.fragmented[direction.index()] = false;
        self.set_aside[direction.index()] = false;
    }

    fn control(&mut self, i: usize, frame: &Frame, payload: &[u8], out: &mut Out<'_>) {
        if self.fragmented[i] && !self.set_aside[i] {
            out.set_aside();
            self.set_aside[i] = true;
        }
        self.open(frame.opcode, out);
        if frame.opcode == Opcode::Close {
            close(frame, payload, out);
        } else {
            out.status(Status::Ok);
        }
        out.close();
    }

    fn data(&mut self, i: usize, frame: &Frame, out: &mut Out<'_>) {
        if frame.opcode == Opcode::Continuation {
            if !self.fragmented[i] {
                // Its beginning was not seen.
                return;
            }
            if std::mem::take(&mut self.set_aside[i]) {
                out.resume();
            }
        } else {
            if std::mem::take(&mut self.set_aside[i]) {
                // A new message before the last one's end: that one is cut short by the next `open`.
                out.resume();
            }
            self.open(frame.opcode, out);
            out.status(Status::Ok);
        }
        out.add_len(frame.len());
        self.fragmented[i] = !frame.fin;
        if frame.fin {
            out.close();
        }
    }

    fn open(&self, opcode: Opcode, out: &mut Out<'_>) {
        out.open(Role::Stream, None);
        out.text(Field::ReqType, opcode.name());
        if let Some(opened) = &self.opened {
            out.text(Field::Domain, &opened.domain);
            target::write(out, &opened.resource);
        }
    }
}

/// Code and reason of a close (sections 5.5.1 and 7.4).
fn close(frame: &Frame, payload: &[u8], out: &mut Out<'_>) {
    let mut text = [0; 125];
    let len = payload.len().min(frame.payload as usize).min(text.len());
    for (i, (to, from)) in text.iter_mut().zip(payload.iter().take(len)).enumerate() {
        *to = from ^ frame.mask.map_or(0, |key| key[i % key.len()]);
    }
    let Some((code, reason)) = text.get(..len).and_then(<[u8]>::split_first_chunk::<2>) else {
        out.status(Status::Ok);
        return;
    };
    let code = u16::from_be_bytes(*code);
    out.code(i64::from(code));
    out.status(close_status(code));
    let field = if close_status(code) == Status::Ok {
        Field::Result
    } else {
        Field::Exception
    };
    out.text(field, reason);
}

/// What a close code says of the connection: done, refused for what was sent, or failed.
/// Source: section 7.4.1 and IANA's WebSocket Close Code Number Registry.
const fn close_status(code: u16) -> Status {
    match code {
        1002 | 1003 | 1007..=1010 | 3000 | 3003 | 3008 => Status::ClientError,
        1006 | 1011..=1015 => Status::ServerError,
        _ => Status::Ok,
    }
}

/// Where in `bytes` frames begin that reach exactly to their end. Frames have no mark, so a guess has to
/// be good: one frame where the segment begins, or one of 16 bits of length, or two in a row.
fn find_frames(direction: Direction, bytes: &[u8]) -> Option<usize> {
    // Bytes full of tiny frames that end in none would be walked again from every one of them.
    let mut budget = 4 * bytes.len() + 64;
    (0..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or(&[]);
        match count_frames(direction, rest, &mut budget) {
            0 => false,
            1 => *at == 0 || rest.len() > 0x80,
            _ => true,
        }
    })
}

/// How many frames make up `bytes` exactly; 0 when they do not, or when no more than `budget` may be read.
fn count_frames(direction: Direction, mut bytes: &[u8], budget: &mut usize) -> usize {
    let from_client = direction == Direction::ToServer;
    let mut count = 0;
    while !bytes.is_empty() {
        *budget = budget.saturating_sub(1);
        let Read::Frame(frame) = Frame::read(bytes) else {
            return 0;
        };
        if frame.mask.is_some() != from_client || !frame.is_minimal() || *budget == 0 {
            return 0;
        }
        let end = usize::try_from(frame.len()).ok();
        match end.and_then(|end| bytes.get(end..)) {
            Some(rest) => bytes = rest,
            None => return 0,
        }
        count += 1;
    }
    count
}
