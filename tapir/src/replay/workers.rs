//! Worker threads of a replay.

use crate::failure::Failure;
use rtrb::Consumer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use tapir_dataplane::counters::Counters;
use tapir_dataplane::pipeline::{Pipeline, PipelineOptions};
use tapir_dataplane::source::{Batch, BatchSource};
use tapir_dataplane::worker;
use tapir_parsers::counters::EngineCounters;
use tapir_parsers::ring::{RingSink, WhenFull};

/// Bytes of each worker's ring: some tens of thousands of records.
const RING_BYTES: usize = 16 << 20;

/// What a worker tells when it is done.
pub(crate) struct WorkerReport {
    pub(crate) counters: Counters,
    pub(crate) engine: EngineCounters,
}

/// Workers at work.
pub(crate) struct Workers {
    threads: Vec<JoinHandle<WorkerReport>>,
    /// The rings that their records come out of.
    pub(crate) rings: Vec<Consumer<u8>>,
    last_ns: Arc<AtomicU64>,
}

/// Where a worker's batches come from: `None` when the input has ended.
pub(crate) type Input = Box<dyn FnMut() -> Option<Arc<Batch>> + Send>;

impl Workers {
    /// Starts a worker for each input.
    pub(crate) fn start(options: &PipelineOptions, inputs: Vec<Input>) -> Result<Self, Failure> {
        let last_ns = Arc::new(AtomicU64::new(0));
        let (mut threads, mut rings) = (Vec::new(), Vec::new());
        for (number, input) in inputs.into_iter().enumerate() {
            let (sink, ring) = RingSink::new(RING_BYTES, WhenFull::Wait);
            let pipeline = Pipeline::new(options.clone(), number as u16, sink).map_err(|e| {
                Failure::operation(
                    "no memory for the flow table; lower flows.max in the configuration",
                    e,
                )
            })?;
            let last_ns = Arc::clone(&last_ns);
            let thread = std::thread::Builder::new()
                .name(format!("worker-{number}"))
                .spawn(move || replay(pipeline, input, &last_ns))
                .map_err(|e| Failure::operation("starting a worker thread", e))?;
            threads.push(thread);
            rings.push(ring);
        }
        Ok(Self {
            threads,
            rings,
            last_ns,
        })
    }

    /// Tells the workers the time of the run's last packet; to be called before their inputs end.
    pub(crate) fn clock(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.last_ns)
    }

    /// Whether all are done.
    pub(crate) fn are_done(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// Waits for all and takes their reports.
    pub(crate) fn join(self) -> Result<Vec<WorkerReport>, Failure> {
        let died = |_| Failure::Operation("a worker thread died; please report this as a bug".to_owned());
        self.threads
            .into_iter()
            .map(|thread| thread.join().map_err(died))
            .collect()
    }
}

fn replay(
    mut pipeline: Pipeline<tapir_dataplane::source::BatchBuffer>,
    mut input: Input,
    last_ns: &AtomicU64,
) -> WorkerReport {
    let stop = AtomicBool::new(false);
    let mut source = BatchSource::new(&mut input);
    worker::run(&mut source, &mut pipeline, &stop, |_| {});
    let end_ns = last_ns.load(Ordering::Acquire).max(pipeline.now_ns());
    pipeline.finish(end_ns);
    WorkerReport {
        counters: pipeline.counters(),
        engine: pipeline.engine().counters().clone(),
    }
}
