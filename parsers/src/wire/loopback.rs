//! BSD loopback: an address family in four bytes (pcap LINKTYPE_NULL and LINKTYPE_LOOP).

use super::DropReason;
use super::walk::{Layer, Walk};

/// AF_INET of every BSD.
const FAMILY_IPV4: u32 = 2;

/// AF_INET6 of NetBSD and OpenBSD, FreeBSD, and macOS.
const FAMILIES_IPV6: [u32; 3] = [24, 28, 30];

/// The family is in the byte order of the host that captured, or in network order for LOOP; its
/// values are small, so the order shows.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<4>(walk.offset, DropReason::LinkHeaderTruncated)?;
    walk.offset += header.len();
    let family = u32::from_be_bytes(*header).min(u32::from_le_bytes(*header));
    match family {
        FAMILY_IPV4 => Ok(Layer::Ipv4),
        _ if FAMILIES_IPV6.contains(&family) => Ok(Layer::Ipv6),
        _ => Err(DropReason::LoopbackFamily),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::super::{DecodeOptions, Decoded, DropReason, LinkType, decode};

    #[test]
    fn families_in_either_order() {
        let frames = [
            Sample::udp4(1, 2, b"x").front(&[2, 0, 0, 0]),
            Sample::udp4(1, 2, b"x").front(&[0, 0, 0, 2]),
            Sample::udp6(1, 2, b"x").front(&[24, 0, 0, 0]),
            Sample::udp6(1, 2, b"x").front(&[0, 0, 0, 30]),
        ];
        for frame in frames {
            let decoded = decode(
                LinkType::Null,
                &frame.bytes,
                frame.bytes.len(),
                &DecodeOptions::default(),
            );
            assert!(matches!(decoded, Ok(Decoded::Packet(_))), "{decoded:?}");
        }
        let other = decode(LinkType::Null, &[7, 0, 0, 0, 1], 5, &DecodeOptions::default());
        assert_eq!(other, Err(DropReason::LoopbackFamily));
    }
}
