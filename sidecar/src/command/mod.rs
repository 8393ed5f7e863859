//! `tapir-sidecar`: the command line, signals and exit codes.

mod options;
mod shape;

use crate::kernel::KernelOptions;
use crate::sidecar::{Outcome, Sidecar, SidecarError};
use crate::{doctor, privileges};
use clap::Parser;
use options::{Cli, Other};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Runs the command.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    env_logger::Builder::new()
        .filter_level(cli.log)
        .format_target(false)
        .init();
    let done = match cli.command {
        Some(Other::Doctor { json, btf }) => tell_findings(json, btf),
        None => run(cli),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("tapir-sidecar: {message}");
            ExitCode::from(1)
        }
    }
}

/// Looks at everything and prints a line for each.
fn tell_findings(json: bool, btf: Option<std::path::PathBuf>) -> Result<(), String> {
    let options = KernelOptions {
        btf,
        ..KernelOptions::default()
    };
    let findings = doctor::examine(&options);
    let mut out = io::stdout().lock();
    let written = if json {
        let list: Vec<_> = findings.iter().map(tapir_config::Finding::to_json).collect();
        writeln!(out, "{:#}", serde_json::json!({ "findings": list }))
    } else {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = out.is_terminal() && !refused;
        findings
            .iter()
            .try_for_each(|finding| finding.write(&mut out, colour))
    };
    match written {
        // Whoever read it went away.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| format!("writing to stdout: {error}")),
    }
}

/// Runs until SIGINT or SIGTERM, or until nobody takes records any more.
fn run(cli: Cli) -> Result<(), String> {
    privileges::give_up(cli.writes_files()).map_err(|error| format!("giving up privileges: {error}"))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // A second signal ends the process at once, for whoever can't wait.
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&stop)))
            .map_err(|error| format!("installing a signal handler: {error}"))?;
    }
    let sidecar = Sidecar::start(cli.into_options()?).map_err(|error| match error {
        SidecarError::Kernel(error) => format!("{error}; tapir-sidecar doctor tells what is missing"),
        error => error.to_string(),
    })?;
    log::info!("watching sockets (backend {})", sidecar.backend());
    if let Some(address) = sidecar.collector().http_address() {
        log::info!("metrics at http://{address}/metrics");
    }
    let ended = || stop.load(Ordering::Relaxed) || sidecar.collector().is_abandoned();
    let ran = sidecar.run_until(ended);
    let outcome = sidecar.stop().map_err(|error| error.to_string())?;
    print(&outcome);
    ran.map_err(|error| error.to_string())
}

/// Says on stderr what a run amounted to.
fn print(outcome: &Outcome) {
    let counts = &outcome.counts;
    eprintln!(
        "{} connections, {} records",
        counts.streams.opens,
        // The other ends of connections within this host say nothing new.
        counts.records_made - counts.streams.records_discarded
    );
    for (name, sink) in &outcome.report.sinks {
        let lost: u64 = sink.lost.iter().sum();
        eprintln!("  {name}: {} records delivered, {lost} lost", sink.delivered);
    }
    let received: u64 = outcome.report.received.iter().sum();
    let records = counts.records_under_way(received);
    let (events, bytes) = (counts.events_under_way(), counts.bytes_under_way());
    if (events, bytes, records) != (0, 0, 0) {
        eprintln!(
            "  BUG: {events} events, {bytes} bytes and {records} records are not accounted for; please report this"
        );
    }
}
