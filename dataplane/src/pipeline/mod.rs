//! Joins the stages: a burst of packets in, records out.
//!
//! ```text
//! burst:  decode ─► find or insert the flow ─► straight, or tcp, or datagram ─► deliver to the engine
//! ```

mod burst;
mod deliver;
mod ends;
mod facts;
mod straight;
mod tcp;

use crate::counters::Counters;
use crate::flow::{Flow, FlowIndex, FlowState, FlowTable, KeyedPacket, Timeouts};
use crate::limits::{BURST_PACKETS, EXPIRE_PER_BURST, SESSIONS_PER_TICK, TICK_NS};
use crate::source::Source;
use crate::stream::HeldStore;
use burst::Stage;
use deliver::{Held, Payload};
use facts::PortTable;
use std::sync::Arc;
use tapir_parsers::engine::Engine;
use tapir_parsers::field::Ended;
use tapir_parsers::l7::Protocol;
use tapir_parsers::plugin::PluginHost;
use tapir_parsers::ring::RingSink;
use tapir_parsers::settings::Settings;
use tapir_parsers::wire::{
    DecodeOptions, DropReason, Encap, Fragment, L4, Packet, Reassembler, ReassemblyLimits, TunnelKind,
};

/// What a worker is set up with.
#[derive(Clone, Debug)]
pub struct PipelineOptions {
    /// What the wire decoder does.
    pub decode: DecodeOptions,
    /// Most flows in the table.
    pub flows_max: usize,
    /// Idle timeouts.
    pub timeouts: Timeouts,
    /// Whether VLAN ids separate flows.
    pub vlan_in_key: bool,
    /// Whether ids of networks inside tunnels (VXLAN, Geneve, NSH) separate flows.
    pub tunnel_in_key: bool,
    /// Bytes of out-of-order segments a direction of a flow may hold.
    pub held_bytes_per_flow: u32,
    /// Out-of-order segments an lcore may hold.
    pub held_segments: usize,
    /// Bounds of fragments that wait for the rest of their datagram.
    pub reassembly: ReassemblyLimits,
    /// How long an acknowledged hole waits, ns.
    pub acked_hole_grace_ns: u64,
    /// How long any hole waits, ns.
    pub hole_timeout_ns: u64,
    /// Settings of the parsers.
    pub settings: Settings,
    /// Protocols that are read.
    pub protocols: Vec<Protocol>,
    /// Plugins that every worker runs.
    pub plugins: Option<Arc<dyn PluginHost>>,
    /// Take flow memory from the huge pages that the system has set aside.
    pub reserved_huge_pages: bool,
    /// Drop packets whose checksums the NIC found wrong.
    pub verify_checksums: bool,
    /// Seed of the flow hash.
    pub seed: u64,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        use crate::limits::*;
        Self {
            decode: DecodeOptions::default(),
            flows_max: FLOWS_MAX_DEFAULT,
            timeouts: Timeouts::default(),
            vlan_in_key: false,
            tunnel_in_key: true,
            held_bytes_per_flow: HELD_BYTES_PER_FLOW,
            held_segments: HELD_SEGMENTS_PER_LCORE,
            reassembly: ReassemblyLimits::default(),
            acked_hole_grace_ns: ACKED_HOLE_GRACE_NS,
            hole_timeout_ns: HOLE_TIMEOUT_NS,
            settings: Settings::default(),
            protocols: tapir_parsers::l7::DECLARATIONS
                .iter()
                .map(|d| d.protocol)
                .collect(),
            plugins: None,
            reserved_huge_pages: false,
            verify_checksums: false,
            seed: 0x7461_7069_7200_0001,
        }
    }
}

/// All that one worker owns behind its source.
pub struct Pipeline<B> {
    table: FlowTable,
    held: HeldStore<Held<B>>,
    engine: Engine,
    sink: RingSink,
    /// Taken out while a datagram that it put together is read.
    reassembler: Option<Box<Reassembler>>,
    counters: Counters,
    ports: PortTable,
    options: PipelineOptions,
    /// Taken out while a burst is handled.
    stage: Option<Box<Stage>>,
    /// Of the burst.
    fragments: Vec<Fragment>,
    over: Vec<FlowIndex>,
    waiting: Vec<(FlowIndex, u8)>,
    /// For datagrams whose payload spans segments.
    scratch: Vec<u8>,
    now_ns: u64,
    next_tick_ns: u64,
}

/// Whether a tunnel's id names the network inside. A GTP endpoint is another in each direction, an ERSPAN
/// session names the mirror, and a GRE key may be anything: they would take a flow apart.
fn is_network_id(kind: TunnelKind) -> bool {
    use TunnelKind::{Geneve, Nsh, Vxlan, VxlanGpe};
    matches!(kind, Vxlan | VxlanGpe | Geneve | Nsh)
}

/// What separates flows between the same ends.
#[derive(Clone, Copy)]
struct Separation {
    vlans: bool,
    tunnels: bool,
}

impl Separation {
    fn of(options: &PipelineOptions) -> Self {
        Self {
            vlans: options.vlan_in_key,
            tunnels: options.tunnel_in_key,
        }
    }

    /// What separates networks that use the same addresses.
    #[inline(always)]
    fn domain(self, encap: &Encap) -> u32 {
        let mut domain = 0;
        if self.vlans {
            for id in encap.vlans() {
                domain = (domain << 12 | u32::from(*id)).wrapping_mul(0x9E37_79B1);
            }
        }
        if self.tunnels
            && let Some(tunnel) = encap.tunnel()
            && is_network_id(tunnel.kind)
        {
            domain ^= (tunnel.id.unwrap_or(0) ^ ((tunnel.kind as u32) << 28)).wrapping_mul(0x85EB_CA6B) | 1;
        }
        domain
    }
}

impl<B: crate::source::Buffer> Pipeline<B> {
    /// A pipeline of the worker number `lcore` that puts its records into `sink`.
    ///
    /// # Errors
    /// When the system has no memory for the flow table.
    pub fn new(options: PipelineOptions, lcore: u16, sink: RingSink) -> std::io::Result<Self> {
        let table = FlowTable::new(
            options.flows_max,
            options.timeouts,
            lcore,
            options.seed,
            options.reserved_huge_pages,
        )?;
        let mut enabled = 0u64;
        for protocol in &options.protocols {
            enabled |= 1 << (*protocol as u8);
        }
        let mut engine = Engine::new(options.settings.clone(), |p| enabled & (1 << (p as u8)) != 0);
        if let Some(plugins) = &options.plugins {
            engine.set_plugins(plugins.for_lcore());
        }
        Ok(Self {
            table,
            held: HeldStore::with_budget(options.held_bytes_per_flow, options.held_segments),
            engine,
            sink,
            reassembler: Some(Box::new(Reassembler::new(options.reassembly))),
            counters: Counters::default(),
            ports: PortTable::default(),
            options,
            stage: Some(burst::vacant()),
            fragments: Vec::with_capacity(BURST_PACKETS),
            over: Vec::with_capacity(2 * EXPIRE_PER_BURST),
            waiting: Vec::with_capacity(1024),
            scratch: Vec::with_capacity(64 * 1024),
            now_ns: 0,
            next_tick_ns: 0,
        })
    }

    /// What was counted, up to now.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters.clone();
        counters.records_sent = self.sink.sent;
        counters.records_dropped = self.sink.dropped;
        if let Some(reassembler) = &self.reassembler {
            let fragments = reassembler.counts();
            counters.fragments_held = fragments.held;
            counters.fragments_merged = fragments.merged;
            for (reason, count) in DropReason::ALL.iter().zip(&mut counters.drops) {
                *count += fragments.dropped(*reason);
            }
        }
        counters
    }

    /// The engine: its counters and sizes.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The flow table: its size.
    pub fn table(&self) -> &FlowTable {
        &self.table
    }

    /// Out-of-order segments held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Memory of flows, sessions and parsers that was ever in use, bytes.
    pub fn state_bytes(&self) -> usize {
        self.table.bytes() + self.engine.state_bytes()
    }

    /// Capture time of the latest packet, Unix ns.
    pub fn now_ns(&self) -> u64 {
        self.now_ns
    }

    #[inline(never)]
    fn find_or_insert(&mut self, packet: &Packet, keyed: &KeyedPacket, time_ns: u64) -> Option<FlowIndex> {
        match self.table.find(keyed) {
            Some(index) => Some(index),
            None => self.insert(packet, keyed, time_ns),
        }
    }

    /// A packet of which anything may be so. The flow's time may be over: then another begins.
    #[inline(never)]
    fn long_way<S: Source<Buffer = B>>(
        &mut self,
        mut index: FlowIndex,
        packet: &Packet,
        keyed: &KeyedPacket,
        payload: Payload<'_, S>,
        time_ns: u64,
    ) {
        if self.table.is_over(index, time_ns) {
            self.retire(index, Ended::Timeout, time_ns);
            match self.insert(packet, keyed, time_ns) {
                Some(new) => index = new,
                None => return,
            }
        }
        match packet.l4 {
            L4::Tcp => self.tcp(index, packet, keyed, payload, time_ns),
            L4::Udp | L4::Icmp => self.datagram(index, packet, keyed, &payload, time_ns),
        }
        if let Some(flow) = self.table.get_mut(index) {
            flow.saw(time_ns);
        }
    }

    fn insert(&mut self, packet: &Packet, keyed: &KeyedPacket, time_ns: u64) -> Option<FlowIndex> {
        let state = match packet.l4 {
            L4::Tcp if packet.tcp.flags.syn() => FlowState::Opening,
            L4::Tcp => FlowState::Established,
            L4::Udp => FlowState::Udp,
            L4::Icmp => FlowState::Icmp,
        };
        if self.table.is_full()
            && let Some(oldest) = self.table.oldest(time_ns)
        {
            self.retire(oldest, Ended::Evicted, time_ns);
        }
        let Some(index) = self.table.insert(keyed, state, time_ns) else {
            // It was decoded, but is dropped here: it counts once.
            self.counters.decoded -= 1;
            self.counters.table_full += 1;
            return None;
        };
        self.counters.flows_created += 1;
        let client_is_source = match packet.l4 {
            L4::Icmp => packet.icmp.is_request(),
            _ => self.ports.source_is_client(packet.src_port, packet.dst_port),
        };
        if let Some(flow) = self.table.get_mut(index) {
            flow.set(Flow::CLIENT_IS_B, client_is_source != keyed.from_a);
        }
        Some(index)
    }

    /// A fragment: kept, refused, or the one that completes its datagram.
    fn fragment<S: Source<Buffer = B>>(&mut self, number: u8, source: &mut S, at: usize, time_ns: u64) {
        let Some(fragment) = self.fragments.get(usize::from(number)).copied() else {
            return;
        };
        let Some(mut reassembler) = self.reassembler.take() else {
            return;
        };
        let segments = (0..).map_while(|n| source.segment(at, n));
        match reassembler.push(&fragment, segments, time_ns, &self.options.decode) {
            Ok(Some((packet, datagram))) => {
                self.counters.decoded += 1;
                self.counters.tunnel_rejected += u64::from(packet.encap.tunnel_rejected());
                let domain = Separation::of(&self.options).domain(&packet.encap);
                let keyed = KeyedPacket::new(&packet, domain, self.table.seed());
                if let Some(index) = self.find_or_insert(&packet, &keyed, time_ns) {
                    let payload: Payload<'_, S> = Payload::of_memory(datagram, &packet);
                    self.long_way(index, &packet, &keyed, payload, time_ns);
                }
            }
            Ok(None) => {}
            Err(reason) => self.counters.drops[reason as usize] += 1,
        }
        self.reassembler = Some(reassembler);
    }

    /// What must be done from time to time: expired flows, holes that waited long enough, overdue requests.
    fn tick(&mut self, now_ns: u64, expire_max: usize) {
        if now_ns < self.next_tick_ns {
            return;
        }
        self.next_tick_ns = now_ns + TICK_NS;
        self.close_old_holes(now_ns);
        let mut over = std::mem::take(&mut self.over);
        self.table.expire(now_ns, expire_max, &mut over);
        for some in over.chunks(32) {
            self.prefetch_ends(some.iter().copied());
        }
        for index in over.drain(..) {
            self.retire(index, Ended::Timeout, now_ns);
        }
        self.over = over;
        self.engine.sweep(now_ns, SESSIONS_PER_TICK, &mut self.sink);
        if let Some(reassembler) = &mut self.reassembler {
            reassembler.expire(now_ns);
        }
    }

    /// No packets came: time passes all the same.
    pub fn idle<S: Source<Buffer = B>>(&mut self, source: &S) {
        if let Some(now_ns) = source.idle_time_ns() {
            self.now_ns = self.now_ns.max(now_ns);
            self.tick(self.now_ns, EXPIRE_PER_BURST);
        }
    }
}
