//! The command line: subcommands and what they share. Each subcommand's arguments stand in its own file.

use crate::commands;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};
use std::fmt;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// See every request on the wire: reads application sessions out of mirrored packets.
///
/// Exit codes: 0 done, 1 the operation failed, 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(name = "tapir", version, styles = STYLES, max_term_width = 100)]
pub(crate) struct Cli {
    /// How much to say on stderr: off, error, warn, info, debug or trace.
    #[arg(long, global = true, env = "TAPIR_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<log::LevelFilter>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What Tapir can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read sessions from NICs bound to DPDK until SIGINT or SIGTERM.
    Run(commands::run::Args),
    /// Read sessions from capture files; needs no NIC, no root and no hugepages.
    Decode(commands::decode::Args),
    /// Show records that another Tapir wrote or sends.
    Read(commands::read::Args),
    /// List the protocols that Tapir reads.
    Protocols(commands::protocols::Args),
    /// Check a configuration, or print a commented example.
    Config(commands::config::Args),
    /// Begin a Wasm plugin, look at it, try it, or have a running Tapir load its plugins anew.
    Plugin(commands::plugin::Args),
    /// Look at this machine: what is ready for packets, and how to fix what is not.
    Doctor(commands::doctor::Args),
    /// Measure workers over a capture that is held in memory.
    Bench(commands::bench::Args),
    /// Print completions for a shell.
    Completions(commands::completions::Args),
    /// Write the manual pages, or the command reference.
    #[command(hide = true)]
    Man(commands::man::Args),
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// One JSON object a line.
    Json,
    /// Aligned columns for eyes.
    Table,
    /// Size-prefixed FlatBuffers batches.
    Flatbuffers,
    /// Records are made, counted and thrown away.
    None,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Table => "table",
            Self::Flatbuffers => "flatbuffers",
            Self::None => "none",
        })
    }
}

/// How tables that are no records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum TableFormat {
    /// Aligned columns for eyes.
    Table,
    /// A table for documents.
    Markdown,
    /// One JSON document.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
