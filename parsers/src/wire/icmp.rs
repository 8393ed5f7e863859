//! ICMP echo (RFC 792) and ICMPv6 echo (RFC 4443).

use super::ip::protocol;
use super::walk::{Layer, Walk};
use super::{DropReason, IcmpHeader, L4, Packet, TcpHeader, checksum};

/// Type (1), code (1), checksum (2), identifier (2), sequence number (2). `layer` names the protocol.
pub(super) fn decode(walk: &mut Walk<'_>, layer: Layer) -> Result<Packet, DropReason> {
    let number = if walk.ip.is_ipv6() {
        protocol::ICMPV6
    } else {
        protocol::ICMP
    };
    if layer != Layer::Protocol(number) {
        return Err(DropReason::IpProtocolUnsupported);
    }
    let [kind] = walk.read::<1>(walk.offset, DropReason::IcmpTruncated)?;
    let is_echo = if walk.ip.is_ipv6() {
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

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, bytes};
    use super::super::{DropReason, L4};

    #[test]
    fn echo_of_both_versions() {
        for (kind, frame) in [
            (8, Sample::icmp4(8, b"ping").ethernet(0x0800)),
            (0, Sample::icmp4(0, b"ping").ethernet(0x0800)),
            (128, Sample::icmp6(128, b"ping").ethernet(0x86dd)),
            (129, Sample::icmp6(129, b"ping").ethernet(0x86dd)),
        ] {
            let packet = frame.packet();
            assert_eq!((packet.l4, packet.src_port, packet.dst_port), (L4::Icmp, 0, 0));
            assert_eq!(
                (packet.icmp.kind, packet.icmp.id, packet.icmp.seq),
                (kind, 0x1234, 5)
            );
            assert_eq!(packet.icmp.is_request(), matches!(kind, 8 | 128));
            assert_eq!(frame.payload(), b"ping");
        }
    }

    #[test]
    fn everything_else_has_a_name() {
        assert_eq!(
            Sample::icmp4(3, b"").ethernet(0x0800).reason(),
            DropReason::IcmpNotEcho
        );
        assert_eq!(
            Sample::icmp6(8, b"").ethernet(0x86dd).reason(),
            DropReason::IcmpNotEcho
        );
        assert_eq!(
            bytes(&[8, 0, 0]).in_ip4(1).ethernet(0x0800).reason(),
            DropReason::IcmpTruncated
        );
        assert_eq!(
            bytes(&[8; 8]).in_ip6(1).ethernet(0x86dd).reason(),
            DropReason::IpProtocolUnsupported
        );
    }
}
