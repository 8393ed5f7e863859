//! HTTP/2, and the calls of gRPC and Triple that travel in it. Source: RFC 9113.
//!
//! One parser reads the connection; each stream is an exchange of its own, paired by stream id. Header
//! blocks are decoded, DATA is counted and passed, never touched. A response that needs its trailers to be
//! told right (gRPC) stays open until they come.

mod block;
#[cfg(test)]
mod bound_tests;
mod data;
mod ending;
mod error_code;
mod fields;
mod frame;
mod hpack;
mod message;
mod name;
#[cfg(test)]
mod piece_tests;
mod pieces;
mod probe;
mod siblings;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;

pub use siblings::{Grpc, Triple};

use super::Protocol;
use super::http::target;
use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::Field;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use block::{Extent, Joined};
use fields::Fields;
use frame::{Frame, HEADER_BYTES, Kind, flag};
use hpack::Table;
use name::{GRPC_STATUS, Name};
use pieces::Pieces;
use siblings::RESET_BY;

/// What a client sends first (section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Longest payload there can be, bytes (section 4.2).
const PAYLOAD_BYTES_MAX: u32 = (1 << 24) - 1;

/// The HTTP/1 request that the connection was upgraded with; its response comes on stream 1.
#[derive(Debug)]
struct Upgrade {
    domain: Vec<u8>,
    resource: Vec<u8>,
}

/// What is known of one direction.
#[derive(Debug)]
struct Half {
    table: Table,
    /// Longest payload that the receiver allows.
    payload_max: u32,
    /// Highest stream that was begun in this direction.
    highest: u32,
    /// Messages of streams up to this one may have been lost in part.
    doubtful: u32,
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Http2 {
    halves: [Half; 2],
    upgrade: Option<Box<Upgrade>>,
    /// Where in their messages the calls are, if pieces of streams are told.
    pieces: Option<Box<Pieces>>,
}

const _: () = assert!(size_of::<Http2>() <= 256, "idle connections are many");

impl Parser for Http2 {
    const NAME: &'static str = "http2";
    const ABOUT: &'static str = "HTTP/2 (RFC 9113, RFC 7541)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[50051, 50052, 9000, 11800];
    const PAIRING: Pairing = Pairing::ById;
    // `PRI ` or a frame of up to 32 KiB whose kind is known.
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::of(b"\0P"),
        ByteSet::range(0, 0x7F),
        ByteSet::ANY,
        ByteSet::range(0, 9).with(b' '),
    ];
    const ATTRS: &'static [&'static str] = &[RESET_BY];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http1];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        probe::probe(head, context)
    }

    fn new() -> Self {
        let half = || Half {
            table: Table::unknown(),
            payload_max: PAYLOAD_BYTES_MAX,
            highest: 0,
            doubtful: 0,
        };
        Self {
            halves: [half(), half()],
            upgrade: None,
            pieces: None,
        }
    }

    fn inherit(&mut self, domain: &[u8], resource: &[u8]) {
        self.begin();
        self.upgrade = Some(Box::new(Upgrade {
            domain: domain.to_vec(),
            resource: resource.to_vec(),
        }));
    }

    #[inline]
    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if let Some(advance) = self.in_payload(direction, input, out) {
            return advance;
        }
        let passed = self.pass_control(direction, input.bytes);
        if passed > 0 {
            return Advance::Consumed(passed);
        }
        let Some(frame) = Frame::read(input.bytes) else {
            return Advance::Need(HEADER_BYTES);
        };
        if direction == Direction::ToServer && PREFACE.starts_with(input.bytes) {
            return Advance::Need(PREFACE.len());
        }
        if !frame.is_valid(self.half(direction).payload_max) {
            return Advance::Malformed;
        }
        match frame.kind {
            Kind::Data => self.data(direction, &frame, input, out),
            Kind::Headers | Kind::PushPromise => self.headers(direction, &frame, input, out),
            Kind::RstStream | Kind::GoAway | Kind::Settings if frame.len() > input.bytes.len() => {
                Advance::Need(frame.len())
            }
            Kind::RstStream => {
                self.end_pieces(direction, frame.stream);
                ending::reset(direction, &frame, input.bytes, out)
            }
            Kind::GoAway => ending::go_away(direction, &frame, input.bytes, out),
            Kind::Continuation => {
                // Its beginning was not seen, and what it does to the table is not known.
                self.half(direction).table.forget();
                Advance::Skip(frame.len() as u64)
            }
            _ => Advance::Skip(frame.len() as u64),
        }
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        self.lose(direction);
        OnGap::Resync
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.lose(direction);
        let highest = self.highest();
        probe::find(bytes, direction, highest, self.half(direction).payload_max)
    }
}

impl Http2 {
    fn half(&mut self, direction: Direction) -> &mut Half {
        &mut self.halves[direction.index()]
    }

    /// Highest stream begun by either side.
    fn highest(&self) -> u32 {
        let [to_server, to_client] = &self.halves;
        to_server.highest.max(to_client.highest)
    }

    /// The connection begins here.
    fn begin(&mut self) {
        for half in &mut self.halves {
            half.table.begin();
            if half.highest == 0 {
                half.payload_max = frame::PAYLOAD_BYTES_DEFAULT;
            }
        }
    }

    /// Frames of `direction` were lost.
    fn lose(&mut self, direction: Direction) {
        let highest = self.highest();
        let half = self.half(direction);
        half.table.forget();
        half.doubtful = highest;
        if let Some(pieces) = &mut self.pieces {
            pieces.lose(direction);
        }
    }

    /// Passes the preface and whole frames that concern the connection alone: how many bytes.
    #[inline]
    fn pass_control(&mut self, direction: Direction, bytes: &[u8]) -> usize {
        let mut at = 0;
        if direction == Direction::ToServer && bytes.starts_with(PREFACE) {
            self.begin();
            at = PREFACE.len();
        }
        while let Some(rest) = bytes.get(at..)
            && let Some(frame) = Frame::read(rest)
            && frame.is_control()
            && frame.is_valid(self.half(direction).payload_max)
            && let Some(whole) = rest.get(..frame.len())
        {
            if frame.kind == Kind::Settings {
                self.settings(direction, whole.get(HEADER_BYTES..).unwrap_or(&[]));
            }
            at += whole.len();
        }
        at
    }

    /// What the sender of `direction` is ready to receive (section 6.5). The size of its table is not among
    /// what matters here: the other side says in its blocks which size it uses.
    fn settings(&mut self, direction: Direction, payload: &[u8]) {
        const MAX_FRAME_SIZE: u16 = 5;
        for [i1, i0, v3, v2, v1, v0] in payload.as_chunks::<6>().0 {
            let value = u32::from_be_bytes([*v3, *v2, *v1, *v0]);
            if u16::from_be_bytes([*i1, *i0]) == MAX_FRAME_SIZE {
                // What was allowed before may still be on its way.
                let half = self.half(direction.opposite());
                half.payload_max = half.payload_max.max(value).min(PAYLOAD_BYTES_MAX);
            }
        }
    }

    fn headers(
        &mut self,
        direction: Direction,
        frame: &Frame,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let end = match block::extent(frame, input.bytes) {
            Extent::Whole(end) => end,
            Extent::Need(count) if !input.ended => return Advance::Need(count),
            Extent::Need(_) => frame.len(),
            Extent::Broken => return Advance::Malformed,
        };
        let promised = match frame.kind {
            Kind::PushPromise => match promised(direction, frame, input.bytes) {
                Some(stream) => Some(stream),
                None => return Advance::Malformed,
            },
            _ => None,
        };
        let mut joined = Joined::new();
        let skip = if promised.is_some() { 4 } else { 0 };
        let Some(content) = block::content(frame, input.bytes, skip, &mut joined) else {
            return Advance::Malformed;
        };
        let mut fields = Fields::new();
        let table = &mut self.half(direction).table;
        let read = if content.whole {
            hpack::decode(content.bytes, table, &mut fields)
        } else {
            let read = hpack::decode_part(content.bytes, table, &mut fields).map(|_| ());
            fields.unknown = true;
            table.forget();
            read
        };
        if read.is_err() {
            return Advance::Malformed;
        }
        let message = Message {
            stream: promised.unwrap_or(frame.stream),
            pushed: promised.is_some(),
            ends: promised.is_some() || frame.has(flag::END_STREAM),
            len: end as u64,
        };
        match (direction, promised) {
            (Direction::ToServer, _) | (_, Some(_)) => self.request(direction, &message, &fields, out),
            (Direction::ToClient, None) => self.response(&message, &fields, out),
        }
        if end <= input.bytes.len() {
            Advance::Consumed(end)
        } else {
            Advance::Skip(end as u64)
        }
    }

    fn request(&mut self, direction: Direction, message: &Message, fields: &Fields, out: &mut Out<'_>) {
        let id = u64::from(message.stream);
        // Trailers say nothing of a request; without its beginning neither.
        if !out.select(Role::Request, id) {
            if !fields.has(Name::Method) && !fields.unknown {
                return;
            }
            out.open(Role::Request, Some(id));
            if message.pushed {
                out.pushed();
            }
            message::request(fields, out);
            if !message.pushed {
                self.begin_pieces(direction, message.stream, out);
            }
            let half = self.half(direction);
            half.highest = half.highest.max(message.stream);
        }
        out.add_len(message.len);
        if message.ends {
            self.end_pieces(direction, message.stream);
            out.close();
        }
    }

    fn response(&mut self, message: &Message, fields: &Fields, out: &mut Out<'_>) {
        let id = u64::from(message.stream);
        let status = fields.get(Name::Status);
        if status.is_some_and(|status| status.starts_with(b"1")) {
            // An interim response: the one to come answers the request (RFC 9110 section 15.2).
            return;
        }
        if out.select(Role::Response, id) {
            message::trailers(fields, out);
        } else {
            let tells = status.is_some() || fields.unknown || fields.has(GRPC_STATUS);
            if !tells {
                return;
            }
            out.open(Role::Response, Some(id));
            message::response(fields, out);
            self.begin_pieces(Direction::ToClient, message.stream, out);
            if status.is_none() {
                out.truncated();
            }
            if message.stream == 1 && !out.has_request() {
                self.describe_upgrade(out);
            }
        }
        out.add_len(message.len);
        if message.ends {
            self.close(Direction::ToClient, message.stream, out);
        }
    }

    /// The response to the request that asked for HTTP/2 (section 3.1 of RFC 7540, where that was specified).
    fn describe_upgrade(&mut self, out: &mut Out<'_>) {
        if let Some(upgrade) = self.upgrade.take() {
            out.text(Field::Domain, &upgrade.domain);
            target::write(out, &upgrade.resource);
        }
    }
}

/// What is known of a message when its header block was read.
struct Message {
    stream: u32,
    pushed: bool,
    /// Nothing follows.
    ends: bool,
    /// Bytes of the block's frames.
    len: u64,
}

/// The stream that a PUSH_PROMISE reserves (section 6.6).
fn promised(direction: Direction, frame: &Frame, bytes: &[u8]) -> Option<u32> {
    let payload = bytes.get(HEADER_BYTES..)?;
    let payload = payload.get(usize::from(frame.has(flag::PADDED))..)?;
    let stream = frame::number(payload)? & 0x7FFF_FFFF;
    let pushed = direction == Direction::ToClient && stream != 0 && stream.is_multiple_of(2);
    pushed.then_some(stream)
}
