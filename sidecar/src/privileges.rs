//! What the sidecar may do: as little as it needs.

use rustix::io;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities, set_no_new_privs};

/// A privilege, and what it is for.
pub struct Need {
    /// As capset(2) has it.
    pub capability: CapabilitySet,
    /// As people write it.
    pub name: &'static str,
    /// What is not to be had without.
    pub what_for: &'static str,
    /// Whether nothing works without.
    pub essential: bool,
}

/// What is used from start to end.
pub const NEEDS: [Need; 5] = [
    Need {
        capability: CapabilitySet::BPF,
        name: "CAP_BPF",
        what_for: "programs and maps in the kernel",
        essential: true,
    },
    Need {
        capability: CapabilitySet::PERFMON,
        name: "CAP_PERFMON",
        what_for: "programs at tracepoints, functions and libraries",
        essential: true,
    },
    Need {
        capability: CapabilitySet::NET_ADMIN,
        name: "CAP_NET_ADMIN",
        what_for: "senders of datagrams to sockets that are not connected",
        essential: false,
    },
    Need {
        capability: CapabilitySet::SYS_PTRACE,
        name: "CAP_SYS_PTRACE",
        what_for: "executables and libraries of other users' processes",
        essential: false,
    },
    Need {
        capability: CapabilitySet::DAC_READ_SEARCH,
        name: "CAP_DAC_READ_SEARCH",
        what_for: "files of other users' processes and containers",
        essential: false,
    },
];

/// CAP_SYS_ADMIN stands for the first two on kernels before 5.8, and still does.
fn stands_for(held: CapabilitySet, need: &Need) -> bool {
    held.contains(need.capability) || (need.essential && held.contains(CapabilitySet::SYS_ADMIN))
}

/// Whether the kernel wants CAP_SYS_ADMIN of whoever puts probes into libraries, where CAP_PERFMON should do: Debian's
/// own setting of perf_event_open(2). Kernels of 6.6 and newer have probes that don't go that way.
pub fn probes_want_admin() -> bool {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap_or_default();
    wants_admin(&read("osrelease"), &read("perf_event_paranoid"))
}

fn wants_admin(release: &str, paranoid: &str) -> bool {
    let mut numbers = release.split('.').map(|number| number.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version < (6, 6) && paranoid.trim().parse().is_ok_and(|level: i32| level > 2)
}

/// Whether this thread has the capability.
pub fn holds(capability: CapabilitySet) -> bool {
    capabilities(None).is_ok_and(|held| held.effective.contains(capability))
}

/// What this process lacks.
///
/// # Errors
/// When the kernel doesn't tell.
pub fn lacking() -> io::Result<Vec<&'static Need>> {
    let held = capabilities(None)?.effective;
    Ok(NEEDS.iter().filter(|need| !stands_for(held, need)).collect())
}

/// Gives up, for good, all that is not needed. Threads started later have no more; so call it before any.
/// `writes_files`: records go to a file, which may lie where only root writes.
///
/// # Errors
/// When the kernel refuses.
pub fn give_up(writes_files: bool) -> io::Result<()> {
    let held = capabilities(None)?;
    let mut keep = NEEDS
        .iter()
        .fold(CapabilitySet::empty(), |set, need| set | need.capability);
    if NEEDS
        .iter()
        .any(|need| need.essential && !held.permitted.contains(need.capability))
    {
        keep |= CapabilitySet::SYS_ADMIN;
    }
    if probes_want_admin() && held.permitted.contains(CapabilitySet::SYS_ADMIN) {
        log::info!(
            "keeping CAP_SYS_ADMIN, without which this kernel refuses probes in TLS libraries; \
             sysctl kernel.perf_event_paranoid=2 spares that"
        );
        keep |= CapabilitySet::SYS_ADMIN;
    }
    if writes_files {
        keep |= CapabilitySet::DAC_OVERRIDE;
    }
    set_no_new_privs(true)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: held.permitted & keep,
            permitted: held.permitted & keep,
            inheritable: CapabilitySet::empty(),
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_is_gone_in_this_thread_and_those_after_it() {
        // In a thread of its own: capabilities belong to threads.
        let kept = std::thread::spawn(|| {
            give_up(false).unwrap();
            std::thread::spawn(|| capabilities(None).unwrap()).join().unwrap()
        });
        let kept = kept.join().unwrap();
        let needed = NEEDS
            .iter()
            .fold(CapabilitySet::SYS_ADMIN, |set, need| set | need.capability);
        assert!((kept.permitted - needed).is_empty(), "{kept:?}");
        assert_eq!(kept.inheritable, CapabilitySet::empty());
    }

    #[test]
    fn debian_wants_more_of_old_kernels() {
        assert!(wants_admin("6.1.0-41-amd64\n", "3\n"));
        assert!(!wants_admin("6.1.0-41-amd64\n", "2\n"));
        assert!(!wants_admin("6.12.1\n", "3\n"));
        assert!(!wants_admin("", ""));
    }

    #[test]
    fn the_old_name_of_two_privileges_will_do() {
        assert!(stands_for(CapabilitySet::SYS_ADMIN, &NEEDS[0]));
        assert!(!stands_for(CapabilitySet::SYS_ADMIN, &NEEDS[3]));
        assert!(!stands_for(CapabilitySet::NET_RAW, &NEEDS[1]));
    }
}
