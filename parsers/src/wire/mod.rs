//! The wire: from the bytes of a frame to the L7 payload of one packet.
//!
//! [`decode`] takes a frame as the NIC or a capture file gave it, walks link header, VLAN tags, MPLS
//! labels, IP, and tunnels to a bounded depth, and says where the innermost TCP, UDP or ICMP echo
//! payload lies. It keeps nothing, allocates nothing and reads no clock. Fragments of IP datagrams go
//! through a [`Reassembler`] and come back by [`decode_ip`].
//!
//! ```text
//! decode ─┬─ fast        Ethernet, a VLAN tag or none, IP with nothing unusual, TCP or UDP: a straight line
//!         └─ walk        everything else, one layer a step
//!              ├─ ethernet vlan mpls pppoe cooked loopback       below IP
//!              ├─ ipv4 ipv6                                      and `fragment` beside them
//!              ├─ tcp udp icmp                                   where a packet ends
//!              └─ vxlan vxlan_gpe geneve gtp gre erspan ipip nsh one more round
//! ```
//!
//! A packet that cannot be carried on has a [`DropReason`]; there is no other way out. What looks like
//! a UDP tunnel only by its port is plain UDP, with [`Encap::tunnel_rejected`] set.

mod address;
mod blocks;
pub mod checksum;
mod cooked;
mod datagram;
mod drop_reason;
mod encap;
mod erspan;
mod ethernet;
mod fast;
mod fragment;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod geneve;
mod gre;
mod gtp;
mod icmp;
mod ip;
mod ipip;
mod ipv4;
mod ipv6;
mod loopback;
mod mpls;
mod nsh;
mod options;
mod packet;
mod pppoe;
#[cfg(test)]
mod properties;
mod reassembler;
#[cfg(test)]
mod reassembler_tests;
#[cfg(test)]
mod samples;
mod tcp;
mod udp;
mod vlan;
mod vxlan;
mod vxlan_gpe;
mod walk;

pub use address::IpAddress;
pub use drop_reason::DropReason;
pub use encap::{Encap, Tunnel, TunnelKind};
pub use fragment::Fragment;
pub use options::{DecodeOptions, TooManyPorts};
pub use packet::{Decoded, IcmpHeader, L4, Packet, TcpFlags, TcpHeader};
pub use reassembler::{FragmentCounts, Reassembler, ReassemblyLimits};

use walk::{Layer, Walk};

/// What a frame begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkType {
    /// Ethernet II or IEEE 802.3.
    Ethernet,
    /// Linux "cooked" capture, version 1 (the `any` device of older tcpdump).
    LinuxCookedV1,
    /// Linux "cooked" capture, version 2.
    LinuxCookedV2,
    /// An IPv4 or IPv6 header at once.
    RawIp,
    /// BSD loopback: an address family in four bytes of either order.
    Null,
}

impl LinkType {
    /// The link type of a capture file's number (the tcpdump.org LINKTYPE list), or nothing for one
    /// that is not decoded. Numbers of raw IP differ by the system that wrote the file.
    pub const fn from_dlt(number: u32) -> Option<Self> {
        match number {
            0 | 108 => Some(Self::Null),
            1 => Some(Self::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Self::RawIp),
            113 => Some(Self::LinuxCookedV1),
            276 => Some(Self::LinuxCookedV2),
            _ => None,
        }
    }
}

/// Decodes one frame.
///
/// `first_segment` is the contiguous beginning of the frame, `frame_len` its captured length in bytes
/// over all segments. All headers must lie in the first segment; the payload may reach beyond it.
///
/// # Errors
/// The reason why there is no packet and no fragment.
#[inline]
pub fn decode(
    link: LinkType,
    first_segment: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
) -> Result<Decoded, DropReason> {
    let mut packet = Packet::VACANT;
    if decode_straight(link, first_segment, frame_len, options, &mut packet) {
        return Ok(Decoded::Packet(packet));
    }
    let fragment = decode_otherwise(link, first_segment, frame_len, options, &mut packet)?;
    Ok(fragment.map_or(Decoded::Packet(packet), Decoded::Fragment))
}

/// [`decode`] for the most frequent frames alone; false: not one of these. Small enough to be part of its
/// caller, which then has the packet's parts at hand.
///
/// The packet is written where it shall stay: it is larger than a cache line, and moving one that was just
/// written waits for every one of its parts. Where there is none, parts of `packet` may be written all the same.
#[inline(always)]
pub fn decode_straight(
    link: LinkType,
    first_segment: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
    packet: &mut Packet,
) -> bool {
    link == LinkType::Ethernet && fast::decode_straight(first_segment, frame_len, options, packet)
}

/// [`decode`] for frames that [`decode_straight`] has refused; a fragment is returned.
///
/// # Errors
/// The reason why there is no packet and no fragment.
#[inline(never)]
pub fn decode_otherwise(
    link: LinkType,
    first_segment: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
    packet: &mut Packet,
) -> Result<Option<Fragment>, DropReason> {
    if link == LinkType::Ethernet
        && fast::decode_otherwise(first_segment, frame_len, options, packet).is_some()
    {
        return Ok(None);
    }
    match decode_layers(link, first_segment, frame_len, options)? {
        Decoded::Packet(walked) => {
            *packet = walked;
            Ok(None)
        }
        Decoded::Fragment(fragment) => Ok(Some(fragment)),
    }
}

/// Decodes an IP datagram that the reassembler put together.
///
/// `encap` is what was around its fragments; tunnels found inside count on from there. Offsets in the
/// answer are those in `datagram`. A fragment inside the datagram (of a tunnel in it) is possible.
///
/// # Errors
/// The reason why there is no packet and no fragment.
pub fn decode_ip(datagram: &[u8], encap: Encap, options: &DecodeOptions) -> Result<Decoded, DropReason> {
    Walk::new(datagram, datagram.len(), encap, options).run(Layer::Ip)
}

/// The way through all layers, out of line so that the straight lines stay small.
#[inline(never)]
fn decode_layers(
    link: LinkType,
    first_segment: &[u8],
    frame_len: usize,
    options: &DecodeOptions,
) -> Result<Decoded, DropReason> {
    let mut walk = Walk::new(first_segment, frame_len, Encap::NONE, options);
    let layer = match link {
        LinkType::Ethernet => Layer::Ethernet,
        LinkType::RawIp => Layer::Ip,
        LinkType::LinuxCookedV1 => cooked::decode_v1(&mut walk)?,
        LinkType::LinuxCookedV2 => cooked::decode_v2(&mut walk)?,
        LinkType::Null => loopback::decode(&mut walk)?,
    };
    walk.run(layer)
}
