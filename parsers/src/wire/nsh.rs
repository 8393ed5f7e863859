//! Network service header (RFC 8300), over Ethernet, VXLAN-GPE, GRE or Geneve.

use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind};

/// Base and service path header, bytes.
const HEADER_BYTES: usize = 8;

/// Fixed-length metadata, and the length in words that goes with it (section 2.4).
const METADATA_FIXED: u8 = 1;
const METADATA_FIXED_WORDS: usize = 6;

/// Version (2 bits), OAM, unassigned, time to live (6 bits), length in words (6 bits), unassigned
/// (4 bits), metadata type (4 bits), next protocol (1); service path (3), service index (1).
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<HEADER_BYTES>(walk.offset, DropReason::NshTruncated)?;
    if header[0] >> 6 != 0 {
        return Err(DropReason::NshVersion);
    }
    let words = usize::from(header[1] & 0x3f);
    let metadata = header[2] & 0x0f;
    if words < HEADER_BYTES / 4 || (metadata == METADATA_FIXED && words != METADATA_FIXED_WORDS) {
        return Err(DropReason::NshLength);
    }
    let end = walk.offset + words * 4;
    if end > walk.end {
        return Err(DropReason::NshTruncated);
    }
    // Section 2.2.
    let inner = match header[3] {
        1 => Layer::Ipv4,
        2 => Layer::Ipv6,
        3 => Layer::Ethernet,
        4 => Layer::Nsh,
        5 => Layer::Mpls,
        _ => return Err(DropReason::NshNextProtocol),
    };
    let path = u32::from_be_bytes([0, header[4], header[5], header[6]]);
    walk.enter(Tunnel {
        kind: TunnelKind::Nsh,
        id: Some(path),
    })?;
    walk.offset = end;
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, tunnel};
    use super::super::{DropReason, TunnelKind};

    fn nsh(words: u8, metadata: u8, next: u8) -> Vec<u8> {
        let mut header = vec![0x0f, 0xc0 | words, metadata, next, 0, 0x01, 0x00, 0xff];
        header.resize(usize::from(words) * 4, 0);
        header
    }

    #[test]
    fn over_ethernet_vxlan_and_vxlan_gpe() {
        let v4 = || Sample::udp4(1, 2, b"inner").front(&nsh(6, 1, 1));
        let bridged = Sample::udp4(1, 2, b"inner").ethernet(0x0800).front(&nsh(2, 2, 3));
        let v6 = Sample::udp6(1, 2, b"inner").front(&nsh(4, 2, 2));
        let frames = [
            v4().ethernet(0x894f),
            bridged.ethernet(0x894f),
            v6.front(&[0x0c, 0, 0, 4, 0, 0, 7, 0])
                .in_udp4(4790)
                .ethernet(0x0800),
            v4().ethernet(0x894f)
                .front(&[0x08, 0, 0, 0, 0, 0, 7, 0])
                .in_udp4(4789)
                .ethernet(0x0800),
        ];
        for frame in frames {
            assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::Nsh, 256));
            assert_eq!(frame.payload(), b"inner");
        }
    }

    #[test]
    fn what_it_refuses() {
        let reason = |header: &[u8]| Sample::udp4(1, 2, b"").front(header).ethernet(0x894f).reason();
        assert_eq!(reason(&nsh(5, 1, 1)), DropReason::NshLength);
        assert_eq!(reason(&nsh(6, 1, 9)), DropReason::NshNextProtocol);
        assert_eq!(reason(&[0x40, 2, 2, 1, 0, 0, 0, 0]), DropReason::NshVersion);
        assert_eq!(reason(&[0, 1, 2, 1, 0, 0, 0, 0]), DropReason::NshLength);
        assert_eq!(reason(&[0, 0x3f, 2, 1, 0, 0, 0, 0]), DropReason::NshTruncated);
    }
}
