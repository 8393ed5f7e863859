//! What both versions of IP share: telling them apart, and the protocols they carry.

use super::walk::{Layer, Walk};
use super::{DropReason, IpAddress, gre, ipip, ipv4, ipv6};

/// Protocol numbers (IANA "Assigned Internet Protocol Numbers").
pub(super) mod protocol {
    pub(in super::super) const HOP_BY_HOP: u8 = 0;
    pub(in super::super) const ICMP: u8 = 1;
    pub(in super::super) const IPV4: u8 = 4;
    pub(in super::super) const TCP: u8 = 6;
    pub(in super::super) const UDP: u8 = 17;
    pub(in super::super) const IPV6: u8 = 41;
    pub(in super::super) const ROUTING: u8 = 43;
    pub(in super::super) const FRAGMENT: u8 = 44;
    pub(in super::super) const GRE: u8 = 47;
    pub(in super::super) const ESP: u8 = 50;
    pub(in super::super) const AUTHENTICATION: u8 = 51;
    pub(in super::super) const ICMPV6: u8 = 58;
    pub(in super::super) const NO_NEXT_HEADER: u8 = 59;
    pub(in super::super) const DESTINATION_OPTIONS: u8 = 60;
    pub(in super::super) const SCTP: u8 = 132;
    pub(in super::super) const MOBILITY: u8 = 135;
    pub(in super::super) const HIP: u8 = 139;
    pub(in super::super) const SHIM6: u8 = 140;
}

/// An IP header that was found, options and extensions apart.
#[derive(Clone, Copy)]
pub(super) enum Header<'a> {
    /// None yet.
    None,
    V4(&'a [u8; ipv4::HEADER_BYTES]),
    V6(&'a [u8; ipv6::HEADER_BYTES]),
}

impl Header<'_> {
    /// The source address.
    #[inline]
    pub(super) fn src(&self) -> IpAddress {
        match self {
            Self::None => IpAddress::UNSPECIFIED,
            Self::V4(header) => ipv4::src(header),
            Self::V6(header) => ipv6::src(header),
        }
    }

    /// The destination address.
    #[inline]
    pub(super) fn dst(&self) -> IpAddress {
        match self {
            Self::None => IpAddress::UNSPECIFIED,
            Self::V4(header) => ipv4::dst(header),
            Self::V6(header) => ipv6::dst(header),
        }
    }

    /// Whether it is IPv6.
    #[inline]
    pub(super) fn is_ipv6(&self) -> bool {
        matches!(self, Self::V6(_))
    }
}

/// The version nibble tells which IP it is.
#[inline]
pub(super) fn decode(walk: &Walk<'_>) -> Result<Layer, DropReason> {
    let [first] = walk.read::<1>(walk.offset, DropReason::LinkHeaderTruncated)?;
    match first >> 4 {
        4 => Ok(Layer::Ipv4),
        6 => Ok(Layer::Ipv6),
        _ => Err(DropReason::IpVersion),
    }
}

/// Every protocol but TCP, UDP and ICMP.
pub(super) fn decode_protocol(walk: &mut Walk<'_>, protocol: u8) -> Result<Layer, DropReason> {
    match protocol {
        protocol::IPV4 => ipip::decode(walk, Layer::Ipv4),
        protocol::IPV6 => ipip::decode(walk, Layer::Ipv6),
        protocol::GRE => gre::decode(walk),
        protocol::AUTHENTICATION => {
            let (next, len) = read_authentication(walk)?;
            walk.offset += len;
            Ok(Layer::Protocol(next))
        }
        protocol::ESP => Err(DropReason::Esp),
        protocol::SCTP => Err(DropReason::Sctp),
        protocol::NO_NEXT_HEADER if walk.ip.is_ipv6() => Err(DropReason::Ipv6NoNextHeader),
        _ => Err(DropReason::IpProtocolUnsupported),
    }
}

/// Authentication header (RFC 4302 section 2): next header and length in bytes. The length field
/// counts 32-bit words minus 2; the fixed part alone is three.
pub(super) fn read_authentication(walk: &Walk<'_>) -> Result<(u8, usize), DropReason> {
    let [next, words] = *walk.read::<2>(walk.offset, DropReason::AhTruncated)?;
    let len = (usize::from(words) + 2) * 4;
    if len < 12 || walk.offset + len > walk.end {
        return Err(DropReason::AhTruncated);
    }
    Ok((next, len))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, bytes};
    use super::super::{DecodeOptions, DropReason, Encap, LinkType, decode, decode_ip};

    #[test]
    fn the_version_nibble_decides() {
        let options = DecodeOptions::default();
        for sample in [Sample::udp4(1, 2, b"x"), Sample::udp6(1, 2, b"x")] {
            let raw = decode(LinkType::RawIp, &sample.bytes, sample.bytes.len(), &options);
            assert!(raw.is_ok());
            assert_eq!(decode_ip(&sample.bytes, Encap::NONE, &options), raw);
        }
        assert_eq!(
            decode_ip(&[0x50], Encap::NONE, &options),
            Err(DropReason::IpVersion)
        );
        assert_eq!(
            decode_ip(&[], Encap::NONE, &options),
            Err(DropReason::LinkHeaderTruncated)
        );
    }

    #[test]
    fn protocols_that_end_here() {
        let reason = |protocol| bytes(&[0; 40]).in_ip4(protocol).ethernet(0x0800).reason();
        assert_eq!(reason(50), DropReason::Esp);
        assert_eq!(reason(132), DropReason::Sctp);
        assert_eq!(reason(2), DropReason::IpProtocolUnsupported);
        assert_eq!(reason(59), DropReason::IpProtocolUnsupported);
        assert_eq!(
            bytes(&[0; 40]).in_ip6(59).ethernet(0x86dd).reason(),
            DropReason::Ipv6NoNextHeader
        );
    }

    #[test]
    fn authentication_header_over_ipv4() {
        let mut frame = Sample::udp4(1, 2, b"x");
        frame.bytes.drain(..20);
        let frame = frame.front(&[
            17, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ]);
        assert_eq!(frame.in_ip4(51).ethernet(0x0800).payload(), b"x");
        let short = bytes(&[17, 0, 0, 0, 0, 0, 0, 1]).in_ip4(51).ethernet(0x0800);
        assert_eq!(short.reason(), DropReason::AhTruncated);
    }
}
