//! Ethernet frames with IP inside, checksums right.

use std::net::{IpAddr, SocketAddr};

/// A captured frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// What was captured.
    pub bytes: Vec<u8>,
    /// Length on the wire, bytes.
    pub wire_len: usize,
}

impl Frame {
    /// A frame captured whole.
    pub fn new(time_ns: u64, bytes: Vec<u8>) -> Self {
        Self {
            time_ns,
            wire_len: bytes.len(),
            bytes,
        }
    }

    /// The same, cut to `len` bytes as a snap length does.
    #[must_use]
    pub fn cut(mut self, len: usize) -> Self {
        self.bytes.truncate(len);
        self
    }

    /// The same at another time.
    #[must_use]
    pub fn at(self, time_ns: u64) -> Self {
        Self { time_ns, ..self }
    }
}

/// From whom to whom. Both of one IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Who sends.
    pub src: SocketAddr,
    /// Who receives.
    pub dst: SocketAddr,
}

impl Ends {
    /// The other way.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self {
            src: self.dst,
            dst: self.src,
        }
    }

    /// An Ethernet frame with an IP packet of `protocol`. `checksum_at` is where in `l4` its checksum
    /// belongs, over the pseudo header too when `pseudo`.
    pub(super) fn frame(self, protocol: u8, mut l4: Vec<u8>, checksum_at: usize, pseudo: bool) -> Vec<u8> {
        let mut head = Vec::new();
        if pseudo {
            head.extend(octets(self.src.ip()));
            head.extend(octets(self.dst.ip()));
            head.extend((l4.len() as u32).to_be_bytes());
            head.extend(u32::from(protocol).to_be_bytes());
        }
        let sum = checksum(&[head, l4.clone()].concat());
        l4[checksum_at..checksum_at + 2].copy_from_slice(&sum.to_be_bytes());
        self.ip_frame(protocol, &l4)
    }

    /// An Ethernet frame with an IP packet of `protocol`.
    pub(super) fn ip_frame(self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        let v6 = self.src.is_ipv6();
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        frame.extend(if v6 { [0x86, 0xDD] } else { [0x08, 0x00] });
        frame.extend(if v6 {
            ipv6_header(protocol, payload.len())
        } else {
            ipv4_header(protocol, payload.len())
        });
        // The addresses stand at the end of both headers.
        frame.extend(octets(self.src.ip()));
        frame.extend(octets(self.dst.ip()));
        if !v6 {
            let sum = checksum(&frame[14..34]);
            frame[24..26].copy_from_slice(&sum.to_be_bytes());
        }
        frame.extend(payload);
        frame
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// Up to the addresses (RFC 791 section 3.1).
fn ipv4_header(protocol: u8, payload: usize) -> Vec<u8> {
    let total = ((20 + payload) as u16).to_be_bytes();
    vec![0x45, 0, total[0], total[1], 0, 0, 0, 0, 64, protocol, 0, 0]
}

/// Up to the addresses (RFC 8200 section 3).
fn ipv6_header(protocol: u8, payload: usize) -> Vec<u8> {
    let len = (payload as u16).to_be_bytes();
    vec![0x60, 0, 0, 0, len[0], len[1], protocol, 64]
}

/// The Internet checksum (RFC 1071) of `bytes`, in which its own field is zero.
pub(super) fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    !(((folded & 0xFFFF) + (folded >> 16)) as u16)
}

/// A UDP datagram.
pub fn udp(ends: Ends, time_ns: u64, payload: &[u8]) -> Frame {
    let mut l4 = Vec::new();
    l4.extend(ends.src.port().to_be_bytes());
    l4.extend(ends.dst.port().to_be_bytes());
    l4.extend((8 + payload.len() as u16).to_be_bytes());
    l4.extend([0; 2]);
    l4.extend(payload);
    Frame::new(time_ns, ends.frame(17, l4, 6, true))
}

/// An ICMP or ICMPv6 echo request, or with `reply` its answer. Ports don't matter.
pub fn echo(ends: Ends, time_ns: u64, reply: bool, id: u16, sequence: u16) -> Frame {
    let v6 = ends.src.is_ipv6();
    let kind = match (v6, reply) {
        (false, false) => 8,
        (false, true) => 0,
        (true, false) => 128,
        (true, true) => 129,
    };
    let mut l4 = vec![kind, 0, 0, 0];
    l4.extend(id.to_be_bytes());
    l4.extend(sequence.to_be_bytes());
    l4.extend(b"payload");
    Frame::new(time_ns, ends.frame(if v6 { 58 } else { 1 }, l4, 2, v6))
}
