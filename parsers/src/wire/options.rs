//! What the decoder is told: which tunnels to remove, where to look for them, what to verify.

use super::TunnelKind;
use crate::limits::{TUNNEL_DEPTH_DEFAULT, TUNNEL_DEPTH_MAX, TUNNEL_PORTS_MAX};
use std::fmt;

/// Settings of the decoder. Made once, then shared by reference with every call.
#[derive(Clone, Debug)]
pub struct DecodeOptions {
    /// Bit by number of the kind.
    tunnels: u8,
    depth_max: u8,
    verify_checksums: bool,
    ports: [(u16, TunnelKind); TUNNEL_PORTS_MAX],
    port_count: usize,
    /// One bit for each hash of a port in use, so that ordinary UDP is let through by one test.
    port_filter: u64,
}

/// More UDP ports for tunnels than [`TUNNEL_PORTS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyPorts;

impl fmt::Display for TooManyPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "at most {TUNNEL_PORTS_MAX} UDP ports can be given to tunnels, all kinds together"
        )
    }
}

impl std::error::Error for TooManyPorts {}

/// Every tunnel at its usual ports, to a depth of [`TUNNEL_DEPTH_DEFAULT`], no checksum verified.
impl Default for DecodeOptions {
    fn default() -> Self {
        // VXLAN: 4789 is IANA's, 8472 Linux's before it (flannel, Cilium), 6784 Weave Net's.
        const USUAL: [(u16, TunnelKind); 6] = [
            (4789, TunnelKind::Vxlan),
            (8472, TunnelKind::Vxlan),
            (6784, TunnelKind::Vxlan),
            (6081, TunnelKind::Geneve),
            (2152, TunnelKind::Gtp),
            (4790, TunnelKind::VxlanGpe),
        ];
        let mut options = Self {
            tunnels: u8::MAX,
            depth_max: TUNNEL_DEPTH_DEFAULT,
            verify_checksums: false,
            ports: [(0, TunnelKind::Vxlan); TUNNEL_PORTS_MAX],
            port_count: USUAL.len(),
            port_filter: 0,
        };
        for (slot, usual) in options.ports.iter_mut().zip(USUAL) {
            *slot = usual;
        }
        options.update_filter();
        options
    }
}

impl DecodeOptions {
    /// Removes tunnels of these kinds only. A packet in a UDP tunnel of another kind is plain UDP; in
    /// any other tunnel it is dropped by name.
    #[must_use]
    pub fn with_tunnels(mut self, kinds: &[TunnelKind]) -> Self {
        self.tunnels = kinds.iter().fold(0, |bits, kind| bits | bit(*kind));
        self.update_filter();
        self
    }

    /// Removes at most so many tunnels from one packet, never more than [`TUNNEL_DEPTH_MAX`].
    #[must_use]
    pub fn with_tunnel_depth_max(mut self, depth: u8) -> Self {
        self.depth_max = depth.min(TUNNEL_DEPTH_MAX);
        self
    }

    /// Looks for a kind of UDP tunnel at these destination ports instead of the usual ones.
    ///
    /// # Errors
    /// [`TooManyPorts`], and the kinds of IP and Ethernet tunnels have no use for ports: they are
    /// accepted and never met.
    pub fn with_udp_ports(mut self, kind: TunnelKind, ports: &[u16]) -> Result<Self, TooManyPorts> {
        let mut kept = 0;
        for index in 0..self.port_count {
            if self.ports[index].1 != kind {
                self.ports[kept] = self.ports[index];
                kept += 1;
            }
        }
        for port in ports {
            *self.ports.get_mut(kept).ok_or(TooManyPorts)? = (*port, kind);
            kept += 1;
        }
        self.port_count = kept;
        self.update_filter();
        Ok(self)
    }

    /// Verifies checksums of IPv4, TCP, UDP and ICMP, and drops what is wrong. Off unless asked for:
    /// a capture taken on a sending host shows checksums that its NIC had still to fill in.
    #[must_use]
    pub fn with_verified_checksums(mut self, verify: bool) -> Self {
        self.verify_checksums = verify;
        self
    }

    /// Whether tunnels of that kind are removed.
    #[inline]
    pub fn removes(&self, kind: TunnelKind) -> bool {
        self.tunnels & bit(kind) != 0
    }

    /// Tunnels removed from one packet at most.
    #[inline]
    pub(super) fn depth_max(&self) -> u8 {
        self.depth_max
    }

    /// Whether checksums are verified.
    #[inline]
    pub(super) fn verify_checksums(&self) -> bool {
        self.verify_checksums
    }

    /// The tunnel expected at a UDP port, if it is to be removed.
    #[inline]
    pub(super) fn tunnel_at(&self, port: u16) -> Option<TunnelKind> {
        // No false negatives, and few ports get further.
        if self.port_filter >> filter_bit(port) & 1 == 0 {
            None
        } else {
            self.look_up(port)
        }
    }

    #[inline(never)]
    fn look_up(&self, port: u16) -> Option<TunnelKind> {
        let ports = self.ports.get(..self.port_count).unwrap_or_default();
        let (_, kind) = ports.iter().find(|(number, _)| *number == port)?;
        self.removes(*kind).then_some(*kind)
    }

    fn update_filter(&mut self) {
        self.port_filter = 0;
        for index in 0..self.port_count {
            let (port, kind) = self.ports[index];
            if self.removes(kind) {
                self.port_filter |= 1 << filter_bit(port);
            }
        }
    }
}

fn bit(kind: TunnelKind) -> u8 {
    1 << kind as u8
}

/// A bit of 0 to 63 by port, such that the usual tunnel ports and the usual service ports differ.
#[inline]
fn filter_bit(port: u16) -> u32 {
    u32::from((port ^ port >> 6) & 63)
}

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::super::{Decoded, DropReason, LinkType, decode};
    use super::*;

    #[test]
    fn usual_ports_are_known_and_others_pass_by_one_test() {
        let options = DecodeOptions::default();
        assert_eq!(options.tunnel_at(4789), Some(TunnelKind::Vxlan));
        assert_eq!(options.tunnel_at(2152), Some(TunnelKind::Gtp));
        assert_eq!(options.tunnel_at(9999), None);
        for service in [53, 67, 123, 161, 443, 514, 1812, 5353] {
            assert_eq!(options.port_filter >> filter_bit(service) & 1, 0, "{service}");
        }
    }

    #[test]
    fn ports_can_be_replaced() {
        let options = DecodeOptions::default()
            .with_udp_ports(TunnelKind::Vxlan, &[9999])
            .unwrap();
        assert_eq!(options.tunnel_at(9999), Some(TunnelKind::Vxlan));
        assert_eq!(options.tunnel_at(4789), None);
        assert_eq!(options.tunnel_at(6081), Some(TunnelKind::Geneve));
        let many: Vec<u16> = (0..=TUNNEL_PORTS_MAX as u16).collect();
        assert!(options.with_udp_ports(TunnelKind::Gtp, &many).is_err());
    }

    #[test]
    fn kinds_can_be_left_alone() {
        let options = DecodeOptions::default().with_tunnels(&[TunnelKind::Gre]);
        assert!(options.removes(TunnelKind::Gre) && !options.removes(TunnelKind::Vxlan));
        assert_eq!(options.tunnel_at(4789), None);
    }

    #[test]
    fn what_becomes_of_tunnels_left_alone() {
        let options = DecodeOptions::default().with_tunnels(&[]);
        let inner = || Sample::udp4(1, 2, b"x");
        let vxlan = inner()
            .ethernet(0x0800)
            .front(&[8, 0, 0, 0, 0, 0, 1, 0])
            .in_udp4(4789)
            .ethernet(0x0800);
        let decoded = decode(LinkType::Ethernet, &vxlan.bytes, vxlan.bytes.len(), &options);
        assert!(
            matches!(decoded, Ok(Decoded::Packet(p)) if p.dst_port == 4789 && !p.encap.tunnel_rejected())
        );
        for outer in [inner().in_ip4(4), inner().front(&[0, 0, 8, 0]).in_ip4(47)] {
            let frame = outer.ethernet(0x0800);
            let decoded = decode(LinkType::Ethernet, &frame.bytes, frame.bytes.len(), &options);
            assert_eq!(decoded, Err(DropReason::TunnelDisabled));
        }
    }
}
