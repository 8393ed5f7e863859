//! `tapir bench`: what workers cost, over a capture that is held in memory.

mod laps;
#[cfg(feature = "dpdk")]
mod mbufs;
#[cfg(not(feature = "dpdk"))]
#[path = "no_mbufs.rs"]
mod mbufs;
mod pieces;

use crate::cli::Format;
use crate::failure::Failure;
use crate::options;
use crate::output;
use laps::{Laps, Outcome};
use serde_json::json;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::{NonZeroU16, NonZeroU64};
use std::path::PathBuf;
use std::time::Duration;
use tapir_collector::flat::BatchEncoder;
use tapir_collector::limits::BATCH_BYTES;
use tapir_collector::ring::RecordRing;
use tapir_collector::session::Session;
use tapir_collector::table::Table;
use tapir_collector::text::TextLimits;
use tapir_collector::write_json;

/// Between two looks at rings that were empty: a ring takes ten times as long to fill.
const DRAIN_PAUSE: Duration = Duration::from_millis(1);

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
    let options = options::pipeline_from(args.config.as_deref(), &[])?;
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
            // Asleep, not spinning: the workers' cores may share execution units with this one.
            std::thread::sleep(DRAIN_PAUSE);
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
        "ns_per_packet_quiet": round(outcome.quiet.0.as_secs_f64() * 1e9 / outcome.quiet.1.max(1) as f64, 2),
        "ns_per_byte": round(ns_per_packet * packets / outcome.bytes.max(1) as f64, 3),
        "ns_per_record": round(ns_per_packet * packets / outcome.records.max(1) as f64, 1),
        "cycles_per_packet": round(ns_per_packet * outcome.cycles_per_ns, 1),
        "allocations_per_packet": round(outcome.allocations as f64 / packets, 6),
        "flows": outcome.flows,
        "bytes_per_flow": round(outcome.state_bytes as f64 / outcome.flows.max(1) as f64, 1),
        "probes_per_flow": round(outcome.first_probes as f64 / outcome.first_payloads.max(1) as f64, 3),
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
    table: Table,
    batch: BatchEncoder,
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
            line: Vec::with_capacity(2 * BATCH_BYTES),
            table: Table::default(),
            batch: BatchEncoder::new(),
            file,
            failed: None,
        })
    }

    fn write(&mut self, view: &tapir_parsers::record::RecordView<'_>) {
        if self.format == Format::None {
            return;
        }
        self.line.clear();
        let session = Session::new(view, TextLimits::default());
        match self.format {
            Format::Json => write_json(view, &mut self.line),
            Format::Table => self.table.write_session(&session, &mut self.line),
            Format::Flatbuffers => {
                self.batch.push(&session);
                if self.batch.bytes() >= BATCH_BYTES {
                    self.batch.finish(|bytes| self.line.extend_from_slice(bytes));
                }
            }
            Format::None => {}
        }
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&self.line)
        {
            self.failed.get_or_insert(error);
        }
    }

    fn finish(mut self) -> Result<(), Failure> {
        self.line.clear();
        self.batch.finish(|bytes| self.line.extend_from_slice(bytes));
        if let Some(file) = &mut self.file
            && let Err(error) = file.write_all(&self.line)
        {
            self.failed.get_or_insert(error);
        }
        let flushed = self.file.as_mut().map_or(Ok(()), Write::flush);
        match self.failed.map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(error) => Err(Failure::operation("writing records", error)),
        }
    }
}
