//! DPDK's libraries and drivers.

use super::system::System;
use tapir_config::Finding;

/// Folders that hold libraries, on Debian and elsewhere.
const FOLDERS: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/local/lib/x86_64-linux-gnu",
    "/usr/local/lib",
    "/usr/lib64",
    "/usr/lib",
];

/// Version of the libraries' interface that Tapir is written for: that of DPDK 22.11 (DPDK ABI policy).
const ABI: &str = "23";

pub(super) fn examine(system: &System) -> Vec<Finding> {
    if !cfg!(feature = "dpdk") {
        let fix = "captures only; build with libdpdk-dev installed, without --no-default-features";
        return vec![Finding::missing("DPDK", "this tapir was built without it", fix)];
    }
    vec![libraries(system), drivers(system)]
}

fn libraries(system: &System) -> Finding {
    let what = "DPDK";
    let fix = "scripts/setup, or apt-get install dpdk libdpdk-dev";
    let installed = FOLDERS.iter().find_map(|folder| {
        // librte_eal.so.23 is the interface; librte_eal.so.23.0 is the file behind it.
        let abi = system.list(folder).into_iter().find_map(|name| {
            name.strip_prefix("librte_eal.so.")
                .map(|abi| abi.split('.').next().unwrap_or_default().to_owned())
        })?;
        Some((folder, abi))
    });
    let Some((folder, abi)) = installed else {
        return Finding::missing(what, "librte_eal not found", fix);
    };
    let version = system
        .read(&format!("{folder}/pkgconfig/libdpdk-libs.pc"))
        .and_then(|description| {
            description
                .lines()
                .find_map(|line| line.strip_prefix("Version:"))
                .map(|version| version.trim().to_owned())
        });
    let found = match version {
        Some(version) => format!("{version} in {folder}"),
        None => format!("ABI {abi} in {folder}"),
    };
    if abi == ABI {
        Finding::ok(what, found)
    } else {
        Finding::missing(what, format!("{found}, not 22.11"), fix)
    }
}

fn drivers(system: &System) -> Finding {
    for folder in FOLDERS {
        for version in system.list(&format!("{folder}/dpdk")) {
            let drivers = (system.list(&format!("{folder}/dpdk/{version}")).into_iter())
                .filter(|name| name.starts_with("librte_net_") && name.ends_with(".so"))
                .count();
            if drivers > 0 {
                return Finding::ok(
                    "DPDK drivers",
                    format!("{drivers} for networks in {folder}/dpdk/{version}"),
                );
            }
        }
    }
    Finding::missing(
        "DPDK drivers",
        "none for networks",
        "scripts/setup, or apt-get install dpdk",
    )
}

#[cfg(all(test, feature = "dpdk"))]
mod tests {
    use super::*;
    use crate::commands::doctor::system::testing::Tree;

    #[test]
    fn debian_12() {
        let tree = Tree::new();
        let folder = "usr/lib/x86_64-linux-gnu";
        tree.file(&format!("{folder}/librte_eal.so.23"), "")
            .file(
                &format!("{folder}/pkgconfig/libdpdk-libs.pc"),
                "Name: dpdk\nVersion: 22.11.11\n",
            )
            .file(&format!("{folder}/dpdk/pmds-23.0/librte_net_null.so"), "");
        assert_eq!(
            examine(&tree.system()),
            [
                Finding::ok("DPDK", "22.11.11 in /usr/lib/x86_64-linux-gnu"),
                Finding::ok(
                    "DPDK drivers",
                    "1 for networks in /usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0"
                ),
            ]
        );
    }
}
