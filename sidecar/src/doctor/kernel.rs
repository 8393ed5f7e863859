//! What the kernel offers.

use crate::kernel::{Backend, Kernel, KernelOptions};
use clap::ValueEnum;
use std::fs;
use std::path::Path;
use tapir_config::Finding;
use tapir_parsers::inference::Candidates;

/// Types of the running kernel, which the programs are fitted to.
pub(super) fn types(options: &KernelOptions) -> Finding {
    let what = "type information";
    if Path::new("/sys/kernel/btf/vmlinux").exists() {
        let fitted = options
            .btf
            .as_ref()
            .map(|path| format!("; fitted to {}", path.display()));
        return Finding::ok(
            what,
            format!("/sys/kernel/btf/vmlinux{}", fitted.unwrap_or_default()),
        );
    }
    Finding::missing(
        what,
        "no /sys/kernel/btf/vmlinux",
        "a kernel with CONFIG_DEBUG_INFO_BTF: programs attach by its own types",
    )
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
    let works = tried.iter().any(|(_, refusal)| refusal.is_none());
    let fix = "see privileges; needs a kernel of 5.17 or newer, and in a container a seccomp profile that allows \
               bpf and perf_event_open";
    let told = tried.into_iter().map(|(backend, refusal)| {
        let what = format!("backend {backend}");
        // The refusal begins with the backend's name.
        let refusal = refusal.map(|refusal| refusal.to_string().replacen(&format!("{what}: "), "", 1));
        match refusal {
            None => Finding::ok(what, "loads and attaches"),
            Some(refusal) if works => Finding::ok(what, format!("not needed here ({refusal})")),
            Some(refusal) => Finding::missing(what, refusal, fix),
        }
    });
    told.collect()
}

/// Probes in libraries, for what TLS carries.
pub(super) fn uprobes() -> Finding {
    let what = "probes in libraries";
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
