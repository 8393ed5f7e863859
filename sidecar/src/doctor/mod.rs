//! `tapir-sidecar doctor`: what this machine has for the sidecar, and how to fix what is missing.
//!
//! What the kernel takes is found out by loading the programs, for a moment; nothing is left behind.

mod kernel;
mod processes;

use crate::kernel::KernelOptions;
use crate::privileges;
use tapir_config::Finding;

/// Looks at everything.
pub fn examine(options: &KernelOptions) -> Vec<Finding> {
    let mut findings = vec![privileges(), kernel::types(options)];
    findings.extend(kernel::backends(options));
    findings.extend([kernel::uprobes(), kernel::lockdown()]);
    findings.extend([processes::names(), processes::containers()]);
    findings
}

fn privileges() -> Finding {
    let what = "privileges";
    let lacking = match privileges::lacking() {
        Ok(lacking) => lacking,
        Err(error) => return Finding::warn(what, error.to_string(), "read capabilities(7)"),
    };
    if lacking.is_empty() {
        return Finding::ok(what, "enough for everything");
    }
    let list: Vec<_> = (lacking.iter())
        .map(|need| format!("{} ({})", need.name, need.what_for))
        .collect();
    let names: Vec<_> = lacking.iter().map(|need| need.name.to_lowercase()).collect();
    let fix = format!(
        "run as root, setcap {}+ep on the program, or add them to the container",
        names.join(",")
    );
    let found = format!("without {}", list.join(", "));
    if lacking.iter().any(|need| need.essential) {
        Finding::missing(what, found, fix)
    } else {
        Finding::warn(what, found, fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_not_right_comes_with_a_way_out() {
        let findings = examine(&KernelOptions::default());
        assert!(findings.len() >= 8);
        for finding in findings {
            assert_eq!(finding.is_ok(), finding.fix.is_none(), "{finding:?}");
        }
    }
}
