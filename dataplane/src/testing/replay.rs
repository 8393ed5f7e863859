//! Runs packets through pipelines and reads their records back.

use super::frame::Frame;
use crate::counters::Counters;
use crate::pipeline::{Pipeline, PipelineOptions};
use crate::source::{Batch, BatchSource, Distributor, FrameAt, Poll, Source};
use rtrb::Consumer;
use std::sync::Arc;
use tapir_parsers::record::RecordView;
use tapir_parsers::ring::{RingSink, WhenFull};
use tapir_parsers::testing::Told;
use tapir_parsers::wire::LinkType;

/// Bytes of a ring; drained after every burst.
const RING_BYTES: usize = 8 << 20;

/// What a replay told.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// Records, as each worker handed them out.
    pub told: Vec<Told>,
    /// Of all workers.
    pub counters: Counters,
    /// Messages that found no slot at the lcore's limit.
    pub refused: u64,
    /// Most flows at once, after a burst, of any worker.
    pub flows_max: usize,
    /// Most memory in use, after a burst, of any worker.
    pub state_bytes_max: usize,
    /// Most segments held, after a burst, of any worker.
    pub held_max: usize,
}

impl Replayed {
    /// The records in an order that does not depend on workers.
    pub fn sorted(&self) -> Vec<Told> {
        let mut told = self.told.clone();
        told.sort();
        told
    }

    fn add(&mut self, other: Self) {
        self.told.extend(other.told);
        self.counters.add(&other.counters);
        self.refused += other.refused;
        self.flows_max = self.flows_max.max(other.flows_max);
        self.state_bytes_max = self.state_bytes_max.max(other.state_bytes_max);
        self.held_max = self.held_max.max(other.held_max);
    }
}

/// A source of these frames.
pub fn frame_source(frames: &[Frame]) -> impl Source {
    let mut batches = batches(frames, &vec![0; frames.len()], 1).into_iter();
    BatchSource::new(move || batches.next())
}

/// Replays frames with as many workers, spread as `tapir decode` spreads them.
///
/// # Panics
/// When an accounting identity does not hold, or something is left behind at the end.
pub fn replay(frames: &[Frame], workers: usize, options: &PipelineOptions) -> Replayed {
    let distributor = Distributor::new(options.decode.clone(), workers);
    let owners: Vec<usize> = frames
        .iter()
        .map(|f| distributor.worker(LinkType::Ethernet, &f.bytes, f.bytes.len()))
        .collect();
    let sources = batches(frames, &owners, workers).into_iter().map(|batch| {
        let mut batch = Some(batch);
        BatchSource::new(move || batch.take())
    });
    replay_from(sources.collect(), options)
}

fn batches(frames: &[Frame], owners: &[usize], workers: usize) -> Vec<Arc<Batch>> {
    let bytes = Arc::new(
        frames
            .iter()
            .flat_map(|f| f.bytes.iter().copied())
            .collect::<Vec<u8>>(),
    );
    let mut lists = vec![Vec::new(); workers];
    let mut offset = 0;
    for (frame, owner) in frames.iter().zip(owners) {
        lists[*owner].push(FrameAt {
            time_ns: frame.time_ns,
            offset,
            len: frame.bytes.len() as u32,
            wire_len: frame.wire_len as u32,
            link: LinkType::Ethernet,
        });
        offset += frame.bytes.len() as u32;
    }
    let batch = |frames| {
        Arc::new(Batch {
            bytes: Arc::clone(&bytes),
            frames,
        })
    };
    lists.into_iter().map(batch).collect()
}

/// Replays each source on a worker of its own.
///
/// # Panics
/// When an accounting identity does not hold, or something is left behind at the end.
pub fn replay_from<S: Source>(sources: Vec<S>, options: &PipelineOptions) -> Replayed {
    let workers = sources.into_iter().enumerate();
    let mut workers: Vec<_> = workers
        .map(|(number, source)| Worker::run(number as u16, source, options))
        .collect();
    let end_ns = workers.iter().map(|w| w.pipeline.now_ns()).max().unwrap_or(0);
    let mut all: Option<Replayed> = None;
    for worker in workers.drain(..) {
        let replayed = worker.finish(end_ns);
        match &mut all {
            Some(all) => all.add(replayed),
            None => all = Some(replayed),
        }
    }
    all.unwrap_or_else(|| panic!("a replay needs a source"))
}

struct Worker<B> {
    pipeline: Pipeline<B>,
    ring: Consumer<u8>,
    replayed: Replayed,
}

impl<B: crate::source::Buffer> Worker<B> {
    fn run<S: Source<Buffer = B>>(number: u16, mut source: S, options: &PipelineOptions) -> Self {
        let (sink, ring) = RingSink::new(RING_BYTES, WhenFull::Drop);
        let pipeline = Pipeline::new(options.clone(), number, sink);
        let mut worker = Self {
            pipeline: pipeline.unwrap_or_else(|e| panic!("no memory for a flow table: {e}")),
            ring,
            replayed: Replayed {
                told: Vec::new(),
                counters: Counters::default(),
                refused: 0,
                flows_max: 0,
                state_bytes_max: 0,
                held_max: 0,
            },
        };
        loop {
            match source.receive() {
                Poll::Packets => worker.pipeline.burst(&mut source),
                Poll::Idle => worker.pipeline.idle(&source),
                Poll::End => break,
            }
            worker.look();
        }
        worker
    }

    fn look(&mut self) {
        let (pipeline, seen) = (&self.pipeline, &mut self.replayed);
        seen.flows_max = seen.flows_max.max(pipeline.table().len());
        seen.state_bytes_max = seen.state_bytes_max.max(pipeline.state_bytes());
        seen.held_max = seen.held_max.max(pipeline.held());
        self.drain();
    }

    fn drain(&mut self) {
        let Ok(chunk) = self.ring.read_chunk(self.ring.slots()) else {
            return;
        };
        let (first, second) = chunk.as_slices();
        let bytes = [first, second].concat();
        chunk.commit_all();
        let mut rest = bytes.as_slice();
        while let Some(view) = RecordView::new(rest) {
            let (entry, behind) = rest.split_at(view.header.entry_len as usize);
            self.replayed.told.push(Told::new(entry));
            rest = behind;
        }
        assert!(rest.is_empty(), "the ring held part of a record");
    }

    fn finish(mut self, end_ns: u64) -> Replayed {
        self.pipeline.finish(end_ns);
        self.drain();
        let (pipeline, counters) = (&self.pipeline, self.pipeline.counters());
        assert_eq!(
            counters.unaccounted_packets(),
            0,
            "packets are not accounted for: {counters:#?}"
        );
        let made = pipeline.engine().counters().records();
        assert_eq!(
            made,
            counters.records_sent + counters.records_dropped,
            "records made, and records sent or dropped"
        );
        assert_eq!(
            counters.records_sent,
            self.replayed.told.len() as u64,
            "records sent and received"
        );
        assert_eq!(counters.records_dropped, 0, "the ring is larger than any test");
        assert_eq!(counters.fragments_held, 0, "fragments are left behind");
        assert_eq!(pipeline.table().len(), 0, "flows are left behind");
        assert_eq!(pipeline.held(), 0, "segments are left behind");
        assert_eq!(pipeline.engine().sessions(), 0, "sessions are left behind");
        assert_eq!(pipeline.engine().exchanges(), 0, "exchanges are left behind");
        let refused = tapir_parsers::l7::DECLARATIONS
            .iter()
            .map(|d| pipeline.engine().counters().of(d.protocol).exchanges_refused);
        self.replayed.refused = refused.sum();
        self.replayed.counters = counters;
        self.replayed
    }
}
