//! A part of an IP datagram, as it came.

use super::walk::Walk;
use super::{DropReason, Encap, IpAddress, ipv6};

/// Longest datagram that can be put together, bytes: what the 16-bit length field of its header can say (RFC 791 section 3.1,
/// RFC 8200 section 4.5).
pub(super) const DATAGRAM_BYTES_MAX: usize = 65_535;

/// One fragment of an IPv4 or IPv6 datagram: whole, of a sensible length, and all that the reassembler
/// must know. Offsets without another word count from the start of the frame given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Source of the fragmented IP header.
    pub src: IpAddress,
    /// Destination of the fragmented IP header.
    pub dst: IpAddress,
    /// VLAN tags and tunnels around the fragment.
    pub encap: Encap,
    /// Identification; 16 bits in IPv4.
    pub id: u32,
    /// Where the IP header begins.
    pub ip_offset: u32,
    /// Where the fragment's bytes begin.
    pub data_offset: u32,
    /// Length of the fragment's bytes, at least 1.
    pub data_len: u16,
    /// Where the fragment's bytes belong in the datagram's payload, a multiple of 8.
    pub offset: u16,
    /// Length of the headers that the datagram gets back: IPv4 with options, or IPv6 with the extension
    /// headers in front of the fragment header.
    pub header_len: u16,
    /// Where, from the IP header, the protocol number of the datagram's payload has its place.
    pub next_header_offset: u16,
    /// Protocol of the datagram's payload.
    pub protocol: u8,
    /// Whether more fragments follow this one in the datagram.
    pub more: bool,
    /// Whether it is an IPv6 datagram.
    pub ipv6: bool,
}

impl Fragment {
    /// End of the fragment's bytes in the datagram's payload.
    #[inline]
    pub const fn end(&self) -> u32 {
        self.offset as u32 + self.data_len as u32
    }
}

/// What an IP header says of its fragment, before lengths are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FragmentHeader {
    pub(super) id: u32,
    pub(super) offset: u16,
    pub(super) header_len: u16,
    pub(super) next_header_offset: u16,
    pub(super) protocol: u8,
    pub(super) more: bool,
}

impl FragmentHeader {
    /// No fragment.
    pub(super) const NONE: Self = Self {
        id: 0,
        offset: 0,
        header_len: 0,
        next_header_offset: 0,
        protocol: 0,
        more: false,
    };

    /// The fragment whose bytes are those between offset and end of the walk.
    pub(super) fn into_fragment(self, walk: &Walk<'_>) -> Result<Fragment, DropReason> {
        if walk.missing > 0 {
            return Err(DropReason::FragmentTruncated);
        }
        let data_len = walk.end.saturating_sub(walk.offset);
        // RFC 8200 section 4.5: all but the last fragment are a multiple of 8 bytes long.
        if data_len == 0 || (self.more && !data_len.is_multiple_of(8)) {
            return Err(DropReason::FragmentLength);
        }
        // The rebuilt datagram has to fit its own length field: without its header in IPv6, with it in IPv4.
        let counted_header = counted_header_bytes(self.header_len, walk.ip.is_ipv6());
        if usize::from(self.offset) + data_len + counted_header > DATAGRAM_BYTES_MAX {
            return Err(DropReason::FragmentTooLarge);
        }
        Ok(Fragment {
            src: walk.ip.src(),
            dst: walk.ip.dst(),
            encap: walk.encap,
            id: self.id,
            ip_offset: walk.ip_offset as u32,
            data_offset: walk.offset as u32,
            data_len: data_len as u16,
            offset: self.offset,
            header_len: self.header_len,
            next_header_offset: self.next_header_offset,
            protocol: self.protocol,
            more: self.more,
            ipv6: walk.ip.is_ipv6(),
        })
    }
}

/// What of the headers counts in a datagram's length field: all in IPv4, the extensions in IPv6.
pub(super) fn counted_header_bytes(header_len: u16, ipv6: bool) -> usize {
    let fixed = if ipv6 { ipv6::HEADER_BYTES } else { 0 };
    usize::from(header_len).saturating_sub(fixed)
}

#[cfg(test)]
mod tests {
    use super::super::DropReason;
    use super::super::samples::{Sample, bytes};

    /// An IPv4 fragment with this flags-and-offset word and so much data.
    fn fragment(word: u16, data_len: usize) -> Sample {
        let mut frame = bytes(&vec![7; data_len]).in_ip4(17).ethernet(0x0800);
        frame.bytes[20..22].copy_from_slice(&word.to_be_bytes());
        frame
    }

    #[test]
    fn facts_of_a_middle_one() {
        let found = fragment(0x2000 | 3, 16).fragment();
        assert_eq!(
            (found.offset, found.end(), found.more, found.ipv6),
            (24, 40, true, false)
        );
        assert_eq!((found.ip_offset, found.data_offset, found.data_len), (14, 34, 16));
        assert_eq!(
            (found.header_len, found.next_header_offset, found.protocol),
            (20, 9, 17)
        );
    }

    #[test]
    fn lengths_that_cannot_be() {
        assert_eq!(fragment(0x2000, 15).reason(), DropReason::FragmentLength);
        assert_eq!(fragment(0x2000, 0).reason(), DropReason::FragmentLength);
        assert_eq!(fragment(1, 0).reason(), DropReason::FragmentLength);
        // Ping of death: ends at 65,528 + 16.
        assert_eq!(fragment(0x1fff, 16).reason(), DropReason::FragmentTooLarge);
        assert_eq!(fragment(0x1fff, 7).reason(), DropReason::FragmentTooLarge);
        let cut = fragment(0x2000, 16).bytes;
        assert_eq!(
            bytes(&cut[..cut.len() - 1]).reason(),
            DropReason::FragmentTruncated
        );
    }
}
