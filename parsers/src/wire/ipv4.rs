//! IPv4 (RFC 791).

use super::fragment::FragmentHeader;
use super::walk::{Layer, Walk};
use super::{DropReason, IpAddress, checksum};

/// Header without options, bytes.
pub(super) const HEADER_BYTES: usize = 20;

/// More fragments, and the offset of this one: all bits of the word but "reserved" and "do not fragment".
pub(super) const FRAGMENT_MASK: u16 = 0x3fff;

/// More fragments follow.
const MORE_FRAGMENTS: u16 = 0x2000;

/// Version and header length (1), type of service (1), total length (2), identification (2), flags and
/// fragment offset (2), time to live (1), protocol (1), checksum (2), source (4), destination (4), options.
#[inline]
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Layer, DropReason> {
    let start = walk.offset;
    let header = walk.read::<HEADER_BYTES>(start, DropReason::Ipv4HeaderTruncated)?;
    if header[0] >> 4 != 4 {
        return Err(DropReason::Ipv4Version);
    }
    // RFC 791 section 3.1: the minimum of IHL is 5.
    let header_len = usize::from(header[0] & 0x0f) * 4;
    if header_len < HEADER_BYTES {
        return Err(DropReason::Ipv4HeaderLength);
    }
    let total_len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let fragment_word = u16::from_be_bytes([header[6], header[7]]);
    let is_fragment = fragment_word & FRAGMENT_MASK != 0;
    // The length is 0 where a NIC was to cut the packet into segments after the capture: then it goes
    // to the end of the frame.
    if total_len == 0 && !is_fragment {
        walk.missing = 0;
    } else if total_len < header_len {
        return Err(DropReason::Ipv4TotalLength);
    } else {
        walk.narrow(start + total_len);
    }
    if start + header_len > walk.end {
        return Err(DropReason::Ipv4HeaderTruncated);
    }
    if walk.options.verify_checksums() {
        let whole = walk.slice(start, start + header_len, DropReason::Ipv4HeaderTruncated)?;
        if !checksum::ipv4_header(whole) {
            return Err(DropReason::Ipv4Checksum);
        }
    }
    walk.src = IpAddress::v4([header[12], header[13], header[14], header[15]]);
    walk.dst = IpAddress::v4([header[16], header[17], header[18], header[19]]);
    walk.ipv6 = false;
    walk.ip_offset = start;
    walk.offset = start + header_len;
    if is_fragment {
        return Ok(Layer::Fragment(FragmentHeader {
            id: u32::from(u16::from_be_bytes([header[4], header[5]])),
            protocol: header[9],
            more: fragment_word & MORE_FRAGMENTS != 0,
            offset: (fragment_word & 0x1fff) * 8,
            header_len: header_len as u16,
            next_header_offset: 9,
        }));
    }
    Ok(Layer::Protocol(header[9]))
}
