//! Network devices: which are DPDK's, which could be, and which should be left alone.

use super::system::System;
use tapir_config::Finding;

const DEVICES: &str = "/sys/bus/pci/devices";

/// Drivers that hand a whole NIC to a process (DPDK's Linux guide, "Linux Drivers").
const HANDED_OVER: [&str; 3] = ["vfio-pci", "uio_pci_generic", "igb_uio"];

/// Drivers whose NICs DPDK shares with the kernel, so that nothing needs to be bound (same guide).
const SHARED: [&str; 3] = ["mlx5_core", "mlx4_core", "mana"];

pub(super) fn examine(system: &System) -> Vec<Finding> {
    let mut findings: Vec<_> = (system.list(DEVICES).into_iter())
        // PCI class 2 is networking (PCI Code and ID Assignment, 1.3).
        .filter(|address| {
            let class = system.read(&format!("{DEVICES}/{address}/class"));
            class.is_some_and(|class| class.starts_with("0x02"))
        })
        .map(|address| nic(system, &address))
        .collect();
    if findings.is_empty() {
        let fix = "none is needed for virtual devices, as in --vdev net_af_packet0,iface=NAME";
        findings.push(Finding::warn("NICs", "none on PCI", fix));
    }
    findings.push(interfaces(system));
    findings
}

fn nic(system: &System, address: &str) -> Finding {
    let folder = format!("{DEVICES}/{address}");
    let what = format!("NIC {address}");
    let driver = system.link(&format!("{folder}/driver"));
    // virtio NICs have the interface one folder further down.
    let names = match system.list(&format!("{folder}/net")) {
        names if !names.is_empty() => names,
        _ => (system.list(&folder).into_iter())
            .filter(|name| name.starts_with("virtio"))
            .flat_map(|virtio| system.list(&format!("{folder}/{virtio}/net")))
            .collect(),
    };
    let id = |file: &str| {
        system
            .read(&format!("{folder}/{file}"))
            .unwrap_or_default()
            .replace("0x", "")
    };
    let mut found = format!(
        "{}:{}, driver {}",
        id("vendor"),
        id("device"),
        driver.as_deref().unwrap_or("none")
    );
    if let Some(node) = system
        .read(&format!("{folder}/numa_node"))
        .filter(|node| !node.starts_with('-'))
    {
        found.push_str(&format!(", node {node}"));
    }
    if !names.is_empty() {
        found.push_str(&format!(", interface {}", names.join(", ")));
    }
    match driver.as_deref() {
        Some(driver) if HANDED_OVER.contains(&driver) => Finding::ok(what, found),
        Some(driver) if SHARED.contains(&driver) => {
            Finding::ok(what, format!("{found}, shared with the kernel"))
        }
        _ => match names.iter().find(|name| carries_default_route(system, name)) {
            Some(_) => {
                let fix = "carries the default route: leave it to the kernel, and mirror to another one";
                Finding::warn(what, found, fix)
            }
            None => Finding::warn(what, found, format!("scripts/bind {address} gives it to DPDK")),
        },
    }
}

/// Whether packets to anywhere leave by that interface.
fn carries_default_route(system: &System, interface: &str) -> bool {
    let v4 = system.read("/proc/net/route").unwrap_or_default();
    // Fields of /proc/net/route: interface, destination, …, mask in the eighth; 0 is everywhere.
    let v4 = v4
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .any(|fields| {
            fields.first() == Some(&interface)
                && fields.get(1) == Some(&"00000000")
                && fields.get(7) == Some(&"00000000")
        });
    let v6 = system.read("/proc/net/ipv6_route").unwrap_or_default();
    // Fields of /proc/net/ipv6_route: destination, its prefix length, …, interface in the last.
    let v6 = v6
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .any(|fields| fields.last() == Some(&interface) && fields.get(1) == Some(&"00") && interface != "lo");
    v4 || v6
}

fn interfaces(system: &System) -> Finding {
    let names: Vec<_> = (system.list("/sys/class/net").into_iter())
        .filter(|name| system.has(&format!("/sys/class/net/{name}/ifindex")) && name != "lo")
        .collect();
    if names.is_empty() {
        return Finding::warn(
            "interfaces",
            "none",
            "ip link add veth0 type veth peer name veth1 makes two to try with",
        );
    }
    Finding::ok(
        "interfaces",
        format!(
            "{}: any can be tapped with --vdev net_af_packet0,iface=NAME",
            names.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    fn pci(tree: &Tree, address: &str, driver: &str, interface: Option<&str>) {
        let folder = format!("sys/bus/pci/devices/{address}");
        tree.file(&format!("{folder}/class"), "0x020000\n")
            .file(&format!("{folder}/vendor"), "0x8086\n")
            .file(&format!("{folder}/device"), "0x1592\n")
            .file(&format!("{folder}/numa_node"), "1\n")
            .link(
                &format!("{folder}/driver"),
                &format!("../../../bus/pci/drivers/{driver}"),
            );
        if let Some(name) = interface {
            tree.file(&format!("{folder}/net/{name}/mtu"), "1500")
                .file(&format!("sys/class/net/{name}/ifindex"), "2");
        }
    }

    #[test]
    fn each_nic_by_its_driver() {
        let tree = Tree::new();
        pci(&tree, "0000:01:00.0", "vfio-pci", None);
        pci(&tree, "0000:02:00.0", "mlx5_core", Some("ens2"));
        pci(&tree, "0000:03:00.0", "ice", Some("ens3"));
        pci(&tree, "0000:04:00.0", "ice", Some("ens4"));
        tree.file("sys/bus/pci/devices/0000:05:00.0/class", "0x010802\n").file(
            "proc/net/route",
            "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nens4\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\n",
        );
        let findings = examine(&tree.system());
        let lines: Vec<_> = findings.iter().map(|f| (f.what.as_str(), f.is_ok())).collect();
        assert_eq!(
            lines,
            [
                ("NIC 0000:01:00.0", true),
                ("NIC 0000:02:00.0", true),
                ("NIC 0000:03:00.0", false),
                ("NIC 0000:04:00.0", false),
                ("interfaces", true),
            ]
        );
        assert_eq!(findings[0].found, "8086:1592, driver vfio-pci, node 1");
        assert_eq!(
            findings[2].fix.as_deref(),
            Some("scripts/bind 0000:03:00.0 gives it to DPDK")
        );
        assert!(
            findings[3]
                .fix
                .as_ref()
                .unwrap()
                .starts_with("carries the default route")
        );
    }
}
