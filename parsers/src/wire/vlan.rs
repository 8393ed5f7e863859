//! VLAN tags: IEEE 802.1Q, 802.1ad (QinQ) and the types used for QinQ before it.

use super::DropReason;
use super::walk::{Layer, Walk};

/// Tag control information (2): priority, drop eligible, VLAN id in the low 12 bits; type (2).
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let tag = walk.read::<4>(walk.offset, DropReason::VlanTruncated)?;
    walk.encap
        .push_vlan(u16::from_be_bytes([tag[0], tag[1]]) & 0x0fff)?;
    walk.offset += tag.len();
    Ok(Layer::EtherType(u16::from_be_bytes([tag[2], tag[3]])))
}
