//! MPLS label stacks (RFC 3032), and what lies below them.
//!
//! A label does not say what it labels; only the routers at its ends know. What can be found below is
//! IP, or an Ethernet pseudowire with or without control word (RFC 4448).

use super::ethernet::is_plausible;
use super::walk::{Layer, Walk};
use super::{DropReason, checksum, ipv4, ipv6};
use crate::limits::MPLS_LABELS_MAX;

/// Pseudowire control word (RFC 4385 section 3), bytes.
const CONTROL_WORD_BYTES: usize = 4;

/// Padding that may follow a packet inside a frame: the shortest Ethernet payload.
const PADDING_BYTES_MAX: usize = 46;

/// Label (20 bits), traffic class (3 bits), bottom of stack (1 bit), time to live (8 bits).
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    for _ in 0..MPLS_LABELS_MAX {
        let entry = walk.read::<4>(walk.offset, DropReason::MplsTruncated)?;
        walk.offset += entry.len();
        if entry[2] & 1 != 0 {
            return decode_payload(walk);
        }
    }
    Err(DropReason::MplsDepth)
}

/// The first nibble tells IPv4 from IPv6 and from a control word (RFC 4928 section 3), but a pseudowire
/// without control word begins with a MAC address, which may have any nibble.
fn decode_payload(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let [first] = walk.read::<1>(walk.offset, DropReason::MplsTruncated)?;
    let looks_like_ethernet = is_plausible(walk, walk.offset)?;
    match first >> 4 {
        4 if !looks_like_ethernet || has_ipv4_checksum(walk)? => Ok(Layer::Ipv4),
        6 if !looks_like_ethernet || has_ipv6_length(walk)? => Ok(Layer::Ipv6),
        0 if !looks_like_ethernet || is_plausible(walk, walk.offset + CONTROL_WORD_BYTES)? => {
            walk.offset += CONTROL_WORD_BYTES;
            Ok(Layer::Ethernet)
        }
        _ if looks_like_ethernet => Ok(Layer::Ethernet),
        _ => Err(DropReason::MplsPayloadUnknown),
    }
}

/// Whether an IPv4 header with a right checksum lies at the offset.
fn has_ipv4_checksum(walk: &Walk<'_>) -> Result<bool, DropReason> {
    let Some(header) = walk.try_read::<{ ipv4::HEADER_BYTES }>(walk.offset)? else {
        return Ok(false);
    };
    let header_len = usize::from(header[0] & 0x0f) * 4;
    let header = walk.slice(
        walk.offset,
        walk.offset + header_len,
        DropReason::MplsPayloadUnknown,
    );
    Ok(header_len >= ipv4::HEADER_BYTES && header.is_ok_and(checksum::ipv4_header))
}

/// Whether an IPv6 header whose length fits the frame lies at the offset.
fn has_ipv6_length(walk: &Walk<'_>) -> Result<bool, DropReason> {
    let Some(header) = walk.try_read::<{ ipv6::HEADER_BYTES }>(walk.offset)? else {
        return Ok(false);
    };
    let packet_len = header.len() + usize::from(u16::from_be_bytes([header[4], header[5]]));
    let rest = (walk.end - walk.offset).checked_sub(packet_len);
    Ok(rest.is_some_and(|padding| padding <= PADDING_BYTES_MAX))
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::{self, Sample};
    use crate::limits::MPLS_LABELS_MAX;

    #[test]
    fn ip_below_labels() {
        let udp4 = Sample::udp4(1, 2, b"x");
        let udp6 = Sample::udp6(1, 2, b"x");
        for inner in [udp4, udp6] {
            let frame = inner.clone().mpls(&[16, 17, 18]).ethernet(0x8847);
            let packet = frame.packet();
            assert_eq!((packet.src_port, packet.payload_len), (1, 1));
            assert_eq!(frame.payload(), b"x");
        }
    }

    #[test]
    fn pseudowires() {
        for mac in [0x00, 0x02, 0x40, 0x60, 0x9e] {
            let inner = Sample::udp4(1, 2, b"x").ethernet_to([mac, 0, 0, 0, 0, 9], 0x0800);
            let plain = inner.clone().mpls(&[99]).ethernet(0x8847);
            assert_eq!(plain.payload(), b"x", "{mac:x}");
            let with_control_word = inner.front(&[0, 0, 0, 7]).mpls(&[99]).ethernet(0x8847);
            assert_eq!(with_control_word.payload(), b"x", "{mac:x}");
        }
    }

    #[test]
    fn an_address_that_looks_like_an_ethertype_is_still_ip() {
        // Source 8.0.69.1: where a pseudowire has its EtherType stand 08 00 45.
        let frame = Sample::udp4_between([8, 0, 69, 1], [10, 0, 0, 2], 1, 2, b"x")
            .mpls(&[16])
            .ethernet(0x8847);
        assert_eq!(frame.packet().src.to_string(), "8.0.69.1");
    }

    #[test]
    fn endless_and_senseless() {
        let labels = vec![16; MPLS_LABELS_MAX + 1];
        assert_eq!(
            Sample::udp4(1, 2, b"").mpls(&labels).ethernet(0x8847).reason(),
            DropReason::MplsDepth
        );
        let junk = samples::bytes(&[0x10, 0, 0, 0, 0, 0, 0, 0])
            .mpls(&[16])
            .ethernet(0x8848);
        assert_eq!(junk.reason(), DropReason::MplsPayloadUnknown);
        assert_eq!(
            samples::bytes(&[0; 3]).ethernet(0x8847).reason(),
            DropReason::MplsTruncated
        );
    }
}
