//! Workers that replay a capture lap after lap: the first to warm up, the others on the clock.

use super::pieces::Pieces;
use super::{Args, Source};
use crate::failure::Failure;
use crate::replay::{load, read_files};
use crossbeam_channel::bounded;
use rtrb::Consumer;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;
use tapir_dataplane::allocator::HugePages;
use tapir_dataplane::pipeline::{Pipeline, PipelineOptions};
use tapir_dataplane::source::{Batch, BatchBuffer, BatchSource, Buffer, Distributor, Source as PacketSource};
use tapir_dataplane::worker;
use tapir_parsers::ring::{RingSink, WhenFull};

/// Counts every allocation of the process, so that "none per packet" is measured, not believed.
#[global_allocator]
static ALLOCATOR: HugePages<&StatsAlloc<System>> = HugePages(&INSTRUMENTED_SYSTEM);

/// Bytes of each worker's ring.
const RING_BYTES: usize = 16 << 20;

/// What was measured, over all laps but the first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) records: u64,
    /// Processor time of the worker that spent most.
    pub(super) busy: Duration,
    /// What every piece of the capture took in its quietest lap, and the packets of all; of the first worker.
    pub(super) quiet: (Duration, u64),
    pub(super) cycles_per_ns: f64,
    pub(super) allocations: u64,
    /// Most flows at once, all workers.
    pub(super) flows: usize,
    pub(super) state_bytes: usize,
    pub(super) first_payloads: u64,
    pub(super) first_probes: u64,
    pub(super) workers: usize,
    pub(super) loops: u64,
}

/// Sends all packets of a worker through its pipeline once; says how many flows there were at once.
pub(super) type Lap<B> = Box<dyn FnMut(&mut Pipeline<B>, &mut Pieces) -> usize + Send>;

/// The workers at work.
pub(super) struct Laps {
    threads: Vec<JoinHandle<std::io::Result<Outcome>>>,
    rings: Vec<Consumer<u8>>,
    loops: u64,
}

impl Laps {
    pub(super) fn start(args: &Args, options: &PipelineOptions) -> Result<Self, Failure> {
        let workers = usize::from(args.workers.get());
        let mut laps = Self {
            threads: Vec::new(),
            rings: Vec::new(),
            loops: args.loops.get(),
        };
        match args.source {
            Source::Memory => laps.spawn(from_memory(args, options, workers)?, options)?,
            Source::Pcap => laps.spawn(from_file(&args.file, options, workers), options)?,
            Source::Dpdk => laps.spawn(super::mbufs::laps(args, options, workers)?, options)?,
        }
        Ok(laps)
    }

    fn spawn<B: Buffer + 'static>(
        &mut self,
        laps: Vec<Lap<B>>,
        options: &PipelineOptions,
    ) -> Result<(), Failure> {
        let barrier = Arc::new(Barrier::new(laps.len()));
        for (number, lap) in laps.into_iter().enumerate() {
            let (sink, ring) = RingSink::new(RING_BYTES, WhenFull::Wait);
            let (barrier, options, loops) = (Arc::clone(&barrier), options.clone(), self.loops);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || {
                    let pipeline = Pipeline::new(options, number as u16, sink)?;
                    Ok(run(pipeline, lap, loops, &barrier))
                })
                .map_err(|e| Failure::operation("starting a worker thread", e))?;
            self.threads.push(thread);
            self.rings.push(ring);
        }
        Ok(())
    }

    pub(super) fn take_rings(&mut self) -> Vec<Consumer<u8>> {
        std::mem::take(&mut self.rings)
    }

    pub(super) fn are_done(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    pub(super) fn join(self) -> Result<Outcome, Failure> {
        let mut all = Outcome {
            cycles_per_ns: tsc_ghz(),
            loops: self.loops,
            ..Outcome::default()
        };
        for thread in self.threads {
            let died = |_| Failure::Operation("a worker thread died; please report this as a bug".to_owned());
            let one = thread
                .join()
                .map_err(died)?
                .map_err(|e| Failure::operation("memory for the flow table", e))?;
            all.packets += one.packets;
            all.bytes += one.bytes;
            all.records += one.records;
            all.busy = all.busy.max(one.busy);
            if all.workers == 0 {
                all.quiet = one.quiet;
            }
            // Counted over the whole process: every worker sees the same.
            all.allocations = all.allocations.max(one.allocations);
            all.flows += one.flows;
            all.state_bytes += one.state_bytes;
            all.first_payloads += one.first_payloads;
            all.first_probes += one.first_probes;
            all.workers += 1;
        }
        Ok(all)
    }
}

fn from_memory(
    args: &Args,
    options: &PipelineOptions,
    workers: usize,
) -> Result<Vec<Lap<BatchBuffer>>, Failure> {
    let distributor = Distributor::new(options.decode.clone(), workers);
    let (batches, _) = load(&args.file, &distributor, workers)?;
    let lap = |list: Vec<Arc<Batch>>| -> Lap<BatchBuffer> {
        Box::new(move |pipeline, pieces| {
            let mut lap = list.iter().map(Arc::clone);
            replay(&mut BatchSource::new(|| lap.next()), pipeline, pieces)
        })
    };
    Ok(batches.into_iter().map(lap).collect())
}

/// One reader a worker and lap; with several workers each reads the whole file and keeps its share.
fn from_file(path: &Path, options: &PipelineOptions, workers: usize) -> Vec<Lap<BatchBuffer>> {
    let lap = |number: usize| -> Lap<BatchBuffer> {
        let distributor = Distributor::new(options.decode.clone(), workers);
        let path = path.to_owned();
        Box::new(move |pipeline, pieces| {
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| bounded(4)).unzip();
            let (path, distributor) = (path.clone(), distributor.clone());
            std::thread::spawn(move || read_files(&[path], &distributor, &senders, &AtomicU64::new(0)));
            let mut receivers: Vec<crossbeam_channel::Receiver<Arc<Batch>>> = receivers;
            let own = receivers.swap_remove(number);
            // The shares of the others are read and left.
            for other in receivers {
                std::thread::spawn(move || while other.recv().is_ok() {});
            }
            replay(&mut BatchSource::new(|| own.recv().ok()), pipeline, pieces)
        })
    };
    (0..workers).map(lap).collect()
}

/// Reads `source` to its end.
pub(super) fn replay<S: PacketSource>(
    source: &mut S,
    pipeline: &mut Pipeline<S::Buffer>,
    pieces: &mut Pieces,
) -> usize {
    let mut flows = 0;
    worker::run(source, pipeline, &AtomicBool::new(false), |p| {
        flows = flows.max(p.table().len());
        pieces.mark(busy(), p.counters().packets);
    });
    flows
}

fn run<B: Buffer>(mut pipeline: Pipeline<B>, mut one: Lap<B>, loops: u64, barrier: &Barrier) -> Outcome {
    let mut outcome = Outcome::default();
    let mut pieces = Pieces::new();
    lap(&mut pipeline, &mut one, &mut pieces, &mut outcome);
    pieces.clear();
    barrier.wait();
    let warm = pipeline.counters();
    let (records, engine) = (
        pipeline.engine().counters().records(),
        pipeline.engine().counters().clone(),
    );
    outcome.busy = Duration::ZERO;
    let mut allocations = 0;
    for _ in 0..loops {
        allocations += lap(&mut pipeline, &mut one, &mut pieces, &mut outcome);
    }
    barrier.wait();
    let counters = pipeline.counters();
    outcome.allocations = allocations;
    outcome.quiet = pieces.sum();
    outcome.packets = counters.packets - warm.packets;
    outcome.bytes = counters.bytes - warm.bytes;
    outcome.records = pipeline.engine().counters().records() - records;
    outcome.first_payloads = pipeline.engine().counters().first_payloads - engine.first_payloads;
    outcome.first_probes = pipeline.engine().counters().first_probes - engine.first_probes;
    outcome
}

/// One replay; says how many allocations it made.
fn lap<B: Buffer>(
    pipeline: &mut Pipeline<B>,
    one: &mut Lap<B>,
    pieces: &mut Pieces,
    outcome: &mut Outcome,
) -> u64 {
    let region = Region::new(ALLOCATOR.0);
    let started = busy();
    pieces.begin(started, pipeline.counters().packets);
    let flows = one(pipeline, pieces);
    if flows >= outcome.flows {
        outcome.flows = flows;
        outcome.state_bytes = pipeline.state_bytes();
    }
    let end_ns = pipeline.now_ns();
    pipeline.finish(end_ns);
    let ended = busy();
    pieces.mark(ended, pipeline.counters().packets);
    outcome.busy += ended.saturating_sub(started);
    region.change().allocations as u64
}

/// Processor time of the calling thread: what a worker spends, however busy the machine is otherwise. On a
/// core of its own this is the time on the wall.
fn busy() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Cycles of the time stamp counter in a nanosecond; 0 where the system does not tell.
fn tsc_ghz() -> f64 {
    let Ok(text) = std::fs::read_to_string("/proc/cpuinfo") else {
        return 0.0;
    };
    let mhz = text
        .lines()
        .find(|line| line.starts_with("cpu MHz"))
        .and_then(|line| line.split(':').nth(1));
    mhz.and_then(|value| value.trim().parse::<f64>().ok())
        .map_or(0.0, |mhz| mhz / 1000.0)
}
