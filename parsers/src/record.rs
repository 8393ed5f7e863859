//! The session record as it crosses the ring between an lcore and the collector.
//!
//! An entry is a [`RecordHeader`] followed by text entries; [`RecordView`] reads it back. The layout is
//! private to one process: nothing outside ever sees it.

use crate::field::{Ended, Field, Joined, Kind, Source, Status};
use crate::l7::Protocol;
use crate::parser::Direction;
use bytemuck::{Pod, Zeroable};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which optional numbers of a header hold a value.
pub mod flag {
    /// `request_id` is known.
    pub const REQUEST_ID: u32 = 1;
    /// `code` is known.
    pub const CODE: u32 = 1 << 1;
    /// `rows` is known.
    pub const ROWS: u32 = 1 << 2;
    /// The request was seen: `request_len` holds.
    pub const REQUEST: u32 = 1 << 3;
    /// The response was seen: `response_len` holds.
    pub const RESPONSE: u32 = 1 << 4;
    /// Both were seen in full: `rrt_ns` holds.
    pub const RRT: u32 = 1 << 5;
    /// A field or a message was cut.
    pub const TRUNCATED: u32 = 1 << 6;
    /// The addresses are IPv6; else IPv4-mapped.
    pub const IPV6: u32 = 1 << 7;
    /// `tunnel_id` is known.
    pub const TUNNEL_ID: u32 = 1 << 8;
    /// `request_seq` is known.
    pub const REQUEST_SEQ: u32 = 1 << 9;
    /// `response_seq` is known.
    pub const RESPONSE_SEQ: u32 = 1 << 10;
}

/// Transport of a record, by its number.
pub const L4_NAMES: [&str; 4] = ["tcp", "udp", "icmp", "unix"];

/// VLAN ids a record carries, outermost first.
pub const VLANS_MAX: usize = 4;

/// What all records of one flow share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct FlowFacts {
    /// The client's address, IPv4 as IPv4-mapped IPv6.
    pub client_ip: [u8; 16],
    /// The server's address.
    pub server_ip: [u8; 16],
    /// Unique in one run.
    pub flow_id: u64,
    /// TCP sequence numbers at offset 0 of the client's and of the server's stream; `bits` say which are
    /// known.
    pub first_seq: [u32; 2],
    /// Id of the innermost tunnel removed.
    pub tunnel_id: u32,
    /// The client's port, 0 for ICMP.
    pub client_port: u16,
    /// The server's port.
    pub server_port: u16,
    /// VLAN ids, outermost first; `vlan_count` of them hold.
    pub vlan: [u16; VLANS_MAX],
    /// How many VLAN tags there were.
    pub vlan_count: u8,
    /// 0: no tunnel; else 1 + the number of the tunnel kind.
    pub tunnel_kind: u8,
    /// 0 tcp, 1 udp, 2 icmp. A Unix stream is read as TCP's are: 0, and a bit says so.
    pub l4: u8,
    /// Bit 0: IPv6. Bit 1: `tunnel_id` is known. Bits 2 and 3: so is `first_seq` of client and server. Bit 4: a Unix
    /// stream.
    pub bits: u8,
    /// 0 wire, 1 host.
    pub source: u8,
    /// Host source: 0, or the number that the sidecar gives to the TLS library through which the bytes were seen.
    pub tls_library: u8,
    /// Keeps the layout without holes.
    pub reserved: [u8; 2],
}

impl FlowFacts {
    /// Bit of `bits`: the addresses are IPv6.
    pub const IPV6: u8 = 1;
    /// Bit of `bits`: the tunnel has an id.
    pub const TUNNEL_ID: u8 = 2;

    /// Bits of `bits`: `first_seq` of the client and of the server is known.
    pub const FIRST_SEQ: [u8; 2] = [4, 8];

    /// Bit of `bits`: a Unix stream. Its addresses only tell one server from another, and its numbers stand on no wire.
    pub const UNIX: u8 = 16;

    /// What a record's [`flag`] bits say of its flow.
    #[inline]
    pub(crate) fn flags(&self) -> u32 {
        // Both stand in the same order, side by side.
        const SHIFT: u32 = flag::IPV6.trailing_zeros() - FlowFacts::IPV6.trailing_zeros();
        const _: () = assert!((FlowFacts::TUNNEL_ID as u32) << SHIFT == flag::TUNNEL_ID);
        u32::from(self.bits & (Self::IPV6 | Self::TUNNEL_ID)) << SHIFT
    }

    /// Number of the transport, as [`L4_NAMES`] has them.
    pub fn transport(&self) -> u8 {
        if self.bits & Self::UNIX != 0 { 3 } else { self.l4 }
    }

    /// The same flow seen from the other end.
    pub fn reversed(mut self) -> Self {
        std::mem::swap(&mut self.client_ip, &mut self.server_ip);
        std::mem::swap(&mut self.client_port, &mut self.server_port);
        self.first_seq.swap(0, 1);
        let [client, server] = Self::FIRST_SEQ;
        let [client_is_known, server_is_known] = [client, server].map(|bit| self.bits & bit != 0);
        self.bits &= !(client | server);
        self.bits |= if client_is_known { server } else { 0 };
        self.bits |= if server_is_known { client } else { 0 };
        self
    }

    /// The sequence number of offset 0 in `direction` is `seq`.
    pub fn set_first_seq(&mut self, direction: Direction, seq: u32) {
        let i = direction.index();
        self.first_seq[i] = seq;
        self.bits |= Self::FIRST_SEQ[i];
    }

    /// The sequence number of the byte at `offset` in `direction`, and whether it holds.
    #[inline]
    pub(crate) fn seq_at(&self, direction: Direction, offset: u64) -> (u32, bool) {
        let i = direction.index();
        let is_known = self.bits & (Self::FIRST_SEQ[0] << i) != 0;
        (self.first_seq[i].wrapping_add(offset as u32), is_known)
    }
}

/// The fixed part of a ring entry. Times in Unix ns, lengths in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct RecordHeader {
    /// Bytes of the whole entry, this header included.
    pub entry_len: u32,
    /// Bits of [`flag`].
    pub flags: u32,
    /// What all records of the flow share.
    pub flow: FlowFacts,
    /// First byte of the request, or of the response where there is no request.
    pub start_ns: u64,
    /// Last byte of what was seen.
    pub end_ns: u64,
    /// First byte of the response minus last byte of the request.
    pub rrt_ns: u64,
    /// Pairs a request and its response.
    pub request_id: u64,
    /// The protocol's own response code.
    pub code: i64,
    /// Bytes of the request on the wire.
    pub request_len: u64,
    /// Bytes of the response on the wire.
    pub response_len: u64,
    /// Rows affected or returned.
    pub rows: u64,
    /// Bytes of this exchange that were never seen.
    pub gap_bytes: u64,
    /// TCP sequence number of the request's first byte, as it stands in the segment.
    pub request_seq: u32,
    /// TCP sequence number of the response's first byte.
    pub response_seq: u32,
    /// Number of the [`Kind`].
    pub kind: u8,
    /// Number of the [`Ended`].
    pub ended: u8,
    /// Number of the [`Status`].
    pub status: u8,
    /// Number of the [`Protocol`].
    pub protocol: u8,
    /// 0: of one record; else 1 + the number of the [`Joined`] by which several were made one.
    pub joined: u8,
    /// Keeps the layout without holes.
    pub reserved: [u8; 3],
}

/// Bytes of the fixed part.
pub const HEADER_BYTES: usize = size_of::<RecordHeader>();

/// Takes finished records; implemented by the ring, by tests, by counters.
pub trait RecordSink {
    /// `entry` is a header and its text entries; valid during the call only.
    fn record(&mut self, entry: &[u8]);
}

impl RecordSink for Vec<Vec<u8>> {
    fn record(&mut self, entry: &[u8]) {
        self.push(entry.to_vec());
    }
}

/// A ring entry, read.
#[derive(Clone, Copy, Debug)]
pub struct RecordView<'a> {
    /// The fixed part.
    pub header: RecordHeader,
    text: &'a [u8],
}

impl<'a> RecordView<'a> {
    /// Reads the entry at the start of `bytes`; `None` when it is not whole.
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        let header: RecordHeader = bytemuck::pod_read_unaligned(bytes.get(..HEADER_BYTES)?);
        let text = bytes.get(HEADER_BYTES..header.entry_len as usize)?;
        Some(Self { header, text })
    }

    /// Appends the entry as it came out of the ring.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(bytemuck::bytes_of(&self.header));
        out.extend_from_slice(self.text);
    }

    /// What the record is about.
    pub fn kind(&self) -> Kind {
        Kind::from_number(self.header.kind).unwrap_or(Kind::OneWay)
    }

    /// What closed it.
    pub fn ended(&self) -> Ended {
        Ended::from_number(self.header.ended).unwrap_or(Ended::Shutdown)
    }

    /// How it went.
    pub fn status(&self) -> Status {
        Status::from_number(self.header.status).unwrap_or(Status::Unknown)
    }

    /// Where its bytes were seen.
    pub fn source(&self) -> Source {
        Source::from_number(self.header.flow.source).unwrap_or(Source::Wire)
    }

    /// What made it one of several records, if it was.
    pub fn joined(&self) -> Option<Joined> {
        Joined::from_number(self.header.joined.checked_sub(1)?)
    }

    /// Its protocol.
    pub fn protocol(&self) -> Option<Protocol> {
        Protocol::from_number(self.header.protocol)
    }

    /// Name of its transport.
    pub fn l4(&self) -> &'static str {
        L4_NAMES
            .get(usize::from(self.header.flow.transport()))
            .copied()
            .unwrap_or("tcp")
    }

    /// Whether all bits of `flags` (see [`flag`]) are set.
    pub fn has(&self, flags: u32) -> bool {
        self.header.flags & flags == flags
    }

    /// The client's address.
    pub fn client_ip(&self) -> IpAddr {
        self.address(self.header.flow.client_ip)
    }

    /// The server's address.
    pub fn server_ip(&self) -> IpAddr {
        self.address(self.header.flow.server_ip)
    }

    fn address(&self, bytes: [u8; 16]) -> IpAddr {
        let v6 = Ipv6Addr::from(bytes);
        if self.header.flow.bits & FlowFacts::IPV6 != 0 {
            return IpAddr::V6(v6);
        }
        IpAddr::V4(v6.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED))
    }

    /// VLAN ids, outermost first.
    pub fn vlan(&self) -> &[u16] {
        let flow = &self.header.flow;
        flow.vlan
            .get(..usize::from(flow.vlan_count))
            .unwrap_or(&flow.vlan)
    }

    /// `proto`: the name that a plugin gave, or that of the protocol.
    pub fn proto(&self) -> Option<&'a str> {
        let named = self.protocol() == Some(Protocol::Custom);
        let name = named.then(|| self.text(Field::Proto)).flatten();
        name.and_then(|name| std::str::from_utf8(name).ok())
            .or_else(|| self.protocol().map(Protocol::name))
    }

    /// The text entries in the order in which they were written: field, bytes.
    pub fn texts(&self) -> Texts<'a> {
        texts(self.text)
    }

    /// The first text of `field` (not `Attr`), as it stood on the wire.
    pub fn text(&self, field: Field) -> Option<&'a [u8]> {
        self.texts().find(|(f, _)| *f == field).map(|(_, bytes)| bytes)
    }

    /// The attributes: key, value.
    pub fn attrs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.texts()
            .filter(|(field, _)| *field == Field::Attr)
            .filter_map(|(_, bytes)| {
                let (len, rest) = bytes.split_first()?;
                rest.split_at_checked(usize::from(*len))
            })
    }
}

/// The text entries that `bytes` are.
pub(crate) fn texts(bytes: &[u8]) -> Texts<'_> {
    Texts { rest: bytes }
}

/// Iterator over text entries.
#[derive(Clone, Debug)]
pub struct Texts<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Texts<'a> {
    type Item = (Field, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[field, low, high], rest) = self.rest.split_first_chunk::<3>()?;
        let (bytes, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([low, high])))?;
        self.rest = rest;
        Some((Field::from_number(field)?, bytes))
    }
}

/// Appends a text entry to `to`. `bytes` must be shorter than 64 KiB; the rest is left out.
pub fn write_text(to: &mut Vec<u8>, field: Field, bytes: &[u8]) {
    let len = bytes.len().min(usize::from(u16::MAX));
    let [low, high] = (len as u16).to_le_bytes();
    to.extend_from_slice(&[field as u8, low, high]);
    to.extend_from_slice(&bytes[..len]);
}

/// Appends an attribute to `to`; see [`write_text`]. Keys are shorter than 256 bytes.
pub fn write_attr(to: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let key = &key[..key.len().min(255)];
    let value = &value[..value.len().min(usize::from(u16::MAX) - 256)];
    let [low, high] = ((1 + key.len() + value.len()) as u16).to_le_bytes();
    to.extend_from_slice(&[Field::Attr as u8, low, high, key.len() as u8]);
    to.extend_from_slice(key);
    to.extend_from_slice(value);
}
