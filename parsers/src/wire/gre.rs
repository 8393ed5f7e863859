//! GRE: version 0 (RFC 1701, RFC 2784, RFC 2890) and version 1 (RFC 2637).

use super::ethernet::ethertype;
use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind, erspan};
use crate::limits::GRE_ROUTES_MAX;

/// Bits of the first two bytes (RFC 1701; RFC 2784 section 2.1 keeps the checksum, RFC 2890 key and sequence).
const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const VERSION: u16 = 0x0007;

/// Flags and version (2), protocol type (2); by flag: checksum and routing offset (4), key (4),
/// sequence (4), routes.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let header = walk.read::<4>(walk.offset, DropReason::GreTruncated)?;
    let flags = u16::from_be_bytes([header[0], header[1]]);
    let protocol = u16::from_be_bytes([header[2], header[3]]);
    match flags & VERSION {
        0 => {}
        // RFC 2637 section 4.1: version 1 is for PPP alone.
        1 if protocol == ethertype::PPP => return Err(DropReason::GrePpp),
        _ => return Err(DropReason::GreVersion),
    }
    walk.offset += header.len();
    // The checksum word is there as well when only routing is flagged (RFC 1701).
    if flags & (CHECKSUM | ROUTING) != 0 {
        skip(walk, 4)?;
    }
    let mut id = None;
    if flags & KEY != 0 {
        id = Some(u32::from_be_bytes(
            *walk.read::<4>(walk.offset, DropReason::GreTruncated)?,
        ));
        skip(walk, 4)?;
    }
    if flags & SEQUENCE != 0 {
        skip(walk, 4)?;
    }
    if flags & ROUTING != 0 {
        skip_routes(walk)?;
    }
    let inner = match protocol {
        ethertype::ERSPAN_1_2 if flags & SEQUENCE == 0 => return erspan::decode_1(walk),
        ethertype::ERSPAN_1_2 => return erspan::decode_2(walk),
        ethertype::ERSPAN_3 => return erspan::decode_3(walk),
        ethertype::BRIDGED_ETHERNET => Layer::Ethernet,
        known @ (ethertype::IPV4
        | ethertype::IPV6
        | ethertype::MPLS
        | ethertype::MPLS_MULTICAST
        | ethertype::NSH) => Layer::EtherType(known),
        _ => return Err(DropReason::GreProtocolUnsupported),
    };
    walk.enter(Tunnel {
        kind: TunnelKind::Gre,
        id,
    })?;
    Ok(inner)
}

fn skip(walk: &mut Walk<'_>, len: usize) -> Result<(), DropReason> {
    walk.offset += len;
    if walk.offset > walk.end {
        Err(DropReason::GreTruncated)
    } else {
        Ok(())
    }
}

/// Source routes (RFC 1701): address family (2), offset (1), length (1), then so many bytes; a family and
/// length of 0 end them.
fn skip_routes(walk: &mut Walk<'_>) -> Result<(), DropReason> {
    for _ in 0..GRE_ROUTES_MAX {
        let [family_high, family_low, _, len] = *walk.read::<4>(walk.offset, DropReason::GreTruncated)?;
        skip(walk, 4 + usize::from(len))?;
        if [family_high, family_low, len] == [0, 0, 0] {
            return Ok(());
        }
    }
    Err(DropReason::GreRouting)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, tunnel, tunnel_without_id};
    use super::super::{DropReason, TunnelKind};

    #[test]
    fn optional_fields_in_every_combination() {
        for flags in 0..8 {
            let mut header = vec![(flags << 4 & 0x30) | (flags << 5 & 0x80), 0, 0x08, 0x00];
            for _ in 0..u8::count_ones(flags) {
                header.extend([0, 0, 0, 5]);
            }
            let frame = Sample::udp4(1, 2, b"inner")
                .front(&header)
                .in_ip4(47)
                .ethernet(0x0800);
            assert_eq!(frame.payload(), b"inner");
            let expected = if flags & 2 != 0 {
                tunnel(TunnelKind::Gre, 5)
            } else {
                tunnel_without_id(TunnelKind::Gre)
            };
            assert_eq!(frame.packet().encap.tunnel(), expected);
        }
    }

    #[test]
    fn what_it_carries() {
        let inners = [
            (0x6558_u16, Sample::udp4(1, 2, b"inner").ethernet(0x0800)),
            (0x86dd, Sample::udp6(1, 2, b"inner")),
            (0x8847, Sample::udp4(1, 2, b"inner").mpls(&[16])),
        ];
        for (protocol, inner) in inners {
            let header = [0, 0, (protocol >> 8) as u8, protocol as u8];
            for outer in [
                inner.clone().front(&header).in_ip4(47).ethernet(0x0800),
                inner.front(&header).in_ip6(47).ethernet(0x86dd),
            ] {
                assert_eq!(outer.payload(), b"inner", "{protocol:x}");
            }
        }
    }

    #[test]
    fn source_routes_end() {
        let inner = Sample::udp4(1, 2, b"inner");
        let one = [
            0x40, 0, 0x08, 0, 0, 0, 0, 0, 0x08, 0, 0, 4, 10, 0, 0, 9, 0, 0, 0, 0,
        ];
        assert_eq!(
            inner.clone().front(&one).in_ip4(47).ethernet(0x0800).payload(),
            b"inner"
        );
        let mut endless = vec![0x40, 0, 0x08, 0, 0, 0, 0, 0];
        endless.extend([0x08, 0, 0, 0].repeat(20));
        assert_eq!(
            inner.front(&endless).in_ip4(47).ethernet(0x0800).reason(),
            DropReason::GreRouting
        );
    }

    #[test]
    fn what_it_refuses() {
        let reason = |header: &[u8]| {
            Sample::udp4(1, 2, b"")
                .front(header)
                .in_ip4(47)
                .ethernet(0x0800)
                .reason()
        };
        assert_eq!(reason(&[0x20, 0x01, 0x88, 0x0b, 0, 0, 0, 0]), DropReason::GrePpp);
        assert_eq!(reason(&[0, 0x01, 0x08, 0x00]), DropReason::GreVersion);
        assert_eq!(reason(&[0, 0x02, 0x08, 0x00]), DropReason::GreVersion);
        assert_eq!(reason(&[0, 0, 0x12, 0x34]), DropReason::GreProtocolUnsupported);
        let short = super::super::samples::bytes(&[0x20, 0, 8, 0, 0])
            .in_ip4(47)
            .ethernet(0x0800);
        assert_eq!(short.reason(), DropReason::GreTruncated);
    }
}
