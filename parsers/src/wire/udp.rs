//! UDP (RFC 768), and the way into the tunnels it carries.

use super::ip::protocol;
use super::walk::{Layer, Walk};
use super::{DropReason, IcmpHeader, L4, Packet, TcpHeader, TunnelKind};
use super::{checksum, geneve, gtp, vxlan, vxlan_gpe};

/// Header, bytes.
pub(super) const HEADER_BYTES: usize = 8;

/// Source and destination port.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    pub(super) src: u16,
    pub(super) dst: u16,
}

/// The ports, which UDP and TCP have at the same place.
#[inline]
pub(super) fn ports<const N: usize>(header: &[u8; N]) -> Ports {
    const { assert!(N >= HEADER_BYTES) };
    Ports {
        src: u16::from_be_bytes([header[0], header[1]]),
        dst: u16::from_be_bytes([header[2], header[3]]),
    }
}

/// Ports (2, 2), length (2), checksum (2).
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Ports, DropReason> {
    let start = walk.offset;
    let header = walk.read::<HEADER_BYTES>(start, DropReason::UdpTruncated)?;
    let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    // A length of 0 goes to the end of the packet: jumbograms (RFC 2675 section 4) and datagrams that a
    // NIC was to cut into segments.
    if len != 0 {
        if len < HEADER_BYTES || start + len > walk.promised_end() {
            return Err(DropReason::UdpLength);
        }
        walk.narrow(start + len);
    }
    if walk.options.verify_checksums() && !checksum::holds(walk, protocol::UDP) {
        return Err(DropReason::UdpChecksum);
    }
    walk.offset = start + HEADER_BYTES;
    Ok(ports(header))
}

/// What the tunnel expected at the destination port carries; nothing when no tunnel is expected, or when
/// the packet is not of that tunnel, which is noted.
#[inline]
pub(super) fn decode_tunnel(walk: &mut Walk<'_>, ports: Ports) -> Result<Option<Layer>, DropReason> {
    let Some(kind) = walk.options.tunnel_at(ports.dst) else {
        return Ok(None);
    };
    let inner = match kind {
        TunnelKind::Vxlan => vxlan::decode(walk)?,
        TunnelKind::VxlanGpe => vxlan_gpe::decode(walk)?,
        TunnelKind::Geneve => geneve::decode(walk)?,
        TunnelKind::Gtp => gtp::decode(walk)?,
        // These are not carried in UDP.
        TunnelKind::Gre | TunnelKind::Erspan | TunnelKind::Ipip | TunnelKind::Nsh => return Ok(None),
    };
    if inner.is_none() {
        walk.encap.reject_tunnel();
    }
    Ok(inner)
}

/// The packet, when it is no tunnel's.
#[inline]
pub(super) fn packet(walk: &Walk<'_>, ports: Ports) -> Packet {
    walk.packet(
        L4::Udp,
        (ports.src, ports.dst),
        TcpHeader::default(),
        IcmpHeader::default(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::{Sample, bytes};

    fn with_length(len: u16) -> Sample {
        let mut frame = Sample::udp4(1, 2, &[7; 20]).ethernet(0x0800);
        frame.bytes[38..40].copy_from_slice(&len.to_be_bytes());
        frame
    }

    #[test]
    fn the_length_trims_and_must_fit() {
        assert_eq!(with_length(8 + 5).packet().payload_len, 5);
        assert_eq!(with_length(0).packet().payload_len, 20);
        assert_eq!(with_length(7).reason(), DropReason::UdpLength);
        assert_eq!(with_length(29).reason(), DropReason::UdpLength);
        assert_eq!(
            bytes(&[0; 7]).in_ip4(17).ethernet(0x0800).reason(),
            DropReason::UdpTruncated
        );
    }

    #[test]
    fn padding_is_not_payload() {
        let frame = Sample::udp4(1, 2, b"x").ethernet(0x0800).back(&[0; 30]);
        assert_eq!(frame.payload(), b"x");
    }
}
