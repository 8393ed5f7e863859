//! What can be learnt of processes.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tapir_config::Finding;

/// The first namespace of process ids (PROC_PID_INIT_INO of include/linux/proc_ns.h).
const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// Whether processes have the same ids here as in the kernel's programs.
pub(super) fn names() -> Finding {
    let what = "processes";
    match std::fs::metadata("/proc/self/ns/pid") {
        Ok(namespace) if namespace.ino() == FIRST_PID_NAMESPACE => Finding::ok(what, "those of the host"),
        Ok(_) => Finding::warn(
            what,
            "those of a container: executables and containers of others stay unknown",
            "run in the host's namespace of processes (docker --pid=host, Kubernetes hostPID: true)",
        ),
        Err(error) => Finding::missing(what, format!("/proc: {error}"), "mount proc at /proc"),
    }
}

/// Whether cgroups, which tell containers, can be looked at.
pub(super) fn containers() -> Finding {
    let what = "containers";
    if Path::new("/proc/self/cgroup").exists() {
        return Finding::ok(what, "told by /proc/PID/cgroup");
    }
    Finding::warn(
        what,
        "no /proc/PID/cgroup",
        "a kernel with CONFIG_CGROUPS; records have no container without",
    )
}
