//! Work a NIC can do on a received packet.

use std::fmt;
use std::ops::{BitAnd, BitOr};

use crate::ffi;

/// A set of receive offloads, of those Tapir has a use for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct RxOffloads(u64);

impl RxOffloads {
    /// Check the IPv4 header checksum.
    pub const IPV4_CHECKSUM: Self = Self(ffi::OFFLOAD_IPV4_CKSUM);
    /// Check the TCP checksum.
    pub const TCP_CHECKSUM: Self = Self(ffi::OFFLOAD_TCP_CKSUM);
    /// Check the UDP checksum.
    pub const UDP_CHECKSUM: Self = Self(ffi::OFFLOAD_UDP_CKSUM);
    /// Check all three.
    pub const CHECKSUM: Self =
        Self(ffi::OFFLOAD_IPV4_CKSUM | ffi::OFFLOAD_TCP_CKSUM | ffi::OFFLOAD_UDP_CKSUM);
    /// Take the VLAN tag out of the bytes and report it.
    pub const VLAN_STRIP: Self = Self(ffi::OFFLOAD_VLAN_STRIP);
    /// Take two VLAN tags out and report both.
    pub const QINQ_STRIP: Self = Self(ffi::OFFLOAD_QINQ_STRIP);
    /// Spread a frame longer than a buffer over several. Asked for by the port itself when needed.
    pub const SCATTER: Self = Self(ffi::OFFLOAD_SCATTER);
    /// Say when the frame arrived. Some PMDs leave their vector path for it.
    pub const TIMESTAMP: Self = Self(ffi::OFFLOAD_TIMESTAMP);
    /// Report the RSS hash.
    pub const RSS_HASH: Self = Self(ffi::OFFLOAD_RSS_HASH);
    /// None.
    pub const NONE: Self = Self(0);

    const NAMES: [(Self, &'static str); 8] = [
        (Self::IPV4_CHECKSUM, "ipv4_checksum"),
        (Self::TCP_CHECKSUM, "tcp_checksum"),
        (Self::UDP_CHECKSUM, "udp_checksum"),
        (Self::VLAN_STRIP, "vlan_strip"),
        (Self::QINQ_STRIP, "qinq_strip"),
        (Self::SCATTER, "scatter"),
        (Self::TIMESTAMP, "timestamp"),
        (Self::RSS_HASH, "rss_hash"),
    ];

    /// Whether all of `others` are in the set.
    #[must_use]
    pub const fn contains(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// The names of those in the set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |(offload, _)| self.contains(*offload))
            .map(|(_, name)| name)
    }

    /// Of DPDK's bits, those named here.
    pub(super) fn from_raw(bits: u64) -> Self {
        Self(bits)
            & Self::NAMES
                .into_iter()
                .fold(Self::NONE, |all, (offload, _)| all | offload)
    }

    pub(super) fn to_raw(self) -> u64 {
        self.0
    }
}

impl BitOr for RxOffloads {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for RxOffloads {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Debug for RxOffloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_members_and_names() {
        let set = RxOffloads::CHECKSUM | RxOffloads::SCATTER;
        assert!(set.contains(RxOffloads::UDP_CHECKSUM));
        assert!(!set.contains(RxOffloads::SCATTER | RxOffloads::TIMESTAMP));
        assert_eq!(set & RxOffloads::TIMESTAMP, RxOffloads::NONE);
        assert_eq!(
            format!("{set:?}"),
            r#"{"ipv4_checksum", "tcp_checksum", "udp_checksum", "scatter"}"#
        );
    }

    #[test]
    fn bits_without_a_name_are_left_out() {
        assert_eq!(
            RxOffloads::from_raw(u64::MAX).names().count(),
            RxOffloads::NAMES.len()
        );
    }
}
