//! IP addresses in one shape.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The 96 bits in front of an IPv4 address mapped into IPv6 (RFC 4291 section 2.5.5.2).
const V4_MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/// An IPv4 or IPv6 address as 16 bytes in network order; IPv4 is stored v4-mapped, so that a flow
/// key has one shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpAddress(pub [u8; 16]);

impl IpAddress {
    /// All zero: no address.
    pub const UNSPECIFIED: Self = Self([0; 16]);

    /// The address of four bytes in network order.
    #[inline]
    pub const fn v4(bytes: [u8; 4]) -> Self {
        // As one number, so that it stays in registers on its way, and with the first byte lowest, so that none
        // is swapped.
        let mapped = (u32::from_le_bytes(bytes) as u128) << 96 | 0xffff << 80;
        Self(mapped.to_le_bytes())
    }

    /// The address of sixteen bytes in network order.
    #[inline]
    pub const fn v6(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Whether this is an IPv4 address, stored v4-mapped.
    #[inline]
    pub fn is_ipv4(&self) -> bool {
        self.0.starts_with(&V4_MAPPED)
    }

    /// The sixteen bytes in network order.
    #[inline]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> Self {
        let v6 = Ipv6Addr::from(address.0);
        v6.to_ipv4_mapped().map_or(Self::V6(v6), Self::V4)
    }
}

impl From<Ipv4Addr> for IpAddress {
    fn from(address: Ipv4Addr) -> Self {
        Self::v4(address.octets())
    }
}

impl From<Ipv6Addr> for IpAddress {
    fn from(address: Ipv6Addr) -> Self {
        Self::v6(address.octets())
    }
}

impl From<IpAddr> for IpAddress {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => v6.into(),
        }
    }
}

/// Dotted decimal for IPv4, RFC 5952 text for IPv6.
impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IpAddr::from(*self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_follows_the_family() {
        let v4 = IpAddress::v4([192, 0, 2, 1]);
        assert!(v4.is_ipv4());
        assert_eq!(v4.to_string(), "192.0.2.1");
        let v6 = IpAddress::from("2001:db8::1".parse::<Ipv6Addr>().unwrap());
        assert!(!v6.is_ipv4());
        assert_eq!(v6.to_string(), "2001:db8::1");
    }

    #[test]
    fn standard_addresses_go_both_ways() {
        for text in ["10.0.0.1", "fe80::1", "::"] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(IpAddr::from(IpAddress::from(address)), address);
        }
    }
}
