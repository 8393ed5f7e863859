//! scripts/bind never takes the wrong NIC, and the scripts are clean shell.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts")
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A /sys with one NIC of the kernel's, and programs that say what its network looks like.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new(interface: &str) -> Self {
        let machine = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let device = machine.path("sys/bus/pci/devices/0000:01:00.0");
        write(&device.join("class"), "0x020000\n");
        write(&device.join("net").join(interface).join("mtu"), "1500\n");
        write(&machine.path("sys/bus/pci/drivers/ice/bind"), "");
        write(&machine.path("sys/bus/pci/drivers/vfio-pci/bind"), "");
        symlink("../../drivers/ice", device.join("driver")).unwrap();
        fs::create_dir_all(machine.path("sys/class/net").join(interface)).unwrap();
        symlink(
            &device,
            machine.path("sys/class/net").join(interface).join("device"),
        )
        .unwrap();
        machine
            .program("ip", "exit 0")
            .program("ss", "exit 0")
            .program("lspci", "exit 0")
            .program("modprobe", "exit 1");
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn program(&self, name: &str, script: &str) -> &Self {
        let path = self.path("bin").join(name);
        write(&path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Exit code, stdout and stderr of scripts/bind.
    fn bind(&self, arguments: &[&str]) -> (i32, String, String) {
        let path = format!(
            "{}:{}",
            self.path("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let output = Command::new(scripts().join("bind"))
            .args(arguments)
            .env("PATH", path)
            .env("TAPIR_SYS", self.path("sys"))
            .env_remove("SSH_CONNECTION")
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }
}

#[test]
fn nics_are_shown_with_their_drivers() {
    let (code, stdout, _) = Machine::new("ens1").bind(&[]);
    assert_eq!(code, 0);
    let nic: Vec<_> = stdout.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(nic, ["0000:01:00.0", "ice", "ens1", "-"]);
}

#[test]
fn the_nic_of_the_default_route_stays() {
    let machine = Machine::new("ens1");
    // More routes than a pipe's reader may want to read.
    let routes = "for i in $(seq 5000); do echo default via 192.0.2.1 dev ens1; done";
    machine.program("ip", routes);
    for name in ["ens1", "0000:01:00.0", "01:00.0"] {
        let (code, _, stderr) = machine.bind(&[name]);
        let expected = "bind: 0000:01:00.0 stays: it carries the default route (by ens1); --force takes it all the same\n";
        assert_eq!((code, stderr.as_str()), (1, expected));
    }
}

#[test]
fn the_nic_below_a_vlan_with_the_default_route_stays() {
    let machine = Machine::new("ens1");
    fs::create_dir_all(machine.path("sys/class/net/ens1/upper_ens1.5")).unwrap();
    machine.program(
        "ip",
        "[ \"$1\" = -6 ] || echo default via 192.0.2.1 dev ens1.5 proto dhcp",
    );
    let (code, _, stderr) = machine.bind(&["ens1"]);
    assert!(
        code == 1 && stderr.contains("carries the default route (by ens1.5)"),
        "{stderr}"
    );
}

#[test]
fn the_nic_of_an_ssh_session_stays() {
    let machine = Machine::new("ens1");
    machine.program(
        "ip",
        "[ \"$1\" != -o ] || echo '2: ens1    inet 192.0.2.7/24 scope global ens1'",
    );
    machine.program("ss", "echo '0      0      192.0.2.7:22      192.0.2.9:50000'");
    let (code, _, stderr) = machine.bind(&["ens1"]);
    assert!(
        code == 1 && stderr.contains("an SSH session runs over it (by 192.0.2.7 on ens1)"),
        "{stderr}"
    );
}

#[test]
fn a_nic_stays_when_nobody_knows_what_it_carries() {
    let machine = Machine::new("ens1");
    machine.program("ip", "exit 1");
    let (code, _, stderr) = machine.bind(&["ens1"]);
    assert!(code == 1 && stderr.contains("can't be listed"), "{stderr}");
}

#[test]
fn without_an_iommu_it_has_to_be_asked_for() {
    let (code, _, stderr) = Machine::new("ens1").bind(&["ens1"]);
    assert!(
        code == 1 && stderr.contains("behind no IOMMU; see --no-iommu"),
        "{stderr}"
    );
}

#[test]
fn what_is_no_nic_is_refused() {
    let machine = Machine::new("ens1");
    write(
        &machine.path("sys/bus/pci/devices/0000:02:00.0/class"),
        "0x010802\n",
    );
    assert!(machine.bind(&["eth9"]).2.contains("no NIC 'eth9'"));
    assert!(machine.bind(&["02:00.0"]).2.contains("0000:02:00.0 is no NIC"));
    assert_eq!(machine.bind(&["--frobnicate"]).0, 2);
    assert_eq!(machine.bind(&["--back"]).0, 2);
    assert_eq!(
        machine.bind(&["--back", "ens1"]),
        (0, "0000:01:00.0: ice already\n".to_owned(), String::new())
    );
}

#[test]
fn scripts_are_clean_shell() {
    if Command::new("shellcheck").arg("--version").output().is_err() {
        println!("skipped: no shellcheck here");
        return;
    }
    let files: Vec<_> = [
        "setup",
        "bind",
        "demo",
        "lab",
        "peers",
        "plugins",
        "test",
        "capture-fixtures",
        "lib.sh",
    ]
    .iter()
    .map(|name| scripts().join(name))
    .collect();
    let output = Command::new("shellcheck")
        .arg("-x")
        .args(files)
        .current_dir(scripts().join(".."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}
