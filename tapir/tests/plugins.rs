//! `tapir plugin` and `[[plugins]]`, over a capture of a house protocol that is written here.
#![cfg(feature = "plugins")]
#![allow(clippy::unwrap_used)] // A test that fails panics.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DEMO: &str = include_str!("../../plugins/tests/plugins/demo.wat");

/// A message of the house protocol.
fn demo(kind: u8, id: u8, text: &str) -> Vec<u8> {
    [&b"DM"[..], &[kind, id, 0, text.len() as u8], text.as_bytes()].concat()
}

/// An Ethernet frame with a datagram between the client (port 40000) and the server (port 7700).
fn frame(to_server: bool, payload: &[u8]) -> Vec<u8> {
    let (ports, ips) = if to_server {
        ([40_000u16, 7700], [[10, 0, 0, 1], [10, 0, 0, 2]])
    } else {
        ([7700, 40_000], [[10, 0, 0, 2], [10, 0, 0, 1]])
    };
    let total = (28 + payload.len()) as u16;
    [
        &[0u8; 12][..],
        &[8, 0, 0x45, 0],
        &total.to_be_bytes(),
        &[0, 0, 0, 0, 64, 17, 0, 0],
        &ips.concat(),
        &ports[0].to_be_bytes(),
        &ports[1].to_be_bytes(),
        &(total - 20).to_be_bytes(),
        &[0, 0],
        payload,
    ]
    .concat()
}

/// The module and the capture in `folder`.
fn files(folder: &Path) -> (PathBuf, PathBuf) {
    let (module, capture) = (folder.join("demo.wasm"), folder.join("demo.pcap"));
    fs::write(&module, wat::parse_str(DEMO).unwrap()).unwrap();
    let mut pcap = Vec::new();
    for number in [0xA1B2_C3D4u32, 0x0004_0002, 0, 0, 65_535, 1] {
        pcap.extend_from_slice(&number.to_le_bytes());
    }
    let frames = [
        frame(true, &demo(1, 1, "question")),
        frame(false, &demo(2, 1, "answer")),
        frame(true, &demo(1, 2, "another")),
    ];
    for (second, frame) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        for number in [1_700_000_000 + second as u32, 0, len, len] {
            pcap.extend_from_slice(&number.to_le_bytes());
        }
        pcap.extend_from_slice(frame);
    }
    fs::write(&capture, pcap).unwrap();
    (module, capture)
}

fn tapir(arguments: &[&Path]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_says_what_a_module_is() {
    let folder = tempfile::tempdir().unwrap();
    let (module, _) = files(folder.path());
    let output = tapir(&["plugin".as_ref(), "check".as_ref(), &module]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    for line in [
        "import   deepflow.vm_read_payload",
        "export   check_payload",
        "hook     parse_payload",
        "dialect  as each record tells",
        "verdict  it runs",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn check_says_why_a_module_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let module = folder.path().join("odd.wasm");
    let odd = DEMO.replace("\"vm_read_payload\"", "\"vm_read_mail\"");
    fs::write(&module, wat::parse_str(odd).unwrap()).unwrap();
    let output = tapir(&["plugin".as_ref(), "check".as_ref(), &module]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("deepflow.vm_read_mail  no host has this"));
    assert!(text(&output.stderr).contains("it imports what no host"));
}

#[test]
fn run_shows_calls_and_records() {
    let folder = tempfile::tempdir().unwrap();
    let (module, capture) = files(folder.path());
    let output = tapir(&["plugin".as_ref(), "run".as_ref(), &module, &capture]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{said}{}", text(&output.stderr));
    assert!(said.contains("-> 0x107 \"Demo\""), "{said}");
    assert!(said.contains("-> 1, 1 records: protobuf"), "{said}");
    assert!(said.contains("\"proto\":\"Demo\""), "{said}");
    assert!(text(&output.stderr).contains("parse_payload: 3 calls, 3 taken, 0 failed"));
}

#[test]
fn a_module_that_is_not_there_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_, capture) = files(folder.path());
    let missing = folder.path().join("missing.wasm");
    let output = tapir(&["plugin".as_ref(), "run".as_ref(), &missing, &capture]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        format!(
            "tapir: {}: No such file or directory (os error 2)\n",
            missing.display()
        )
    );
}

#[test]
fn plugins_of_the_configuration_read_captures() {
    let folder = tempfile::tempdir().unwrap();
    let (module, capture) = files(folder.path());
    let config = folder.path().join("tapir.toml");
    let missing = folder.path().join("missing.wasm");
    let toml = format!(
        "[[plugins]]\npath = {missing:?}\n[[plugins]]\npath = {module:?}\nports = [7700]\nl4 = \"udp\"\n"
    );
    fs::write(&config, toml).unwrap();
    let output = tapir(&["decode".as_ref(), "--config".as_ref(), &config, &capture]);
    let (said, log) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{log}");
    assert!(log.contains("plugin missing: not loaded"), "{log}");
    let records: Vec<serde_json::Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let all: Vec<_> = records
        .iter()
        .map(|r| {
            (
                r["proto"].as_str(),
                r["kind"].as_str(),
                r["resource"].as_str(),
                r["result"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            (Some("Demo"), Some("matched"), Some("question"), Some("answer")),
            (Some("Demo"), Some("no_response"), Some("another"), None),
        ]
    );
}

#[test]
fn a_configuration_with_a_plugin_that_can_not_run_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let (module, _) = files(folder.path());
    let (config, missing) = (
        folder.path().join("tapir.toml"),
        folder.path().join("missing.wasm"),
    );
    let check = |text: String| {
        fs::write(&config, text).unwrap();
        tapir(&["config".as_ref(), "check".as_ref(), &config])
    };
    let good = format!("[[plugins]]\npath = {module:?}\n");
    assert!(check(good.clone()).status.success());
    let output = check(format!("{good}[[plugins]]\npath = {missing:?}\n"));
    assert_eq!(output.status.code(), Some(1));
    let (file, path) = (config.display(), missing.display());
    assert_eq!(
        text(&output.stderr),
        format!(
            "tapir: {file}: key 'plugins[1].path' = {missing:?}: a run would go without this plugin: reading {path}: \
             No such file or directory (os error 2); try it with 'tapir plugin check'\n"
        )
    );
}

#[test]
fn a_new_plugin_has_all_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let new = |name: &str, language: &str| {
        Command::new(env!("CARGO_BIN_EXE_tapir"))
            .args(["plugin", "new", name, "--language", language])
            .current_dir(&folder)
            .output()
            .unwrap()
    };
    for (language, file, library) in [
        ("c", "first.c", "tapir_plugin.h"),
        ("assemblyscript", "first.ts", "plugin.ts"),
        ("rust", "first.rs", "tapir_plugin.rs"),
    ] {
        let output = new("first", language);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("tapir plugin check first.wasm"));
        let made = folder.path().join("first");
        for name in [file, library, "talk.py"] {
            assert!(made.join(name).is_file(), "{language}: {name}");
        }
        if language == "rust" {
            let manifest = fs::read_to_string(made.join("Cargo.toml")).unwrap();
            assert!(manifest.contains("name = \"first\"") && manifest.contains("path = \"first.rs\""));
        }
        // What is there stays.
        let again = new("first", language);
        assert_eq!(again.status.code(), Some(1));
        assert_eq!(
            text(&again.stderr),
            "tapir: first: is there already: give another name, or go elsewhere\n"
        );
        fs::remove_dir_all(made).unwrap();
    }
    for name in ["../first", "First", "", "a/b", "1"] {
        assert_eq!(new(name, "c").status.code(), Some(2), "{name}");
    }
}
