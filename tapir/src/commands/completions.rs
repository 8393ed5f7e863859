//! `tapir completions`: what a shell needs to complete Tapir's command line.

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output::to_stdout;
use clap::CommandFactory;
use clap_complete::Shell;

/// Arguments of `tapir completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completion script.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tapir", &mut script);
    to_stdout(|out| out.write_all(&script))
}
