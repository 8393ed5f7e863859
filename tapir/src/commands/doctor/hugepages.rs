//! Hugepages: how many, how many free, on which node, and where they are mounted.

use super::system::System;
use tapir_config::Finding;

const FIX: &str = "echo 1024 > /proc/sys/vm/nr_hugepages as root, or do without: --no-huge";
const GLOBAL: &str = "/sys/kernel/mm/hugepages";

pub(super) fn examine(system: &System) -> Vec<Finding> {
    let nodes: Vec<_> = (system.list("/sys/devices/system/node").into_iter())
        .filter(|name| {
            name.strip_prefix("node")
                .is_some_and(|number| number.parse::<u32>().is_ok())
        })
        .map(|node| {
            (
                format!("hugepages {node}"),
                format!("/sys/devices/system/node/{node}/hugepages"),
            )
        })
        .collect();
    let places = match nodes.is_empty() {
        true => vec![("hugepages".to_owned(), GLOBAL.to_owned())],
        false => nodes,
    };
    let mut findings: Vec<_> = places
        .into_iter()
        .map(|(what, folder)| pool(system, what, &folder))
        .collect();
    findings.push(mount(system));
    findings
}

/// All sizes of one node.
fn pool(system: &System, what: String, folder: &str) -> Finding {
    let mut reserved = Vec::new();
    let mut any_free = false;
    for size in system.list(folder) {
        let total = system
            .number(&format!("{folder}/{size}/nr_hugepages"))
            .unwrap_or(0);
        let free = system
            .number(&format!("{folder}/{size}/free_hugepages"))
            .unwrap_or(0);
        if total > 0 {
            let size = size.trim_start_matches("hugepages-");
            reserved.push(format!("{total} × {}, {free} free", shown(size)));
            any_free |= free > 0;
        }
    }
    match (reserved.is_empty(), any_free) {
        (true, _) => Finding::missing(what, "none", FIX),
        (false, true) => Finding::ok(what, reserved.join("; ")),
        (false, false) => Finding::warn(
            what,
            reserved.join("; "),
            format!("stop what uses them, or {FIX}"),
        ),
    }
}

fn mount(system: &System) -> Finding {
    let what = "hugetlbfs";
    let mounts = system.read("/proc/mounts").unwrap_or_default();
    // Fields of /proc/mounts: device, folder, type (fstab(5)).
    let folders: Vec<_> = (mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>()))
        .filter(|fields| fields.get(2) == Some(&"hugetlbfs"))
        .filter_map(|fields| fields.get(1).map(|folder| (*folder).to_owned()))
        .collect();
    if folders.is_empty() {
        let fix = "needed only with eal.in_memory = false: mount -t hugetlbfs nodev /dev/hugepages";
        return Finding::warn(what, "not mounted", fix);
    }
    Finding::ok(what, format!("mounted on {}", folders.join(", ")))
}

/// `2048kB` as `2 MiB`.
fn shown(size: &str) -> String {
    match size.strip_suffix("kB").and_then(|kib| kib.parse::<u64>().ok()) {
        Some(kib) if kib.is_multiple_of(1 << 20) => format!("{} GiB", kib >> 20),
        Some(kib) if kib.is_multiple_of(1 << 10) => format!("{} MiB", kib >> 10),
        _ => size.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    #[test]
    fn pages_are_shown_by_node_and_size() {
        let tree = Tree::new();
        let node = "sys/devices/system/node/node0/hugepages";
        tree.file(&format!("{node}/hugepages-2048kB/nr_hugepages"), "512\n")
            .file(&format!("{node}/hugepages-2048kB/free_hugepages"), "500\n")
            .file(&format!("{node}/hugepages-1048576kB/nr_hugepages"), "2\n")
            .file(&format!("{node}/hugepages-1048576kB/free_hugepages"), "0\n")
            .file(
                "sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages",
                "0\n",
            )
            .file("sys/devices/system/node/possible", "0-1\n")
            .file(
                "proc/mounts",
                "hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=2M 0 0\n",
            );
        let findings = examine(&tree.system());
        let found: Vec<_> = findings
            .iter()
            .map(|f| (f.what.as_str(), f.is_ok(), f.found.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (
                    "hugepages node0",
                    true,
                    "2 × 1 GiB, 0 free; 512 × 2 MiB, 500 free"
                ),
                ("hugepages node1", false, "none"),
                ("hugetlbfs", true, "mounted on /dev/hugepages"),
            ]
        );
    }

    #[test]
    fn pages_in_use_are_worth_a_warning() {
        let tree = Tree::new();
        tree.file("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "64")
            .file("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "0");
        let findings = examine(&tree.system());
        assert!(
            findings[0]
                .fix
                .as_ref()
                .unwrap()
                .starts_with("stop what uses them")
        );
    }
}
