//! HTTP/1.0 and HTTP/1.1. Source: RFC 9112 (messages), RFC 9110 (semantics).
//!
//! Requests pair with responses in order. Bodies are framed and passed, never touched. A connection
//! that CONNECT or 101 turns into something else is handed over.

mod chunk;
mod grpc_web;
mod head;
#[cfg(test)]
mod speed;
mod start_line;
#[cfg(test)]
mod tests;
mod upgrade;

use super::Protocol;
use super::http::grpc_web::{Encoding, trailers};
use super::http::target::{self, Target};
use super::http::{enrich, grpc, header, status};
use crate::byte_set::ByteSet;
use crate::conversation::{HandOver, Out, Role};
use crate::field::Field;
use crate::limits::{FOLDED_VALUE_BYTES_MAX, UPGRADE_TEXT_BYTES_MAX};
use crate::line_ends::LineEnds;
use crate::parser::{Advance, Direction, Framing, Input, Pairing, Parser, Probe, ProbeContext, Transports};
use crate::plugin::Hook;
use arrayvec::ArrayVec;
use chunk::Chunk;
use head::{Announced, Fields};
use start_line::{Line, RequestLine, StartLine, StatusLine};

/// What one direction is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between messages.
    Head,
    /// Before the size line of a chunk.
    Chunks,
    /// Behind the last chunk.
    Trailer,
}

/// What a response needs to know of its request: the `tag` of [`Out`].
mod ask {
    /// The response has no body, whatever it announces.
    pub(super) const HEAD: u32 = 1;
    /// Success turns the connection into a tunnel.
    pub(super) const CONNECT: u32 = 2;
}

/// To whom and for what an upgrade was asked.
#[derive(Debug)]
struct Upgrade {
    domain: Vec<u8>,
    resource: Vec<u8>,
}

/// Both directions of a connection.
pub struct Http1 {
    phase: [Phase; 2],
    /// Where the next request begins is known, not guessed: any token is a method there.
    placed: bool,
    /// The response being read is one of gRPC-Web.
    grpc_web: Option<Encoding>,
    /// Of the last request that asked for one; kept until the next response tells.
    upgrade: Option<Box<Upgrade>>,
}

const _: () = assert!(size_of::<Http1>() <= 16, "millions of idle connections have one");

/// How a message goes on behind its head.
#[derive(Clone, Copy, Debug)]
enum Body {
    None,
    Bytes(u64),
    Chunked,
    UntilClose,
    /// Where it ends can't be told.
    Lost,
}

impl Parser for Http1 {
    const NAME: &'static str = "http1";
    const ABOUT: &'static str = "HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[80, 3128, 8000, 8008, 8080, 8081, 8088, 8888, 9080];
    const PAIRING: Pairing = Pairing::InOrder;
    const FIRST_BYTES: [ByteSet; 4] = [
        METHOD_BYTES.or(LINE_ENDS),
        METHOD_BYTES.or(LINE_ENDS),
        METHOD_BYTES.or(LINE_ENDS),
        METHOD_BYTES.or(LINE_ENDS).with(b' '),
    ];

    fn probe(head: &[u8], _context: &ProbeContext) -> Probe {
        start_line::probe(head)
    }

    fn new() -> Self {
        Self {
            phase: [Phase::Head; 2],
            placed: false,
            grpc_web: None,
            upgrade: None,
        }
    }

    #[inline]
    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        match (self.phase[direction.index()], direction) {
            (Phase::Head, _) => self.head(direction, input, out),
            (Phase::Chunks, _) => self.chunks(direction, input, 0, out),
            (Phase::Trailer, _) => self.trailer(direction, input, 0, out),
        }
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.phase[direction.index()] = Phase::Head;
        match direction {
            Direction::ToServer => {
                self.placed = false;
                start_line::find_request(bytes)
            }
            Direction::ToClient => start_line::find_response(bytes),
        }
    }
}

/// Letters, and what else the methods of the registry hold.
const METHOD_BYTES: ByteSet = ByteSet::range(b'A', b'Z')
    .or(ByteSet::range(b'a', b'z'))
    .with(b'-')
    .with(b'_');
const LINE_ENDS: ByteSet = ByteSet::of(b"\r\n");

/// Not whole: more is needed, unless there is no more.
fn need(input: Input<'_>) -> Advance {
    if input.ended {
        Advance::Malformed
    } else {
        Advance::Need(input.bytes.len() + 1)
    }
}

/// No start line. Line ends before one are passed: some senders add them to a body.
fn pass_line_ends(input: Input<'_>) -> Advance {
    match start_line::leading_line_ends(input.bytes) {
        0 => Advance::Malformed,
        count => Advance::Consumed(count),
    }
}

impl Http1 {
    /// Reads a head: one way for requests and responses, so that the fields are read in one place.
    #[inline]
    fn head(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let mut ends = LineEnds::new(input.bytes);
        let (start, len) = match start_line::read(direction, input.bytes, ends.next(), input.ended) {
            Line::Whole(start, len) => (start, len),
            Line::Part => return need(input),
            Line::Wrong => return pass_line_ends(input),
        };
        if let StartLine::Request(line) = &start
            && !self.placed
            && !start_line::is_plausible(line.method, line.target)
        {
            return Advance::Malformed;
        }
        let mut fields = Fields::new();
        fields.read(input.bytes, len, ends);
        if !fields.whole && !input.ended {
            return Advance::Need(input.bytes.len() + 1);
        }
        let len = len + fields.len;
        match start {
            StartLine::Request(line) => self.request(&line, &fields, len, input, out),
            StartLine::Status(line) => self.response(&line, &fields, len, input, out),
        }
    }

    /// Makes a message of a request whose head is `whole` bytes long.
    #[inline]
    fn request(
        &mut self,
        line: &RequestLine<'_>,
        fields: &Fields<'_>,
        whole: usize,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        self.placed = true;
        if let Announced::Bytes(body) = fields.announced
            && let Some(wait) = enrich::wait(out, Hook::HttpRequest, whole, body, input)
        {
            return wait;
        }
        let asked = match line.method {
            b"HEAD" => ask::HEAD,
            b"CONNECT" => ask::CONNECT,
            _ => 0,
        };
        out.open_here(Role::Request, None, asked);
        self.describe_request(line, asked, fields, out);
        let body = match fields.announced {
            _ if !fields.whole => Body::Lost,
            Announced::Nothing => Body::None,
            Announced::Bytes(count) => Body::Bytes(count),
            Announced::Chunked => Body::Chunked,
            Announced::Endless | Announced::Broken => Body::Lost,
        };
        self.body(Direction::ToServer, input, whole, body, out)
    }

    #[inline(always)]
    fn describe_request(
        &mut self,
        line: &RequestLine<'_>,
        asked: u32,
        fields: &Fields<'_>,
        out: &mut Out<'_>,
    ) {
        let target = Target::new(line.target, asked == ask::CONNECT);
        let kept = fields.kept.iter().copied();
        enrich::request(out, proto(fields), target.resource, target.authority, kept);
        out.text(Field::ReqType, line.method);
        out.text(Field::Version, line.version);
        if let Some(authority) = target.authority {
            out.text(Field::Domain, authority);
        }
        if fields.grpc_web.is_some() {
            out.proto(Protocol::Grpc);
            grpc::describe_path(target.resource, out);
        } else {
            target::write(out, target.resource);
        }
        write_fields(fields, out);
        if !fields.upgrade.is_empty() && becomes(fields).is_some() {
            self.keep_upgrade(&target, fields);
        }
    }

    /// A WebSocket's records name the host and path of the request that opened it, and so does the first
    /// of an HTTP/2 connection that was asked for like this.
    #[cold]
    fn keep_upgrade(&mut self, target: &Target<'_>, fields: &Fields<'_>) {
        let bounded = |text: &[u8]| text.get(..UPGRADE_TEXT_BYTES_MAX).unwrap_or(text).to_vec();
        let host = fields
            .kept
            .iter()
            .find(|(header, _)| *header == header::Header::Host);
        let domain = target.authority.or(host.map(|(_, value)| *value));
        self.upgrade = Some(Box::new(Upgrade {
            domain: bounded(domain.unwrap_or(b"")),
            resource: bounded(target.resource),
        }));
    }

    /// Makes a message of a response whose head is `len` bytes long.
    #[inline]
    fn response(
        &mut self,
        line: &StatusLine<'_>,
        fields: &Fields<'_>,
        len: usize,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        if matches!(line.code, 100 | 102..=199) {
            // An interim response: the one to come answers the request (RFC 9110 section 15.2).
            return Advance::Consumed(len);
        }
        let asked = out.answering(None);
        let call = grpc_web::whole_len(fields, len);
        if let Some(whole) = call
            && input.bytes.len() < whole
            && !input.ended
        {
            return Advance::Need(whole);
        }
        if let (Announced::Bytes(body), false) = (fields.announced, has_no_body(asked, line.code))
            && let Some(wait) = enrich::wait(out, Hook::HttpResponse, len, body, input)
        {
            return wait;
        }
        out.open_here(Role::Response, None, 0);
        enrich::response(out, proto(fields), line.code, status(line.code));
        if !grpc_web::describe_response(line, fields, out) {
            out.ends_with(i64::from(line.code), status(line.code));
        }
        self.grpc_web = fields.grpc_web;
        if let (Some(whole), Some(encoding)) = (call, fields.grpc_web) {
            trailers(encoding, input.bytes.get(len..whole).unwrap_or(&[]), out);
        }
        if !out.has_request() {
            out.text(Field::Version, line.version);
        }
        write_fields(fields, out);
        if self.upgrade.is_some() || line.code == 101 {
            let upgrade = self.upgrade.take();
            if line.code == 101 {
                let head = input.bytes.get(..len).unwrap_or(&[]);
                return switch_protocols(upgrade, fields, head, out);
            }
        }
        if opens_tunnel(asked, line) {
            out.close();
            out.hand_over(HandOver::default());
            return Advance::HandOver(len);
        }
        let body = match (asked, fields.announced) {
            _ if !fields.whole => Body::Lost,
            _ if has_no_body(asked, line.code) => Body::None,
            (_, Announced::Bytes(count)) => Body::Bytes(count),
            (_, Announced::Chunked) => Body::Chunked,
            (_, Announced::Nothing | Announced::Endless) => Body::UntilClose,
            (_, Announced::Broken) => Body::Lost,
        };
        self.body(Direction::ToClient, input, len, body, out)
    }

    /// Frames the message whose head of `len` bytes was just read.
    #[inline]
    fn body(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        len: usize,
        body: Body,
        out: &mut Out<'_>,
    ) -> Advance {
        match body {
            Body::None => {
                out.close();
                Advance::Consumed(len)
            }
            Body::Bytes(count) => {
                out.close();
                Advance::Skip(count.saturating_add(len as u64))
            }
            Body::Chunked => {
                self.phase[direction.index()] = Phase::Chunks;
                self.chunks(direction, input, len, out)
            }
            Body::UntilClose => {
                out.until_close();
                Advance::Skip(u64::MAX)
            }
            Body::Lost => {
                self.placed = false;
                out.truncated();
                out.close();
                Advance::Consumed(len)
            }
        }
    }

    /// Passes chunks from `at` on, as far as their sizes can be seen.
    fn chunks(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        mut at: usize,
        out: &mut Out<'_>,
    ) -> Advance {
        loop {
            let Some(rest) = input.bytes.get(at..) else {
                return Advance::Skip(at as u64);
            };
            match chunk::chunk(rest) {
                Chunk::Whole(len) => {
                    if let (Some(encoding), Direction::ToClient) = (self.grpc_web, direction)
                        && let Some(wait) = grpc_web::chunk(encoding, input, at, len, out)
                    {
                        return wait;
                    }
                    let end = len.saturating_add(at as u64);
                    match usize::try_from(end) {
                        Ok(end) if end <= input.bytes.len() => at = end,
                        _ => return Advance::Skip(end),
                    }
                }
                Chunk::Last(len) => {
                    self.phase[direction.index()] = Phase::Trailer;
                    return self.trailer(direction, input, at + len, out);
                }
                Chunk::Part if at > 0 => return Advance::Consumed(at),
                Chunk::Part => return need(input),
                Chunk::Broken if at > 0 => return Advance::Consumed(at),
                Chunk::Broken => return Advance::Malformed,
            }
        }
    }

    /// Passes trailer fields from `at` on.
    fn trailer(&mut self, direction: Direction, input: Input<'_>, at: usize, out: &mut Out<'_>) -> Advance {
        let (len, whole) = chunk::trailer(input.bytes.get(at..).unwrap_or(&[]));
        if whole {
            self.phase[direction.index()] = Phase::Head;
            out.close();
            return Advance::Consumed(at + len);
        }
        match at + len {
            0 => need(input),
            count => Advance::Consumed(count),
        }
    }
}

/// Writes the headers worth keeping to the selected message.
#[inline(always)]
fn write_fields(fields: &Fields<'_>, out: &mut Out<'_>) {
    if fields.folded {
        write_folded_fields(fields, out);
        return;
    }
    for (header, value) in &fields.kept {
        header::write(out, *header, value);
    }
}

/// The same where a value may go over several lines.
#[cold]
fn write_folded_fields(fields: &Fields<'_>, out: &mut Out<'_>) {
    let mut room = ArrayVec::<u8, FOLDED_VALUE_BYTES_MAX>::new();
    for (header, value) in &fields.kept {
        header::write(out, *header, header::unfold(value, &mut room));
    }
}

/// Whether a response has no body, whatever it announces (RFC 9112 section 6.3).
const fn has_no_body(asked: Option<u32>, code: u16) -> bool {
    matches!(code, 204 | 304) || matches!(asked, Some(ask::HEAD))
}

/// What the record of a message with these fields is one of.
fn proto(fields: &Fields<'_>) -> Protocol {
    match fields.grpc_web {
        Some(_) => Protocol::Grpc,
        None => Protocol::Http1,
    }
}

/// Whether the response turns the connection into a tunnel (RFC 9110 section 9.3.6). Joined mid-stream,
/// the words that proxies use tell.
#[inline]
fn opens_tunnel(asked: Option<u32>, line: &StatusLine<'_>) -> bool {
    match asked {
        Some(asked) => asked == ask::CONNECT && matches!(line.code, 200..=299),
        None => line.code == 200 && header::trim(line.reason).eq_ignore_ascii_case(b"connection established"),
    }
}

/// What the `Upgrade` field asks for, or agrees to, among the protocols that are read.
fn becomes(fields: &Fields<'_>) -> Option<Protocol> {
    if fields.upgrades_to(b"websocket") {
        Some(Protocol::Websocket)
    } else if fields.upgrades_to(b"h2c") {
        Some(Protocol::Http2)
    } else {
        None
    }
}

/// The connection goes on as something else (RFC 9110 section 15.2.2): WebSocket frames, what both sides
/// agreed to send in them, or what inference finds.
#[cold]
fn switch_protocols(
    upgrade: Option<Box<Upgrade>>,
    fields: &Fields<'_>,
    head: &[u8],
    out: &mut Out<'_>,
) -> Advance {
    out.close();
    let (domain, resource) = upgrade
        .map(|upgrade| (upgrade.domain, upgrade.resource))
        .unwrap_or_default();
    let becomes = becomes(fields);
    let within = match becomes {
        Some(Protocol::Websocket) => upgrade::within_websocket(head, out),
        _ => None,
    };
    out.hand_over(HandOver {
        protocol: within.or(becomes),
        framing: within.map(|_| Framing::WebSocket),
        domain,
        resource,
    });
    Advance::HandOver(head.len())
}
