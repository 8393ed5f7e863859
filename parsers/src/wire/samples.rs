//! Frames put together by hand, for the tests: from the payload outwards, checksums right.

use super::{
    DecodeOptions, Decoded, DropReason, Fragment, LinkType, Packet, Tunnel, TunnelKind, checksum, decode,
};

/// Source and destination of the innermost packet.
pub(super) const CLIENT_V4: [u8; 4] = [10, 0, 0, 1];
pub(super) const SERVER_V4: [u8; 4] = [10, 0, 0, 2];
const CLIENT_V6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const SERVER_V6: [u8; 16] = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

/// Bytes on the wire, layers added in front by the methods.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
}

/// A sample of these bytes alone.
pub(super) fn bytes(bytes: &[u8]) -> Sample {
    Sample {
        bytes: bytes.to_vec(),
    }
}

/// A removed tunnel with an id, as `Encap::tunnel` has it.
pub(super) fn tunnel(kind: TunnelKind, id: u32) -> Option<Tunnel> {
    Some(Tunnel { kind, id: Some(id) })
}

/// A removed tunnel without an id.
pub(super) fn tunnel_without_id(kind: TunnelKind) -> Option<Tunnel> {
    Some(Tunnel { kind, id: None })
}

impl Sample {
    pub(super) fn udp4(src: u16, dst: u16, payload: &[u8]) -> Self {
        Self::udp4_between(CLIENT_V4, SERVER_V4, src, dst, payload)
    }

    pub(super) fn udp4_between(from: [u8; 4], to: [u8; 4], src: u16, dst: u16, payload: &[u8]) -> Self {
        bytes(payload).udp(src, dst, &from, &to).ip4(from, to, 17, &[])
    }

    pub(super) fn udp6(src: u16, dst: u16, payload: &[u8]) -> Self {
        bytes(payload).udp(src, dst, &CLIENT_V6, &SERVER_V6).ip6(17)
    }

    /// A TCP segment of any shape: `options` are padded to whole words.
    pub(super) fn tcp(flags: u8, options: &[u8], payload: &[u8]) -> Self {
        let mut header = vec![
            0x1f, 0x90, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0, flags, 1, 0, 0, 0, 0, 0,
        ];
        header.extend(options);
        header.resize(header.len().next_multiple_of(4), 0);
        header[12] = (header.len() as u8 / 4) << 4;
        bytes(payload).front(&header)
    }

    pub(super) fn tcp4(flags: u8, options: &[u8], payload: &[u8]) -> Self {
        let message = Self::tcp(flags, options, payload).checksummed(16, &CLIENT_V4, &SERVER_V4, 6);
        message.ip4(CLIENT_V4, SERVER_V4, 6, &[])
    }

    pub(super) fn tcp6(flags: u8, options: &[u8], payload: &[u8]) -> Self {
        Self::tcp(flags, options, payload)
            .checksummed(16, &CLIENT_V6, &SERVER_V6, 6)
            .ip6(6)
    }

    pub(super) fn icmp4(kind: u8, payload: &[u8]) -> Self {
        let message = bytes(payload)
            .front(&[kind, 0, 0, 0, 0x12, 0x34, 0, 5])
            .checksummed(2, &[], &[], 0);
        message.ip4(CLIENT_V4, SERVER_V4, 1, &[])
    }

    pub(super) fn icmp6(kind: u8, payload: &[u8]) -> Self {
        let message = bytes(payload).front(&[kind, 0, 0, 0, 0x12, 0x34, 0, 5]);
        message.checksummed(2, &CLIENT_V6, &SERVER_V6, 58).ip6(58)
    }

    /// Any bytes in front.
    pub(super) fn front(mut self, header: &[u8]) -> Self {
        self.bytes.splice(0..0, header.iter().copied());
        self
    }

    /// Ethernet padding, or anything else behind.
    pub(super) fn back(mut self, trailer: &[u8]) -> Self {
        self.bytes.extend(trailer);
        self
    }

    pub(super) fn ethernet(self, ethertype: u16) -> Self {
        self.ethernet_to([2, 0, 0, 0, 0, 2], ethertype)
    }

    pub(super) fn ethernet_to(self, mac: [u8; 6], ethertype: u16) -> Self {
        self.front(&ethertype.to_be_bytes())
            .front(&[2, 0, 0, 0, 0, 1])
            .front(&mac)
    }

    /// A VLAN tag whose own type stands in the header in front of it.
    pub(super) fn vlan(self, id: u16, ethertype: u16) -> Self {
        self.front(&ethertype.to_be_bytes())
            .front(&(id | 0x6000).to_be_bytes())
    }

    pub(super) fn mpls(mut self, labels: &[u32]) -> Self {
        for (depth, label) in labels.iter().rev().enumerate() {
            self = self.front(&(label << 12 | u32::from(depth == 0) << 8 | 64).to_be_bytes());
        }
        self
    }

    pub(super) fn pppoe(self, protocol: u16) -> Self {
        let len = (self.bytes.len() + 2) as u16;
        self.front(&protocol.to_be_bytes())
            .front(&len.to_be_bytes())
            .front(&[0x11, 0, 0, 1])
    }

    pub(super) fn udp(self, src: u16, dst: u16, from: &[u8], to: &[u8]) -> Self {
        let len = (self.bytes.len() + 8) as u16;
        let header = [src.to_be_bytes(), dst.to_be_bytes(), len.to_be_bytes(), [0, 0]].concat();
        self.front(&header).checksummed(6, from, to, 17)
    }

    /// In a UDP tunnel over IPv4, to that port.
    pub(super) fn in_udp4(self, port: u16) -> Self {
        self.udp(50_000, port, &[192, 0, 2, 1], &[192, 0, 2, 2])
            .in_ip4(17)
    }

    /// In IPv4 between the ends of a tunnel.
    pub(super) fn in_ip4(self, protocol: u8) -> Self {
        self.ip4([192, 0, 2, 1], [192, 0, 2, 2], protocol, &[])
    }

    /// In IPv6 between the ends of a tunnel.
    pub(super) fn in_ip6(self, protocol: u8) -> Self {
        self.ip6(protocol)
    }

    pub(super) fn ip4(self, from: [u8; 4], to: [u8; 4], protocol: u8, options: &[u8]) -> Self {
        let header_len = 20 + options.len();
        let total = (header_len + self.bytes.len()) as u16;
        let mut header = vec![
            0x40 | (header_len / 4) as u8,
            0,
            0,
            0,
            0,
            1,
            0x40,
            0,
            64,
            protocol,
            0,
            0,
        ];
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header.extend([from, to].concat());
        header.extend(options);
        let header = bytes(&header).checksummed(10, &[], &[], 0);
        self.front(&header.bytes)
    }

    /// IPv6 around a payload that begins with the header `next`.
    pub(super) fn ip6(self, next: u8) -> Self {
        let [len_high, len_low] = (self.bytes.len() as u16).to_be_bytes();
        self.front(&[CLIENT_V6, SERVER_V6].concat())
            .front(&[0x60, 0, 0, 0, len_high, len_low, next, 64])
    }

    /// One IPv6 extension header of 8 bytes, put between the fixed header and what follows it.
    pub(super) fn extension(mut self, number: u8) -> Self {
        let next = self.bytes[6];
        let len = u16::from_be_bytes([self.bytes[4], self.bytes[5]]) + 8;
        self.bytes[4..6].copy_from_slice(&len.to_be_bytes());
        self.bytes[6] = number;
        let header = if number == 51 {
            [next, 1, 0, 0, 0, 0, 0, 0]
        } else {
            [next, 0, 1, 4, 0, 0, 0, 0]
        };
        self.bytes.splice(40..40, header);
        // The shortest authentication header that fills whole units of 8 bytes has 16.
        if number == 51 {
            self.bytes[4..6].copy_from_slice(&(len + 8).to_be_bytes());
            self.bytes[41] = 2;
            self.bytes.splice(48..48, [0; 8]);
        }
        self
    }

    /// The IPv4 packet cut into fragments of `piece` bytes of payload, a multiple of 8.
    pub(super) fn fragments4(&self, piece: usize) -> Vec<Self> {
        let (header, payload) = self.bytes.split_at(20);
        let count = payload.len().div_ceil(piece);
        let fragment = |(index, data): (usize, &[u8])| {
            let word = (index * piece / 8) as u16 | if index + 1 < count { 0x2000 } else { 0 };
            let mut header = bytes(header);
            header.bytes[2..4].copy_from_slice(&((20 + data.len()) as u16).to_be_bytes());
            header.bytes[6..8].copy_from_slice(&word.to_be_bytes());
            header.checksummed(10, &[], &[], 0).back(data)
        };
        payload.chunks(piece).enumerate().map(fragment).collect()
    }

    /// The IPv6 packet, whose first `headers` bytes every fragment has, cut likewise.
    pub(super) fn fragments6(&self, headers: usize, named_at: usize, piece: usize) -> Vec<Self> {
        let (header, payload) = self.bytes.split_at(headers);
        let count = payload.len().div_ceil(piece);
        let fragment = |(index, data): (usize, &[u8])| {
            let word = (index * piece) as u16 | u16::from(index + 1 < count);
            let [high, low] = word.to_be_bytes();
            let mut header = header.to_vec();
            header[4..6].copy_from_slice(&((headers - 40 + 8 + data.len()) as u16).to_be_bytes());
            let next = std::mem::replace(&mut header[named_at], 44);
            bytes(data)
                .front(&[next, 0, high, low, 0, 0, 0, 99])
                .front(&header)
        };
        payload.chunks(piece).enumerate().map(fragment).collect()
    }

    /// Fills in the checksum at `at`, over the whole and a pseudo-header where there are addresses.
    fn checksummed(mut self, at: usize, from: &[u8], to: &[u8], protocol: u8) -> Self {
        self.bytes[at..at + 2].copy_from_slice(&[0, 0]);
        let value = checksum::value(from, to, protocol, &self.bytes);
        self.bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
        self
    }

    /// What the decoder makes of it as an Ethernet frame.
    pub(super) fn decode(&self) -> Result<Decoded, DropReason> {
        decode(
            LinkType::Ethernet,
            &self.bytes,
            self.bytes.len(),
            &DecodeOptions::default(),
        )
    }

    pub(super) fn packet(&self) -> Packet {
        match self.decode() {
            Ok(Decoded::Packet(packet)) => packet,
            other => panic!("no packet: {other:?}"),
        }
    }

    pub(super) fn fragment(&self) -> Fragment {
        match self.decode() {
            Ok(Decoded::Fragment(fragment)) => fragment,
            other => panic!("no fragment: {other:?}"),
        }
    }

    pub(super) fn reason(&self) -> DropReason {
        self.decode().expect_err("a reason")
    }

    pub(super) fn payload(&self) -> &[u8] {
        let packet = self.packet();
        let start = packet.payload_offset as usize;
        &self.bytes[start..start + packet.payload_len as usize]
    }
}
