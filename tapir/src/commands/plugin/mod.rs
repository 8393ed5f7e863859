//! `tapir plugin`: looks at a Wasm plugin, and tries it.

#[cfg(feature = "plugins")]
mod check;
#[cfg(feature = "plugins")]
mod replay;
#[cfg(feature = "plugins")]
mod trace;

use crate::cli::Format;
use crate::failure::Failure;
use std::path::PathBuf;

/// Arguments of `tapir plugin`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What can be done with a plugin.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Load a module and say what it imports, exports and wants, and whether it would be run.
    Check {
        /// The module.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Decode captures with a plugin: every call with its result and its time, then the records.
    Run(RunArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The module.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Capture files, pcap or pcapng.
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    /// How records are written.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    pub(crate) format: Format,

    /// The lengths that it tells are those of whole messages.
    #[arg(long)]
    pub(crate) framed: bool,

    /// How long a call may take, ms.
    #[arg(long, value_name = "MS", default_value_t = 1000)]
    pub(crate) deadline: u64,

    /// Show no calls, only how many there were.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Does what was asked.
#[cfg(feature = "plugins")]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Check { file } => check::run(file),
        Command::Run(args) => replay::run(args),
    }
}

/// A build without plugins runs none.
#[cfg(not(feature = "plugins"))]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let (Command::Check { file } | Command::Run(RunArgs { file, .. })) = &args.command;
    Err(Failure::operation(
        file.display(),
        "this tapir was built without plugins; build it with the feature 'plugins'",
    ))
}
