//! DPDK mbufs that are filled with a capture before the clock starts.

use super::Args;
use super::laps::{Lap, replay};
use crate::failure::Failure;
use crate::replay::load;
use dpdk_bindings::{Eal, EalConfig, Mbuf, Mempool, MempoolConfig};
use std::sync::Arc;
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_dataplane::source::dpdk::MbufReplay;
use tapir_dataplane::source::{Batch, Distributor};

/// Bytes of a buffer: frames of 1514 bytes in one segment, longer ones scattered, as on a port.
const DATA_ROOM: u16 = 1664;
/// What an mbuf takes besides: its header, headroom, and the pool's own.
const MBUF_OVERHEAD: usize = 128 + 128 + 128;

/// Fills mbufs with the capture, a list for each worker.
pub(super) fn laps(
    args: &Args,
    options: &PipelineOptions,
    workers: usize,
) -> Result<Vec<Lap<Mbuf>>, Failure> {
    let distributor = Distributor::new(options.decode.clone(), workers);
    let (batches, _) = load(&args.file, &distributor, workers)?;
    let mbufs: usize = batches.iter().flatten().map(|batch| segments(batch)).sum();
    let memory_mb = ((mbufs * (usize::from(DATA_ROOM) + MBUF_OVERHEAD)) >> 20) + 256;
    let failed = |e: dpdk_bindings::Error| {
        let hint = format!(
            "the capture takes {memory_mb} MiB of mbufs; set hugepages aside for them, or use a shorter one"
        );
        Failure::operation(e.to_string(), hint)
    };
    let eal = Eal::init(&EalConfig::new().in_memory())
        .or_else(|_| {
            Eal::init(
                &EalConfig::new()
                    .no_huge()
                    .in_memory()
                    .memory_mb(3 * memory_mb as u32),
            )
        })
        .map_err(failed)?;
    let config = MempoolConfig {
        mbufs: mbufs as u32 + 512,
        data_room: DATA_ROOM,
        ..MempoolConfig::default()
    };
    let pool = Mempool::new(eal, "bench", config).map_err(failed)?;
    let mut laps: Vec<Lap<Mbuf>> = Vec::new();
    for list in &batches {
        let frames = fill(&pool, list)?;
        let mut source = MbufReplay::new(frames);
        laps.push(Box::new(move |pipeline, pieces| {
            source.rewind();
            replay(&mut source, pipeline, pieces)
        }));
    }
    Ok(laps)
}

/// Mbufs that the frames of a batch take.
fn segments(batch: &Batch) -> usize {
    let of = |len: u32| (len as usize).div_ceil(usize::from(DATA_ROOM)).max(1);
    batch.frames.iter().map(|frame| of(frame.len)).sum()
}

fn fill(pool: &Mempool, batches: &[Arc<Batch>]) -> Result<Vec<(u64, Mbuf)>, Failure> {
    let mut frames = Vec::new();
    for batch in batches {
        for frame in &batch.frames {
            let start = frame.offset as usize;
            let bytes = batch
                .bytes
                .get(start..start + frame.len as usize)
                .unwrap_or_default();
            let mbuf = pool
                .packet_from(bytes)
                .ok_or_else(|| Failure::Operation("bench: the pool of mbufs ran out".to_owned()))?;
            frames.push((frame.time_ns, mbuf));
        }
    }
    Ok(frames)
}
