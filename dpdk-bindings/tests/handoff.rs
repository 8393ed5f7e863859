//! The software way of spreading flows: one lcore receives, others work, packets go to them by ring.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dpdk_bindings::{Burst, CpuId, Lcore, Mempool, MempoolConfig, Port, PortConfig, ring};

const PACKETS: usize = 100_000;
const WORKERS: usize = 3;

#[test]
fn packets_are_handed_over_and_freed_elsewhere() {
    let eal = common::eal(&["net_null0"]);
    let pool = Mempool::new(eal, "handoff", MempoolConfig::default()).unwrap();
    let mut port = Port::by_name(eal, "net_null0").unwrap();
    port.configure(&PortConfig::default(), std::slice::from_ref(&pool))
        .unwrap();
    let mut queue = port.start().unwrap().rx.remove(0);
    let rings = (0..WORKERS).map(|worker| ring(eal, &format!("to worker {worker}"), 512, None).unwrap());
    let (mut producers, consumers): (Vec<_>, Vec<_>) = rings.unzip();
    let done = AtomicBool::new(false);

    let (sent, dropped, worked) = thread::scope(|scope| {
        let workers: Vec<_> = consumers
            .into_iter()
            .map(|mut consumer| {
                let (eal, done) = (eal, &done);
                scope.spawn(move || {
                    let _lcore = Lcore::enter(eal, CpuId(0)).unwrap();
                    let (mut burst, mut held, mut count) = (Burst::new(), Vec::new(), 0);
                    // Looked at before receiving: what was sent before it was set is still in the ring.
                    while { !done.load(Ordering::Acquire) } | (consumer.receive(&mut burst) > 0) {
                        count += burst.len();
                        held.extend(burst.take(0));
                        held.truncate(100);
                        thread::yield_now();
                    }
                    count
                })
            })
            .collect();
        let _lcore = Lcore::enter(eal, CpuId(0)).unwrap();
        let (mut burst, mut stage) = (Burst::new(), [const { Burst::new() }; WORKERS]);
        let (mut sent, mut dropped) = (0, 0);
        while sent + dropped < PACKETS {
            for index in 0..queue.receive(&mut burst) {
                stage[index % WORKERS].push(burst.take(index).unwrap()).unwrap();
            }
            for (producer, stage) in producers.iter_mut().zip(&mut stage) {
                sent += producer.send(stage);
                dropped += stage.len();
                stage.clear();
            }
            thread::yield_now();
        }
        done.store(true, Ordering::Release);
        let worked: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
        (sent, dropped, worked)
    });
    assert_eq!(sent, worked);
    assert!(sent > 0, "all {dropped} were dropped");
    drop((queue, port, producers));
    assert_eq!(pool.in_use(), 0);
}
