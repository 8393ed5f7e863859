//! Geneve (RFC 8926).

use super::ethernet::ethertype;
use super::vxlan::{HEADER_BYTES, vni};
use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind};

/// Control packet: its payload is for the tunnel's ends (RFC 8926 section 3.4).
const FLAG_CONTROL: u8 = 0x80;

/// Version (2 bits) and options length (6 bits), flags (1), protocol type (2), VNI (3), reserved (1),
/// options.
///
/// Returns nothing when it cannot be Geneve user data.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Option<Layer>, DropReason> {
    let Some(header) = walk.try_read::<HEADER_BYTES>(walk.offset)? else {
        return Ok(None);
    };
    // RFC 8926 section 3.4: version 0 is the only one; options are counted in 32-bit words.
    let end = walk.offset + HEADER_BYTES + usize::from(header[0] & 0x3f) * 4;
    if header[0] >> 6 != 0 || header[1] & FLAG_CONTROL != 0 || end > walk.end {
        return Ok(None);
    }
    let inner = match u16::from_be_bytes([header[2], header[3]]) {
        ethertype::BRIDGED_ETHERNET => Layer::Ethernet,
        known @ (ethertype::IPV4
        | ethertype::IPV6
        | ethertype::MPLS
        | ethertype::MPLS_MULTICAST
        | ethertype::NSH) => Layer::EtherType(known),
        _ => return Ok(None),
    };
    walk.enter(Tunnel {
        kind: TunnelKind::Geneve,
        id: Some(vni(header)),
    })?;
    walk.offset = end;
    Ok(Some(inner))
}

#[cfg(test)]
mod tests {
    use super::super::TunnelKind;
    use super::super::samples::{Sample, tunnel};

    #[test]
    fn ethernet_and_ip_with_and_without_options() {
        let ethernet = Sample::udp4(1, 2, b"inner")
            .ethernet(0x0800)
            .front(&[0, 0, 0x65, 0x58, 0, 0, 3, 0]);
        let options = [2, 0x40, 0x08, 0x00, 0, 0, 3, 0, 1, 2, 3, 1, 9, 9, 9, 9];
        let ip = Sample::udp4(1, 2, b"inner").front(&options);
        for sample in [ethernet, ip] {
            let frame = sample.in_udp4(6081).ethernet(0x0800);
            assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::Geneve, 3));
            assert_eq!(frame.payload(), b"inner");
        }
    }

    #[test]
    fn other_udp_on_the_port_stays_udp() {
        let version = [0x40, 0, 0x65, 0x58, 0, 0, 3, 0];
        let control = [0, 0x80, 0x65, 0x58, 0, 0, 3, 0];
        let protocol = [0, 0, 0x12, 0x34, 0, 0, 3, 0];
        let options = [0x3f, 0, 0x65, 0x58, 0, 0, 3, 0];
        for header in [version, control, protocol, options] {
            let packet = Sample::udp4(1, 2, b"")
                .front(&header)
                .in_udp4(6081)
                .ethernet(0x0800)
                .packet();
            assert!(packet.encap.tunnel_rejected() && packet.encap.tunnel().is_none());
        }
    }
}
