//! A session record, read: the one model that is printed and encoded.
//!
//! It borrows from a ring entry ([`Session::new`]) or from a FlatBuffers batch. Text is as it stood on the wire; whoever writes it out takes it through
//! [`lossy`](crate::text::lossy) with the limit that the record carries.

use crate::limits::{ATTRS_MAX, TEXT_BYTES_MIN};
use crate::text::TextLimits;
use arrayvec::ArrayVec;
use std::net::IpAddr;
use tapir_parsers::field::{Ended, Field, Joined, Kind, Source, Status};
use tapir_parsers::host::HostFacts;
use tapir_parsers::record::{RecordView, VLANS_MAX, flag};
use tapir_parsers::wire::TunnelKind;

/// Version of the record format.
pub const SCHEMA: u16 = 1;

/// How many text fields a record has; `attrs` and `host` count among them and are never set.
const FIELDS: usize = Field::ALL.len();

/// One record. Times in Unix ns, lengths in bytes; `None` where the key is left out.
#[derive(Clone, Debug)]
pub struct Session<'a> {
    /// What the record is about.
    pub kind: Kind,
    /// What closed it.
    pub ended: Ended,
    /// Where its bytes were seen.
    pub source: Source,
    /// How it went.
    pub status: Status,
    /// `proto`.
    pub protocol: Option<&'a str>,
    /// Transport.
    pub l4: &'a str,
    /// Who sends requests; none for Unix streams.
    pub client_ip: Option<IpAddr>,
    /// Its port; none for ICMP and Unix streams.
    pub client_port: Option<u16>,
    /// Who answers them; none for Unix streams.
    pub server_ip: Option<IpAddr>,
    /// Its port; none for ICMP and Unix streams.
    pub server_port: Option<u16>,
    /// VLAN ids, outermost first.
    pub vlan: ArrayVec<u16, VLANS_MAX>,
    /// The innermost tunnel that was removed.
    pub tunnel: Option<Tunnel<'a>>,
    /// The same for all records of one connection.
    pub flow_id: u64,
    /// First byte of the request, or of the response where there is no request.
    pub start_ns: u64,
    /// Last byte of what was seen.
    pub end_ns: u64,
    /// First byte of the response minus last byte of the request.
    pub rrt_ns: Option<u64>,
    /// Pairs a request and its response.
    pub request_id: Option<u64>,
    /// The protocol's own response code.
    pub code: Option<i64>,
    /// Bytes of the request on the wire.
    pub request_len: Option<u64>,
    /// Bytes of the response on the wire.
    pub response_len: Option<u64>,
    /// TCP sequence number of the request's first byte.
    pub request_seq: Option<u32>,
    /// TCP sequence number of the response's first byte.
    pub response_seq: Option<u32>,
    /// Rows affected or returned.
    pub rows: Option<u64>,
    /// Attributes: key, value; keys are unique.
    pub attrs: ArrayVec<(&'a [u8], &'a [u8]), ATTRS_MAX>,
    /// A field or the message was cut.
    pub truncated: bool,
    /// Bytes of this exchange that were never seen.
    pub gap_bytes: u64,
    /// What a host knows of it.
    pub host: HostFacts<'a>,
    /// What showed that records of the wire and of a host, which this one was made of, belong together.
    pub joined: Option<Joined>,
    /// How long its texts may be.
    pub limits: TextLimits,
    texts: [&'a [u8]; FIELDS],
}

/// A tunnel that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel<'a> {
    /// `vxlan`, `geneve`, …
    pub kind: &'a str,
    /// Its id, where its header has one.
    pub id: Option<u32>,
}

fn tunnel_of(view: &RecordView<'_>) -> Option<Tunnel<'static>> {
    let index = usize::from(view.header.flow.tunnel_kind).checked_sub(1)?;
    let kind = TunnelKind::ALL.get(index)?.name();
    let id = view.has(flag::TUNNEL_ID).then_some(view.header.flow.tunnel_id);
    Some(Tunnel { kind, id })
}

/// What every record has; see the fields of the same names in [`Session`].
pub(crate) struct Parts<'a> {
    pub(crate) kind: Kind,
    pub(crate) ended: Ended,
    pub(crate) source: Source,
    pub(crate) status: Status,
    pub(crate) protocol: Option<&'a str>,
    pub(crate) l4: &'a str,
}

impl<'a> From<Parts<'a>> for Session<'a> {
    /// A record of which nothing else is known.
    fn from(parts: Parts<'a>) -> Self {
        Self {
            kind: parts.kind,
            ended: parts.ended,
            source: parts.source,
            status: parts.status,
            protocol: parts.protocol,
            l4: parts.l4,
            client_ip: None,
            client_port: None,
            server_ip: None,
            server_port: None,
            vlan: ArrayVec::new(),
            tunnel: None,
            flow_id: 0,
            start_ns: 0,
            end_ns: 0,
            rrt_ns: None,
            request_id: None,
            code: None,
            request_len: None,
            response_len: None,
            request_seq: None,
            response_seq: None,
            rows: None,
            attrs: ArrayVec::new(),
            truncated: false,
            gap_bytes: 0,
            host: HostFacts::default(),
            joined: None,
            limits: TextLimits::NONE,
            texts: [&[]; FIELDS],
        }
    }
}

impl<'a> Session<'a> {
    /// Reads a ring entry.
    pub fn new(view: &RecordView<'a>, limits: TextLimits) -> Self {
        let header = &view.header;
        let number = |bit, value| view.has(bit).then_some(value);
        let l4 = view.l4();
        let has_addresses = l4 != "unix";
        let has_ports = has_addresses && l4 != "icmp";
        let mut session = Self::from(Parts {
            kind: view.kind(),
            ended: view.ended(),
            source: view.source(),
            status: view.status(),
            protocol: view.proto(),
            l4,
        });
        session.limits = TextLimits {
            resource: limits.resource.max(TEXT_BYTES_MIN),
            other: limits.other.max(TEXT_BYTES_MIN),
        };
        session.client_ip = has_addresses.then(|| view.client_ip());
        session.client_port = has_ports.then_some(header.flow.client_port);
        session.server_ip = has_addresses.then(|| view.server_ip());
        session.server_port = has_ports.then_some(header.flow.server_port);
        session.vlan = view.vlan().iter().copied().collect();
        session.tunnel = tunnel_of(view);
        session.flow_id = header.flow.flow_id;
        session.start_ns = header.start_ns;
        session.end_ns = header.end_ns;
        session.rrt_ns = number(flag::RRT, header.rrt_ns);
        session.request_id = number(flag::REQUEST_ID, header.request_id);
        session.code = view.has(flag::CODE).then_some(header.code);
        session.request_len = number(flag::REQUEST, header.request_len);
        session.response_len = number(flag::RESPONSE, header.response_len);
        session.request_seq = view.has(flag::REQUEST_SEQ).then_some(header.request_seq);
        session.response_seq = view.has(flag::RESPONSE_SEQ).then_some(header.response_seq);
        session.rows = number(flag::ROWS, header.rows);
        session.truncated = view.has(flag::TRUNCATED);
        session.gap_bytes = header.gap_bytes;
        session.joined = view.joined();
        let mut has_attrs = false;
        for (field, bytes) in view.texts() {
            match field {
                Field::Attr => has_attrs = true,
                Field::Host => session.host = HostFacts::read(bytes),
                _ => session.set_text(field, bytes),
            }
        }
        if has_attrs {
            for (key, value) in view.attrs() {
                session.add_attr(key, value);
            }
        }
        session
    }

    /// Sets a text unless it was set before: the first one counts.
    pub(crate) fn set_text(&mut self, field: Field, bytes: &'a [u8]) {
        let slot = &mut self.texts[field as usize];
        if slot.is_empty() {
            *slot = bytes;
        }
    }

    /// Adds an attribute unless its key is there already; past the limit it is left out.
    pub(crate) fn add_attr(&mut self, key: &'a [u8], value: &'a [u8]) {
        if self.attrs.iter().any(|(known, _)| *known == key) || key.is_empty() || value.is_empty() {
            return;
        }
        if self.attrs.try_push((key, value)).is_err() {
            self.truncated = true;
        }
    }

    /// The text of `field` as it stood on the wire; empty where there is none.
    pub fn text(&self, field: Field) -> &'a [u8] {
        self.texts[field as usize]
    }

    /// Longest text of `field` in UTF-8, bytes.
    pub fn limit(&self, field: Field) -> usize {
        match field {
            Field::Resource => self.limits.resource,
            _ => self.limits.other,
        }
    }
}
