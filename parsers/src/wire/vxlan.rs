//! VXLAN (RFC 7348).

use super::ethernet::is_plausible;
use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind, vxlan_gpe};

/// Header, bytes.
pub(super) const HEADER_BYTES: usize = 8;

/// The VXLAN network identifier is valid.
pub(super) const FLAG_VNI: u8 = 0x08;

/// The next protocol field is present: VXLAN-GPE, also met at VXLAN's own port.
pub(super) const FLAG_NEXT_PROTOCOL: u8 = 0x04;

/// Flags (1), reserved (3), VNI (3), reserved (1).
///
/// Returns nothing when it cannot be VXLAN. Reserved bits are in use in practice (group policy,
/// draft-smith-vxlan-group-policy; marks of switch vendors), so a header that has some set is believed
/// when an Ethernet frame follows it.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Option<Layer>, DropReason> {
    let Some(header) = walk.try_read::<HEADER_BYTES>(walk.offset)? else {
        return Ok(None);
    };
    if header[0] & FLAG_NEXT_PROTOCOL != 0 {
        return vxlan_gpe::decode(walk);
    }
    // RFC 7348 section 5: the I flag must be set.
    if header[0] & FLAG_VNI == 0 {
        return Ok(None);
    }
    let is_by_the_book = header[..4] == [FLAG_VNI, 0, 0, 0] && header[7] == 0;
    if !is_by_the_book && !is_plausible(walk, walk.offset + HEADER_BYTES)? {
        return Ok(None);
    }
    walk.enter(Tunnel {
        kind: TunnelKind::Vxlan,
        id: Some(vni(header)),
    })?;
    walk.offset += HEADER_BYTES;
    Ok(Some(Layer::Ethernet))
}

/// The network identifier of a VXLAN or Geneve header: its bytes 4 to 6.
pub(super) fn vni(header: &[u8; HEADER_BYTES]) -> u32 {
    u32::from_be_bytes([0, header[4], header[5], header[6]])
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, tunnel};
    use super::super::{DropReason, TunnelKind};

    fn inner() -> Sample {
        Sample::udp4(1, 2, b"inner").ethernet(0x0800)
    }

    #[test]
    fn by_the_book_and_with_reserved_bits() {
        for flags in [[0x08, 0, 0, 0], [0x88, 0, 0x01, 0x02], [0x08, 0x40, 0, 0]] {
            for port in [4789, 8472, 6784] {
                let header = [flags[0], flags[1], flags[2], flags[3], 0, 0x01, 0x02, 0];
                let frame = inner().front(&header).in_udp4(port).ethernet(0x0800);
                assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::Vxlan, 0x0102));
                assert_eq!(frame.payload(), b"inner");
            }
        }
    }

    #[test]
    fn other_udp_on_the_port_stays_udp() {
        for junk in [
            &b"not vxlan at all"[..],
            b"\x08\0",
            b"\x0f\x01\x02\x03abcdefghijklmnopqrstuvwxyz",
            b"",
        ] {
            let packet = Sample::udp4(9, 4789, junk).ethernet(0x0800).packet();
            assert!(packet.encap.tunnel_rejected());
            assert_eq!((packet.dst_port, packet.encap.tunnel()), (4789, None));
            assert_eq!(packet.payload_len as usize, junk.len());
        }
    }

    #[test]
    fn a_broken_inside_has_the_inner_reason() {
        let header = [8, 0, 0, 0, 0, 0, 1, 0];
        let short = super::super::samples::bytes(&[0; 13])
            .front(&header)
            .in_udp4(4789)
            .ethernet(0x0800);
        assert_eq!(short.reason(), DropReason::EthernetTruncated);
        let mut arp = inner();
        arp.bytes[12..14].copy_from_slice(&[8, 6]);
        assert_eq!(
            arp.front(&header).in_udp4(4789).ethernet(0x0800).reason(),
            DropReason::Arp
        );
    }

    #[test]
    fn depth_is_bounded() {
        let mut sample = inner();
        for depth in 1..=4 {
            sample = sample
                .front(&[8, 0, 0, 0, 0, 0, depth, 0])
                .in_udp4(4789)
                .ethernet(0x0800);
            let packet = sample.packet();
            assert_eq!(
                (packet.encap.depth(), packet.encap.tunnel()),
                (depth, tunnel(TunnelKind::Vxlan, 1))
            );
        }
        sample = sample
            .front(&[8, 0, 0, 0, 0, 0, 5, 0])
            .in_udp4(4789)
            .ethernet(0x0800);
        assert_eq!(sample.reason(), DropReason::TunnelDepth);
    }
}
