//! VXLAN with the generic protocol extension (draft-ietf-nvo3-vxlan-gpe-13 section 3).

use super::ethernet::is_plausible;
use super::vxlan::{FLAG_NEXT_PROTOCOL, FLAG_VNI, HEADER_BYTES, vni};
use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind};

/// Version bits, and the flag of operation and management messages, which hold no user data.
const FLAGS_NOT_DATA: u8 = 0x30 | 0x01;

/// Flags (1), reserved (2), next protocol (1), VNI (3), reserved (1).
///
/// Returns nothing when it cannot be VXLAN-GPE user data.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Option<Layer>, DropReason> {
    let Some(header) = walk.try_read::<HEADER_BYTES>(walk.offset)? else {
        return Ok(None);
    };
    let [flags, reserved_1, reserved_2, next, ..] = *header;
    if flags & FLAGS_NOT_DATA != 0 || reserved_1 != 0 || reserved_2 != 0 {
        return Ok(None);
    }
    let inner = if flags & FLAG_NEXT_PROTOCOL != 0 {
        match next {
            1 => Layer::Ipv4,
            2 => Layer::Ipv6,
            3 => Layer::Ethernet,
            4 => Layer::Nsh,
            5 => Layer::Mpls,
            _ => return Ok(None),
        }
    } else if flags & FLAG_VNI != 0 && is_plausible(walk, walk.offset + HEADER_BYTES)? {
        // Without the flag it is Ethernet, as in VXLAN.
        Layer::Ethernet
    } else {
        return Ok(None);
    };
    let id = (flags & FLAG_VNI != 0).then(|| vni(header));
    walk.enter(Tunnel {
        kind: TunnelKind::VxlanGpe,
        id,
    })?;
    walk.offset += HEADER_BYTES;
    Ok(Some(inner))
}

#[cfg(test)]
mod tests {
    use super::super::TunnelKind;
    use super::super::samples::{Sample, tunnel};

    #[test]
    fn each_next_protocol() {
        let v4 = || Sample::udp4(1, 2, b"inner");
        let inners = [
            (1, v4()),
            (2, Sample::udp6(1, 2, b"inner")),
            (3, v4().ethernet(0x0800)),
            (5, v4().mpls(&[16])),
        ];
        for (next, inner) in inners {
            for port in [4790, 4789] {
                let frame = inner
                    .clone()
                    .front(&[0x0c, 0, 0, next, 0, 0, 7, 0])
                    .in_udp4(port)
                    .ethernet(0x0800);
                assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::VxlanGpe, 7));
                assert_eq!(frame.payload(), b"inner");
            }
        }
    }

    #[test]
    fn without_the_flag_it_is_ethernet() {
        let frame = Sample::udp4(1, 2, b"inner")
            .ethernet(0x0800)
            .front(&[0x08, 0, 0, 0, 0, 0, 7, 0]);
        assert_eq!(frame.in_udp4(4790).ethernet(0x0800).payload(), b"inner");
    }

    #[test]
    fn other_udp_on_the_port_stays_udp() {
        for header in [
            [0x0d, 0, 0, 1, 0, 0, 7, 0],
            [0x0c, 0, 0, 9, 0, 0, 7, 0],
            [0x3c, 0, 0, 1, 0, 0, 7, 0],
        ] {
            let packet = Sample::udp4(1, 2, b"")
                .front(&header)
                .in_udp4(4790)
                .ethernet(0x0800)
                .packet();
            assert!(packet.encap.tunnel_rejected() && packet.encap.tunnel().is_none());
        }
    }
}
