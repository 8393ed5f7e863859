//! What this process may do.

use super::system::System;
use tapir_config::Finding;

/// A capability, by its number (include/uapi/linux/capability.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Capability {
    NetAdmin = 12,
    NetRaw = 13,
    IpcLock = 14,
    SysAdmin = 21,
    Bpf = 39,
}

/// Whether this process has the capability now.
pub(super) fn has(system: &System, capability: Capability) -> bool {
    let status = system.read("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective
        .and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok())
        .unwrap_or(0);
    effective >> capability as u64 & 1 != 0
}

pub(super) fn examine(system: &System) -> Vec<Finding> {
    let needed = [
        (Capability::NetRaw, "CAP_NET_RAW"),
        (Capability::NetAdmin, "CAP_NET_ADMIN"),
        (Capability::IpcLock, "CAP_IPC_LOCK"),
    ];
    let lacking: Vec<_> = (needed.into_iter())
        .filter(|(capability, _)| !has(system, *capability))
        .map(|(_, name)| name)
        .collect();
    vec![if lacking.is_empty() {
        Finding::ok("privileges", "enough for every source")
    } else {
        let fix =
            "for tapir run: as root, or setcap cap_net_raw,cap_net_admin,cap_ipc_lock+ep on the program";
        Finding::warn("privileges", format!("without {}", lacking.join(", ")), fix)
    }]
}
