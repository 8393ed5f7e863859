//! NUMA nodes: a port, its worker and their memory belong on one.

use super::system::System;
use tapir_config::Finding;

const NODES: &str = "/sys/devices/system/node";

pub(super) fn examine(system: &System) -> Vec<Finding> {
    let mut nodes = Vec::new();
    for name in system.list(NODES) {
        if let (Some(number), Some(cpus)) = (
            name.strip_prefix("node"),
            system.read(&format!("{NODES}/{name}/cpulist")),
        ) {
            nodes.push(format!("node {number} has cores {cpus}"));
        }
    }
    let what = "NUMA";
    vec![match nodes.len() {
        0 => Finding::ok(what, "not told by the kernel, so taken as one node"),
        1 => Finding::ok(what, nodes.concat()),
        _ => Finding::ok(
            what,
            format!(
                "{}; take workers.lcores from the node of each port",
                nodes.join(", ")
            ),
        ),
    }]
}
