//! Linux "cooked" captures: what libpcap writes for the `any` device (pcap LINKTYPE_LINUX_SLL and
//! LINKTYPE_LINUX_SLL2).

use super::DropReason;
use super::walk::{Layer, Walk};

/// Packet type (2), ARPHRD (2), address length (2), address (8), protocol (2).
pub(super) fn decode_v1(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<16>(walk.offset, DropReason::LinkHeaderTruncated)?;
    walk.offset += header.len();
    Ok(Layer::EtherType(u16::from_be_bytes([header[14], header[15]])))
}

/// Protocol (2), reserved (2), interface (4), ARPHRD (2), packet type (1), address length (1), address (8).
pub(super) fn decode_v2(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<20>(walk.offset, DropReason::LinkHeaderTruncated)?;
    walk.offset += header.len();
    Ok(Layer::EtherType(u16::from_be_bytes([header[0], header[1]])))
}
