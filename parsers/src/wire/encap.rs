//! What was wrapped around a packet: VLAN tags and tunnels.

use super::{DropReason, vlan};
use crate::limits::VLAN_DEPTH_MAX;

/// A kind of tunnel that is removed. The names are those of `tunnel.type` in the session record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TunnelKind {
    /// VXLAN (RFC 7348).
    Vxlan,
    /// Geneve (RFC 8926).
    Geneve,
    /// GRE (RFC 2784, RFC 2890), with IP, MPLS or Ethernet inside.
    Gre,
    /// ERSPAN types I, II and III (draft-foschiano-erspan-03), carried in GRE.
    Erspan,
    /// IP in IP, any of the two versions in any (RFC 2003, RFC 2473, RFC 4213).
    Ipip,
    /// GTP-U user data (3GPP TS 29.281).
    Gtp,
    /// VXLAN with the generic protocol extension (draft-ietf-nvo3-vxlan-gpe).
    VxlanGpe,
    /// Network service header (RFC 8300).
    Nsh,
}

impl TunnelKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Vxlan,
        Self::Geneve,
        Self::Gre,
        Self::Erspan,
        Self::Ipip,
        Self::Gtp,
        Self::VxlanGpe,
        Self::Nsh,
    ];

    /// The value of `tunnel.type` in the session record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gre => "gre",
            Self::Erspan => "erspan",
            Self::Ipip => "ipip",
            Self::Gtp => "gtp",
            Self::VxlanGpe => "vxlan-gpe",
            Self::Nsh => "nsh",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// A tunnel that was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// What kind of tunnel.
    pub kind: TunnelKind,
    /// VXLAN and Geneve network identifier, GRE key, ERSPAN session, GTP tunnel endpoint or NSH
    /// service path; nothing where the header carries none (IP in IP, GRE without key, ERSPAN I).
    pub id: Option<u32>,
}

/// VLAN tags and tunnels around a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Encap {
    vlans: [u16; VLAN_DEPTH_MAX],
    vlan_count: u8,
    depth: u8,
    rejected: bool,
    tunnel: Option<Tunnel>,
}

impl Encap {
    /// Nothing around the packet.
    pub const NONE: Self = Self {
        vlans: [0; VLAN_DEPTH_MAX],
        vlan_count: 0,
        depth: 0,
        rejected: false,
        tunnel: None,
    };

    /// A single VLAN tag around the packet, unless it is a priority tag only (IEEE 802.1Q, VID 0).
    #[inline]
    pub(super) fn of_tag(tag: &[u8; vlan::TAG_BYTES]) -> Self {
        let (id, _) = vlan::fields(tag);
        Self {
            vlans: [id, 0, 0, 0],
            vlan_count: u8::from(id != 0),
            ..Self::NONE
        }
    }

    /// VLAN ids, outermost first, those inside tunnels included; priority tags (id 0) left out.
    #[inline]
    pub fn vlans(&self) -> &[u16] {
        self.vlans.get(..usize::from(self.vlan_count)).unwrap_or_default()
    }

    /// The innermost tunnel that was removed.
    #[inline]
    pub const fn tunnel(&self) -> Option<Tunnel> {
        self.tunnel
    }

    /// How many tunnels were removed.
    #[inline]
    pub const fn depth(&self) -> u8 {
        self.depth
    }

    /// Whether the packet came to a tunnel's UDP port without being user data of that tunnel, and was
    /// therefore taken as plain UDP. For counting; not part of what a flow is.
    #[inline]
    pub const fn tunnel_rejected(&self) -> bool {
        self.rejected
    }

    /// Puts a VLAN that the NIC stripped in front of the others.
    ///
    /// # Errors
    /// [`DropReason::VlanDepth`] when there is no room for one more.
    pub fn prepend_vlan(&mut self, id: u16) -> Result<(), DropReason> {
        self.push_vlan(id)?;
        if let Some(ids) = self.vlans.get_mut(..usize::from(self.vlan_count)) {
            ids.rotate_right(1);
        }
        Ok(())
    }

    /// Adds the next VLAN tag inwards, unless it is a priority tag only (IEEE 802.1Q, VID 0).
    #[inline]
    pub(super) fn push_vlan(&mut self, id: u16) -> Result<(), DropReason> {
        if id != 0 {
            let slot = self
                .vlans
                .get_mut(usize::from(self.vlan_count))
                .ok_or(DropReason::VlanDepth)?;
            *slot = id;
            self.vlan_count += 1;
        }
        Ok(())
    }

    /// Notes that a tunnel was removed.
    pub(super) fn push_tunnel(&mut self, tunnel: Tunnel, depth_max: u8) -> Result<(), DropReason> {
        if self.depth >= depth_max {
            return Err(DropReason::TunnelDepth);
        }
        self.depth += 1;
        self.tunnel = Some(tunnel);
        Ok(())
    }

    /// Notes that a tunnel's port did not carry the tunnel.
    pub(super) fn reject_tunnel(&mut self) {
        self.rejected = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        for kind in TunnelKind::ALL {
            assert_eq!(TunnelKind::from_name(kind.name()), Some(*kind));
        }
        assert_eq!(TunnelKind::from_name("carrier pigeon"), None);
    }

    #[test]
    fn a_stripped_vlan_is_the_outermost() {
        let mut encap = Encap::NONE;
        encap.push_vlan(20).unwrap();
        encap.push_vlan(0).unwrap();
        encap.prepend_vlan(10).unwrap();
        assert_eq!(encap.vlans(), [10, 20]);
    }

    #[test]
    fn vlans_and_tunnels_are_bounded() {
        let mut encap = Encap::NONE;
        for id in 1..=VLAN_DEPTH_MAX {
            encap.push_vlan(id as u16).unwrap();
        }
        assert_eq!(encap.push_vlan(9), Err(DropReason::VlanDepth));
        assert_eq!(encap.prepend_vlan(9), Err(DropReason::VlanDepth));
        let tunnel = Tunnel {
            kind: TunnelKind::Ipip,
            id: None,
        };
        encap.push_tunnel(tunnel, 1).unwrap();
        assert_eq!(encap.push_tunnel(tunnel, 1), Err(DropReason::TunnelDepth));
        assert_eq!((encap.depth(), encap.tunnel()), (1, Some(tunnel)));
    }

    #[test]
    fn stays_small() {
        assert!(size_of::<Encap>() <= 24);
    }
}
