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

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::super::{DecodeOptions, Decoded, DropReason, LinkType, decode};

    #[test]
    fn both_versions_and_a_tag() {
        let v1 = |ethertype: [u8; 2]| {
            [
                0,
                0,
                0,
                1,
                0,
                6,
                2,
                0,
                0,
                0,
                0,
                1,
                0,
                0,
                ethertype[0],
                ethertype[1],
            ]
        };
        let mut v2 = [0; 20];
        v2[..2].copy_from_slice(&[0x86, 0xdd]);
        let frames = [
            (
                LinkType::LinuxCookedV1,
                Sample::udp4(1, 2, b"x").front(&v1([8, 0])),
            ),
            (
                LinkType::LinuxCookedV1,
                Sample::udp4(1, 2, b"x").vlan(7, 0x0800).front(&v1([0x81, 0])),
            ),
            (LinkType::LinuxCookedV2, Sample::udp6(1, 2, b"x").front(&v2)),
        ];
        for (link, frame) in frames {
            let decoded = decode(link, &frame.bytes, frame.bytes.len(), &DecodeOptions::default());
            assert!(
                matches!(decoded, Ok(Decoded::Packet(packet)) if packet.payload_len == 1),
                "{decoded:?}"
            );
            let cut = decode(link, &frame.bytes[..15], 15, &DecodeOptions::default());
            assert_eq!(cut, Err(DropReason::LinkHeaderTruncated));
        }
    }
}
