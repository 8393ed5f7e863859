//! Live traffic: ports, their queues, and a pinned worker for each.
//!
//! Worker `n` polls queue `n` of every port. Ports hash symmetrically, so both directions of a flow
//! come to one worker, even where a tap puts them on two ports. Where a port can't hash, one lcore
//! receives for all and hands mbufs to the workers' rings by a symmetric hash of its own.

mod claim;
mod distribution;
mod options;
mod ports;
mod receiver;

pub use options::{Distribution, LiveOptions, PortOptions};
pub use ports::PortReport;
pub use receiver::ReceiverCounters;

use crate::pipeline::Pipeline;
use crate::publish::Published;
use crate::source::Distributor;
use crate::source::dpdk::{DpdkSource, Inlet, wall_clock_ns};
use crate::worker;
use claim::Claims;
use distribution::Plan;
use dpdk_bindings::{CpuId, Eal, Error, Lcore, Mempool, ring};
use ports::Ports;
use receiver::Receiver;
use rtrb::Consumer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tapir_parsers::ring::{RingSink, WhenFull};

/// Why live traffic can't be read: one line that says what to do.
#[derive(Debug)]
pub enum LiveError {
    /// DPDK refused something.
    Dpdk(Error),
    /// The options ask for what can't be.
    Options(String),
    /// The system has no memory or threads to give.
    System(String, std::io::Error),
}

impl std::fmt::Display for LiveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dpdk(error) => write!(f, "{error}"),
            Self::Options(what) => write!(f, "{what}"),
            Self::System(what, error) => write!(f, "{what}: {error}"),
        }
    }
}

impl std::error::Error for LiveError {}

impl From<Error> for LiveError {
    fn from(error: Error) -> Self {
        Self::Dpdk(error)
    }
}

/// Ports and workers at work.
pub struct Live {
    stop: Arc<AtomicBool>,
    receivers_stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Result<(), LiveError>>>,
    receivers: Vec<JoinHandle<Result<(), LiveError>>>,
    ports: Ports,
    /// What each worker counts.
    pub published: Vec<Arc<Published>>,
    /// What the receiving lcore counts, where there is one.
    pub distribution: Option<Arc<ReceiverCounters>>,
    plan: Plan,
    _claims: Claims,
    // Last, so that everything that DPDK lent is given back before it is shut down.
    _pools: Vec<Mempool>,
}

impl Live {
    /// Opens the ports and starts the workers. Also returns the workers' rings, for the collector.
    ///
    /// # Errors
    /// When a port can't be opened, memory is short, or the options don't fit the machine.
    pub fn start(options: &LiveOptions) -> Result<(Self, Vec<Consumer<u8>>), LiveError> {
        if options.lcores.is_empty() {
            return Err(LiveError::Options(
                "no lcores: name at least one CPU with --lcores".to_owned(),
            ));
        }
        let claims = Claims::new(&options.ports)?;
        let eal = Eal::init(&options.eal_config())?;
        let mut ports = Ports::open(eal, &options.ports)?;
        let plan = Plan::new(options, &ports)?;
        let pools = ports.configure(eal, options, &plan)?;
        let mut live = Self {
            stop: Arc::default(),
            receivers_stop: Arc::default(),
            workers: Vec::new(),
            receivers: Vec::new(),
            ports,
            published: Vec::new(),
            distribution: None,
            plan,
            _claims: claims,
            _pools: pools,
        };
        let inlets = live.inlets(eal, options)?;
        let mut rings = Vec::new();
        let cpus = live.plan.worker_cpus.clone();
        for (number, (inlet, cpu)) in inlets.into_iter().zip(cpus).enumerate() {
            let (sink, consumer) = RingSink::new(options.ring_bytes, WhenFull::Drop);
            let mut settings = options.pipeline.clone();
            settings.reserved_huge_pages = !options.no_huge;
            let pipeline = Pipeline::new(settings, number as u16, sink)
                .map_err(|e| LiveError::System("memory for the flow table; lower flows.max".to_owned(), e))?;
            live.spawn_worker(eal, number, cpu, inlet, pipeline)?;
            rings.push(consumer);
        }
        Ok((live, rings))
    }

    /// What every worker reads from; starts the receiving lcore where the plan has one.
    fn inlets(&mut self, eal: Eal, options: &LiveOptions) -> Result<Vec<Inlet>, LiveError> {
        let workers = self.plan.worker_cpus.len();
        let mut queues = self.ports.start()?;
        let Some(cpu) = self.plan.receiver_cpu else {
            let mut inlets = Vec::new();
            for _ in 0..workers {
                // Queue `n` of each port in turn; ports with fewer queues serve the first workers only.
                let of_worker = queues
                    .iter_mut()
                    .filter(|q| !q.is_empty())
                    .map(|q| q.remove(0))
                    .collect();
                inlets.push(Inlet::Queues(of_worker));
            }
            return Ok(inlets);
        };
        let (mut to_workers, mut inlets) = (Vec::new(), Vec::new());
        for number in 0..workers {
            let (producer, consumer) =
                ring(eal, &format!("worker-{number}"), options.distribution_ring, None)?;
            to_workers.push(producer);
            inlets.push(Inlet::Ring(consumer));
        }
        let counters = Arc::new(ReceiverCounters::default());
        let distributor = Distributor::new(options.pipeline.decode.clone(), workers);
        let all = queues.into_iter().flatten().collect();
        let mut receiver = Receiver::new(all, to_workers, distributor, Arc::clone(&counters));
        let stop = Arc::clone(&self.receivers_stop);
        let thread = spawn("receiver", move || {
            let _lcore = Lcore::enter(eal, cpu)?;
            receiver.run(&stop);
            Ok(())
        })?;
        self.receivers.push(thread);
        self.distribution = Some(counters);
        Ok(inlets)
    }

    fn spawn_worker(
        &mut self,
        eal: Eal,
        number: usize,
        cpu: CpuId,
        inlet: Inlet,
        mut pipeline: Pipeline<dpdk_bindings::Mbuf>,
    ) -> Result<(), LiveError> {
        let published = Arc::new(Published::default());
        self.published.push(Arc::clone(&published));
        let stamped = self.ports.are_stamped();
        let stop = Arc::clone(&self.stop);
        let thread = spawn(&format!("worker-{number}"), move || {
            let _lcore = Lcore::enter(eal, cpu)?;
            let mut source = DpdkSource::new(inlet, stamped);
            worker::run(&mut source, &mut pipeline, &stop, |p| published.store(p));
            worker::drain(&mut source, &mut pipeline);
            pipeline.finish(wall_clock_ns());
            published.store(&pipeline);
            Ok(())
        })?;
        self.workers.push(thread);
        Ok(())
    }

    /// Facts and statistics of every port.
    pub fn ports(&self) -> Vec<PortReport> {
        self.ports.report()
    }

    /// What was set up, in a line for the log.
    pub fn describe(&self) -> String {
        format!("{}; {}", self.ports.describe(), self.plan.describe())
    }

    /// Whether a worker has ended by itself: something is wrong.
    pub fn has_failed(&self) -> bool {
        self.workers
            .iter()
            .chain(&self.receivers)
            .any(JoinHandle::is_finished)
    }

    /// Stops reception, lets the workers read what they have, end their flows and go, then stops the
    /// ports. The rings must be drained meanwhile.
    ///
    /// # Errors
    /// The first that a worker ended with.
    pub fn stop(&mut self) -> Result<(), LiveError> {
        let mut result = Ok(());
        self.receivers_stop.store(true, Ordering::Relaxed);
        join(&mut self.receivers, &mut result);
        self.stop.store(true, Ordering::Relaxed);
        join(&mut self.workers, &mut result);
        let stopped = self.ports.stop();
        result.and(stopped)
    }
}

fn spawn(
    name: &str,
    run: impl FnOnce() -> Result<(), LiveError> + Send + 'static,
) -> Result<JoinHandle<Result<(), LiveError>>, LiveError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|e| LiveError::System(format!("starting the thread {name}"), e))
}

fn join(threads: &mut Vec<JoinHandle<Result<(), LiveError>>>, result: &mut Result<(), LiveError>) {
    for thread in threads.drain(..) {
        let ended = thread.join().unwrap_or_else(|_| {
            Err(LiveError::Options(
                "a worker thread died; please report this as a bug".to_owned(),
            ))
        });
        if result.is_ok() {
            *result = ended;
        }
    }
}
