//! `tapir config`: checks a configuration, or prints a commented example.

use super::protocol_names;
use crate::failure::Failure;
use crate::output::to_stdout;
use std::path::{Path, PathBuf};
use tapir_config::Config;

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
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.action {
        Action::Check { file } => check(file),
        Action::Example => to_stdout(|out| out.write_all(tapir_config::example().as_bytes())),
    }
}

/// Reads the configuration at `path`; what is wrong with it becomes one line each.
pub(crate) fn load(path: &Path) -> Result<Config, Failure> {
    Config::load(path, &protocol_names::names()).map_err(|problems| Failure::Operation(problems.to_string()))
}

fn check(path: &Path) -> Result<(), Failure> {
    let config = load(path)?;
    let ports = match config.ports.len() {
        0 => "no ports, so it is good for `tapir decode` only".to_owned(),
        1 => "1 port".to_owned(),
        several => format!("{several} ports"),
    };
    to_stdout(|out| writeln!(out, "{}: valid; {ports}", path.display()))
}
