//! VLAN tags: IEEE 802.1Q, 802.1ad (QinQ) and the types used for QinQ before it.

use super::DropReason;
use super::walk::{Layer, Walk};

/// A tag and the type behind it, bytes.
pub(super) const TAG_BYTES: usize = 4;

/// Tag control information (2): priority, drop eligible, VLAN id in the low 12 bits; type (2).
#[inline]
pub(super) fn fields(tag: &[u8; TAG_BYTES]) -> (u16, u16) {
    (
        u16::from_be_bytes([tag[0], tag[1]]) & 0x0fff,
        u16::from_be_bytes([tag[2], tag[3]]),
    )
}

/// The tag at the offset.
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let (id, ethertype) = fields(walk.read(walk.offset, DropReason::VlanTruncated)?);
    walk.encap.push_vlan(id)?;
    walk.offset += TAG_BYTES;
    Ok(Layer::EtherType(ethertype))
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::Sample;

    #[test]
    fn ids_outermost_first() {
        let tagged = Sample::udp4(1, 2, b"x").vlan(100, 0x0800).ethernet(0x8100);
        assert_eq!(
            (tagged.packet().encap.vlans(), tagged.payload()),
            (&[100][..], &b"x"[..])
        );
        let stack = Sample::udp6(1, 2, b"x")
            .vlan(1, 0x86dd)
            .vlan(2, 0x8100)
            .vlan(3, 0x88a8)
            .vlan(4, 0x9100);
        assert_eq!(
            stack.clone().ethernet(0x88a8).packet().encap.vlans(),
            [4, 3, 2, 1]
        );
        assert_eq!(
            stack.vlan(5, 0x8100).ethernet(0x88a8).reason(),
            DropReason::VlanDepth
        );
    }

    #[test]
    fn a_priority_tag_is_no_vlan() {
        let tagged = Sample::udp4(1, 2, b"x").vlan(0, 0x0800).ethernet(0x8100);
        assert!(tagged.packet().encap.vlans().is_empty());
        let mut endless = Sample::udp4(1, 2, b"x");
        for _ in 0..100 {
            endless = endless.vlan(0, 0x8100);
        }
        assert_eq!(endless.ethernet(0x8100).reason(), DropReason::LayerDepth);
    }

    #[test]
    fn tags_inside_a_tunnel_follow_those_outside() {
        let inner = Sample::udp4(1, 2, b"x").vlan(20, 0x0800).ethernet(0x8100);
        let frame = inner
            .front(&[8, 0, 0, 0, 0, 0, 1, 0])
            .in_udp4(4789)
            .vlan(10, 0x0800)
            .ethernet(0x8100);
        assert_eq!(frame.packet().encap.vlans(), [10, 20]);
    }
}
