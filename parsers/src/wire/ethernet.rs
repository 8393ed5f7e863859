//! Ethernet II, and IEEE 802.3 with LLC and SNAP.

use super::walk::{Layer, Walk};
use super::{DropReason, pppoe, vlan};

/// EtherType numbers (IANA "IEEE 802 Numbers").
pub(super) mod ethertype {
    pub(in super::super) const IPV4: u16 = 0x0800;
    pub(in super::super) const ARP: u16 = 0x0806;
    /// ERSPAN type III.
    pub(in super::super) const ERSPAN_3: u16 = 0x22eb;
    pub(in super::super) const RARP: u16 = 0x8035;
    pub(in super::super) const VLAN: u16 = 0x8100;
    pub(in super::super) const IPV6: u16 = 0x86dd;
    /// Transparent Ethernet bridging (RFC 1701).
    pub(in super::super) const BRIDGED_ETHERNET: u16 = 0x6558;
    pub(in super::super) const FLOW_CONTROL: u16 = 0x8808;
    pub(in super::super) const SLOW_PROTOCOLS: u16 = 0x8809;
    pub(in super::super) const PPP: u16 = 0x880b;
    pub(in super::super) const MPLS: u16 = 0x8847;
    pub(in super::super) const MPLS_MULTICAST: u16 = 0x8848;
    pub(in super::super) const PPPOE_DISCOVERY: u16 = 0x8863;
    pub(in super::super) const PPPOE_SESSION: u16 = 0x8864;
    pub(in super::super) const EAPOL: u16 = 0x888e;
    pub(in super::super) const QINQ: u16 = 0x88a8;
    /// ERSPAN types I and II.
    pub(in super::super) const ERSPAN_1_2: u16 = 0x88be;
    pub(in super::super) const LLDP: u16 = 0x88cc;
    pub(in super::super) const MACSEC: u16 = 0x88e5;
    pub(in super::super) const PTP: u16 = 0x88f7;
    pub(in super::super) const NSH: u16 = 0x894f;
    pub(in super::super) const LOOP: u16 = 0x9000;
    pub(in super::super) const QINQ_OLD: u16 = 0x9100;
    pub(in super::super) const QINQ_OLDER: u16 = 0x9200;
}

/// Header, bytes.
pub(super) const HEADER_BYTES: usize = 14;

/// Smallest value of the type field that is a type; IEEE 802.3 clause 3.2.6.
const ETHERTYPE_MIN: u16 = 0x0600;

/// LLC and SNAP headers in front of an encapsulated EtherType (RFC 1042).
const SNAP_RFC1042: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// Destination (6), source (6), type (2).
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<HEADER_BYTES>(walk.offset, DropReason::EthernetTruncated)?;
    walk.offset += header.len();
    Ok(Layer::EtherType(u16::from_be_bytes([header[12], header[13]])))
}

/// IEEE 802.3: the type field, also that behind a VLAN tag, is a length and LLC follows. Only SNAP of
/// RFC 1042 may hold IP.
fn decode_llc(walk: &mut Walk<'_>, length: u16) -> Result<Layer, DropReason> {
    walk.end = walk.end.min(walk.offset + usize::from(length));
    let header = walk.read::<8>(walk.offset, DropReason::EthernetLlc)?;
    if !header.starts_with(&SNAP_RFC1042) {
        return Err(DropReason::EthernetLlc);
    }
    walk.offset += header.len();
    Ok(Layer::EtherType(u16::from_be_bytes([header[6], header[7]])))
}

/// What an EtherType announces, wherever it stood.
#[inline]
pub(super) fn decode_ethertype(walk: &mut Walk<'_>, ethertype: u16) -> Result<Layer, DropReason> {
    match ethertype {
        ethertype::IPV4 => Ok(Layer::Ipv4),
        ethertype::IPV6 => Ok(Layer::Ipv6),
        ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD | ethertype::QINQ_OLDER => vlan::decode(walk),
        ethertype::MPLS | ethertype::MPLS_MULTICAST => Ok(Layer::Mpls),
        ethertype::NSH => Ok(Layer::Nsh),
        ethertype::PPPOE_SESSION => pppoe::decode(walk),
        ethertype::PPPOE_DISCOVERY => Err(DropReason::PppoeDiscovery),
        ethertype::ARP | ethertype::RARP => Err(DropReason::Arp),
        ethertype::LLDP
        | ethertype::SLOW_PROTOCOLS
        | ethertype::EAPOL
        | ethertype::FLOW_CONTROL
        | ethertype::PTP
        | ethertype::LOOP => Err(DropReason::LinkControl),
        ethertype::MACSEC => Err(DropReason::Macsec),
        length if length < ETHERTYPE_MIN => decode_llc(walk, length),
        _ => Err(DropReason::EthertypeUnknown),
    }
}

/// Whether the bytes at `offset` can be an Ethernet header: its type is a usual one, and an IP version
/// behind it agrees. Used where nothing else tells an Ethernet frame from something different.
pub(super) fn is_plausible(walk: &Walk<'_>, offset: usize) -> Result<bool, DropReason> {
    let Some(header) = walk.try_read::<15>(offset)? else {
        return Ok(false);
    };
    Ok(match u16::from_be_bytes([header[12], header[13]]) {
        ethertype::IPV4 => header[14] >> 4 == 4,
        ethertype::IPV6 => header[14] >> 4 == 6,
        ethertype::ARP
        | ethertype::VLAN
        | ethertype::QINQ
        | ethertype::MPLS
        | ethertype::PPPOE_DISCOVERY
        | ethertype::PPPOE_SESSION
        | ethertype::LLDP
        | ethertype::NSH => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::{Sample, bytes};

    #[test]
    fn snap_may_hold_ip() {
        let snap = Sample::udp4(1, 2, b"x").front(&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]);
        let len = snap.bytes.len() as u16;
        assert_eq!(snap.ethernet(len).payload(), b"x");
        let spanning_tree = bytes(&[0x42, 0x42, 3, 0, 0, 0, 0, 0]).ethernet(8);
        assert_eq!(spanning_tree.reason(), DropReason::EthernetLlc);
        let per_vlan = bytes(&[0x42, 0x42, 3, 0, 0, 0, 0, 0]).vlan(7, 8).ethernet(0x8100);
        assert_eq!(per_vlan.reason(), DropReason::EthernetLlc);
        assert_eq!(
            bytes(&[0xaa, 0xaa, 3]).ethernet(3).reason(),
            DropReason::EthernetLlc
        );
    }

    #[test]
    fn types_that_hold_no_ip() {
        let reason = |ethertype| bytes(&[0; 46]).ethernet(ethertype).reason();
        assert_eq!(reason(0x0806), DropReason::Arp);
        assert_eq!(reason(0x88cc), DropReason::LinkControl);
        assert_eq!(reason(0x88e5), DropReason::Macsec);
        assert_eq!(reason(0x8137), DropReason::EthertypeUnknown);
        assert_eq!(bytes(&[0; 13]).reason(), DropReason::EthernetTruncated);
        assert_eq!(bytes(&[]).reason(), DropReason::EthernetTruncated);
    }
}
