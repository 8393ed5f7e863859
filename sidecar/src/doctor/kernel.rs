//! What the kernel offers.

use crate::kernel::{Backend, Kernel, KernelOptions};
use crate::privileges;
use clap::ValueEnum;
use rustix::thread::CapabilitySet;
use std::fs;
use std::path::Path;
use tapir_config::Finding;
use tapir_parsers::inference::Candidates;

/// Types that the programs are fitted to: those of the running kernel, unless a file has them.
pub(super) fn types(options: &KernelOptions) -> Finding {
    let what = "type information";
    let own = Path::new("/sys/kernel/btf/vmlinux").exists();
    match &options.btf {
        None if own => Finding::ok(what, "/sys/kernel/btf/vmlinux"),
        Some(path) if own => {
            let found = format!("/sys/kernel/btf/vmlinux; fitted to {}", path.display());
            Finding::ok(what, found)
        }
        Some(path) => {
            let found = format!(
                "{}; only backend tracepoint does without the kernel's own",
                path.display()
            );
            Finding::ok(what, found)
        }
        None => Finding::missing(
            what,
            "no /sys/kernel/btf/vmlinux",
            "--btf FILE with the types of this very kernel, for backend tracepoint; for all of them a kernel with \
             CONFIG_DEBUG_INFO_BTF",
        ),
    }
}

/// Whether each backend can be loaded and attached; one is enough.
pub(super) fn backends(options: &KernelOptions) -> Vec<Finding> {
    let tried: Vec<_> = Backend::value_variants()
        .iter()
        .map(|backend| {
            let alone = KernelOptions {
                backend: Some(*backend),
                ..options.clone()
            };
            (backend, Kernel::start(&alone, &Candidates::new(0)).err())
        })
        .collect();
    let chosen = tried.iter().position(|(_, refusal)| refusal.is_none());
    let fix = "see privileges; needs a kernel of 5.8 or newer, and in a container a seccomp profile that allows \
               bpf and perf_event_open";
    let told = tried.into_iter().enumerate().map(|(place, (backend, refusal))| {
        let what = format!("backend {backend}");
        // The refusal begins with the backend's name.
        let refusal = refusal.map(|refusal| refusal.to_string().replacen(&format!("{what}: "), "", 1));
        match refusal {
            None if chosen == Some(place) => Finding::ok(
                what,
                "loads and attaches; chosen, since it costs least of those that do",
            ),
            None => Finding::ok(what, "loads and attaches"),
            Some(refusal) if chosen.is_some() => Finding::ok(what, format!("not needed here ({refusal})")),
            Some(refusal) => Finding::missing(what, refusal, fix),
        }
    });
    told.collect()
}

/// Probes in libraries, for what TLS carries.
pub(super) fn uprobes() -> Finding {
    let what = "probes in libraries";
    if privileges::probes_want_admin() && !privileges::holds(CapabilitySet::SYS_ADMIN) {
        return Finding::warn(
            what,
            "refused without CAP_SYS_ADMIN: kernel.perf_event_paranoid is above 2",
            "only the plaintext of TLS needs them: sysctl kernel.perf_event_paranoid=2, or CAP_SYS_ADMIN",
        );
    }
    if Path::new("/sys/bus/event_source/devices/uprobe/type").exists() {
        return Finding::ok(what, "offered");
    }
    Finding::warn(
        what,
        "not in this kernel",
        "only the plaintext of TLS needs them: a kernel with CONFIG_UPROBE_EVENTS",
    )
}

/// kernel_lockdown(7): in its stricter mode programs may not read memory.
pub(super) fn lockdown() -> Finding {
    let what = "lockdown";
    // [confidentiality] stands in brackets where it is in force.
    let modes = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    if modes.contains("[confidentiality]") {
        return Finding::missing(
            what,
            "confidentiality: programs may read no memory",
            "boot with lockdown=integrity, or without",
        );
    }
    let mode = modes
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map_or("not told", |(mode, _)| mode);
    Finding::ok(what, mode)
}
