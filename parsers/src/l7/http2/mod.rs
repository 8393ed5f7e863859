//! HTTP/2, and the calls of gRPC and Triple that travel in it. Source: RFC 9113.
//!
//! One parser reads the connection; each stream is an exchange of its own, paired by stream id. Header
//! blocks are decoded, DATA is counted and passed, never touched. A response that needs its trailers to be
//! told right (gRPC) stays open until they come.

mod block;
#[cfg(test)]
mod block_tests;
#[cfg(test)]
mod bound_tests;
mod data;
mod ending;
mod error_code;
mod fields;
mod frame;
mod headers;
mod hpack;
mod keepalive;
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
mod usual;
mod web;
#[cfg(test)]
mod web_tests;

pub use siblings::{Grpc, Triple};

use super::Protocol;
use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use frame::{Frame, HEADER_BYTES, Kind};
use headers::Overlong;
use hpack::Table;
use pieces::Pieces;
use siblings::RESET_BY;
use usual::Usual;

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
    /// Longest payload that its SETTINGS allow, once they were seen: those of a server may come before the
    /// client begins.
    allowed: Option<u32>,
    /// Highest stream that was begun in this direction.
    highest: u32,
    /// Messages of streams up to this one may have been lost in part.
    doubtful: u32,
    /// The block whose last frames are passed unread.
    overlong: Option<Overlong>,
}

/// Both directions of a connection.
#[derive(Debug)]
pub struct Http2 {
    halves: [Half; 2],
    upgrade: Option<Box<Upgrade>>,
    /// Where in their messages the calls are, if pieces of streams are told.
    pieces: Option<Box<Pieces>>,
    usual: Usual,
    /// A response of gRPC-Web has come by.
    has_web: bool,
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
            allowed: None,
            highest: 0,
            doubtful: 0,
            overlong: None,
        };
        Self {
            halves: [half(), half()],
            upgrade: None,
            pieces: None,
            usual: Usual::Unknown,
            has_web: false,
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
        let passed = self.pass_control(direction, input.bytes, out);
        if passed > 0 {
            return Advance::Consumed(passed);
        }
        let Some(frame) = Frame::read(input.bytes) else {
            return Advance::Need(HEADER_BYTES);
        };
        if may_be_preface(direction, input.bytes) && PREFACE.starts_with(input.bytes) {
            return Advance::Need(PREFACE.len());
        }
        if !frame.is_valid(self.half(direction).payload_max) {
            return Advance::Malformed;
        }
        match frame.kind {
            Kind::Data => self.data(direction, &frame, input, out),
            Kind::Headers => {
                let advance = self.headers(direction, &frame, input, out);
                self.with_data(direction, &frame, input, advance, out)
            }
            Kind::PushPromise => self.headers(direction, &frame, input, out),
            Kind::RstStream | Kind::GoAway | Kind::Settings | Kind::Ping
                if frame.len() > input.bytes.len() =>
            {
                Advance::Need(frame.len())
            }
            Kind::Settings | Kind::Ping => self.keepalive(direction, &frame, input.bytes, out),
            Kind::RstStream => {
                self.end_pieces(direction, frame.stream);
                ending::reset(direction, &frame, input.bytes, out)
            }
            Kind::GoAway => ending::go_away(direction, &frame, input.bytes, out),
            Kind::Continuation => self.unread(direction, &frame, out),
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
                half.payload_max = half.allowed.unwrap_or(frame::PAYLOAD_BYTES_DEFAULT);
            }
        }
    }

    /// Frames of `direction` were lost.
    fn lose(&mut self, direction: Direction) {
        let highest = self.highest();
        let half = self.half(direction);
        half.table.forget();
        half.doubtful = highest;
        half.overlong = None;
        if let Some(pieces) = &mut self.pieces {
            pieces.lose(direction);
        }
        let other = self.half(direction.opposite());
        if other.allowed.is_none() {
            // What was lost may have been the SETTINGS.
            other.payload_max = PAYLOAD_BYTES_MAX;
        }
    }

    /// Passes the preface and whole frames that concern the connection alone, as long as none of them is to
    /// be told: how many bytes.
    #[inline]
    fn pass_control(&mut self, direction: Direction, bytes: &[u8], out: &mut Out<'_>) -> usize {
        let mut at = 0;
        if may_be_preface(direction, bytes) && bytes.starts_with(PREFACE) {
            self.begin();
            at = PREFACE.len();
        }
        while let Some(rest) = bytes.get(at..)
            && let Some(frame) = Frame::read(rest)
            && frame.is_control()
            && frame.is_valid(self.half(direction).payload_max)
            && let Some(whole) = rest.get(..frame.len())
        {
            if matches!(frame.kind, Kind::Settings | Kind::Ping) {
                if out.settings().keepalive_records {
                    break;
                }
                self.keepalive(direction, &frame, whole, out);
            }
            at += whole.len();
        }
        at
    }

    /// What the sender of `direction` is ready to receive (section 6.5). The size of its table is not among
    /// what matters here: the other side says in its blocks which size it uses.
    fn settings(&mut self, direction: Direction, payload: &[u8]) {
        const MAX_FRAME_SIZE: u16 = 5;
        let before = self.half(direction.opposite()).allowed;
        let mut allowed = before.unwrap_or(frame::PAYLOAD_BYTES_DEFAULT);
        for [i1, i0, v3, v2, v1, v0] in payload.as_chunks::<6>().0 {
            let value = u32::from_be_bytes([*v3, *v2, *v1, *v0]);
            if u16::from_be_bytes([*i1, *i0]) == MAX_FRAME_SIZE {
                // What was allowed before may still be on its way.
                let half = self.half(direction.opposite());
                half.payload_max = half.payload_max.max(value).min(PAYLOAD_BYTES_MAX);
                allowed = allowed.max(value).min(PAYLOAD_BYTES_MAX);
            }
        }
        self.half(direction.opposite()).allowed = Some(allowed);
    }
}

/// Whether the preface may begin here. As a frame it would be one of five megabytes.
#[inline]
fn may_be_preface(direction: Direction, bytes: &[u8]) -> bool {
    direction == Direction::ToServer && bytes.first() == PREFACE.first()
}
