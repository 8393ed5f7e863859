//! IOMMU and VFIO: how a NIC comes under the command of a process.

use super::system::System;
use tapir_config::Finding;

const NO_IOMMU: &str = "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode";

pub(super) fn examine(system: &System) -> Vec<Finding> {
    let groups = system.list("/sys/kernel/iommu_groups").len();
    let unsafe_mode = system
        .read(NO_IOMMU)
        .is_some_and(|on| matches!(on.as_str(), "Y" | "1"));
    vec![iommu(groups, unsafe_mode), vfio(system)]
}

fn iommu(groups: usize, unsafe_mode: bool) -> Finding {
    let what = "IOMMU";
    match (groups, unsafe_mode) {
        (0, true) => Finding::warn(
            what,
            "off; VFIO is in no-IOMMU mode",
            "good for trials: a NIC may write to any memory; turn on VT-d or AMD-Vi where there is one",
        ),
        (0, false) => Finding::warn(
            what,
            "off or absent",
            "only NICs need it: turn on VT-d or AMD-Vi in the firmware and boot with intel_iommu=on iommu=pt, \
             or use scripts/bind --no-iommu",
        ),
        (groups, _) => Finding::ok(what, format!("{groups} groups")),
    }
}

fn vfio(system: &System) -> Finding {
    let what = "vfio-pci";
    if system.has("/sys/bus/pci/drivers/vfio-pci") {
        let groups: Vec<_> = (system.list("/dev/vfio").into_iter())
            .filter(|name| name != "vfio")
            .collect();
        let found = match groups.len() {
            0 => "loaded, no NIC bound".to_owned(),
            _ => format!("loaded, groups {}", groups.join(", ")),
        };
        return Finding::ok(what, found);
    }
    Finding::warn(
        what,
        "not loaded",
        "only NICs need it: modprobe vfio-pci as root, or scripts/bind which does so",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    #[test]
    fn groups_are_counted() {
        let tree = Tree::new();
        tree.file("sys/kernel/iommu_groups/0/type", "DMA")
            .file("sys/kernel/iommu_groups/1/type", "DMA")
            .file("sys/bus/pci/drivers/vfio-pci/bind", "")
            .file("dev/vfio/vfio", "")
            .file("dev/vfio/7", "");
        let findings = examine(&tree.system());
        assert_eq!(
            findings,
            [
                Finding::ok("IOMMU", "2 groups"),
                Finding::ok("vfio-pci", "loaded, groups 7")
            ]
        );
    }

    #[test]
    fn the_unsafe_mode_is_named() {
        let tree = Tree::new();
        tree.file(NO_IOMMU.trim_start_matches('/'), "Y\n");
        assert_eq!(examine(&tree.system())[0].found, "off; VFIO is in no-IOMMU mode");
    }
}
