//! `tapir run`: sessions from NICs until told to stop.

use crate::failure::Failure;
use std::path::PathBuf;

/// Arguments of `tapir run`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Configuration in TOML; flags override what it says.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs until SIGINT or SIGTERM, then drains.
pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::Operation(
        "run: this build has no packet source yet; build a later version".to_owned(),
    ))
}
