//! Dubbo 2 over TCP. Sources: "Dubbo protocol" (dubbo.apache.org, protocol specification: header, flags,
//! statuses), Dubbo's `ExchangeCodec` and `DubboCodec` for the bodies; [`hessian2`](super::hessian2) for
//! values. Lengths in bytes.
//!
//! A request names service and method at its start, and its attachments, where trace ids stand, behind its
//! arguments. What lies between is passed value by value in whatever pieces it comes, nothing of it kept.
//! Of a response only the start is read.

mod answer;
mod call;
mod coding;
mod header;
mod request;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod speed;
#[cfg(test)]
mod tests;

use super::hessian2::{Stop, Walker, is_string};
use super::http::enrich;
use crate::byte_set::ByteSet;
use crate::conversation::{HandOver, Out, Role};
use crate::field::Field;
use crate::parser::{
    Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Speaker, Transports,
};
use crate::plugin::{Event, Hook, l7};
use coding::Coding;
use header::{HEADER_BYTES, Header, Kind, MAGIC, STATUSES};
use request::Stage;

/// The name of the serialization in `attrs`.
const SERIALIZATION: &str = "serialization";
/// The version of the service.
const SERVICE_VERSION: &str = "service_version";
/// The types of the method's parameters, as the JVM writes them.
const PARAMETER_TYPES: &str = "parameter_types";

/// Both directions of a connection.
pub struct Dubbo {
    sides: [Side; 2],
    /// Events have passed.
    events: bool,
    /// Something else than events has.
    calls: bool,
}

/// One direction.
struct Side {
    stage: Stage,
    /// Bytes of the body at hand that are still to come.
    left: u32,
    /// Bytes of the body that were looked at behind its head.
    walked: u32,
    walker: Walker,
}

impl Side {
    fn new() -> Self {
        Self {
            stage: Stage::Rest,
            left: 0,
            walked: 0,
            walker: Walker::default(),
        }
    }
}

impl Parser for Dubbo {
    const NAME: &'static str = "dubbo";
    const ABOUT: &'static str = "Dubbo 2 (dubbo.apache.org, Hessian 2.0)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[20880];
    const PAIRING: Pairing = Pairing::ById;
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::of(&[MAGIC[0]]),
        ByteSet::of(&[MAGIC[1]]),
        header::flag_bytes(),
        ByteSet::of(&STATUSES),
    ];
    const ATTRS: &'static [&'static str] = &[SERIALIZATION, SERVICE_VERSION, PARAMETER_TYPES];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        let header = match Header::read(head) {
            Ok(header) => header,
            Err(Stop::More(_)) if !context.complete => return Probe::NeedMore,
            Err(_) => return Probe::NoMatch,
        };
        let coding = Coding::of(header.serialization);
        let is_call = !header.is_event && !matches!(header.kind, Kind::Response { .. });
        if is_call && coding == Some(Coding::Hessian2) {
            match head.get(HEADER_BYTES) {
                Some(tag) if is_string(*tag) => {}
                None if !context.complete => return Probe::NeedMore,
                _ => return Probe::NoMatch,
            }
        }
        // Either side sends heartbeats, and a server calls back on a connection that its client made.
        Probe::Match(match header.kind {
            _ if header.is_event || context.direction_is_sure => Speaker::Either,
            Kind::Response { .. } => Speaker::Server,
            Kind::Request | Kind::OneWay => Speaker::Client,
        })
    }

    fn new() -> Self {
        Self {
            sides: [Side::new(), Side::new()],
            events: false,
            calls: false,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.sides[direction.index()].left > 0 {
            return self.sides[direction.index()].go_on(0, input, out);
        }
        let header = match Header::read(input.bytes) {
            Ok(header) => header,
            Err(Stop::More(count)) => return Advance::Need(input.bytes.len() + count),
            Err(Stop::Broken) => return Advance::Malformed,
        };
        if header.is_event {
            self.events = true;
            return event(&header, direction, out);
        }
        let from_server = direction == Direction::ToClient;
        if self.events && !self.calls && from_server && !matches!(header.kind, Kind::Response { .. }) {
            // A server does not call before it was called: heartbeats had not told who is who. Now it is
            // known, so the flow begins anew.
            out.hand_over(HandOver::default());
            return Advance::HandOver(0);
        }
        if let Some(wait) = enrich::wait(out, Hook::Message, HEADER_BYTES, u64::from(header.len), input) {
            return wait;
        }
        let side = &mut self.sides[direction.index()];
        let advance = match header.kind {
            Kind::Request | Kind::OneWay => call::read(side, &header, direction, input, out),
            Kind::Response { status } => answer::read(side, &header, status, direction, input, out),
        };
        self.calls |= !matches!(advance, Advance::Need(_));
        advance
    }

    fn on_gap(&mut self, direction: Direction, len: u64) -> OnGap {
        let side = &mut self.sides[direction.index()];
        if side.left == 0 {
            return OnGap::Resync;
        }
        side.stage = Stage::Lost;
        if len >= u64::from(side.left) {
            return OnGap::Pass;
        }
        // The message goes on behind the gap, and its end is known.
        side.left -= len as u32;
        OnGap::Resume
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        self.sides[direction.index()].left = 0;
        memchr::memmem::find_iter(bytes, &MAGIC).find(|at| {
            let header = bytes.get(*at..).unwrap_or(&[]);
            Header::read(header).is_ok()
        })
    }
}

/// What request and response of a call have in common besides the lower half of its id: the upper half, and
/// which side calls, for both count their own.
fn tag(header: &Header, caller: Direction) -> u32 {
    let upper = (header.id >> 32) as u32;
    upper << 2 | (caller.index() as u32) << 1 | 1
}

/// Begins the record of a message.
fn open(header: &Header, direction: Direction, out: &mut Out<'_>) {
    let (role, caller) = match header.kind {
        Kind::Request => (Role::Request, direction),
        Kind::OneWay => (Role::OneWay, direction),
        Kind::Response { .. } => (Role::Response, direction.opposite()),
    };
    let id = header.id & u64::from(u32::MAX);
    out.open_tagged(role, Some(id), tag(header, caller));
    out.enrich(&Event::Message {
        protocol: l7::DUBBO,
        message: &[],
    });
    if role == Role::Response && out.has_request() {
        return;
    }
    match header::serialization_name(header.serialization) {
        Some(name) => out.attr(SERIALIZATION, name.as_bytes()),
        None => out
            .write_attr(SERIALIZATION)
            .push_number(u64::from(header.serialization)),
    }
}

/// Passes an event: it is counted, and makes a record only where that was asked for.
fn event(header: &Header, direction: Direction, out: &mut Out<'_>) -> Advance {
    if out.keepalive() {
        open(header, direction, out);
        match header.kind {
            Kind::Response { status } => answer::write_status(status, out),
            Kind::Request => out.text(Field::ReqType, b"heartbeat"),
            // The server is about to go and wants no further calls.
            Kind::OneWay => out.text(Field::ReqType, b"readonly"),
        }
        out.close();
    }
    Advance::Skip(HEADER_BYTES as u64 + u64::from(header.len))
}
