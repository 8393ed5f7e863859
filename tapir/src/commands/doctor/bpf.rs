//! BPF and AF_XDP: what programs in the kernel need.

use super::privileges::{Capability, has};
use super::system::System;
use tapir_config::Finding;

pub(super) fn examine(system: &System) -> Vec<Finding> {
    vec![
        types(system),
        syscall(system),
        af_xdp(system),
        locked_memory(system),
    ]
}

fn types(system: &System) -> Finding {
    let what = "BPF type information";
    if system.has("/sys/kernel/btf/vmlinux") {
        return Finding::ok(what, "/sys/kernel/btf/vmlinux");
    }
    Finding::missing(
        what,
        "no /sys/kernel/btf/vmlinux",
        "only the sidecar needs it: a kernel with CONFIG_DEBUG_INFO_BTF",
    )
}

fn syscall(system: &System) -> Finding {
    let what = "BPF system call";
    // This file is there when the kernel has the call.
    let Some(unprivileged) = system.read("/proc/sys/kernel/unprivileged_bpf_disabled") else {
        return Finding::missing(
            what,
            "not in this kernel",
            "only the sidecar needs it: a kernel with CONFIG_BPF_SYSCALL",
        );
    };
    if !has(system, Capability::Bpf) && !has(system, Capability::SysAdmin) {
        let found = if unprivileged == "0" {
            "for socket filters only"
        } else {
            "not without privilege"
        };
        return Finding::warn(
            what,
            found,
            "only the sidecar and net_af_xdp need it: run as root or with CAP_BPF",
        );
    }
    // seccomp(2): mode 2 is a filter, as container runtimes set one.
    let filtered = system.read("/proc/self/status").is_some_and(|status| {
        status.lines().any(|line| {
            line.strip_prefix("Seccomp:")
                .is_some_and(|mode| mode.trim() == "2")
        })
    });
    if filtered {
        let fix =
            "if the sidecar is refused: allow bpf and perf_event_open in the container's seccomp profile";
        return Finding::warn(what, "allowed, behind a seccomp filter", fix);
    }
    Finding::ok(what, "allowed")
}

fn af_xdp(system: &System) -> Finding {
    let protocols = system.read("/proc/net/protocols").unwrap_or_default();
    if protocols
        .lines()
        .any(|line| line.split_whitespace().next() == Some("XDP"))
    {
        return Finding::ok("AF_XDP", "sockets available");
    }
    Finding::warn(
        "AF_XDP",
        "not in this kernel",
        "use net_af_packet, or a kernel with CONFIG_XDP_SOCKETS",
    )
}

fn locked_memory(system: &System) -> Finding {
    let what = "locked memory";
    let limits = system.read("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max locked memory"));
    let soft = soft
        .and_then(|line| line.split_whitespace().next())
        .unwrap_or("unknown");
    match soft {
        "unlimited" => Finding::ok(what, "unlimited"),
        _ if has(system, Capability::IpcLock) => {
            Finding::ok(what, format!("{soft} bytes, not binding with CAP_IPC_LOCK"))
        }
        bytes => {
            let fix =
                "only NICs under VFIO need more: ulimit -l unlimited, or LimitMEMLOCK=infinity in systemd";
            Finding::warn(what, format!("{bytes} bytes"), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    #[test]
    fn root_on_a_full_kernel() {
        let tree = Tree::new();
        tree.file("sys/kernel/btf/vmlinux", "")
            .file("proc/sys/kernel/unprivileged_bpf_disabled", "2\n")
            .file("proc/self/status", "CapEff:\t000001ffffffffff\nSeccomp:\t0\n")
            .file(
                "proc/net/protocols",
                "protocol  size sockets\nXDP        960     0\n",
            )
            .file(
                "proc/self/limits",
                "Max locked memory         8388608              8388608              bytes\n",
            );
        let findings = examine(&tree.system());
        assert!(findings.iter().all(Finding::is_ok), "{findings:?}");
        assert_eq!(findings[3].found, "8388608 bytes, not binding with CAP_IPC_LOCK");
    }

    #[test]
    fn a_container() {
        let tree = Tree::new();
        tree.file("proc/sys/kernel/unprivileged_bpf_disabled", "2\n")
            .file("proc/self/status", "CapEff:\t000001ffffffffff\nSeccomp:\t2\n");
        assert_eq!(
            examine(&tree.system())[1].found,
            "allowed, behind a seccomp filter"
        );
    }
}
