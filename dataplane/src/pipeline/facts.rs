//! What a flow's records say of it, and who is taken for the client when no handshake told.

use crate::flow::{Flow, side_flag};
use tapir_parsers::engine::Ends;
use tapir_parsers::l7::DECLARATIONS;
use tapir_parsers::parser::Direction;
use tapir_parsers::record::{FlowFacts, VLANS_MAX};
use tapir_parsers::wire::Encap;

/// The usual server ports of all protocols, a bit each.
pub(super) struct PortTable(Box<[u64; 1024]>);

impl Default for PortTable {
    fn default() -> Self {
        let mut table = Box::new([0; 1024]);
        for port in DECLARATIONS.iter().flat_map(|d| d.ports) {
            table[usize::from(*port >> 6)] |= 1 << (port & 63);
        }
        Self(table)
    }
}

impl PortTable {
    fn is_server_port(&self, port: u16) -> bool {
        self.0[usize::from(port >> 6)] & (1 << (port & 63)) != 0
    }

    /// A guess, from ports alone: a known port serves, else a reserved one, else whoever was seen first
    /// is the client. Content corrects it.
    pub(super) fn source_is_client(&self, src: u16, dst: u16) -> bool {
        match (self.is_server_port(src), self.is_server_port(dst)) {
            (true, false) => false,
            (false, true) => true,
            _ => src >= 1024 || dst < 1024,
        }
    }
}

/// What inference asks of a flow.
#[inline]
pub(super) fn ends_of(flow: &Flow) -> Ends {
    let key = &flow.key;
    let icmp = key.l4 == 2;
    Ends {
        l4: key.l4,
        ports: if icmp { [0, 0] } else { [key.a_port, key.b_port] },
    }
}

/// The facts of a flow as its records carry them.
pub(super) fn facts_of(flow: &Flow, encap: &Encap) -> FlowFacts {
    let key = &flow.key;
    let mut vlan = [0; VLANS_MAX];
    let vlans = encap.vlans();
    for (to, id) in vlan.iter_mut().zip(vlans) {
        *to = *id;
    }
    let tunnel = encap.tunnel();
    let tunnel_id = tunnel.and_then(|t| t.id);
    let ipv6 = if key.ipv6 != 0 { FlowFacts::IPV6 } else { 0 };
    let known = if tunnel_id.is_some() {
        FlowFacts::TUNNEL_ID
    } else {
        0
    };
    let icmp = key.l4 == 2;
    let mut facts = FlowFacts {
        client_ip: key.a,
        server_ip: key.b,
        flow_id: flow.serial,
        tunnel_id: tunnel_id.unwrap_or(0),
        client_port: if icmp { 0 } else { key.a_port },
        server_port: if icmp { 0 } else { key.b_port },
        vlan,
        vlan_count: vlans.len().min(VLANS_MAX) as u8,
        tunnel_kind: tunnel.map_or(0, |t| t.kind as u8 + 1),
        l4: key.l4,
        bits: ipv6 | known,
        source: 0,
        ..FlowFacts::default()
    };
    for (direction, side) in Direction::BOTH.into_iter().zip(&flow.sides) {
        if side.flags & side_flag::STARTED != 0 {
            facts.set_first_seq(direction, side.first_seq());
        }
    }
    if flow.is(Flow::CLIENT_IS_B) {
        facts.reversed()
    } else {
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::PortTable;

    #[test]
    fn reserved_ports_serve_and_else_the_first_speaker_asks() {
        let table = PortTable::default();
        assert!(table.source_is_client(40_000, 23));
        assert!(!table.source_is_client(23, 40_000));
        assert!(table.source_is_client(40_000, 50_000));
    }
}
