//! `tapir man`: manual pages made from the command line's own description.

use crate::cli::Cli;
use crate::failure::Failure;
use clap::CommandFactory;
use std::path::PathBuf;

/// Arguments of `tapir man`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder that the pages are written into; made where it is missing.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Writes a page for `tapir` and one for each subcommand.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let failed = |e| Failure::operation(format!("writing manual pages to {}", args.dir.display()), e);
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), &args.dir).map_err(failed)
}
