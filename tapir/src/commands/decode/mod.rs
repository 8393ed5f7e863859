//! `tapir decode`: capture files through the same workers as packets from NICs.

mod collected;
mod progress;
mod summary;

use super::protocol_names;
use crate::cli::Format;
use crate::failure::Failure;
use crate::options;
use crate::replay::{self, Workers, read_files};
use collected::Collected;
use crossbeam_channel::bounded;
use progress::Progress;
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tapir_collector::ring::RecordRing;
use tapir_dataplane::pipeline::PipelineOptions;
use tapir_dataplane::source::Distributor;
use tapir_parsers::l7::Protocol;

/// Pieces of files that wait for a worker: enough to keep it busy, little memory.
const BATCHES_AHEAD: usize = 4;
/// How long to sleep when no records come.
const IDLE: Duration = Duration::from_micros(200);

/// Arguments of `tapir decode`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Capture files, pcap or pcapng.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// How records are written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,

    /// Where records go instead of stdout.
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,

    /// Worker threads; flows are spread over them.
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) workers: NonZeroU16,

    /// Only this protocol; may be repeated.
    #[arg(long = "proto", value_name = "P", value_parser = protocol_names::parser())]
    pub(crate) protocols: Vec<Protocol>,

    /// Take limits, timeouts, tunnels and redaction from this configuration.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Decodes every file and writes the records in order of `start_ns`.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    run_with(
        &options::pipeline_from(args.config.as_deref(), &args.protocols)?,
        args,
    )
}

/// As [`run`], with workers that are set up with `options`.
pub(crate) fn run_with(options: &PipelineOptions, args: &Args) -> Result<(), Failure> {
    let count = usize::from(args.workers.get());
    let distributor = Distributor::new(options.decode.clone(), count);
    let started = Instant::now();
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| bounded(BATCHES_AHEAD)).unzip();
    let inputs = receivers
        .into_iter()
        .map(|r| Box::new(move || r.recv().ok()) as replay::Input)
        .collect();
    let mut workers = Workers::start(options, inputs)?;
    let rings = std::mem::take(&mut workers.rings);
    let clock = workers.clock();

    let files = args.files.clone();
    let total: u64 = files
        .iter()
        .filter_map(|f| f.metadata().ok())
        .map(|m| m.len())
        .sum();
    let read = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&read);
    let reader = std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            let (report, result) = read_files(&files, &distributor, &senders, &counted);
            clock.store(report.last_ns, Ordering::Release);
            // The workers end when the senders go.
            drop(senders);
            (report, result)
        })
        .map_err(|e| Failure::operation("starting the reader thread", e))?;

    let mut collected = Collected::new(args.format != Format::None);
    let progress = Progress::new(total);
    let mut rings: Vec<RecordRing> = rings.into_iter().map(RecordRing::new).collect();
    loop {
        let done = workers.are_done();
        let records: u64 = rings
            .iter_mut()
            .map(|ring| ring.drain(|view| collected.add(view)))
            .sum();
        progress.show(read.load(Ordering::Relaxed));
        if done && records == 0 {
            break;
        }
        if records == 0 {
            std::thread::sleep(IDLE);
        }
    }
    progress.finish();
    let reports = workers.join()?;
    let (report, result) = reader
        .join()
        .map_err(|_| Failure::Operation("the reader thread died; please report this as a bug".to_owned()))?;
    collected.write(args.format, args.output.as_deref())?;
    if result.is_ok() || report.summary.packets > 0 {
        summary::print(&report, &reports, started.elapsed());
    }
    result
}
