//! The lcore that receives for all workers, where ports can't spread flows themselves.

use crate::source::Distributor;
use dpdk_bindings::{Burst, Producer, RxQueue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use tapir_parsers::wire::LinkType;

/// What it counts.
#[derive(Debug, Default)]
pub struct ReceiverCounters {
    /// Packets received.
    pub packets: AtomicU64,
    /// Packets dropped because a worker's ring was full.
    pub dropped: AtomicU64,
}

/// Queues in, rings out.
pub(super) struct Receiver {
    queues: Vec<RxQueue>,
    rings: Vec<Producer>,
    /// A burst for each worker, and the one received.
    outgoing: Vec<Burst>,
    incoming: Burst,
    distributor: Distributor,
    counters: Arc<ReceiverCounters>,
}

impl Receiver {
    pub(super) fn new(
        queues: Vec<RxQueue>,
        rings: Vec<Producer>,
        distributor: Distributor,
        counters: Arc<ReceiverCounters>,
    ) -> Self {
        let outgoing = rings.iter().map(|_| Burst::new()).collect();
        Self {
            queues,
            rings,
            outgoing,
            incoming: Burst::new(),
            distributor,
            counters,
        }
    }

    /// Polls until told to stop.
    pub(super) fn run(&mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            for number in 0..self.queues.len() {
                self.poll(number);
            }
        }
    }

    fn poll(&mut self, number: usize) {
        let Some(queue) = self.queues.get_mut(number) else {
            return;
        };
        let received = queue.receive(&mut self.incoming);
        if received == 0 {
            return;
        }
        self.counters
            .packets
            .fetch_add(received as u64, Ordering::Relaxed);
        self.incoming.prefetch_data();
        for i in 0..received {
            let Some(packet) = self.incoming.get(i) else {
                continue;
            };
            let worker = self
                .distributor
                .worker(LinkType::Ethernet, packet.data(), packet.len());
            if let (Some(to), Some(mbuf)) = (self.outgoing.get_mut(worker), self.incoming.take(i)) {
                // It has room for all of the incoming burst.
                drop(to.push(mbuf));
            }
        }
        for (burst, ring) in self.outgoing.iter_mut().zip(&mut self.rings) {
            if !burst.is_empty() {
                ring.send(burst);
                // A worker that is behind loses packets here, counted, and holds nobody up.
                self.counters
                    .dropped
                    .fetch_add(burst.len() as u64, Ordering::Relaxed);
                burst.clear();
            }
        }
    }
}
