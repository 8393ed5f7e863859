//! Packets from NICs: RX queues polled in turn, or the ring that an RX lcore fills.

use super::{Buffer, Poll, Source};
use crate::limits::BURST_PACKETS;
use dpdk_bindings::{BURST_SIZE, Burst, Checksum, Consumer, Mbuf, Packet, RxQueue};
use std::time::{SystemTime, UNIX_EPOCH};
use tapir_parsers::wire::LinkType;

const _: () = assert!(
    BURST_SIZE <= BURST_PACKETS,
    "a pipeline handles no more of a burst"
);

/// Where a worker's mbufs come from.
pub enum Inlet {
    /// The same queue number of every port: with symmetric hashing both directions of a flow meet there,
    /// even where a tap puts them on two ports.
    Queues(Vec<RxQueue>),
    /// Filled by the lcore that receives for all workers.
    Ring(Consumer),
}

/// A worker's packets.
pub struct DpdkSource {
    inlet: Inlet,
    turn: usize,
    burst: Burst,
    /// Wall clock when the burst was received: one clock read a burst.
    time_ns: u64,
    /// The driver stamps packets with Unix ns.
    stamped: bool,
}

impl DpdkSource {
    /// A source that polls `inlet`. `stamped`: the ports stamp packets with Unix ns, which is then their
    /// time; else it is that of the burst.
    pub fn new(inlet: Inlet, stamped: bool) -> Self {
        Self {
            inlet,
            turn: 0,
            burst: Burst::new(),
            time_ns: 0,
            stamped,
        }
    }

    #[inline(always)]
    fn packet(&self, i: usize) -> Option<&Packet> {
        self.burst.get(i)
    }
}

/// Wall clock, Unix ns.
pub(crate) fn wall_clock_ns() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos() as u64)
}

impl Source for DpdkSource {
    type Buffer = Mbuf;

    fn receive(&mut self) -> Poll {
        let received = match &mut self.inlet {
            Inlet::Queues(queues) => {
                self.turn = if self.turn + 1 < queues.len() {
                    self.turn + 1
                } else {
                    0
                };
                queues
                    .get_mut(self.turn)
                    .map_or(0, |queue| queue.receive(&mut self.burst))
            }
            Inlet::Ring(ring) => {
                let received = ring.receive(&mut self.burst);
                self.burst.prefetch_headers();
                received
            }
        };
        self.time_ns = wall_clock_ns();
        if received == 0 {
            return Poll::Idle;
        }
        self.burst.prefetch_data();
        Poll::Packets
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.burst.len()
    }

    #[inline(always)]
    fn link(&self, _i: usize) -> LinkType {
        LinkType::Ethernet
    }

    #[inline(always)]
    fn time_ns(&self, i: usize) -> u64 {
        if !self.stamped {
            return self.time_ns;
        }
        self.packet(i).and_then(Packet::timestamp).unwrap_or(self.time_ns)
    }

    #[inline(always)]
    fn frame(&self, i: usize) -> &[u8] {
        self.packet(i).map_or(&[], Packet::data)
    }

    #[inline(always)]
    fn frame_len(&self, i: usize) -> usize {
        self.packet(i).map_or(0, Packet::len)
    }

    #[inline]
    fn segment(&self, i: usize, n: usize) -> Option<&[u8]> {
        segment_of(self.packet(i)?, n)
    }

    fn take(&mut self, i: usize) -> Option<Mbuf> {
        self.burst.take(i)
    }

    fn idle_time_ns(&self) -> Option<u64> {
        Some(self.time_ns)
    }

    fn stripped_vlans(&self, i: usize) -> [Option<u16>; 2] {
        let packet = self.packet(i);
        [
            packet.and_then(Packet::stripped_outer_vlan),
            packet.and_then(Packet::stripped_vlan),
        ]
    }

    fn has_bad_checksum(&self, i: usize) -> bool {
        let bad = |packet: &Packet| {
            matches!(packet.ip_checksum(), Checksum::Bad) || matches!(packet.l4_checksum(), Checksum::Bad)
        };
        self.packet(i).is_some_and(bad)
    }
}

impl Buffer for Mbuf {
    fn segment(&self, n: usize) -> Option<&[u8]> {
        segment_of(self, n)
    }
}

/// Mbufs that were filled before, handed out again and again with the times of their capture: what a
/// worker costs on DPDK's own buffers, without a port.
pub struct MbufReplay {
    frames: Vec<(u64, Mbuf)>,
    start: usize,
    end: usize,
    burst: Burst,
}

impl MbufReplay {
    /// A source of `frames`: capture time, Unix ns, and packet.
    pub fn new(frames: Vec<(u64, Mbuf)>) -> Self {
        Self {
            frames,
            start: 0,
            end: 0,
            burst: Burst::new(),
        }
    }

    /// Begins anew.
    pub fn rewind(&mut self) {
        self.burst.clear();
        (self.start, self.end) = (0, 0);
    }
}

impl Source for MbufReplay {
    type Buffer = Mbuf;

    fn receive(&mut self) -> Poll {
        self.burst.clear();
        self.start = self.end;
        while let Some((_, mbuf)) = self.frames.get(self.end)
            && !self.burst.is_full()
        {
            // A burst that is not full takes it.
            drop(self.burst.push(mbuf.share()));
            self.end += 1;
        }
        if self.burst.is_empty() {
            return Poll::End;
        }
        self.burst.prefetch_data();
        Poll::Packets
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.burst.len()
    }

    #[inline(always)]
    fn link(&self, _i: usize) -> LinkType {
        LinkType::Ethernet
    }

    #[inline(always)]
    fn time_ns(&self, i: usize) -> u64 {
        self.frames.get(self.start + i).map_or(0, |(time_ns, _)| *time_ns)
    }

    #[inline(always)]
    fn frame(&self, i: usize) -> &[u8] {
        self.burst.get(i).map_or(&[], Packet::data)
    }

    #[inline(always)]
    fn frame_len(&self, i: usize) -> usize {
        self.burst.get(i).map_or(0, Packet::len)
    }

    #[inline]
    fn segment(&self, i: usize, n: usize) -> Option<&[u8]> {
        segment_of(self.burst.get(i)?, n)
    }

    fn take(&mut self, i: usize) -> Option<Mbuf> {
        self.burst.take(i)
    }
}

#[inline]
fn segment_of(packet: &Packet, n: usize) -> Option<&[u8]> {
    if n == 0 {
        return Some(packet.data());
    }
    packet.segments().nth(n)
}
