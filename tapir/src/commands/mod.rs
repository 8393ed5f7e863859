//! The subcommands, one file or folder each.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod decode;
pub(crate) mod doctor;
pub(crate) mod man;
pub(crate) mod plugin;
pub(crate) mod protocol_names;
pub(crate) mod protocols;
pub(crate) mod read;
pub(crate) mod run;

use crate::cli::Command;
use crate::failure::Failure;

/// Runs a subcommand to its end.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Decode(args) => decode::run(&args),
        Command::Read(args) => read::run(&args),
        Command::Protocols(args) => protocols::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Plugin(args) => plugin::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
