//! `tapir doctor`: what this machine has for packets, and how to fix what is missing.

use crate::failure::Failure;

/// Arguments of `tapir doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Looks at everything and prints a line for each.
pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::Operation("doctor: not in this build".to_owned()))
}
