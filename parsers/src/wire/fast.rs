//! The straight line: untagged Ethernet, IPv4 without options or fragments, TCP or UDP.
//!
//! Most packets of most networks are these. Whatever is not exactly so, wrong lengths included, is
//! left to the walk, which knows the names of all that can be wrong; nothing is refused here.

use super::ip::protocol;
use super::{
    DecodeOptions, Encap, IcmpHeader, IpAddress, L4, Packet, TcpHeader, ethernet::ethertype, ipv4, tcp, udp,
};

/// Where the IPv4 header begins.
const IP: usize = 14;

/// Where the transport header begins.
const TRANSPORT: usize = IP + ipv4::HEADER_BYTES;

/// Ethernet, IPv4 and TCP without options. A shorter UDP packet is padded to this length on Ethernet.
const HEAD_BYTES: usize = TRANSPORT + tcp::HEADER_BYTES;

/// The packet, or nothing when it takes the walk to decode it.
#[inline]
pub(super) fn decode(first_segment: &[u8], frame_len: usize, options: &DecodeOptions) -> Option<Packet> {
    let head = first_segment.first_chunk::<HEAD_BYTES>()?;
    let fragment = be16(head, IP + 6) & ipv4::FRAGMENT_MASK;
    if be16(head, 12) != ethertype::IPV4 || head[IP] != 0x45 || fragment != 0 || options.verify_checksums() {
        return None;
    }
    let promised_end = IP + usize::from(be16(head, IP + 2));
    let end = promised_end.min(frame_len);
    let (l4, tcp, payload_offset, promised_end, end) = match head[IP + 9] {
        protocol::TCP => {
            let header = head.last_chunk::<{ tcp::HEADER_BYTES }>()?;
            let header_len = usize::from(header[12] >> 4) * 4;
            let payload_offset = TRANSPORT + header_len;
            if header_len < tcp::HEADER_BYTES || payload_offset > end {
                return None;
            }
            let tcp_options = first_segment.get(HEAD_BYTES..payload_offset)?;
            (
                L4::Tcp,
                tcp::facts(header, tcp_options),
                payload_offset,
                promised_end,
                end,
            )
        }
        protocol::UDP => {
            let udp_len = usize::from(be16(head, TRANSPORT + 4));
            let udp_end = TRANSPORT + udp_len;
            let payload_offset = TRANSPORT + udp::HEADER_BYTES;
            if udp_len < udp::HEADER_BYTES
                || udp_end > promised_end
                || payload_offset > end
                || options.may_be_tunnel(be16(head, TRANSPORT + 2))
            {
                return None;
            }
            (
                L4::Udp,
                TcpHeader::default(),
                payload_offset,
                udp_end,
                end.min(udp_end),
            )
        }
        _ => return None,
    };
    Some(Packet {
        src: IpAddress::v4([head[IP + 12], head[IP + 13], head[IP + 14], head[IP + 15]]),
        dst: IpAddress::v4([head[IP + 16], head[IP + 17], head[IP + 18], head[IP + 19]]),
        src_port: be16(head, TRANSPORT),
        dst_port: be16(head, TRANSPORT + 2),
        l4,
        ipv6: false,
        encap: Encap::NONE,
        payload_offset: payload_offset as u32,
        payload_len: (end - payload_offset) as u32,
        payload_missing: (promised_end - end) as u32,
        tcp,
        icmp: IcmpHeader::default(),
    })
}

/// Two bytes in network order; `offset` is a constant at every call, so no check is left.
#[inline(always)]
fn be16(head: &[u8; HEAD_BYTES], offset: usize) -> u16 {
    u16::from_be_bytes([head[offset], head[offset + 1]])
}

#[cfg(test)]
mod tests {
    use super::super::{Decoded, LinkType, decode as decode_any, decode_layers};
    use super::*;

    const TCP: [u8; 60] = [
        2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, // Ethernet
        0x45, 0, 0, 43, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
        0x1f, 0x90, 0, 80, 0, 0, 0, 7, 0, 0, 0, 9, 0x50, 0x18, 0x01, 0x00, 0, 0, 0, 0, // TCP
        b'a', b'b', b'c', 0, 0, 0, // payload and padding
    ];

    #[test]
    fn agrees_with_the_walk_at_every_length() {
        let options = DecodeOptions::default();
        let mut frame = TCP;
        for protocol in [6, 17] {
            frame[23] = protocol;
            if protocol == 17 {
                frame[38..40].copy_from_slice(&[0, 20]);
            }
            for contiguous in 0..=frame.len() {
                for frame_len in [0, contiguous, 55, 57, 60, 2000] {
                    let head = &frame[..contiguous];
                    let fast = decode_any(LinkType::Ethernet, head, frame_len, &options);
                    let walked = decode_layers(LinkType::Ethernet, head, frame_len, &options);
                    assert_eq!(fast, walked, "protocol {protocol}, {contiguous} of {frame_len}");
                }
            }
        }
    }

    #[test]
    fn trims_padding_and_counts_what_is_missing() {
        let options = DecodeOptions::default();
        let packet = decode(&TCP, TCP.len(), &options).unwrap();
        assert_eq!(
            (packet.payload_offset, packet.payload_len, packet.payload_missing),
            (54, 3, 0)
        );
        assert_eq!((packet.src_port, packet.dst_port), (8080, 80));
        assert_eq!((packet.tcp.seq, packet.tcp.ack, packet.tcp.window), (7, 9, 256));
        let cut = decode(&TCP[..56], 56, &options).unwrap();
        assert_eq!((cut.payload_len, cut.payload_missing), (2, 1));
        assert!(
            matches!(decode_any(LinkType::Ethernet, &TCP, 60, &options), Ok(Decoded::Packet(p)) if p == packet)
        );
    }
}
