//! Internet checksums (RFC 1071), for those who want them verified.

use super::ip::protocol;
use super::walk::Walk;

/// Whether the checksum of an IPv4 header, options included, holds (RFC 791 section 3.1).
pub fn ipv4_header(header: &[u8]) -> bool {
    fold(sum(header)) == 0xffff
}

/// Whether the checksum of a TCP, UDP or ICMPv6 message holds together with its pseudo-header
/// (RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1). `src` and `dst` have 4 or 16 bytes.
pub fn with_pseudo_header(src: &[u8], dst: &[u8], protocol: u8, message: &[u8]) -> bool {
    let pseudo = sum(src) + sum(dst) + u64::from(protocol) + message.len() as u64;
    fold(pseudo + sum(message)) == 0xffff
}

/// Whether the checksum of an ICMP message holds (RFC 792), which has no pseudo-header.
pub fn icmp(message: &[u8]) -> bool {
    fold(sum(message)) == 0xffff
}

/// Whether the message at the offset of a walk has a right checksum. One that was not captured whole,
/// is not contiguous, or carries no checksum cannot be wrong.
pub(super) fn holds(walk: &Walk<'_>, number: u8) -> bool {
    use super::DropReason::HeadersNotContiguous;
    let Ok(message) = walk.slice(walk.offset, walk.end, HeadersNotContiguous) else {
        return true;
    };
    if walk.missing > 0 || (number == protocol::UDP && message.get(6..8) == Some(&[0, 0])) {
        return true;
    }
    if number == protocol::ICMP {
        return icmp(message);
    }
    // The prefix of a mapped IPv4 address would have to be left out: it is all ones in one word, which
    // adds nothing in this arithmetic.
    with_pseudo_header(
        walk.ip.src().as_bytes(),
        walk.ip.dst().as_bytes(),
        number,
        message,
    )
}

/// The checksum to put into a message whose checksum field is zero; without addresses there is no
/// pseudo-header (IPv4 headers, ICMP).
pub(super) fn value(src: &[u8], dst: &[u8], protocol: u8, message: &[u8]) -> u16 {
    let len = if src.is_empty() { 0 } else { message.len() as u64 };
    !fold(sum(src) + sum(dst) + u64::from(protocol) + len + sum(message))
}

/// Sum of 16-bit words in network order, an odd last byte padded with zero.
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(2);
    let whole: u64 = words
        .by_ref()
        .map(|w| u64::from(u16::from_be_bytes([w[0], w[1]])))
        .sum();
    whole + words.remainder().first().map_or(0, |last| u64::from(*last) << 8)
}

/// Adds the carries back in until 16 bits are left (RFC 1071 section 4.1).
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::super::{DecodeOptions, DropReason, LinkType, decode};
    use super::*;

    #[test]
    fn rfc_1071_example() {
        assert_eq!(
            fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7])),
            0xddf2
        );
    }

    #[test]
    fn verified_only_where_asked() {
        let frames = [
            (
                Sample::udp4(1, 2, b"odd").ethernet(0x0800),
                DropReason::UdpChecksum,
            ),
            (
                Sample::udp6(1, 2, b"even").ethernet(0x86dd),
                DropReason::UdpChecksum,
            ),
            (
                Sample::tcp4(0x10, &[], b"odd").ethernet(0x0800),
                DropReason::TcpChecksum,
            ),
            (
                Sample::tcp6(0x10, &[], b"even").ethernet(0x86dd),
                DropReason::TcpChecksum,
            ),
            (
                Sample::icmp4(8, b"odd").ethernet(0x0800),
                DropReason::IcmpChecksum,
            ),
            (
                Sample::icmp6(128, b"even").ethernet(0x86dd),
                DropReason::IcmpChecksum,
            ),
        ];
        let verifying = DecodeOptions::default().with_verified_checksums(true);
        for (mut frame, reason) in frames {
            let len = frame.bytes.len();
            assert_eq!(
                decode(LinkType::Ethernet, &frame.bytes, len, &verifying),
                frame.decode()
            );
            frame.bytes[len - 1] ^= 1;
            assert!(frame.decode().is_ok());
            assert_eq!(
                decode(LinkType::Ethernet, &frame.bytes, len, &verifying),
                Err(reason)
            );
        }
        let mut header = Sample::udp4(1, 2, b"x").ethernet(0x0800);
        header.bytes[22] ^= 1;
        assert_eq!(
            decode(LinkType::Ethernet, &header.bytes, header.bytes.len(), &verifying),
            Err(DropReason::Ipv4Checksum)
        );
    }

    #[test]
    fn udp_without_checksum_and_cut_packets_pass() {
        let verifying = DecodeOptions::default().with_verified_checksums(true);
        let mut none = Sample::udp4(1, 2, b"x").ethernet(0x0800);
        none.bytes[40..42].copy_from_slice(&[0, 0]);
        assert!(decode(LinkType::Ethernet, &none.bytes, none.bytes.len(), &verifying).is_ok());
        let whole = Sample::tcp4(0x10, &[], b"abcdef").ethernet(0x0800);
        let cut = &whole.bytes[..whole.bytes.len() - 2];
        assert!(decode(LinkType::Ethernet, cut, cut.len(), &verifying).is_ok());
    }
}
