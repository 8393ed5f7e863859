//! What the program says and how it ends, seen from a shell.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

fn tapir(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapir"));
    command
        .args(arguments)
        .env_remove("TAPIR_LOG")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = tapir(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn help_names_every_command() {
    let (code, stdout, _) = run(&["--help"]);
    assert_eq!(code, 0);
    for command in [
        "run",
        "decode",
        "read",
        "protocols",
        "config",
        "doctor",
        "bench",
        "completions",
    ] {
        assert!(stdout.contains(&format!("\n  {command} ")), "{command}");
        assert_eq!(run(&[command, "--help"]).0, 0, "{command}");
    }
    assert!(!stdout.contains("\n  man "));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        &["--no-such-flag"][..],
        &[],
        &["decode"],
        &["decode", "x.pcap", "--format", "xml"],
        &["decode", "x.pcap", "--workers", "0"],
        &["decode", "x.pcap", "--proto", "gopher"],
        &["read", "tcp:nowhere"],
        &["run"],
        &["run", "--pci", "eth0"],
        &["run", "--vdev", "veth0"],
        &["run", "--vdev", "net_null0", "--lcores", "1,1"],
        &[
            "run",
            "--vdev",
            "net_null0",
            "--lcores",
            "1",
            "--collector-core",
            "1",
        ],
        &["run", "--vdev", "net_null0", "--vdev", "net_null0"],
        &["run", "--vdev", "net_null0", "--distribution", "magic"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn a_missing_file_ends_with_1_and_one_line() {
    for arguments in [
        &["decode", "no/such.pcap"][..],
        &["decode", "Cargo.toml", "--config", "no/such.toml"],
        &["config", "check", "no/such.toml"],
        &["run", "--config", "no/such.toml"],
        &["read", "no/such.fb"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
        let failures = stderr.lines().filter(|line| line.starts_with("tapir: "));
        assert_eq!(failures.count(), 1, "{arguments:?}: {stderr}");
    }
}

#[test]
fn the_example_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tapir.toml");
    std::fs::write(&file, run(&["config", "example"]).1).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(
        run(&["config", "check", file]),
        (0, format!("{file}: valid; 1 port\n"), String::new())
    );
}

#[test]
fn every_mistake_in_a_configuration_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tapir.toml");
    std::fs::write(
        &file,
        "[flows]\nmax_per_lcore = 7\n\n[protocols]\nenabled = [\"http\"]\nenable = []\n",
    )
    .unwrap();
    let file = file.to_str().unwrap();
    let (code, _, stderr) = run(&["config", "check", file]);
    let expected = format!(
        "tapir: {file}:2: key 'flows.max_per_lcore' = 7: expected a whole number from 1024 to 268435456; \
         write for example 1048576\n\
         tapir: {file}:5: key 'protocols.enabled[0]' = \"http\": unknown; did you mean 'http1'?\n\
         tapir: {file}:6: key 'protocols.enable' = []: unknown; did you mean 'enabled'?\n"
    );
    assert_eq!((code, stderr), (1, expected));
}

#[test]
fn protocols_are_listed_both_ways() {
    let (code, table, _) = run(&["protocols"]);
    assert!(code == 0 && table.starts_with("NAME") && table.contains("\nping "));
    let (_, json, _) = run(&["protocols", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    let ping = list
        .as_array()
        .unwrap()
        .iter()
        .find(|protocol| protocol["name"] == "ping")
        .unwrap();
    assert_eq!(ping["transports"], serde_json::json!(["icmp"]));
}

#[test]
fn the_doctor_needs_no_privilege_and_uses_no_colour_in_a_pipe() {
    let (code, text, _) = run(&["doctor"]);
    assert!(code == 0 && !text.contains('\x1b'), "{text}");
    assert!(text.lines().all(|line| line.split(" · ").count() >= 3), "{text}");
    let (code, json, _) = run(&["doctor", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 0);
    let states = ["ok", "warn", "missing"];
    for finding in report["findings"].as_array().unwrap() {
        assert!(states.contains(&finding["state"].as_str().unwrap()));
    }
}

#[test]
fn completions_and_manual_pages() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script, _) = run(&["completions", shell]);
        assert!(code == 0 && script.contains("decode"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    assert_eq!(run(&["man", pages.to_str().unwrap()]).0, 0);
    assert!(
        std::fs::read_to_string(pages.join("tapir-decode.1"))
            .unwrap()
            .contains("capture files")
    );
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    // Longer than a pipe holds, so that writing must fail.
    let mut child = tapir(&["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let mut complaints = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), complaints.as_str()), (Some(0), ""));
}
