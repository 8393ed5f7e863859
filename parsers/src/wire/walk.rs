//! The walk through the layers of one packet.
//!
//! Each layer's file has a function that reads the header at [`Walk::offset`], moves the offset behind
//! it, narrows [`Walk::end`] where the header gives a length, and says which layer follows. [`Walk::run`]
//! is the only loop, so what a packet may cost is bounded in one place.

use super::fragment::FragmentHeader;
use super::{DecodeOptions, Decoded, DropReason, Encap, IcmpHeader, L4, Packet, TcpHeader, Tunnel};
use super::{ethernet, icmp, ip, ipv4, ipv6, mpls, nsh, tcp, udp};
use crate::limits::LAYERS_MAX;

/// What lies at the offset of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// An Ethernet header.
    Ethernet,
    /// What this EtherType announces.
    EtherType(u16),
    /// An IP header, its version to be read from it.
    Ip,
    /// An IPv4 header.
    Ipv4,
    /// An IPv6 header.
    Ipv6,
    /// The payload of an IP packet, of this protocol number.
    Protocol(u8),
    /// An MPLS label stack.
    Mpls,
    /// A network service header.
    Nsh,
    /// Bytes of a fragmented IP datagram, as [`Walk::fragment`] has it.
    Fragment,
}

/// The way through one packet: what is readable, where it stands, what it has seen.
pub(super) struct Walk<'a> {
    /// The first segment of the frame.
    bytes: &'a [u8],
    /// Where the next header begins.
    pub(super) offset: usize,
    /// End of the captured bytes of the current layer; may lie beyond the first segment.
    pub(super) end: usize,
    /// Bytes of the innermost IP payload that should follow `end` but were not captured.
    pub(super) missing: usize,
    /// Where the innermost IP header begins.
    pub(super) ip_offset: usize,
    /// The innermost IP header.
    pub(super) ip: ip::Header<'a>,
    /// What the innermost IP header says of its fragment, when it is one. Kept out of [`Layer`], which
    /// stays small enough for a register.
    pub(super) fragment: FragmentHeader,
    /// Tags and tunnels so far.
    pub(super) encap: Encap,
    /// The caller's settings.
    pub(super) options: &'a DecodeOptions,
}

impl<'a> Walk<'a> {
    /// At the beginning of a frame of `frame_len` bytes, of which `bytes` are contiguous.
    #[inline]
    pub(super) fn new(bytes: &'a [u8], frame_len: usize, encap: Encap, options: &'a DecodeOptions) -> Self {
        Self {
            bytes,
            offset: 0,
            // Offsets leave as u32; no frame comes near.
            end: frame_len.min(u32::MAX as usize),
            missing: 0,
            ip_offset: 0,
            ip: ip::Header::None,
            fragment: FragmentHeader::NONE,
            encap,
            options,
        }
    }

    /// Walks on from `layer` to a packet, a fragment, or a reason for neither.
    #[inline]
    pub(super) fn run(&mut self, mut layer: Layer) -> Result<Decoded, DropReason> {
        for _ in 0..LAYERS_MAX {
            layer = match layer {
                Layer::Ethernet => ethernet::decode(self)?,
                Layer::EtherType(ethertype) => ethernet::decode_ethertype(self, ethertype)?,
                Layer::Mpls => mpls::decode(self)?,
                Layer::Nsh => nsh::decode(self)?,
                Layer::Ip => ip::decode(self)?,
                Layer::Ipv4 => ipv4::decode(self)?,
                Layer::Ipv6 => ipv6::decode(self)?,
                Layer::Protocol(ip::protocol::TCP) => return tcp::decode(self).map(Decoded::Packet),
                Layer::Protocol(ip::protocol::UDP) => {
                    let ports = udp::decode(self)?;
                    match udp::decode_tunnel(self, ports)? {
                        Some(inner) => inner,
                        None => return Ok(Decoded::Packet(udp::packet(self, ports))),
                    }
                }
                Layer::Protocol(ip::protocol::ICMP | ip::protocol::ICMPV6) => {
                    return icmp::decode(self, layer).map(Decoded::Packet);
                }
                Layer::Protocol(protocol) => ip::decode_protocol(self, protocol)?,
                Layer::Fragment => return self.fragment.into_fragment(self).map(Decoded::Fragment),
            }
        }
        Err(DropReason::LayerDepth)
    }

    /// `N` bytes at `offset` of the frame; `truncated` when the layer ends before them.
    #[inline]
    pub(super) fn read<const N: usize>(
        &self,
        offset: usize,
        truncated: DropReason,
    ) -> Result<&'a [u8; N], DropReason> {
        self.try_read(offset)?.ok_or(truncated)
    }

    /// `N` bytes at `offset` of the frame, or nothing when the layer ends before them.
    #[inline]
    pub(super) fn try_read<const N: usize>(&self, offset: usize) -> Result<Option<&'a [u8; N]>, DropReason> {
        if offset.saturating_add(N) > self.end {
            return Ok(None);
        }
        match self.bytes.get(offset..).and_then(<[u8]>::first_chunk) {
            None => Err(DropReason::HeadersNotContiguous),
            found => Ok(found),
        }
    }

    /// The bytes from `start` to `end` of the frame; `truncated` when the layer ends before them.
    #[inline]
    pub(super) fn slice(
        &self,
        start: usize,
        end: usize,
        truncated: DropReason,
    ) -> Result<&'a [u8], DropReason> {
        if end > self.end {
            return Err(truncated);
        }
        self.bytes.get(start..end).ok_or(DropReason::HeadersNotContiguous)
    }

    /// Where the current IP payload ends by its own account, whether captured that far or not.
    #[inline]
    pub(super) fn promised_end(&self) -> usize {
        self.end.saturating_add(self.missing)
    }

    /// Ends the current layer at `promised_end`, or where the capture ended before.
    #[inline]
    pub(super) fn narrow(&mut self, promised_end: usize) {
        self.end = self.end.min(promised_end);
        self.missing = promised_end - self.end;
    }

    /// Notes that a tunnel was removed, if the configuration wants its kind removed.
    pub(super) fn enter(&mut self, tunnel: Tunnel) -> Result<(), DropReason> {
        if !self.options.removes(tunnel.kind) {
            return Err(DropReason::TunnelDisabled);
        }
        self.encap.push_tunnel(tunnel, self.options.depth_max())
    }

    /// The packet whose payload begins at the offset.
    #[inline(always)]
    pub(super) fn packet(&self, l4: L4, ports: (u16, u16), tcp: TcpHeader, icmp: IcmpHeader) -> Packet {
        Packet {
            src: self.ip.src(),
            dst: self.ip.dst(),
            src_port: ports.0,
            dst_port: ports.1,
            l4,
            ipv6: self.ip.is_ipv6(),
            encap: self.encap,
            payload_offset: self.offset as u32,
            payload_len: self.end.saturating_sub(self.offset) as u32,
            payload_missing: u32::try_from(self.missing).unwrap_or(u32::MAX),
            tcp,
            icmp,
        }
    }
}
