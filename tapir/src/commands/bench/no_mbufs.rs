//! Stands for `mbufs.rs` in a build without libdpdk.

use super::Args;
use super::laps::Lap;
use crate::failure::Failure;
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_dataplane::source::BatchBuffer;

/// There are no mbufs.
pub(super) fn laps(
    _args: &Args,
    _options: &PipelineOptions,
    _workers: usize,
) -> Result<Vec<Lap<BatchBuffer>>, Failure> {
    Err(Failure::Operation(
        "bench: --source dpdk needs a tapir built with DPDK; build it with default features".to_owned(),
    ))
}
