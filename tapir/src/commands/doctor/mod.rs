//! `tapir doctor`: what this machine has for packets, and how to fix what is missing.
//!
//! Everything is read from /sys and /proc; nothing is changed, and no privilege is needed.

mod bpf;
mod cores;
mod dpdk;
mod hugepages;
mod iommu;
mod nics;
mod numa;
mod privileges;
mod system;

use crate::failure::Failure;
use crate::output::{stdout_takes_colour, to_stdout};
use serde_json::json;
use system::System;
use tapir_config::Finding;

/// Arguments of `tapir doctor`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Looks at everything and prints a line for each.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let findings = examine(&System::this());
    if args.json {
        let list: Vec<_> = findings.iter().map(Finding::to_json).collect();
        to_stdout(|out| writeln!(out, "{:#}", json!({ "findings": list })))
    } else {
        let colour = stdout_takes_colour();
        to_stdout(|out| findings.iter().try_for_each(|finding| finding.write(out, colour)))
    }
}

fn examine(system: &System) -> Vec<Finding> {
    [
        dpdk::examine(system),
        hugepages::examine(system),
        numa::examine(system),
        cores::examine(system),
        iommu::examine(system),
        nics::examine(system),
        bpf::examine(system),
        privileges::examine(system),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_an_empty_one_can_be_examined() {
        for system in [System::this(), System::at("/nonexistent")] {
            let findings = examine(&system);
            assert!(findings.len() >= 8);
            // Whatever is not right comes with a way out.
            for finding in findings {
                assert_eq!(finding.is_ok(), finding.fix.is_none(), "{finding:?}");
            }
        }
    }
}
