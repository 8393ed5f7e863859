//! The collector's thread: drains the rings, counts, encodes, hands batches to sinks. It never waits for
//! any of them.

use crate::batch::{Batch, Encoder, Format};
use crate::ingest::Portion;
use crate::join::Joiner;
use crate::limits::NAP_DEFAULT;
use crate::nap::Nap;
use crate::ring::RecordRing;
use crate::session::Session;
use crate::shared::Shared;
use crate::sink::SinkThread;
use crate::text::TextLimits;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use tapir_parsers::record::RecordView;

/// Rounds without a record before the thread sleeps: some microseconds, so that a steady stream of
/// records is taken without a system call.
const SPINS: u32 = 1000;
/// Batches of sidecars that are taken before the rings have their turn again.
const PORTIONS_IN_A_ROW: usize = 16;

pub(crate) struct Worker {
    pub(crate) rings: Vec<RecordRing>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) text_limits: TextLimits,
    pub(crate) batch_interval: Duration,
    pub(crate) nap: Duration,
    /// Where there are sidecars.
    pub(crate) sidecars: Option<Sidecars>,
}

/// What comes of sidecars, and where it meets what comes of the wire.
pub(crate) struct Sidecars {
    pub(crate) portions: Receiver<Portion>,
    pub(crate) joiner: Joiner,
    pub(crate) began: Instant,
    /// All listeners have ended, and all that they read was taken.
    pub(crate) ended: bool,
}

impl Worker {
    /// Runs until it is told to stop and the rings are empty; gives the sinks back.
    pub(crate) fn run(mut self) -> Vec<SinkThread> {
        let (mut idle, mut since_nap) = (0, 0);
        let mut nap = Nap::new(self.nap.min(NAP_DEFAULT), self.nap);
        // Who lets it sleep for longer wants its time, not its haste.
        let spins = if self.nap > NAP_DEFAULT { 0 } else { SPINS };
        loop {
            // Read before draining: records committed before the flag was set are seen after it.
            let stop = self.shared.stop.load(Acquire);
            let drained = self.drain();
            since_nap += drained;
            let now = Instant::now();
            for output in &mut self.outputs {
                output.flush_if_due(now, self.batch_interval);
            }
            if drained > 0 {
                idle = 0;
            } else if stop
                && self.rings.iter().all(|ring| ring.waiting_bytes() == 0)
                && self.sidecars.as_ref().is_none_or(|sidecars| sidecars.ended)
            {
                break;
            } else if idle < spins {
                idle += 1;
                std::hint::spin_loop();
            } else {
                std::thread::sleep(nap.after(std::mem::take(&mut since_nap)));
            }
        }
        self.finish_joining();
        self.outputs.into_iter().flat_map(Output::finish).collect()
    }

    /// Takes a portion out of each ring; how many records there were.
    fn drain(&mut self) -> u64 {
        let Self {
            rings,
            shared,
            outputs,
            text_limits,
            sidecars,
            ..
        } = self;
        for output in outputs.iter_mut() {
            output.is_wanted = output.sinks.iter().any(SinkThread::wants_records);
        }
        let mut drained = 0;
        for (ring, counters) in rings.iter_mut().zip(&shared.rings) {
            let mut put = |view: &RecordView<'_>| take(view, &shared.aggregates, outputs, *text_limits);
            let count = match sidecars {
                None => ring.drain(put),
                Some(sidecars) => {
                    let now_ns = sidecars.now_ns();
                    ring.drain(|view| {
                        sidecars
                            .joiner
                            .push(view, now_ns, |entry| put_entry(entry, &mut put));
                    })
                }
            };
            drained += count;
            if count > 0 {
                counters.received.fetch_add(count, Relaxed);
            }
            counters.waiting_bytes.store(ring.waiting_bytes() as u64, Relaxed);
            counters.corrupt_bytes.store(ring.corrupt_bytes(), Relaxed);
        }
        if let Some(sidecars) = sidecars {
            drained += sidecars.drain(|view| take(view, &shared.aggregates, outputs, *text_limits));
        }
        drained
    }

    /// No more records come: those that wait for others leave.
    fn finish_joining(&mut self) {
        let (aggregates, outputs, limits) = (&self.shared.aggregates, &mut self.outputs, self.text_limits);
        if let Some(sidecars) = &mut self.sidecars {
            let mut put = |view: &RecordView<'_>| take(view, aggregates, outputs, limits);
            sidecars.joiner.flush(|entry| put_entry(entry, &mut put));
        }
    }
}

impl Sidecars {
    fn now_ns(&self) -> u64 {
        self.began.elapsed().as_nanos() as u64
    }

    /// Takes what sidecars sent, and lets go of records that waited long enough. How many came.
    fn drain(&mut self, mut put: impl FnMut(&RecordView<'_>)) -> u64 {
        let now_ns = self.now_ns();
        let mut records = 0;
        // A bound, so that rings have their turn.
        for _ in 0..PORTIONS_IN_A_ROW {
            let portion = match self.portions.try_recv() {
                Ok(portion) => portion,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.ended = true;
                    break;
                }
            };
            let mut rest = portion.entries.as_slice();
            while let Some(view) = RecordView::new(rest) {
                self.joiner
                    .push(&view, now_ns, |entry| put_entry(entry, &mut put));
                rest = rest.get(view.header.entry_len as usize..).unwrap_or_default();
                records += 1;
            }
        }
        self.joiner.expire(now_ns, |entry| put_entry(entry, &mut put));
        records
    }
}

fn put_entry(entry: &[u8], put: &mut impl FnMut(&RecordView<'_>)) {
    if let Some(view) = RecordView::new(entry) {
        put(&view);
    }
}

fn take(
    view: &RecordView<'_>,
    aggregates: &crate::metrics::ProtocolAggregates,
    outputs: &mut [Output],
    limits: TextLimits,
) {
    aggregates.record(view);
    if outputs.iter().any(|output| output.is_wanted) {
        let session = Session::new(view, limits);
        for output in outputs {
            output.push(&session);
        }
    } else {
        for output in outputs {
            output.passed_over += 1;
        }
    }
}

/// All sinks of one format: records are encoded once for them.
pub(crate) struct Output {
    encoder: Encoder,
    sinks: Vec<SinkThread>,
    /// When the oldest record of the batch came.
    since: Option<Instant>,
    /// Whether any of the sinks has use for records.
    is_wanted: bool,
    /// Records not encoded because none had.
    passed_over: u64,
}

impl Output {
    pub(crate) fn new(format: Format, batch_bytes: usize) -> Self {
        Self {
            encoder: Encoder::new(format, batch_bytes),
            sinks: Vec::new(),
            since: None,
            is_wanted: false,
            passed_over: 0,
        }
    }

    pub(crate) fn format(&self) -> Format {
        self.encoder.format()
    }

    pub(crate) fn add(&mut self, sink: SinkThread) {
        self.sinks.push(sink);
    }

    fn push(&mut self, session: &Session<'_>) {
        if !self.is_wanted {
            self.passed_over += 1;
        } else if self.encoder.push(session) {
            self.flush();
        }
    }

    fn flush_if_due(&mut self, now: Instant, interval: Duration) {
        let passed_over = std::mem::take(&mut self.passed_over);
        if passed_over > 0 {
            for sink in &self.sinks {
                sink.pass_over(passed_over);
            }
        }
        if self.encoder.records() == 0 {
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= interval {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.since = None;
        if let Some(batch) = self.encoder.take() {
            let batch: Arc<Batch> = Arc::new(batch);
            for sink in &self.sinks {
                sink.offer(&batch);
            }
        }
    }

    fn finish(mut self) -> Vec<SinkThread> {
        self.flush_if_due(Instant::now(), Duration::ZERO);
        for sink in &mut self.sinks {
            sink.close_queue();
        }
        self.sinks
    }
}
