//! Cores: how many, which the kernel leaves alone, and how fast they run.

use super::system::{System, count_of_list};
use tapir_config::Finding;

const CPUS: &str = "/sys/devices/system/cpu";

pub(super) fn examine(system: &System) -> Vec<Finding> {
    vec![allowed(system), isolated(system), governor(system)]
}

fn allowed(system: &System) -> Finding {
    let status = system.read("/proc/self/status").unwrap_or_default();
    let list = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
        .map(str::trim);
    let list = list.unwrap_or_default();
    let found = format!(
        "this process may use {}",
        if list.is_empty() { "an unknown set" } else { list }
    );
    match count_of_list(list) {
        0 | 1 => {
            let fix = "give the process at least two: one for a worker, one for everything else";
            Finding::warn("cores", found, fix)
        }
        _ => Finding::ok("cores", found),
    }
}

fn isolated(system: &System) -> Finding {
    let what = "isolated cores";
    let isolated = system.read(&format!("{CPUS}/isolated")).unwrap_or_default();
    if isolated.is_empty() {
        let fix =
            "for the least loss boot with isolcpus=N nohz_full=N rcu_nocbs=N, and give workers these cores";
        return Finding::warn(what, "none", fix);
    }
    // nohz_full reads "(null)" where it is built in and not used.
    match system
        .read(&format!("{CPUS}/nohz_full"))
        .filter(|list| !list.is_empty() && list != "(null)")
    {
        Some(tickless) => Finding::ok(what, format!("{isolated}; without timer ticks: {tickless}")),
        None => Finding::warn(
            what,
            format!("{isolated}, with timer ticks"),
            "boot with nohz_full=N rcu_nocbs=N too",
        ),
    }
}

fn governor(system: &System) -> Finding {
    let what = "CPU governor";
    let mut others = Vec::new();
    let mut controlled = 0;
    for cpu in system.list(CPUS) {
        if let Some(governor) = system.read(&format!("{CPUS}/{cpu}/cpufreq/scaling_governor")) {
            controlled += 1;
            if governor != "performance" && !others.contains(&governor) {
                others.push(governor);
            }
        }
    }
    match (controlled, others.is_empty()) {
        (0, _) => Finding::ok(what, "not controlled by this kernel"),
        (_, true) => Finding::ok(what, "performance"),
        (_, false) => {
            let fix = "echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor as root";
            Finding::warn(what, others.join(", "), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    #[test]
    fn a_machine_made_for_packets() {
        let tree = Tree::new();
        tree.file("proc/self/status", "Name:\ttapir\nCpus_allowed_list:\t0-7\n")
            .file("sys/devices/system/cpu/isolated", "2-7\n")
            .file("sys/devices/system/cpu/nohz_full", "2-7\n")
            .file(
                "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
                "performance\n",
            );
        assert!(examine(&tree.system()).iter().all(Finding::is_ok));
    }

    #[test]
    fn a_laptop() {
        let tree = Tree::new();
        tree.file("proc/self/status", "Cpus_allowed_list:\t3\n")
            .file("sys/devices/system/cpu/isolated", "\n")
            .file("sys/devices/system/cpu/nohz_full", "(null)\n")
            .file(
                "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
                "powersave\n",
            );
        let findings = examine(&tree.system());
        let found: Vec<_> = findings.iter().map(|finding| finding.found.as_str()).collect();
        assert_eq!(found, ["this process may use 3", "none", "powersave"]);
        assert!(!findings.iter().any(Finding::is_ok));
    }
}
