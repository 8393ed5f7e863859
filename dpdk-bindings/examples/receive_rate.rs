//! How fast packets come out of a port when nothing is done with them: receive, look at one byte, free.
//!
//! `cargo run --profile quick -p dpdk-bindings --example receive_rate -- [VDEV] [HELD]`, where HELD bursts
//! are kept before the oldest is freed, so that mbufs are cold by then.

use std::collections::VecDeque;
use std::env;
use std::error::Error;
use std::time::Instant;

use dpdk_bindings::{Burst, CpuId, Eal, EalConfig, Lcore, Mempool, MempoolConfig, Port, PortConfig, tsc};

const SECONDS: u64 = 3;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let vdev = args.next().unwrap_or_else(|| "net_null0".to_owned());
    let held: usize = args.next().map_or(Ok(1), |held| held.parse())?;

    let config = EalConfig::new().in_memory().vdev(vdev.as_str());
    let eal = match Eal::init(&config) {
        Err(dpdk_bindings::Error::NoHugepages) => Eal::init(&config.no_huge().memory_mb(2048)),
        other => other,
    }?;
    let _lcore = Lcore::enter(eal, CpuId(0))?;
    let pool = Mempool::new(
        eal,
        "rate",
        MempoolConfig {
            mbufs: 262_143,
            ..Default::default()
        },
    )?;
    let name = vdev.split(',').next().unwrap_or(&vdev);
    let mut port = Port::by_name(eal, name)?;
    port.configure(&PortConfig::default(), std::slice::from_ref(&pool))?;
    let mut queues = port.start()?.rx;
    let queue = queues.first_mut().ok_or("no queue")?;

    let mut bursts: VecDeque<Burst> = (0..held.max(1)).map(|_| Burst::new()).collect();
    let (mut packets, mut bytes) = (0_u64, 0_u64);
    let (start, first_cycle) = (Instant::now(), tsc::now());
    let end = first_cycle + SECONDS * eal.tsc_hz();
    while tsc::now() < end {
        for _ in 0..64 {
            bursts.rotate_left(1);
            if let Some(burst) = bursts.back_mut() {
                packets += queue.receive(burst) as u64;
                bytes += burst.iter().map(|packet| packet.len() as u64).sum::<u64>();
            }
        }
    }
    let (seconds, cycles) = (start.elapsed().as_secs_f64(), tsc::now() - first_cycle);
    println!(
        "{:.1} Mpps, {:.1} Gbit/s, {:.1} cycles a packet",
        packets as f64 / seconds / 1e6,
        bytes as f64 * 8.0 / seconds / 1e9,
        cycles as f64 / packets.max(1) as f64
    );
    Ok(())
}
