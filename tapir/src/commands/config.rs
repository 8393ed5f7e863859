//! `tapir config`: checks a configuration, or prints a commented example.

use crate::failure::Failure;
use std::path::PathBuf;

/// Arguments of `tapir config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with configurations.
#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Read FILE and say everything that is wrong with it.
    Check {
        /// Configuration in TOML.
        file: PathBuf,
    },
    /// Print a complete, commented configuration with the defaults.
    Example,
}

/// Runs the chosen action.
pub(crate) fn run(_args: &Args) -> Result<(), Failure> {
    Err(Failure::Operation("config: not in this build".to_owned()))
}
