//! `[wire]`: from frames to packets.

use crate::problem::Conflict;
use crate::section::section;
use crate::values::{Bytes, Time, TunnelName, Whole};

/// A UDP port.
pub type UdpPort = Whole<1, 65_535>;

/// UDP ports that the decoder can watch for tunnels, all kinds together.
const TUNNEL_PORTS_MAX: usize = 16;

section! {
    /// From frames to packets: tunnels, fragments, checksums.
    pub struct Wire ["wire"] {
        /// Tunnels that are removed. Packets in other UDP tunnels are plain UDP; in any other kind of
        /// tunnel they are dropped and counted.
        tunnels: Vec<TunnelName> = TunnelName::ALL.to_vec(),

        /// Tunnels removed from one packet at most.
        tunnel_depth_max: Whole<0, 8> = Whole::of::<4>(),

        /// UDP ports of VXLAN: the official one, Linux's older one (flannel, Cilium) and Weave Net's.
        vxlan_ports: Vec<UdpPort> = vec![UdpPort::of::<4789>(), UdpPort::of::<8472>(), UdpPort::of::<6784>()],

        /// UDP ports of VXLAN-GPE.
        vxlan_gpe_ports: Vec<UdpPort> = vec![UdpPort::of::<4790>()],

        /// UDP ports of Geneve.
        geneve_ports: Vec<UdpPort> = vec![UdpPort::of::<6081>()],

        /// UDP ports of GTP-U.
        gtp_ports: Vec<UdpPort> = vec![UdpPort::of::<2152>()],

        /// Keep flows of different VLANs apart, where VLANs use the same addresses. Leave it off where a
        /// flow's directions are mirrored from different VLANs.
        vlan_in_flow_key: bool = false,

        /// Keep flows of different networks inside tunnels apart (by the id of VXLAN, Geneve, GRE or NSH),
        /// where tenants use the same addresses. Turn it off where the two directions of a flow have
        /// different ids.
        tunnel_in_flow_key: bool = true,

        /// Verify checksums that the NIC has not verified, and drop what is wrong. Leave it off for
        /// packets mirrored on the host that sends them: their checksums are not filled in yet.
        verify_checksums: bool = false,

        /// Fragmented datagrams that wait for the rest at once, in each worker.
        fragment_datagrams: Whole<1, 65_536> = Whole::of::<1024>(),

        /// Memory for waiting fragments, in each worker.
        fragment_bytes: Bytes<{ 64 << 10 }, { 1 << 30 }> = Bytes::of::<{ 4 << 20 }>(),

        /// How long a datagram waits for its fragments.
        fragment_timeout: Time<10, 60_000> = Time::of_ms::<5000>(),
    }
}

impl Wire {
    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        let kinds = [
            ("wire.vxlan_ports", &self.vxlan_ports),
            ("wire.vxlan_gpe_ports", &self.vxlan_gpe_ports),
            ("wire.geneve_ports", &self.geneve_ports),
            ("wire.gtp_ports", &self.gtp_ports),
        ];
        let mut conflicts = Vec::new();
        let mut seen: Vec<(UdpPort, &str)> = Vec::new();
        for (key, ports) in kinds {
            for port in ports {
                match seen.iter().find(|(other, _)| other == port) {
                    Some((_, other)) => {
                        let message = format!("port {} is also in {other}; remove it from one", port.get());
                        conflicts.push(Conflict::new(key, message));
                    }
                    None => seen.push((*port, key)),
                }
            }
        }
        if seen.len() > TUNNEL_PORTS_MAX {
            let message = format!(
                "{} ports are given to tunnels; at most {TUNNEL_PORTS_MAX} can be",
                seen.len()
            );
            conflicts.push(Conflict::new("wire.vxlan_ports", message));
        }
        conflicts
    }
}
