//! `tapir plugin reload`: finds a running Tapir, and sends it SIGHUP.
//!
//! Processes are found by what the kernel says of them (proc(5)), so there is no file that could be stale. One
//! that does not catch SIGHUP would be ended by it, and is left alone.

use crate::failure::Failure;
use std::fs;
use std::process::Command;

/// Bit of SIGHUP (1) in a mask of signals.
const SIGHUP_BIT: u64 = 1;

/// Tells the process `pid`, or else the only one that there is.
pub(super) fn run(pid: Option<u32>) -> Result<(), Failure> {
    let pid = match pid {
        Some(pid) if is_run(pid) => pid,
        Some(pid) => {
            let reason = "no 'tapir run' that takes SIGHUP";
            return Err(Failure::operation(format_args!("process {pid}"), reason));
        }
        None => the_only_one()?,
    };
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::operation(format_args!("sending SIGHUP to process {pid}"), reason)
    };
    let output = Command::new("kill").args(["-HUP", &pid.to_string()]).output();
    let output = output.map_err(|e| failed(&e))?;
    if !output.status.success() {
        return Err(failed(&String::from_utf8_lossy(&output.stderr).trim()));
    }
    crate::output::to_stdout(|out| {
        writeln!(
            out,
            "process {pid} was told to load its plugins anew; its log says what came of it"
        )
    })
}

fn the_only_one() -> Result<u32, Failure> {
    let processes = fs::read_dir("/proc").map_err(|e| Failure::operation("/proc", e))?;
    let mut found: Vec<u32> = processes
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| is_run(*pid))
        .collect();
    found.sort_unstable();
    match *found {
        [pid] => Ok(pid),
        [] => Err(Failure::Operation("no 'tapir run' is at work here".to_owned())),
        _ => {
            let pids: Vec<_> = found.iter().map(u32::to_string).collect();
            let message = format!("several are at work: {}; name one with --pid", pids.join(", "));
            Err(Failure::Operation(message))
        }
    }
}

/// Whether the process is a Tapir that receives, and takes SIGHUP.
fn is_run(pid: u32) -> bool {
    let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let (status, arguments) = (read("status"), read("cmdline"));
    is_tapir_run(&status, &arguments)
}

fn is_tapir_run(status: &str, arguments: &str) -> bool {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim()
    };
    let caught = u64::from_str_radix(field("SigCgt:"), 16).unwrap_or(0);
    field("Name:") == "tapir" && caught & SIGHUP_BIT != 0 && arguments.split('\0').any(|a| a == "run")
}

#[cfg(test)]
mod tests {
    use super::is_tapir_run;

    #[test]
    fn only_a_run_that_is_ready_is_told() {
        let is = |name: &str, caught: &str, arguments: &str| {
            is_tapir_run(
                &format!("Name:\t{name}\nUmask:\t0022\nSigCgt:\t{caught}\n"),
                arguments,
            )
        };
        let run = "/usr/bin/tapir\0--log\0info\0run\0--config\0tapir.toml\0";
        assert!(is("tapir", "0000000180004003", run));
        assert!(!is("tapir", "0000000180004002", run), "SIGHUP would end it");
        assert!(!is("tapir", "0000000180004003", "tapir\0decode\0run.pcap\0"));
        assert!(!is("bash", "0000000180004003", run));
        assert!(!is_tapir_run("", ""));
    }
}
