//! The flow table of one lcore: fixed memory, a burst's lookups hidden behind one another.

use super::huge::HugeMemory;
use super::index::Index;
use super::key::{FlowKey, KeyedPacket};
use super::wheel::{ENTRIES_PER_TAKE, Entry, Wheel};
use crate::FlowIndex;
use crate::limits::{EVICTION_TRIES, FLOWS_MAX};
use crate::prefetch::prefetch;
use bytemuck::{Pod, Zeroable};
use tapir_parsers::limits::PROBE_TRIES_MAX;
use tapir_parsers::wire::L4;

/// Stands for no session and no flow.
pub const NO_FLOW: FlowIndex = u32::MAX;
const NONE: u32 = NO_FLOW;

/// Bits of [`TcpSide::flags`].
pub mod side_flag {
    /// The sequence number is known: by SYN, by data, or by what the other side acknowledged.
    pub const STARTED: u8 = 1;
    /// A SYN was seen: offset 0 is the true beginning.
    pub const SYN: u8 = 1 << 1;
    /// Payload was seen.
    pub const DATA: u8 = 1 << 2;
    /// The FIN was reached in order.
    pub const FIN: u8 = 1 << 3;
    /// Segments are held behind a hole.
    pub const HELD: u8 = 1 << 4;
    /// The last window was zero.
    pub const ZERO_WINDOW: u8 = 1 << 5;
    /// An acknowledgement was seen.
    pub const ACK: u8 = 1 << 6;
}

/// One direction of a TCP connection: what its sender has sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct TcpSide {
    /// Offset in the stream of the byte at `next_seq`.
    pub offset: u64,
    /// Sequence number of the next byte in order.
    pub next_seq: u32,
    /// Highest acknowledgement this side has sent.
    pub ack: u32,
    /// Segments seen again, saturating.
    pub retransmissions: u16,
    /// Segments ahead of their turn, saturating.
    pub out_of_order: u16,
    /// Times the window closed, saturating.
    pub zero_windows: u16,
    /// Bits of [`side_flag`].
    pub flags: u8,
    /// Window scale of this side's SYN, plus one; 0 unknown.
    pub window_scale: u8,
}

impl TcpSide {
    /// The sequence number at offset 0. After a SYN, and as long as the offset has not wrapped, that is the
    /// first byte of the connection.
    pub fn first_seq(&self) -> u32 {
        self.next_seq.wrapping_sub(self.offset as u32)
    }
}

/// Which timeout holds for a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FlowState {
    /// TCP, no handshake completed yet.
    Opening = 0,
    /// TCP, data may flow.
    Established = 1,
    /// TCP, closed: stays a moment for stragglers.
    Closed = 2,
    /// UDP.
    Udp = 3,
    /// ICMP.
    Icmp = 4,
}

/// Timeouts by state, ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// In the order of [`FlowState`].
    pub by_state: [u64; 5],
}

impl Default for Timeouts {
    fn default() -> Self {
        const S: u64 = 1_000_000_000;
        Self {
            by_state: [10 * S, 300 * S, 2 * S, 60 * S, 15 * S],
        }
    }
}

/// A flow: two cache lines. The first is all that a packet of no interest touches.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Flow {
    /// Both ends.
    pub key: FlowKey,
    /// The engine's session, [`NO_FLOW`] while there is none.
    pub session: u32,
    /// Capture time of the last packet.
    pub last_ns: u64,
    /// Number of the [`FlowState`].
    pub state: u8,
    /// Bits of [`Flow::CLIENT_IS_B`] and the like.
    pub flags: u8,
    /// Payloads that inference looked at in vain: 4 bits for each side, `a` in the lower ones.
    tries: u8,
    /// Counts up when a wheel entry turns stale.
    pub generation: u8,
    /// Link of the free list.
    next: u32,
    /// Unique in one run, over all lcores.
    pub serial: u64,
    /// What each end sent: `a` first.
    pub sides: [TcpSide; 2],
    /// From SYN to SYN-ACK as seen at the tap, ns, saturating; 0 unknown.
    pub server_rtt_ns: u32,
    /// From SYN-ACK to the ACK after it, ns, saturating; 0 unknown.
    pub client_rtt_ns: u32,
}

impl Flow {
    /// The higher end (`b`) is the client as far as known.
    pub const CLIENT_IS_B: u8 = 1;
    /// A handshake told who is the client.
    pub const SURE: u8 = 1 << 1;
    /// Its payload is of no interest.
    pub const IGNORED: u8 = 1 << 2;
    /// In use.
    pub const LIVE: u8 = 1 << 3;
    /// Waits for the ACK that ends the handshake.
    pub const HANDSHAKE: u8 = 1 << 4;
    /// Its protocol was recognised; it may have no session all the same.
    pub const RECOGNISED: u8 = 1 << 5;
    /// Inference has looked at payload of `a` in vain, often enough. That of `b` is the next bit.
    const A_IN_VAIN: u8 = 1 << 6;

    /// Whether `bit` is set.
    #[inline(always)]
    pub fn is(&self, bit: u8) -> bool {
        self.flags & bit != 0
    }

    /// Whether its packets are TCP's: those of others leave `sides` alone.
    #[inline(always)]
    pub fn is_tcp(&self) -> bool {
        self.key.l4 == L4::Tcp as u8
    }

    /// Sets or clears `bit`.
    #[inline(always)]
    pub fn set(&mut self, bit: u8, on: bool) {
        self.flags = if on { self.flags | bit } else { self.flags & !bit };
    }

    /// Whether payload of this side is of no interest: all of the flow's, or the side's own was looked at in
    /// vain often enough. The other side may still say what it is: a body that is joined in the middle says
    /// nothing, but the request after it does.
    #[inline(always)]
    pub fn is_idle(&self, side: usize) -> bool {
        self.flags & (Self::IGNORED | Self::A_IN_VAIN << side) != 0
    }

    /// Whether inference has looked at payload of this side already.
    pub fn was_tried(&self, side: usize) -> bool {
        self.tries >> (4 * side) & 0xF != 0
    }

    /// Inference has looked at payload of this side in vain; after enough of both sides, nothing more of the
    /// flow is of interest.
    pub fn count_try(&mut self, side: usize) {
        const BOTH: u8 = Flow::A_IN_VAIN | Flow::A_IN_VAIN << 1;
        self.tries += 1 << (4 * side);
        if self.tries >> (4 * side) & 0xF >= PROBE_TRIES_MAX {
            self.flags |= Self::A_IN_VAIN << side;
            self.set(Self::IGNORED, self.flags & BOTH == BOTH);
        }
    }

    /// The flow has a session from now on: payload of both sides is its.
    pub fn begin_session(&mut self, session: u32) {
        self.session = session;
        self.tries = 0;
        self.flags &= !(Self::A_IN_VAIN | Self::A_IN_VAIN << 1);
    }

    /// It has had a packet.
    #[inline(always)]
    pub fn saw(&mut self, time_ns: u64) {
        self.last_ns = self.last_ns.max(time_ns);
    }

    fn timeout_ns(&self, timeouts: &Timeouts) -> u64 {
        timeouts
            .by_state
            .get(usize::from(self.state))
            .copied()
            .unwrap_or(0)
    }

    /// Whether the flow has been idle for longer than its state allows.
    #[inline(always)]
    pub fn is_over(&self, now_ns: u64, timeouts: &Timeouts) -> bool {
        now_ns.saturating_sub(self.last_ns) > self.timeout_ns(timeouts)
    }
}

/// Who reads the payload of a flow, as far as is known before its packets are handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// The engine's session of this number.
    Session(u32),
    /// Inference, of a flow of TCP: a session may begin.
    Inference,
    /// None that needs anything loaded.
    Nobody,
}

/// The flows of one lcore.
pub struct FlowTable {
    flows: HugeMemory<Flow>,
    index: Index,
    wheel: Wheel,
    timeouts: Timeouts,
    free: u32,
    used: u32,
    live: u32,
    flows_max: u32,
    serial: u64,
    seed: u64,
}

const NO_ENTRY: Entry = Entry {
    flow: NONE,
    generation: 0,
};

impl FlowTable {
    /// A table of at most `flows_max` flows. `lcore` goes into their serial numbers, so that they are
    /// unique in one run; `reserved`: take huge pages that the system has set aside.
    ///
    /// # Errors
    /// When the system has no memory to give.
    pub fn new(
        flows_max: usize,
        timeouts: Timeouts,
        lcore: u16,
        seed: u64,
        reserved: bool,
    ) -> std::io::Result<Self> {
        let flows_max = flows_max.clamp(1, FLOWS_MAX);
        Ok(Self {
            flows: HugeMemory::new(flows_max, reserved)?,
            index: Index::new(flows_max, reserved)?,
            wheel: Wheel::new(),
            timeouts,
            free: NONE,
            used: 0,
            live: 0,
            flows_max: flows_max as u32,
            serial: u64::from(lcore) << 48,
            seed,
        })
    }

    /// Flows in the table.
    pub fn len(&self) -> usize {
        self.live as usize
    }

    /// Whether there is no flow.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Bytes of flow memory that were ever in use, timers and the
    /// flows' share of the index included.
    pub fn bytes(&self) -> usize {
        let index = self.index.bytes() * self.used as usize / self.flows_max as usize;
        self.used as usize * size_of::<Flow>() + index + self.wheel.bytes()
    }

    /// The seed for [`KeyedPacket::new`].
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Starts to load what a lookup of `hash` reads first.
    #[inline(always)]
    pub fn prefetch_index(&self, hash: u64) {
        self.index.prefetch(hash);
    }

    /// Starts to load the first line of the flow that is likely meant; says which.
    #[inline(always)]
    pub fn prefetch_flow(&self, hash: u64) -> Option<FlowIndex> {
        let likely = self.index.likely(hash)?;
        if let Some(flow) = self.flows.items().get(likely as usize) {
            prefetch(flow);
        }
        Some(likely)
    }

    /// Starts to load the second line of a flow of TCP, whose every packet touches it; says what payload of the flow
    /// goes to.
    #[inline(always)]
    pub fn prefetch_sides(&self, index: FlowIndex) -> Reader {
        let Some(flow) = self.get(index) else {
            return Reader::Nobody;
        };
        let is_tcp = flow.is_tcp();
        if is_tcp {
            prefetch(&flow.serial);
        }
        match flow.session {
            NO_FLOW if is_tcp && !flow.is(Flow::IGNORED) => Reader::Inference,
            NO_FLOW => Reader::Nobody,
            session => Reader::Session(session),
        }
    }

    /// Whether the flow at `likely` is the packet's. Where that is what [`prefetch_flow`](Self::prefetch_flow)
    /// said it is as a rule, and the index need not be asked again.
    #[inline(always)]
    pub fn is_of(&self, packet: &KeyedPacket, likely: FlowIndex) -> bool {
        self.get(likely)
            .is_some_and(|flow| flow.is(Flow::LIVE) && flow.key == packet.key)
    }

    /// Finds the packet's flow. Its time may be over.
    pub fn find(&self, packet: &KeyedPacket) -> Option<FlowIndex> {
        let flows = self.flows.items();
        let is_it = |i: u32| flows.get(i as usize).is_some_and(|flow| flow.key == packet.key);
        self.index.find(packet.hash, is_it)
    }

    /// Whether a flow has been idle for longer than its state allows.
    pub fn is_over(&self, index: FlowIndex, now_ns: u64) -> bool {
        self.get(index)
            .is_some_and(|flow| flow.is_over(now_ns, &self.timeouts))
    }

    /// How long a flow in `state` may be idle, ns.
    #[inline(always)]
    pub fn allowed_ns(&self, state: FlowState) -> u64 {
        self.timeouts.by_state[state as usize]
    }

    /// Whether an insert needs a flow to be removed first.
    pub fn is_full(&self) -> bool {
        self.free == NONE && self.used >= self.flows_max
    }

    /// Puts a new flow in; `None` when the table is full.
    pub fn insert(&mut self, packet: &KeyedPacket, state: FlowState, now_ns: u64) -> Option<FlowIndex> {
        let flows = self.flows.items_mut();
        let slot = if self.free != NONE {
            let slot = self.free;
            self.free = flows.get(slot as usize)?.next;
            slot
        } else if self.used < self.flows_max {
            self.used += 1;
            self.used - 1
        } else {
            return None;
        };
        self.serial += 1;
        let flow = flows.get_mut(slot as usize)?;
        let generation = flow.generation;
        *flow = Flow {
            key: packet.key,
            session: NONE,
            last_ns: now_ns,
            state: state as u8,
            flags: Flow::LIVE,
            tries: 0,
            generation,
            next: NONE,
            serial: self.serial,
            sides: [TcpSide::zeroed(); 2],
            server_rtt_ns: 0,
            client_rtt_ns: 0,
        };
        let due = now_ns + flow.timeout_ns(&self.timeouts);
        self.live += 1;
        self.index.insert(packet.hash, slot);
        self.wheel.arm(
            Entry {
                flow: slot,
                generation,
            },
            due,
            now_ns,
        );
        Some(slot)
    }

    /// The same ends begin anew: a new serial number, nothing known.
    pub fn renew(&mut self, index: FlowIndex, state: FlowState, now_ns: u64) {
        self.serial += 1;
        let serial = self.serial;
        let timeouts = self.timeouts;
        let Some(flow) = self.flows.items_mut().get_mut(index as usize) else {
            return;
        };
        let generation = flow.generation.wrapping_add(1);
        *flow = Flow {
            key: flow.key,
            session: NONE,
            last_ns: now_ns,
            state: state as u8,
            flags: Flow::LIVE,
            tries: 0,
            generation,
            next: NONE,
            serial,
            sides: [TcpSide::zeroed(); 2],
            server_rtt_ns: 0,
            client_rtt_ns: 0,
        };
        let due = now_ns + flow.timeout_ns(&timeouts);
        self.wheel.arm(
            Entry {
                flow: index,
                generation,
            },
            due,
            now_ns,
        );
    }

    /// Starts to load what removing a flow touches.
    #[inline]
    pub fn prefetch_removal(&self, index: FlowIndex) {
        if let Some(flow) = self.get(index) {
            self.index.prefetch(flow.key.hash(self.seed));
        }
    }

    /// Takes a flow out.
    pub fn remove(&mut self, index: FlowIndex) {
        let seed = self.seed;
        let Some(flow) = self.flows.items_mut().get_mut(index as usize) else {
            return;
        };
        if !flow.is(Flow::LIVE) {
            return;
        }
        let hash = flow.key.hash(seed);
        flow.flags = 0;
        flow.generation = flow.generation.wrapping_add(1);
        flow.next = self.free;
        self.free = index;
        self.live -= 1;
        self.index.remove(hash, index);
    }

    /// A flow.
    #[inline(always)]
    pub fn get(&self, index: FlowIndex) -> Option<&Flow> {
        self.flows.items().get(index as usize)
    }

    /// A flow, to change.
    #[inline(always)]
    pub fn get_mut(&mut self, index: FlowIndex) -> Option<&mut Flow> {
        self.flows.items_mut().get_mut(index as usize)
    }

    /// Gives a flow the timeout of another state, from now on.
    pub fn set_state(&mut self, index: FlowIndex, state: FlowState, now_ns: u64) {
        let timeouts = self.timeouts;
        let Some(flow) = self.flows.items_mut().get_mut(index as usize) else {
            return;
        };
        if flow.state == state as u8 {
            return;
        }
        let sooner = timeouts.by_state[state as usize] < flow.timeout_ns(&timeouts);
        flow.state = state as u8;
        if sooner {
            flow.generation = flow.generation.wrapping_add(1);
            let entry = Entry {
                flow: index,
                generation: flow.generation,
            };
            self.wheel
                .arm(entry, now_ns + timeouts.by_state[state as usize], now_ns);
        }
    }

    /// Puts flows whose time is over by `now_ns` into `over`, at most `flows_max`; those that live are
    /// armed again. The caller removes them.
    pub fn expire(&mut self, now_ns: u64, flows_max: usize, over: &mut Vec<FlowIndex>) {
        let mut entries = [NO_ENTRY; ENTRIES_PER_TAKE];
        while over.len() + ENTRIES_PER_TAKE <= flows_max {
            let Some(count) = self.wheel.take_due(now_ns, &mut entries) else {
                return;
            };
            let entries = &entries[..count];
            let flows = self.flows.items();
            for entry in entries {
                if let Some(flow) = flows.get(entry.flow as usize) {
                    prefetch(flow);
                }
            }
            for entry in entries {
                let Some(flow) = self.current(*entry) else {
                    continue;
                };
                if flow.is_over(now_ns, &self.timeouts) {
                    over.push(entry.flow);
                } else {
                    let due = flow.last_ns + flow.timeout_ns(&self.timeouts);
                    self.wheel.arm(*entry, due, now_ns);
                }
            }
        }
    }

    /// The flow of an entry, unless the entry is stale.
    fn current(&self, entry: Entry) -> Option<&Flow> {
        let flow = self.get(entry.flow)?;
        (flow.is(Flow::LIVE) && flow.generation == entry.generation).then_some(flow)
    }

    /// The flow that has been idle longest, as far as the wheel tells: the one whose time would have
    /// been over first, among those not used since they were armed.
    pub fn oldest(&mut self, now_ns: u64) -> Option<FlowIndex> {
        let mut entries = [NO_ENTRY; ENTRIES_PER_TAKE];
        let mut oldest: Option<(u64, Entry)> = None;
        for _ in 0..EVICTION_TRIES {
            let count = self.wheel.take_oldest(&mut entries)?;
            for entry in &entries[..count] {
                let Some(flow) = self.current(*entry) else {
                    continue;
                };
                let (last_ns, due) = (flow.last_ns, flow.last_ns + flow.timeout_ns(&self.timeouts));
                match oldest {
                    Some((best, _)) if best <= last_ns => self.wheel.arm(*entry, due, now_ns),
                    other => {
                        oldest = Some((last_ns, *entry));
                        if let Some((_, previous)) = other {
                            let due = self
                                .get(previous.flow)
                                .map_or(due, |f| f.last_ns + f.timeout_ns(&self.timeouts));
                            self.wheel.arm(previous, due, now_ns);
                        }
                    }
                }
            }
            if oldest.is_some() {
                break;
            }
        }
        oldest.map(|(_, entry)| entry.flow)
    }

    /// Slots ever used: every live flow is below.
    pub fn high_water(&self) -> FlowIndex {
        self.used
    }

    /// Forgets timers; for when every flow was removed.
    pub fn clear_timers(&mut self) {
        self.wheel.clear();
    }
}

const _: () = assert!(size_of::<Flow>() == 128);
const _: () = assert!(PROBE_TRIES_MAX <= 0xF, "fits its 4 bits");
const _: () = assert!(size_of::<TcpSide>() == 24);
