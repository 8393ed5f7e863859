//! Workers that replay a capture lap after lap: the first to warm up, the others on the clock.

use super::{Args, Source};
use crate::failure::Failure;
use crate::replay::{load, read_files};
use crossbeam_channel::bounded;
use rtrb::Consumer;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Barrier};
use std::thread::JoinHandle;
use std::time::Duration;
use tapir_dataplane::export::{RingSink, WhenFull};
use tapir_dataplane::pipeline::{Pipeline, PipelineOptions};
use tapir_dataplane::source::{Batch, BatchBuffer, BatchSource, Distributor};
use tapir_dataplane::worker;

/// Counts every allocation of the process, so that "none per packet" is measured, not believed.
#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

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

/// Brings the batches of one worker, for one lap.
type Input = Box<dyn FnMut() -> Box<dyn FnMut() -> Option<Arc<Batch>>> + Send>;

/// The workers at work.
pub(super) struct Laps {
    threads: Vec<JoinHandle<Outcome>>,
    rings: Vec<Consumer<u8>>,
    loops: u64,
}

impl Laps {
    pub(super) fn start(args: &Args, options: &PipelineOptions) -> Result<Self, Failure> {
        let workers = usize::from(args.workers.get());
        let loops = args.loops.get();
        let inputs = match args.source {
            Source::Memory => from_memory(args, options, workers)?,
            Source::Pcap => from_file(args.file.clone(), options, workers),
            Source::Dpdk => return Err(super::dpdk_missing()),
        };
        let barrier = Arc::new(Barrier::new(workers));
        let (mut threads, mut rings) = (Vec::new(), Vec::new());
        for (number, input) in inputs.into_iter().enumerate() {
            let (sink, ring) = RingSink::new(RING_BYTES, WhenFull::Wait);
            let pipeline = Pipeline::new(options.clone(), number as u16, sink)
                .map_err(|e| Failure::operation("no memory for the flow table", e))?;
            let barrier = Arc::clone(&barrier);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || run(pipeline, input, loops, &barrier))
                .map_err(|e| Failure::operation("starting a worker thread", e))?;
            threads.push(thread);
            rings.push(ring);
        }
        Ok(Self {
            threads,
            rings,
            loops,
        })
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
            let one = thread.join().map_err(died)?;
            all.packets += one.packets;
            all.bytes += one.bytes;
            all.records += one.records;
            all.busy = all.busy.max(one.busy);
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

fn from_memory(args: &Args, options: &PipelineOptions, workers: usize) -> Result<Vec<Input>, Failure> {
    let distributor = Distributor::new(options.decode.clone(), workers);
    let (batches, _) = load(&args.file, &distributor, workers)?;
    let input = |list: Vec<Arc<Batch>>| -> Input {
        Box::new(move || {
            let mut lap = list.clone().into_iter();
            Box::new(move || lap.next())
        })
    };
    Ok(batches.into_iter().map(input).collect())
}

/// One reader a worker and lap; with several workers each reads the whole file and keeps its share.
fn from_file(path: PathBuf, options: &PipelineOptions, workers: usize) -> Vec<Input> {
    let input = |number: usize| -> Input {
        let (path, distributor) = (path.clone(), Distributor::new(options.decode.clone(), workers));
        Box::new(move || {
            let (senders, receivers): (Vec<_>, Vec<_>) = (0..workers).map(|_| bounded(4)).unzip();
            let (path, distributor) = (path.clone(), distributor.clone());
            std::thread::spawn(move || read_files(&[path], &distributor, &senders, &AtomicU64::new(0)));
            let mut receivers: Vec<crossbeam_channel::Receiver<Arc<Batch>>> = receivers;
            let own = receivers.swap_remove(number);
            // The shares of the others are read and left.
            let others: Vec<_> = receivers
                .into_iter()
                .map(|r| std::thread::spawn(move || while r.recv().is_ok() {}))
                .collect();
            Box::new(move || {
                let _ = &others;
                own.recv().ok()
            })
        })
    };
    (0..workers).map(input).collect()
}

fn run(mut pipeline: Pipeline<BatchBuffer>, mut input: Input, loops: u64, barrier: &Barrier) -> Outcome {
    let mut outcome = Outcome::default();
    lap(&mut pipeline, &mut input, &mut outcome);
    barrier.wait();
    let warm = pipeline.counters();
    let (records, engine) = (
        pipeline.engine().counters().records(),
        pipeline.engine().counters().clone(),
    );
    outcome.busy = Duration::ZERO;
    let mut allocations = 0;
    for _ in 0..loops {
        allocations += lap(&mut pipeline, &mut input, &mut outcome);
    }
    barrier.wait();
    let counters = pipeline.counters();
    outcome.allocations = allocations;
    outcome.packets = counters.packets - warm.packets;
    outcome.bytes = counters.bytes - warm.bytes;
    outcome.records = pipeline.engine().counters().records() - records;
    outcome.first_payloads = pipeline.engine().counters().first_payloads - engine.first_payloads;
    outcome.first_probes = pipeline.engine().counters().first_probes - engine.first_probes;
    outcome
}

/// One replay; says how many allocations it made.
fn lap(pipeline: &mut Pipeline<BatchBuffer>, input: &mut Input, outcome: &mut Outcome) -> u64 {
    let next = input();
    let mut source = BatchSource::new(next);
    let stop = AtomicBool::new(false);
    let mut flows = 0;
    let region = Region::new(ALLOCATOR);
    let started = busy();
    worker::run(&mut source, pipeline, &stop, |p| {
        flows = flows.max(p.table().len())
    });
    if flows >= outcome.flows {
        outcome.flows = flows;
        outcome.state_bytes = pipeline.state_bytes();
    }
    let end_ns = pipeline.now_ns();
    pipeline.finish(end_ns);
    outcome.busy += busy().saturating_sub(started);
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
