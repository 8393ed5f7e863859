//! ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443).

use super::ip::protocol;
use super::walk::{Layer, Walk};
use super::{DropReason, IcmpHeader, L4, Packet, TcpHeader, checksum};

/// Type (1), code (1), checksum (2), identifier (2), sequence number (2). `layer` names the protocol.
pub(super) fn decode(walk: &mut Walk<'_>, layer: Layer) -> Result<Packet, DropReason> {
    let number = if walk.ipv6 {
        protocol::ICMPV6
    } else {
        protocol::ICMP
    };
    if layer != Layer::Protocol(number) {
        return Err(DropReason::IpProtocolUnsupported);
    }
    let [kind] = walk.read::<1>(walk.offset, DropReason::IcmpTruncated)?;
    let is_echo = if walk.ipv6 {
        matches!(kind, 128 | 129)
    } else {
        matches!(kind, 0 | 8)
    };
    if !is_echo {
        return Err(DropReason::IcmpNotEcho);
    }
    let header = walk.read::<8>(walk.offset, DropReason::IcmpTruncated)?;
    if walk.options.verify_checksums() && !checksum::holds(walk, number) {
        return Err(DropReason::IcmpChecksum);
    }
    walk.offset += header.len();
    let icmp = IcmpHeader {
        kind: *kind,
        code: header[1],
        id: u16::from_be_bytes([header[4], header[5]]),
        seq: u16::from_be_bytes([header[6], header[7]]),
    };
    Ok(walk.packet(L4::Icmp, (0, 0), TcpHeader::default(), icmp))
}
