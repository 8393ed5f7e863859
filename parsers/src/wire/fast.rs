//! The straight line: Ethernet with one VLAN tag or none, IPv4 without options or IPv6 without extension
//! headers, TCP or UDP.
//!
//! Most packets of most networks are these. Whatever is not exactly so, wrong lengths included, is
//! left to the walk, which knows the names of all that can be wrong; nothing is refused here.

use super::ethernet::{self, ethertype};
use super::ip::protocol;
use super::{DecodeOptions, Encap, IcmpHeader, IpAddress, L4, Packet, TcpHeader, ipv4, ipv6, tcp, udp, vlan};

/// Where the IP header begins.
const UNTAGGED: usize = ethernet::HEADER_BYTES;
const TAGGED: usize = UNTAGGED + vlan::TAG_BYTES;

/// What an IP header comes down to. Offsets count from the start of the frame.
struct Ip {
    src: IpAddress,
    dst: IpAddress,
    protocol: u8,
    /// Where the transport header begins.
    payload: usize,
    /// Where the packet ends by its own account.
    end: usize,
}

/// Decodes an Ethernet frame along the line of IPv4 without a tag, which is that of most. False: it is not on it,
/// and parts of `packet` may be written.
// Always inline: what the caller makes of the packet's parts need not be read again.
#[inline(always)]
pub(super) fn decode_straight(
    frame: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
    packet: &mut Packet,
) -> bool {
    // All that is read without another look at the length.
    frame.len() >= UNTAGGED + ipv4::HEADER_BYTES
        && ethertype_at(frame, UNTAGGED) == ethertype::IPV4
        && try_line::<UNTAGGED, false>(frame, frame_len, options, packet).is_some()
}

/// Decodes an Ethernet frame along one of the other straight lines, `None` where it is on none of them.
#[inline]
pub(super) fn decode_otherwise(
    frame: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
    packet: &mut Packet,
) -> Option<()> {
    match ethertype_at(frame, UNTAGGED) {
        ethertype::IPV6 => try_line::<UNTAGGED, true>(frame, frame_len, options, packet),
        ethertype::VLAN => match ethertype_at(frame, TAGGED) {
            ethertype::IPV4 => try_line::<TAGGED, false>(frame, frame_len, options, packet),
            ethertype::IPV6 => try_line::<TAGGED, true>(frame, frame_len, options, packet),
            _ => None,
        },
        _ => None,
    }
}

/// The type in front of `offset`, or 0 where the frame is shorter.
#[inline(always)]
fn ethertype_at(frame: &[u8], offset: usize) -> u16 {
    read::<2>(frame, offset - 2).map_or(0, |bytes| u16::from_be_bytes(*bytes))
}

/// One straight line: the IP header at a known place and of a known version.
///
/// Writes every part of `packet`, each to where it stays: a packet that was put together elsewhere would be
/// copied in larger pieces than it was written in, and the CPU waits for that. `None`: not on this line, and
/// some parts may be written.
#[inline(always)]
fn try_line<const IP: usize, const V6: bool>(
    frame: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
    packet: &mut Packet,
) -> Option<()> {
    if options.verify_checksums() {
        return None;
    }
    let ip = if V6 {
        decode_ipv6(frame, IP)?
    } else {
        decode_ipv4(frame, IP)?
    };
    let end = ip.end.min(frame_len);
    let (ports, payload, end, promised_end) = match ip.protocol {
        protocol::TCP => {
            let header = read::<{ tcp::HEADER_BYTES }>(frame, ip.payload)?;
            let payload = ip.payload + usize::from(header[12] >> 4) * 4;
            if payload > end {
                return None;
            }
            // Not there either when the header is too short to be one.
            let tcp_options = frame.get(ip.payload + tcp::HEADER_BYTES..payload)?;
            packet.l4 = L4::Tcp;
            packet.tcp = tcp::facts(header, tcp_options);
            (udp::ports(header), payload, end, ip.end)
        }
        protocol::UDP => {
            let header = read::<{ udp::HEADER_BYTES }>(frame, ip.payload)?;
            let len = usize::from(u16::from_be_bytes([header[4], header[5]]));
            let (payload, udp_end) = (ip.payload + udp::HEADER_BYTES, ip.payload + len);
            let ports = udp::ports(header);
            let fits = payload <= udp_end && udp_end <= ip.end && payload <= end;
            if !fits || options.tunnel_at(ports.dst).is_some() {
                return None;
            }
            packet.l4 = L4::Udp;
            packet.tcp = TcpHeader::default();
            (ports, payload, end.min(udp_end), udp_end)
        }
        _ => return None,
    };
    packet.payload_offset = payload as u32;
    packet.payload_len = (end - payload) as u32;
    packet.payload_missing = (promised_end - end) as u32;
    packet.icmp = IcmpHeader::default();
    packet.ipv6 = V6;
    packet.encap = if IP == TAGGED {
        Encap::of_tag(read(frame, UNTAGGED)?)
    } else {
        Encap::NONE
    };
    // Last what the caller may have a use for at once.
    packet.src = ip.src;
    packet.dst = ip.dst;
    packet.src_port = ports.src;
    packet.dst_port = ports.dst;
    Some(())
}

#[inline(always)]
fn decode_ipv4(frame: &[u8], start: usize) -> Option<Ip> {
    let header = read::<{ ipv4::HEADER_BYTES }>(frame, start)?;
    let fragment = u16::from_be_bytes([header[6], header[7]]) & ipv4::FRAGMENT_MASK;
    if header[0] != 0x45 || fragment != 0 {
        return None;
    }
    Some(Ip {
        src: ipv4::src(header),
        dst: ipv4::dst(header),
        protocol: header[9],
        payload: start + header.len(),
        end: start + usize::from(u16::from_be_bytes([header[2], header[3]])),
    })
}

#[inline(always)]
fn decode_ipv6(frame: &[u8], start: usize) -> Option<Ip> {
    let header = read::<{ ipv6::HEADER_BYTES }>(frame, start)?;
    let payload = start + header.len();
    let payload_len = usize::from(u16::from_be_bytes([header[4], header[5]]));
    if header[0] >> 4 != 6 || payload_len == 0 {
        return None;
    }
    Some(Ip {
        src: ipv6::src(header),
        dst: ipv6::dst(header),
        protocol: header[6],
        payload,
        end: payload + payload_len,
    })
}

/// `N` bytes at `offset`, if they are in the first segment.
#[inline(always)]
fn read<const N: usize>(frame: &[u8], offset: usize) -> Option<&[u8; N]> {
    frame.get(offset..)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Sample, bytes};
    use super::super::{LinkType, decode_layers};
    use super::*;

    /// Every packet that a straight line is for, padded.
    fn samples() -> Vec<Sample> {
        let packets = [
            (Sample::tcp4(0x18, &[1, 1, 1, 1], b"abc"), 0x0800),
            (Sample::udp4(53, 4000, b"abc"), 0x0800),
            (Sample::tcp6(0x02, &[2, 4, 5, 0xb4], b"abc"), 0x86dd),
            (Sample::udp6(53, 4000, b"abc"), 0x86dd),
        ];
        let frames = packets.into_iter().flat_map(|(packet, ethertype)| {
            let packet = packet.back(&[0; 9]);
            [
                packet.clone().ethernet(ethertype),
                packet.vlan(7, ethertype).ethernet(ethertype::VLAN),
            ]
        });
        frames.collect()
    }

    #[test]
    fn every_line_is_taken() {
        let options = DecodeOptions::default();
        for frame in samples() {
            let packet = frame.packet();
            let line = match (packet.encap.vlans().is_empty(), packet.ipv6) {
                (true, false) => try_line::<UNTAGGED, false>,
                (true, true) => try_line::<UNTAGGED, true>,
                (false, false) => try_line::<TAGGED, false>,
                (false, true) => try_line::<TAGGED, true>,
            };
            let mut decoded = Packet::VACANT;
            let taken = line(&frame.bytes, frame.bytes.len(), &options, &mut decoded);
            assert_eq!((taken, decoded), (Some(()), packet));
            assert_eq!(frame.payload(), b"abc");
        }
    }

    #[test]
    fn agrees_with_the_walk_at_every_length_and_after_every_change() {
        let options = DecodeOptions::default();
        let agree = |frame: &[u8], frame_len: usize| {
            let walked = decode_layers(LinkType::Ethernet, frame, frame_len, &options);
            assert_eq!(
                super::super::decode(LinkType::Ethernet, frame, frame_len, &options),
                walked,
                "{frame_len}: {frame:x?}"
            );
        };
        for frame in samples() {
            let len = frame.bytes.len();
            for contiguous in 0..=len {
                for frame_len in [0, contiguous, len - 10, len - 1, len, 2000] {
                    agree(&frame.bytes[..contiguous], frame_len);
                }
            }
            for index in 12..len {
                for value in 0..=255 {
                    let mut changed = frame.bytes.clone();
                    changed[index] = value;
                    agree(&changed, len);
                }
            }
        }
    }

    #[test]
    fn a_cut_packet_says_what_is_missing() {
        for frame in samples() {
            let cut = bytes(&frame.bytes[..frame.bytes.len() - 10]).packet();
            assert_eq!((cut.payload_len, cut.payload_missing), (2, 1));
        }
    }
}
