//! The `tapir-sidecar` command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tapir_sidecar::command::main()
}
