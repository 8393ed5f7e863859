//! How a command ends when it does not end well.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a command stopped. Messages are one line and say what to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something could not be done: exit code 1.
    Operation(String),
    /// The command line asks for something that makes no sense: exit code 2.
    Usage(String),
    /// Whoever read our stdout went away, as `head` does: nobody to tell, exit code 0.
    OutputClosed,
}

impl Failure {
    /// An operation that failed: `doing` with its object, then the reason.
    pub(crate) fn operation(doing: impl Display, reason: impl Display) -> Self {
        Self::Operation(format!("{doing}: {reason}"))
    }

    /// A write to stdout that failed.
    pub(crate) fn stdout(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::operation("writing to stdout", error),
        }
    }

    /// Says it on stderr and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Operation(message) => {
                // Several findings come one a line, each complete in itself.
                for line in message.lines() {
                    eprintln!("tapir: {line}");
                }
                ExitCode::from(1)
            }
            Self::Usage(message) => {
                eprintln!("tapir: {message}\nTry 'tapir help' for the usage.");
                ExitCode::from(2)
            }
            Self::OutputClosed => ExitCode::SUCCESS,
        }
    }
}
