//! Ethernet II, and IEEE 802.3 with LLC and SNAP.

use super::walk::{Layer, Walk};
use super::{DropReason, vlan};

/// EtherType numbers (IANA "IEEE 802 Numbers").
pub(super) mod ethertype {
    pub(in super::super) const IPV4: u16 = 0x0800;
    pub(in super::super) const ARP: u16 = 0x0806;
    pub(in super::super) const RARP: u16 = 0x8035;
    pub(in super::super) const VLAN: u16 = 0x8100;
    pub(in super::super) const IPV6: u16 = 0x86dd;
    pub(in super::super) const FLOW_CONTROL: u16 = 0x8808;
    pub(in super::super) const SLOW_PROTOCOLS: u16 = 0x8809;
    pub(in super::super) const EAPOL: u16 = 0x888e;
    pub(in super::super) const QINQ: u16 = 0x88a8;
    pub(in super::super) const LLDP: u16 = 0x88cc;
    pub(in super::super) const MACSEC: u16 = 0x88e5;
    pub(in super::super) const PTP: u16 = 0x88f7;
    pub(in super::super) const LOOP: u16 = 0x9000;
    pub(in super::super) const QINQ_OLD: u16 = 0x9100;
    pub(in super::super) const QINQ_OLDER: u16 = 0x9200;
}

/// Smallest value of the type field that is a type; IEEE 802.3 clause 3.2.6.
const ETHERTYPE_MIN: u16 = 0x0600;

/// LLC and SNAP headers in front of an encapsulated EtherType (RFC 1042).
const SNAP_RFC1042: [u8; 6] = [0xaa, 0xaa, 0x03, 0, 0, 0];

/// Destination (6), source (6), type (2).
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<14>(walk.offset, DropReason::EthernetTruncated)?;
    let ethertype = u16::from_be_bytes([header[12], header[13]]);
    walk.offset += header.len();
    if ethertype >= ETHERTYPE_MIN {
        return Ok(Layer::EtherType(ethertype));
    }
    decode_llc(walk, ethertype)
}

/// IEEE 802.3: the type field is a length, LLC follows. Only SNAP of RFC 1042 may hold IP.
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
pub(super) fn decode_ethertype(walk: &mut Walk<'_>, ethertype: u16) -> Result<Layer, DropReason> {
    match ethertype {
        ethertype::IPV4 => Ok(Layer::Ipv4),
        ethertype::IPV6 => Ok(Layer::Ipv6),
        ethertype::VLAN | ethertype::QINQ | ethertype::QINQ_OLD | ethertype::QINQ_OLDER => vlan::decode(walk),
        ethertype::ARP | ethertype::RARP => Err(DropReason::Arp),
        ethertype::LLDP
        | ethertype::SLOW_PROTOCOLS
        | ethertype::EAPOL
        | ethertype::FLOW_CONTROL
        | ethertype::PTP
        | ethertype::LOOP => Err(DropReason::LinkControl),
        ethertype::MACSEC => Err(DropReason::Macsec),
        _ => Err(DropReason::EthertypeUnknown),
    }
}
