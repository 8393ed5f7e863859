//! `tapir-sidecar`: the command line, signals and exit codes.

use crate::kernel::{Counter, Kernel};
use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

/// See what the applications of this host say on their sockets, and which process spoke.
///
/// Exit codes: 0 done, 1 the operation failed, 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "tapir-sidecar", version, max_term_width = 100)]
struct Cli {
    /// How much to say on stderr: off, error, warn, info, debug or trace.
    #[arg(long, env = "TAPIR_LOG", value_name = "LEVEL", default_value_t = log::LevelFilter::Info)]
    log: log::LevelFilter,

    /// Types of the running kernel, where it does not tell them itself (/sys/kernel/btf/vmlinux).
    #[arg(long, value_name = "FILE")]
    btf: Option<PathBuf>,
}

/// Runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    env_logger::Builder::new()
        .filter_level(cli.log)
        .format_target(false)
        .init();
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tapir-sidecar: {message}");
            ExitCode::from(1)
        }
    }
}

/// Runs until SIGINT or SIGTERM.
fn run(cli: &Cli) -> Result<(), String> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process at once, for whoever can't wait.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| format!("installing a signal handler: {error}"))?;
    }
    let kernel = Kernel::start(cli.btf.as_deref()).map_err(|error| error.to_string())?;
    log::info!("attached");
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
    }
    let counters = kernel.counters().map_err(|error| error.to_string())?;
    for counter in Counter::ALL {
        eprintln!("{} {}", counter.name(), counters.of(*counter));
    }
    Ok(())
}
