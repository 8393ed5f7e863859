//! `tapir bench`: what workers cost, over a capture that is held in memory.

mod laps;

use crate::cli::Format;
use crate::failure::Failure;
use crate::output;
use laps::{Laps, Outcome};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use tapir_collector::ring::RecordRing;
use tapir_collector::write_json;
use tapir_dataplane::pipeline::PipelineOptions;

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

    /// How often the capture is replayed, after one lap to warm up.
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
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let options = PipelineOptions::default();
    let mut records = Records::new(args)?;
    let mut laps = Laps::start(args, &options)?;
    let mut rings: Vec<RecordRing> = laps.take_rings().into_iter().map(RecordRing::new).collect();
    while !laps.are_done() {
        if rings
            .iter_mut()
            .map(|ring| ring.drain(|view| records.write(view)))
            .sum::<u64>()
            == 0
        {
            std::thread::yield_now();
        }
    }
    rings.iter_mut().for_each(|ring| {
        ring.drain(|view| records.write(view));
    });
    let outcome = laps.join()?;
    records.finish()?;
    output::to_stdout(|out| writeln!(out, "{}", figures(&outcome)))
}

/// The figures as one JSON object; the keys are those that scripts rely on.
fn figures(outcome: &Outcome) -> serde_json::Value {
    let seconds = outcome.busy.as_secs_f64();
    let packets = outcome.packets.max(1) as f64;
    // Each worker works for `seconds`: a packet's cost is that of the one worker that handled it.
    let ns_per_packet = seconds * 1e9 * outcome.workers as f64 / packets;
    json!({
        "packets": outcome.packets,
        "bytes": outcome.bytes,
        "records": outcome.records,
        "seconds": round(seconds, 6),
        "mpps": round(packets / seconds / 1e6, 3),
        "gbps": round(outcome.bytes as f64 * 8.0 / seconds / 1e9, 3),
        "ns_per_packet": round(ns_per_packet, 2),
        "cycles_per_packet": round(ns_per_packet * outcome.cycles_per_ns, 1),
        "allocations_per_packet": round(outcome.allocations as f64 / packets, 6),
        "flows": outcome.flows,
        "bytes_per_flow": round(outcome.state_bytes as f64 / outcome.flows.max(1) as f64, 1),
        "probes_per_first_payload": round(outcome.first_probes as f64 / outcome.first_payloads.max(1) as f64, 3),
        "workers": outcome.workers,
        "loops": outcome.loops,
    })
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    (value * scale).round() / scale
}

/// Where records end up while the clock runs.
struct Records {
    format: Format,
    line: Vec<u8>,
    file: Option<BufWriter<File>>,
    failed: Option<std::io::Error>,
}

impl Records {
    fn new(args: &Args) -> Result<Self, Failure> {
        let file = match &args.output {
            Some(path) => {
                let failed = |e| Failure::operation(format!("writing {}", path.display()), e);
                Some(BufWriter::new(File::create(path).map_err(failed)?))
            }
            None => None,
        };
        Ok(Self {
            format: args.format,
            line: Vec::with_capacity(64 * 1024),
            file,
            failed: None,
        })
    }

    fn write(&mut self, view: &tapir_parsers::record::RecordView<'_>) {
        if self.format == Format::None {
            return;
        }
        self.line.clear();
        write_json(view, &mut self.line);
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&self.line)
        {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        match self.failed.map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::operation("writing records", error)),
        }
    }
}

fn dpdk_missing() -> Failure {
    Failure::Operation("bench: --source dpdk is not there yet; use --source memory".to_owned())
}
