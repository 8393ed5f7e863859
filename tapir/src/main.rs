//! The `tapir` command.
#![forbid(unsafe_code)]

mod cli;
mod commands;
mod failure;
#[cfg(feature = "dpdk")]
mod live;
mod logging;
mod options;
mod output;
mod place;
#[cfg(feature = "plugins")]
mod plugins;
#[cfg(test)]
mod reference;
mod replay;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    logging::start(cli.log);
    match commands::run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
