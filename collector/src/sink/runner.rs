//! The thread of a sink: takes batches out of its queue, tries again, counts.

use super::queue::{Inlet, Next, Outlet, Refused, bounded};
use super::{LossReason, Sink, SinkError, SinkStats};
use crate::affinity::Affinity;
use crate::batch::Batch;
use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a sink's [`tick`](Sink::tick) is called.
const TICK: Duration = Duration::from_millis(20);
/// First and longest wait before a batch is tried again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// How often a waiting sink looks whether Tapir stops.
const STOP_POLL: Duration = Duration::from_millis(20);

/// Tells all sinks that no more batches come and until when they may bring out what they have.
#[derive(Debug, Default)]
pub(crate) struct Shutdown {
    deadline: OnceLock<Instant>,
}

impl Shutdown {
    pub(crate) fn begin(&self, timeout: Duration) -> Instant {
        *self.deadline.get_or_init(|| Instant::now() + timeout)
    }

    fn is_over(&self) -> bool {
        self.deadline
            .get()
            .is_some_and(|deadline| Instant::now() >= *deadline)
    }

    fn deadline(&self) -> Instant {
        self.deadline.get().copied().unwrap_or_else(Instant::now)
    }
}

/// A sink at work.
pub(crate) struct SinkThread {
    pub(crate) name: String,
    pub(crate) stats: Arc<SinkStats>,
    inlet: Option<Inlet>,
    thread: JoinHandle<()>,
}

impl SinkThread {
    /// Starts the thread of `sink`. A batch that fails is tried again for `retry_for`.
    pub(crate) fn start(
        name: String,
        sink: Box<dyn Sink>,
        stats: Arc<SinkStats>,
        queue_bytes: usize,
        retry_for: Duration,
        shutdown: Arc<Shutdown>,
        affinity: Affinity,
    ) -> io::Result<Self> {
        let (inlet, outlet) = bounded(queue_bytes);
        let mut runner = Runner {
            name: name.clone(),
            sink,
            outlet,
            stats: Arc::clone(&stats),
            retry_for,
            shutdown,
            gone: false,
        };
        let thread = std::thread::Builder::new()
            .name(format!("sink-{name}"))
            .spawn(move || {
                affinity.apply();
                runner.run();
            })?;
        Ok(Self {
            name,
            stats,
            inlet: Some(inlet),
            thread,
        })
    }

    /// Whether records should be encoded for it at all.
    pub(crate) fn wants_records(&self) -> bool {
        !self.stats.unwanted.load(Relaxed) && !self.stats.gone.load(Relaxed)
    }

    /// Counts records that it did not want.
    pub(crate) fn pass_over(&self, records: u64) {
        let reason = if self.stats.gone.load(Relaxed) {
            LossReason::Closed
        } else {
            LossReason::NoSubscriber
        };
        self.stats.lose(reason, records);
        self.stats.offered.fetch_add(records, Relaxed);
    }

    /// Hands it a batch; never waits.
    pub(crate) fn offer(&self, batch: &Arc<Batch>) {
        let records = batch.records;
        self.stats.waiting.fetch_add(records, Relaxed);
        let taken = match &self.inlet {
            Some(inlet) => inlet.offer(batch),
            None => Err(Refused::Closed),
        };
        if let Err(refused) = taken {
            let reason = match refused {
                Refused::Full => LossReason::QueueFull,
                Refused::Closed => LossReason::Closed,
            };
            self.stats.lose(reason, records);
            self.stats.waiting.fetch_sub(records, Relaxed);
        }
        self.stats.offered.fetch_add(records, Relaxed);
    }

    /// No more batches come.
    pub(crate) fn close_queue(&mut self) {
        self.inlet = None;
    }

    /// Waits until everything is out, or the deadline: what is not out then is lost by name.
    pub(crate) fn join(self, deadline: Instant) {
        drop(self.inlet);
        // A little longer than the sink itself has: it may be just about to end.
        let last = deadline + Duration::from_millis(200);
        while !self.thread.is_finished() && Instant::now() < last {
            std::thread::sleep(Duration::from_millis(1));
        }
        if self.thread.is_finished() {
            // A panic in a sink was reported on stderr when it happened.
            let _ = self.thread.join();
        } else {
            log::warn!("sink {}: does not end in time; left behind", self.name);
        }
        let left = self.stats.waiting.swap(0, Relaxed);
        self.stats.lose(LossReason::Shutdown, left);
    }
}

struct Runner {
    name: String,
    sink: Box<dyn Sink>,
    outlet: Outlet,
    stats: Arc<SinkStats>,
    retry_for: Duration,
    shutdown: Arc<Shutdown>,
    gone: bool,
}

impl Runner {
    fn run(&mut self) {
        let mut ticked = Instant::now();
        loop {
            match self.outlet.next(TICK) {
                Next::Batch(batch) => self.take(&batch),
                Next::Nothing => {}
                Next::Closed => break,
            }
            if !self.gone && ticked.elapsed() >= TICK {
                self.sink.tick();
                ticked = Instant::now();
            }
        }
        if !self.gone {
            self.sink.close(self.shutdown.deadline());
        }
    }

    fn take(&mut self, batch: &Arc<Batch>) {
        let records = batch.records;
        match self.deliver(batch) {
            Ok(()) => {
                self.stats
                    .delivered_bytes
                    .fetch_add(batch.bytes.len() as u64, Relaxed);
                self.stats.delivered.fetch_add(records, Relaxed);
            }
            Err(reason) => self.stats.lose(reason, records),
        }
        self.stats.waiting.fetch_sub(records, Relaxed);
        self.outlet.done(batch);
    }

    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), LossReason> {
        let began = Instant::now();
        let mut backoff = BACKOFF.0;
        loop {
            if self.gone {
                return Err(LossReason::Closed);
            }
            if self.shutdown.is_over() {
                return Err(LossReason::Shutdown);
            }
            let error = match self.sink.deliver(batch) {
                Ok(()) => return Ok(()),
                Err(SinkError::Lost(reason)) => return Err(reason),
                Err(SinkError::Gone(error)) => {
                    self.end(&error);
                    continue;
                }
                Err(SinkError::Again(error)) => error,
            };
            if began.elapsed() >= self.retry_for {
                log::warn!("sink {}: {} records lost: {error}", self.name, batch.records);
                return Err(LossReason::of(&error));
            }
            if backoff == BACKOFF.0 {
                log::warn!("sink {}: {error}; trying again", self.name);
            }
            self.stats.retries.fetch_add(1, Relaxed);
            self.pause(backoff);
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    /// A reader that went away is no news to anybody; everything else is.
    fn end(&mut self, error: &io::Error) {
        if error.kind() != io::ErrorKind::BrokenPipe {
            log::error!("sink {}: {error}; it takes no more records", self.name);
        }
        self.gone = true;
        self.stats.gone.store(true, Relaxed);
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until && !self.shutdown.is_over() {
            std::thread::sleep(STOP_POLL.min(time));
        }
    }
}
