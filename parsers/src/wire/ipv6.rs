//! IPv6 and its extension headers (RFC 8200).

use super::fragment::FragmentHeader;
use super::ip::{protocol, read_authentication};
use super::walk::{Layer, Walk};
use super::{DropReason, IpAddress, ip};
use crate::limits::IPV6_EXTENSIONS_MAX;

/// Header without extensions, bytes.
pub(super) const HEADER_BYTES: usize = 40;

/// Where the fixed header names what follows it.
const NEXT_HEADER: usize = 6;

/// Hop-by-hop option that carries the length of a jumbogram (RFC 2675 section 2).
const OPTION_JUMBO: u8 = 0xc2;

/// Hop-by-hop option of one byte without length (RFC 8200 section 4.2).
const OPTION_PAD1: u8 = 0;

/// The source address.
#[inline(always)]
pub(super) fn src(header: &[u8; HEADER_BYTES]) -> IpAddress {
    IpAddress::v6(header[8..].first_chunk().copied().unwrap_or_default())
}

/// The destination address.
#[inline(always)]
pub(super) fn dst(header: &[u8; HEADER_BYTES]) -> IpAddress {
    IpAddress::v6(header[24..].first_chunk().copied().unwrap_or_default())
}

/// Version, traffic class and flow label (4), payload length (2), next header (1), hop limit (1),
/// source (16), destination (16).
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let start = walk.offset;
    let header = walk.read::<HEADER_BYTES>(start, DropReason::Ipv6HeaderTruncated)?;
    if header[0] >> 4 != 6 {
        return Err(DropReason::Ipv6Version);
    }
    let next = header[NEXT_HEADER];
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    walk.offset = start + HEADER_BYTES;
    if payload_len > 0 {
        walk.narrow(walk.offset + payload_len);
    } else {
        end_without_length(walk, next)?;
    }
    walk.ip = ip::Header::V6(header);
    walk.ip_offset = start;
    if is_extension(next) {
        walk_extensions(walk, next)
    } else {
        Ok(Layer::Protocol(next))
    }
}

/// Payload length 0: a jumbogram (RFC 2675), nothing at all, or a packet that a NIC was to cut into
/// segments after the capture, which goes to the end of the frame.
#[cold]
fn end_without_length(walk: &mut Walk<'_>, next: u8) -> Result<(), DropReason> {
    walk.missing = 0;
    match next {
        protocol::NO_NEXT_HEADER => Err(DropReason::Ipv6NoNextHeader),
        protocol::HOP_BY_HOP => {
            if let Some(len) = jumbo_len(walk)? {
                walk.narrow(walk.offset.saturating_add(len));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The jumbo payload option among the hop-by-hop options at the offset, bytes.
fn jumbo_len(walk: &Walk<'_>) -> Result<Option<usize>, DropReason> {
    let truncated = DropReason::Ipv6ExtensionTruncated;
    let [_, units] = *walk.read::<2>(walk.offset, truncated)?;
    let end = walk.offset + (usize::from(units) + 1) * 8;
    let mut options = walk.slice(walk.offset + 2, end, truncated)?;
    while let Some((kind, rest)) = options.split_first() {
        options = rest;
        if *kind == OPTION_PAD1 {
            continue;
        }
        let Some((len, rest)) = rest.split_first() else {
            break;
        };
        let Some((value, rest)) = rest.split_at_checked(usize::from(*len)) else {
            break;
        };
        if *kind == OPTION_JUMBO {
            // RFC 2675 section 3: four bytes, and greater than 65,535.
            let value = value
                .try_into()
                .map(u32::from_be_bytes)
                .map_err(|_| DropReason::Ipv6JumboLength)?;
            if value <= u32::from(u16::MAX) {
                return Err(DropReason::Ipv6JumboLength);
            }
            return Ok(Some(value as usize));
        }
        options = rest;
    }
    Ok(None)
}

/// Extension headers that are walked over; ESP and "no next header" end the walk elsewhere.
#[inline]
fn is_extension(next: u8) -> bool {
    matches!(
        next,
        protocol::HOP_BY_HOP
            | protocol::ROUTING
            | protocol::FRAGMENT
            | protocol::AUTHENTICATION
            | protocol::DESTINATION_OPTIONS
            | protocol::MOBILITY
            | protocol::HIP
            | protocol::SHIM6
    )
}

/// Walks over the extension headers (RFC 8200 section 4) to the first header that is none.
fn walk_extensions(walk: &mut Walk<'_>, mut next: u8) -> Result<Layer, DropReason> {
    // Where the header before the current one names it.
    let mut named_at = walk.ip_offset + NEXT_HEADER;
    for _ in 0..IPV6_EXTENSIONS_MAX {
        let len = match next {
            protocol::FRAGMENT => {
                let header = walk.read::<8>(walk.offset, DropReason::Ipv6ExtensionTruncated)?;
                let word = u16::from_be_bytes([header[2], header[3]]);
                // An offset of 0 and nothing to follow is a whole packet (RFC 6946).
                if word & 0xfff9 != 0 {
                    return fragment(walk, named_at, header);
                }
                header.len()
            }
            protocol::AUTHENTICATION => read_authentication(walk)?.1,
            _ if is_extension(next) => {
                let [_, units] = *walk.read::<2>(walk.offset, DropReason::Ipv6ExtensionTruncated)?;
                (usize::from(units) + 1) * 8
            }
            _ => return Ok(Layer::Protocol(next)),
        };
        [next] = *walk.read::<1>(walk.offset, DropReason::Ipv6ExtensionTruncated)?;
        named_at = walk.offset;
        walk.offset += len;
        if walk.offset > walk.end {
            return Err(DropReason::Ipv6ExtensionTruncated);
        }
    }
    if is_extension(next) {
        Err(DropReason::Ipv6ExtensionDepth)
    } else {
        Ok(Layer::Protocol(next))
    }
}

/// Fragment header (RFC 8200 section 4.5): next header (1), reserved (1), offset in units of 8 bytes and
/// more-fragments bit (2), identification (4).
fn fragment(walk: &mut Walk<'_>, named_at: usize, header: &[u8; 8]) -> Result<Layer, DropReason> {
    let too_large = |_| DropReason::FragmentHeaderTooLarge;
    let word = u16::from_be_bytes([header[2], header[3]]);
    walk.fragment = FragmentHeader {
        id: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
        protocol: header[0],
        more: word & 1 != 0,
        offset: word & 0xfff8,
        header_len: u16::try_from(walk.offset - walk.ip_offset).map_err(too_large)?,
        next_header_offset: u16::try_from(named_at - walk.ip_offset).map_err(too_large)?,
    };
    walk.offset += header.len();
    Ok(Layer::Fragment)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, bytes};
    use super::super::{Decoded, DropReason};

    #[test]
    fn extension_headers_are_walked() {
        let mut sample = Sample::udp6(1, 2, b"x");
        for number in [60, 51, 43, 60, 0] {
            sample = sample.extension(number);
            assert_eq!(sample.clone().ethernet(0x86dd).payload(), b"x");
        }
        // Hop-by-hop, destination, routing, authentication and destination options, mobility, HIP and shim.
        for number in [135, 139, 140] {
            sample = sample.extension(number);
        }
        assert_eq!(sample.clone().ethernet(0x86dd).payload(), b"x");
        assert_eq!(
            sample.extension(60).ethernet(0x86dd).reason(),
            DropReason::Ipv6ExtensionDepth
        );
    }

    #[test]
    fn an_extension_beyond_the_packet() {
        let mut frame = Sample::udp6(1, 2, b"x").extension(60).ethernet(0x86dd);
        frame.bytes[14 + 41] = 200;
        assert_eq!(frame.reason(), DropReason::Ipv6ExtensionTruncated);
    }

    #[test]
    fn a_fragment_is_handed_out_and_an_atomic_one_is_none() {
        let udp = Sample::udp6(1, 2, b"x").extension(60);
        let atomic = udp.extension(44);
        let mut bytes = atomic.bytes;
        bytes[42..44].copy_from_slice(&[0, 0]);
        let frame = Sample { bytes: bytes.clone() }.ethernet(0x86dd);
        assert_eq!(frame.payload(), b"x");
        bytes[42..44].copy_from_slice(&[0, 16]);
        bytes[44..48].copy_from_slice(&[1, 2, 3, 4]);
        let fragment = Sample { bytes }.ethernet(0x86dd).fragment();
        assert_eq!(
            (fragment.id, fragment.offset, fragment.more),
            (0x01020304, 16, false)
        );
        assert_eq!(
            (
                fragment.header_len,
                fragment.next_header_offset,
                fragment.protocol
            ),
            (40, 6, 60)
        );
        assert_eq!((fragment.ip_offset, fragment.data_offset), (14, 14 + 48));
    }

    #[test]
    fn jumbogram_and_no_length() {
        let mut jumbo = bytes(&[0; 8]).in_ip6(17);
        jumbo.bytes[4..6].copy_from_slice(&[0, 0]);
        jumbo.bytes[6] = 0;
        let header = |len: [u8; 4]| [17, 0, 0xc2, 4, len[0], len[1], len[2], len[3]];
        let mut frame = jumbo.clone();
        frame.bytes.splice(40..40, header([0, 1, 0, 0]));
        let packet = frame.ethernet(0x86dd).packet();
        assert_eq!((packet.payload_len, packet.payload_missing), (0, 65_536 - 16));
        jumbo.bytes.splice(40..40, header([0, 0, 0xff, 0xff]));
        assert_eq!(jumbo.ethernet(0x86dd).reason(), DropReason::Ipv6JumboLength);

        let mut segmented_later = Sample::tcp6(0x10, &[], &[7; 100]).ethernet(0x86dd);
        segmented_later.bytes[18..20].copy_from_slice(&[0, 0]);
        assert_eq!(segmented_later.packet().payload_len, 100);
    }

    #[test]
    fn a_cut_packet_says_what_is_missing() {
        let frame = Sample::udp6(1, 2, &[7; 100]).ethernet(0x86dd);
        let cut = bytes(&frame.bytes[..frame.bytes.len() - 30]);
        assert_eq!((cut.packet().payload_len, cut.packet().payload_missing), (70, 30));
        assert!(matches!(frame.decode(), Ok(Decoded::Packet(packet)) if packet.ipv6));
    }
}
