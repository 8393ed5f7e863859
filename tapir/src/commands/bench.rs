//! `tapir bench`: what workers cost, over a capture that is held in memory.

use crate::cli::Format;
use crate::failure::Failure;
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;

/// Where the packets of a benchmark come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Source {
    /// Buffers that are filled before the clock starts.
    Memory,
    /// The capture source, file reading included.
    Pcap,
    /// DPDK mbufs that are filled before the clock starts.
    Dpdk,
}

/// Arguments of `tapir bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Capture file, pcap or pcapng.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// How often the capture is replayed.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) loops: NonZeroU64,

    /// Worker threads; flows are spread over them.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) workers: NonZeroU16,

    /// Where the packets come from.
    #[arg(long, value_enum, default_value = "memory")]
    pub(crate) source: Source,

    /// What becomes of the records.
    #[arg(long, value_enum, default_value_t = Format::None)]
    pub(crate) format: Format,

    /// Where records go; without it they are encoded and thrown away.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// Take limits, timeouts, tunnels and redaction from this configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Replays the capture and prints one JSON line of figures.
pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::Operation(
        "bench: this build has no capture source yet; build a later version".to_owned(),
    ))
}
