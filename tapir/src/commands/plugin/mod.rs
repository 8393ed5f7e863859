//! `tapir plugin`: begins a Wasm plugin, looks at it, tries it, and has it loaded anew.

#[cfg(feature = "plugins")]
mod check;
mod new;
mod reload;
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
    /// Begin a plugin: a folder with an example that works, and what it is written with.
    New(NewArgs),
    /// Load a module and say what it imports, exports and wants, and whether it would be run.
    Check {
        /// The module.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Decode captures with a plugin: every call with its result and its time, then the records.
    Run(RunArgs),
    /// Tell a running Tapir to load its plugins anew, as SIGHUP does; flows go on.
    Reload {
        /// Its process, where several are at work.
        #[arg(long, value_name = "PID")]
        pid: Option<u32>,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// Its name, and that of the folder.
    #[arg(value_name = "NAME", value_parser = new::name)]
    pub(crate) name: String,

    /// What it is written in.
    #[arg(long, value_enum)]
    pub(crate) language: Language,
}

/// Languages that there is an example in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// C, without a library: clang and lld.
    C,
    /// AssemblyScript: Node.js and npm.
    Assemblyscript,
    /// Rust, with or without its standard library.
    Rust,
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
        Command::New(args) => new::run(args),
        Command::Reload { pid } => reload::run(*pid),
        Command::Check { file } => check::run(file),
        Command::Run(args) => replay::run(args),
    }
}

/// A build without plugins runs none.
#[cfg(not(feature = "plugins"))]
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let file = match &args.command {
        Command::New(args) => return new::run(args),
        Command::Reload { pid } => return reload::run(*pid),
        Command::Check { file } | Command::Run(RunArgs { file, .. }) => file,
    };
    Err(Failure::operation(
        file.display(),
        "this tapir was built without plugins; build it with the feature 'plugins'",
    ))
}
