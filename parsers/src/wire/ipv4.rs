//! IPv4 (RFC 791).

use super::fragment::FragmentHeader;
use super::walk::{Layer, Walk};
use super::{DropReason, IpAddress, checksum, ip};

/// Header without options, bytes.
pub(super) const HEADER_BYTES: usize = 20;

/// More fragments, and the offset of this one: all bits of the word but "reserved" and "do not fragment".
pub(super) const FRAGMENT_MASK: u16 = 0x3fff;

/// More fragments follow.
const MORE_FRAGMENTS: u16 = 0x2000;

/// The source address.
#[inline(always)]
pub(super) fn src(header: &[u8; HEADER_BYTES]) -> IpAddress {
    IpAddress::v4([header[12], header[13], header[14], header[15]])
}

/// The destination address.
#[inline(always)]
pub(super) fn dst(header: &[u8; HEADER_BYTES]) -> IpAddress {
    IpAddress::v4([header[16], header[17], header[18], header[19]])
}

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
    walk.ip = ip::Header::V4(header);
    walk.ip_offset = start;
    walk.offset = start + header_len;
    if is_fragment {
        walk.fragment = FragmentHeader {
            id: u32::from(u16::from_be_bytes([header[4], header[5]])),
            protocol: header[9],
            more: fragment_word & MORE_FRAGMENTS != 0,
            offset: (fragment_word & 0x1fff) * 8,
            header_len: header_len as u16,
            next_header_offset: 9,
        };
        return Ok(Layer::Fragment);
    }
    Ok(Layer::Protocol(header[9]))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{CLIENT_V4, SERVER_V4, Sample, bytes};
    use super::super::{DecodeOptions, DropReason, LinkType, decode};

    #[test]
    fn options_are_skipped() {
        let udp = bytes(b"x").udp(1, 2, &CLIENT_V4, &SERVER_V4);
        let frame = udp.ip4(CLIENT_V4, SERVER_V4, 17, &[1; 40]).ethernet(0x0800);
        assert_eq!(
            (frame.payload(), frame.packet().payload_offset),
            (&b"x"[..], 14 + 60 + 8)
        );
    }

    #[test]
    fn lengths_that_lie() {
        let changed = |at: usize, value: u8| {
            let mut frame = Sample::udp4(1, 2, b"abc").ethernet(0x0800);
            frame.bytes[at] = value;
            frame
        };
        assert_eq!(changed(14, 0x55).reason(), DropReason::Ipv4Version);
        assert_eq!(changed(14, 0x44).reason(), DropReason::Ipv4HeaderLength);
        assert_eq!(changed(17, 19).reason(), DropReason::Ipv4TotalLength);
        // A header of 60 bytes in a packet of 31.
        assert_eq!(changed(14, 0x4f).reason(), DropReason::Ipv4TotalLength);
        assert_eq!(changed(17, 24).reason(), DropReason::UdpTruncated);
    }

    #[test]
    fn total_length_zero_goes_to_the_end() {
        let mut frame = Sample::tcp4(0x10, &[], &[7; 100]).ethernet(0x0800);
        frame.bytes[16..18].copy_from_slice(&[0, 0]);
        assert_eq!(
            (frame.packet().payload_len, frame.packet().payload_missing),
            (100, 0)
        );
    }

    #[test]
    fn headers_must_be_contiguous() {
        let frame = Sample::udp4(1, 2, &[7; 100]).ethernet(0x0800);
        let options = DecodeOptions::default();
        let whole = decode(LinkType::Ethernet, &frame.bytes, frame.bytes.len(), &options);
        for first in 0..frame.bytes.len() {
            let got = decode(
                LinkType::Ethernet,
                &frame.bytes[..first],
                frame.bytes.len(),
                &options,
            );
            let headers = 14 + 20 + 8;
            assert_eq!(
                got,
                if first < headers {
                    Err(DropReason::HeadersNotContiguous)
                } else {
                    whole
                }
            );
        }
    }
}
