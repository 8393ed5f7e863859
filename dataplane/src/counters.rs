//! What a worker counts: plain numbers of one lcore, published at intervals.
//!
//! Identities that must always hold: `packets = decoded + fragments held or merged + every drop`,
//! `records made = records sent to the ring + records dropped there`, and
//! `flows created = flows ended, by reason + flows in the table that have not ended`.

use tapir_parsers::wire::DropReason;

/// Counts of one worker. Packets, unless a name says otherwise.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Packets received.
    pub packets: u64,
    /// Bytes on the wire.
    pub bytes: u64,
    /// Packets decoded down to a flow.
    pub decoded: u64,
    /// Fragments that wait for the rest of their datagram.
    pub fragments_held: u64,
    /// Fragments that are part of a datagram that another fragment completed.
    pub fragments_merged: u64,
    /// Packets dropped, by reason.
    pub drops: [u64; DropReason::COUNT],
    /// Packets dropped because the flow table was full and nothing could be evicted.
    pub table_full: u64,
    /// Packets dropped because the NIC found a checksum wrong.
    pub bad_checksum: u64,
    /// Packets on a tunnel's port that are no tunnel.
    pub tunnel_rejected: u64,
    /// Flows created.
    pub flows_created: u64,
    /// Flows ended by timeout.
    pub flows_expired: u64,
    /// Flows ended by FIN or RST.
    pub flows_closed: u64,
    /// Flows pushed out of a full table.
    pub flows_evicted: u64,
    /// Flows whose ends began a new connection before the old one had ended.
    pub flows_replaced: u64,
    /// Flows that were there when the run ended.
    pub flows_left: u64,
    /// TCP segments seen again.
    pub tcp_retransmissions: u64,
    /// TCP segments ahead of their turn.
    pub tcp_out_of_order: u64,
    /// TCP segments held until their turn.
    pub tcp_held: u64,
    /// Times a TCP window closed.
    pub tcp_zero_windows: u64,
    /// Holes given up because the receiver had acknowledged them.
    pub tcp_gaps_acked: u64,
    /// Holes given up because the budget for held segments was used up.
    pub tcp_gaps_budget: u64,
    /// Holes given up because they waited too long, or the connection ended.
    pub tcp_gaps_timeout: u64,
    /// Bytes in holes that were given up.
    pub tcp_gap_bytes: u64,
    /// RST segments outside of what could be the connection's window, ignored.
    pub tcp_rst_ignored: u64,
    /// TCP segments of an earlier connection between the same ends, ignored.
    pub tcp_stale: u64,
    /// Records put into the ring.
    pub records_sent: u64,
    /// Records that found the ring full.
    pub records_dropped: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            packets: 0,
            bytes: 0,
            decoded: 0,
            fragments_held: 0,
            fragments_merged: 0,
            drops: [0; DropReason::COUNT],
            table_full: 0,
            bad_checksum: 0,
            tunnel_rejected: 0,
            flows_created: 0,
            flows_expired: 0,
            flows_closed: 0,
            flows_evicted: 0,
            flows_replaced: 0,
            flows_left: 0,
            tcp_retransmissions: 0,
            tcp_out_of_order: 0,
            tcp_held: 0,
            tcp_zero_windows: 0,
            tcp_gaps_acked: 0,
            tcp_gaps_budget: 0,
            tcp_gaps_timeout: 0,
            tcp_gap_bytes: 0,
            tcp_rst_ignored: 0,
            tcp_stale: 0,
            records_sent: 0,
            records_dropped: 0,
        }
    }
}

impl Counters {
    /// Every count by name: metric name, reason (where the name has several), value.
    pub fn visit(&self, see: &mut dyn FnMut(&'static str, Option<&'static str>, u64)) {
        see("packets", None, self.packets);
        see("bytes", None, self.bytes);
        see("packets_decoded", None, self.decoded);
        see("fragments_held", None, self.fragments_held);
        see("fragments_merged", None, self.fragments_merged);
        for (reason, count) in DropReason::ALL.iter().zip(self.drops) {
            see("packets_dropped", Some(reason.name()), count);
        }
        see("packets_dropped", Some("flow_table_full"), self.table_full);
        see("packets_dropped", Some("bad_checksum"), self.bad_checksum);
        see("tunnels_rejected", None, self.tunnel_rejected);
        see("flows_created", None, self.flows_created);
        see("flows_ended", Some("timeout"), self.flows_expired);
        see("flows_ended", Some("closed"), self.flows_closed);
        see("flows_ended", Some("evicted"), self.flows_evicted);
        see("flows_ended", Some("replaced"), self.flows_replaced);
        see("flows_ended", Some("shutdown"), self.flows_left);
        see("tcp_retransmissions", None, self.tcp_retransmissions);
        see("tcp_out_of_order", None, self.tcp_out_of_order);
        see("tcp_held", None, self.tcp_held);
        see("tcp_zero_windows", None, self.tcp_zero_windows);
        see("tcp_gaps", Some("acknowledged"), self.tcp_gaps_acked);
        see("tcp_gaps", Some("budget"), self.tcp_gaps_budget);
        see("tcp_gaps", Some("timeout"), self.tcp_gaps_timeout);
        see("tcp_gap_bytes", None, self.tcp_gap_bytes);
        see("tcp_rst_ignored", None, self.tcp_rst_ignored);
        see("tcp_stale", None, self.tcp_stale);
        see("records_sent", None, self.records_sent);
        see("records_dropped", Some("ring_full"), self.records_dropped);
    }

    /// Packets dropped, whatever the reason.
    pub fn dropped(&self) -> u64 {
        self.drops.iter().sum::<u64>() + self.table_full + self.bad_checksum
    }

    /// Packets received less those that are accounted for; 0 unless there is a bug.
    pub fn unaccounted_packets(&self) -> i64 {
        let known = self.decoded + self.dropped() + self.fragments_held + self.fragments_merged;
        self.packets as i64 - known as i64
    }

    /// Adds another worker's counts.
    pub fn add(&mut self, other: &Self) {
        let mut values = Vec::new();
        other.visit(&mut |_, _, value| values.push(value));
        let mut values = values.into_iter();
        self.visit_mut(&mut |own| *own += values.next().unwrap_or(0));
    }

    /// In the order of [`visit`](Self::visit).
    fn visit_mut(&mut self, change: &mut dyn FnMut(&mut u64)) {
        change(&mut self.packets);
        change(&mut self.bytes);
        change(&mut self.decoded);
        change(&mut self.fragments_held);
        change(&mut self.fragments_merged);
        self.drops.iter_mut().for_each(&mut *change);
        change(&mut self.table_full);
        change(&mut self.bad_checksum);
        change(&mut self.tunnel_rejected);
        change(&mut self.flows_created);
        change(&mut self.flows_expired);
        change(&mut self.flows_closed);
        change(&mut self.flows_evicted);
        change(&mut self.flows_replaced);
        change(&mut self.flows_left);
        change(&mut self.tcp_retransmissions);
        change(&mut self.tcp_out_of_order);
        change(&mut self.tcp_held);
        change(&mut self.tcp_zero_windows);
        change(&mut self.tcp_gaps_acked);
        change(&mut self.tcp_gaps_budget);
        change(&mut self.tcp_gaps_timeout);
        change(&mut self.tcp_gap_bytes);
        change(&mut self.tcp_rst_ignored);
        change(&mut self.tcp_stale);
        change(&mut self.records_sent);
        change(&mut self.records_dropped);
    }
}
