//! Reads capture files and spreads their frames.

use crate::failure::Failure;
use crossbeam_channel::Sender;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tapir_dataplane::source::capture::{CaptureError, CaptureReader, CaptureSummary};
use tapir_dataplane::source::{Batch, Distributor, FrameAt};

/// What was read of all files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadReport {
    /// Over all files.
    pub(crate) summary: CaptureSummary,
    /// Time of the latest packet, Unix ns.
    pub(crate) last_ns: u64,
}

impl ReadReport {
    fn add(&mut self, summary: CaptureSummary) {
        self.summary.packets += summary.packets;
        self.summary.file_bytes += summary.file_bytes;
        self.summary.cut_off |= summary.cut_off;
        self.summary.unsupported += summary.unsupported;
    }
}

/// Memory that files are read into: given back by the workers when they are done with it, and used again
/// while it is still in a cache and known to the kernel.
#[derive(Default)]
struct Pieces {
    lent: VecDeque<Arc<Vec<u8>>>,
}

/// Pieces remembered: more than there are on their way at a time. One that a packet is held in comes back
/// late; it is forgotten and freed with its last packet.
const LENT_MAX: usize = 32;

impl Pieces {
    /// One that nobody reads any more, or a new one.
    fn take(&mut self) -> Vec<u8> {
        let back = self.lent.iter().position(|piece| Arc::strong_count(piece) == 1);
        let piece = back.and_then(|at| self.lent.remove(at));
        piece.and_then(Arc::into_inner).unwrap_or_default()
    }

    fn lend(&mut self, piece: Vec<u8>) -> Arc<Vec<u8>> {
        let piece = Arc::new(piece);
        if self.lent.len() == LENT_MAX {
            self.lent.pop_front();
        }
        self.lent.push_back(Arc::clone(&piece));
        piece
    }
}

/// Reads the files one after another and sends each worker its frames. `progress` counts file bytes.
///
/// # Errors
/// When a file can't be read or is broken: what was read before it is not lost.
pub(crate) fn read_files(
    files: &[PathBuf],
    distributor: &Distributor,
    workers: &[Sender<Arc<Batch>>],
    progress: &AtomicU64,
) -> (ReadReport, Result<(), Failure>) {
    let mut report = ReadReport::default();
    let mut pieces = Pieces::default();
    for path in files {
        let result = read_file(path, &mut report, &mut pieces, |bytes, count, frames| {
            progress.fetch_add(count as u64, Ordering::Relaxed);
            for (worker, batch) in workers
                .iter()
                .zip(spread(&bytes, frames, distributor, workers.len()))
            {
                if !batch.frames.is_empty() && worker.send(Arc::new(batch)).is_err() {
                    return false;
                }
            }
            true
        });
        if let Err(failure) = result {
            return (report, Err(failure));
        }
    }
    (report, Ok(()))
}

/// What one worker is to read.
pub(crate) type Share = Vec<Arc<Batch>>;

/// Loads a file into memory: a list of batches for each of `workers` workers.
pub(crate) fn load(
    path: &Path,
    distributor: &Distributor,
    workers: usize,
) -> Result<(Vec<Share>, ReadReport), Failure> {
    let mut report = ReadReport::default();
    let mut loaded = vec![Vec::new(); workers];
    read_file(path, &mut report, &mut Pieces::default(), |bytes, _, frames| {
        for (list, batch) in loaded
            .iter_mut()
            .zip(spread(&bytes, frames, distributor, workers))
        {
            if !batch.frames.is_empty() {
                list.push(Arc::new(batch));
            }
        }
        true
    })?;
    Ok((loaded, report))
}

fn read_file(
    path: &Path,
    report: &mut ReadReport,
    pieces: &mut Pieces,
    mut each: impl FnMut(Arc<Vec<u8>>, usize, &[FrameAt]) -> bool,
) -> Result<(), Failure> {
    let failed = |error: CaptureError| Failure::operation(path.display(), error);
    let file = File::open(path).map_err(|e| failed(e.into()))?;
    let mut reader = CaptureReader::new(file).map_err(failed)?;
    let mut frames = Vec::new();
    let result = loop {
        let mut piece = pieces.take();
        match reader.next_piece(&mut piece, &mut frames) {
            Ok(Some(count)) => {
                report.last_ns = frames.iter().map(|f| f.time_ns).fold(report.last_ns, u64::max);
                if !each(pieces.lend(piece), count, &frames) {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(failed(error)),
        }
    };
    report.add(reader.summary());
    result
}

fn spread(bytes: &Arc<Vec<u8>>, frames: &[FrameAt], distributor: &Distributor, workers: usize) -> Vec<Batch> {
    let mut batches: Vec<Batch> = (0..workers)
        .map(|_| Batch {
            bytes: Arc::clone(bytes),
            frames: Vec::new(),
        })
        .collect();
    if let [only] = batches.as_mut_slice() {
        only.frames.extend_from_slice(frames);
        return batches;
    }
    for frame in frames {
        let start = frame.offset as usize;
        let contents = bytes.get(start..start + frame.len as usize).unwrap_or_default();
        let worker = distributor.worker(frame.link, contents, contents.len());
        if let Some(batch) = batches.get_mut(worker) {
            batch.frames.push(*frame);
        }
    }
    batches
}
