//! What the decoder says about a packet.

use super::{Encap, Fragment, IpAddress};
use std::fmt;

/// Protocol above IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum L4 {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Echo of ICMP or ICMPv6.
    Icmp,
}

impl L4 {
    /// The value of `l4` in the session record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A packet of a flow.
    Packet(Packet),
    /// A part of an IP datagram, for the reassembler.
    Fragment(Fragment),
}

/// One packet of a flow, tunnels and tags removed. Offsets count from the start of the frame given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source of the innermost IP header.
    pub src: IpAddress,
    /// Destination of the innermost IP header.
    pub dst: IpAddress,
    /// Source port, 0 for ICMP.
    pub src_port: u16,
    /// Destination port, 0 for ICMP.
    pub dst_port: u16,
    /// Protocol above IP.
    pub l4: L4,
    /// Whether the innermost IP header is IPv6.
    pub ipv6: bool,
    /// VLAN tags and tunnels around the packet.
    pub encap: Encap,
    /// Where the L7 payload begins, bytes. It may lie beyond the first segment.
    pub payload_offset: u32,
    /// Captured L7 payload, bytes. Ethernet padding does not count.
    pub payload_len: u32,
    /// Bytes behind the captured payload that the IP (or UDP) length promises but that are not in
    /// the frame: cut by a snap length or by the mirroring device.
    pub payload_missing: u32,
    /// TCP facts; all zero for other protocols.
    pub tcp: TcpHeader,
    /// ICMP facts; all zero for other protocols.
    pub icmp: IcmpHeader,
}

impl Packet {
    /// No packet yet: a place to decode one to.
    pub const VACANT: Self = Self {
        src: IpAddress::UNSPECIFIED,
        dst: IpAddress::UNSPECIFIED,
        src_port: 0,
        dst_port: 0,
        l4: L4::Tcp,
        ipv6: false,
        encap: Encap::NONE,
        payload_offset: 0,
        payload_len: 0,
        payload_missing: 0,
        tcp: TcpHeader {
            seq: 0,
            ack: 0,
            window: 0,
            flags: TcpFlags(0),
            window_scale: None,
            mss: None,
        },
        icmp: IcmpHeader {
            kind: 0,
            code: 0,
            id: 0,
            seq: 0,
        },
    };
}

/// Facts of a TCP header (RFC 9293 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpHeader {
    /// Sequence number of the first payload byte, or of the SYN.
    pub seq: u32,
    /// Acknowledgment number; meaningful with ACK set.
    pub ack: u32,
    /// Window as on the wire, not yet scaled.
    pub window: u16,
    /// Control bits.
    pub flags: TcpFlags,
    /// Window scale option of a SYN, as a shift of 0 to 14 (RFC 7323 section 2.3).
    pub window_scale: Option<u8>,
    /// Maximum segment size option of a SYN, bytes.
    pub mss: Option<u16>,
}

/// TCP control bits (RFC 9293 section 3.1).
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronize sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// The acknowledgment field is significant.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer is significant.
    pub const URG: u8 = 0x20;
    /// Congestion experienced echo (RFC 3168).
    pub const ECE: u8 = 0x40;
    /// Congestion window reduced (RFC 3168).
    pub const CWR: u8 = 0x80;

    /// Whether this is a segment in the middle of a connection: ACK, and neither SYN, FIN nor RST.
    #[inline]
    pub const fn is_plain_ack(self) -> bool {
        self.0 & (Self::FIN | Self::SYN | Self::RST | Self::ACK) == Self::ACK
    }

    /// Whether FIN is set.
    #[inline]
    pub const fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }

    /// Whether SYN is set.
    #[inline]
    pub const fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }

    /// Whether RST is set.
    #[inline]
    pub const fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }

    /// Whether PSH is set.
    #[inline]
    pub const fn psh(self) -> bool {
        self.0 & Self::PSH != 0
    }

    /// Whether ACK is set.
    #[inline]
    pub const fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }

    /// Whether URG is set.
    #[inline]
    pub const fn urg(self) -> bool {
        self.0 & Self::URG != 0
    }

    /// Whether both SYN and ACK are set: the answer to a SYN.
    #[inline]
    pub const fn syn_ack(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN | Self::ACK
    }
}

/// Letters of the bits that are set, `SA` for SYN and ACK.
impl fmt::Debug for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (bit, letter) in "FSRPAUEC".chars().enumerate() {
            if self.0 >> bit & 1 == 1 {
                write!(f, "{letter}")?;
            }
        }
        Ok(())
    }
}

/// Facts of an ICMP or ICMPv6 echo (RFC 792 page 14, RFC 4443 section 4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IcmpHeader {
    /// Type: 8 or 0 of ICMP, 128 or 129 of ICMPv6.
    pub kind: u8,
    /// Code.
    pub code: u8,
    /// Identifier.
    pub id: u16,
    /// Sequence number.
    pub seq: u16,
}

impl IcmpHeader {
    /// Whether this is an echo request (of either version), which is what a client sends.
    #[inline]
    pub const fn is_request(&self) -> bool {
        matches!(self.kind, 8 | 128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_within_two_cache_lines() {
        assert!(size_of::<Packet>() <= 112, "{}", size_of::<Packet>());
        assert!(size_of::<Result<Decoded, super::super::DropReason>>() <= 112);
    }

    #[test]
    fn flags_by_name() {
        let flags = TcpFlags(TcpFlags::SYN | TcpFlags::ACK);
        assert!(flags.syn() && flags.ack() && flags.syn_ack());
        assert!(!flags.fin() && !flags.rst() && !flags.psh() && !flags.urg());
        assert!(!TcpFlags(TcpFlags::ACK).syn_ack());
        assert_eq!(format!("{flags:?}"), "SA");
    }
}
