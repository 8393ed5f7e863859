//! What the source tree must be like, beyond what the compiler sees.
#![allow(clippy::unwrap_used)] // A test that fails panics.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crates of the workspace, lowest first, each with those that it may use.
const LAYERS: [(&str, &[&str]); 9] = [
    ("dpdk-bindings", &[]),
    ("tapir-parsers", &[]),
    ("tapir-plugins", &["tapir-parsers"]),
    ("tapir-config", &[]),
    (
        "tapir-dataplane",
        &["dpdk-bindings", "tapir-parsers", "tapir-config"],
    ),
    ("tapir-collector", &["tapir-parsers", "tapir-config"]),
    (
        "tapir-sidecar",
        &["tapir-parsers", "tapir-config", "tapir-collector"],
    ),
    (
        "tapir",
        &[
            "dpdk-bindings",
            "tapir-parsers",
            "tapir-plugins",
            "tapir-config",
            "tapir-dataplane",
            "tapir-collector",
        ],
    ),
    ("tapir-benches", &["tapir-parsers", "tapir-dataplane"]),
];

/// Folders of the dataplane that don't know each other; `pipeline` joins them.
const DATAPLANE_PARTS: [&str; 3] = ["source", "flow", "stream"];

/// A file longer than this is about more than one thing.
const LINES_MAX: usize = 600;

/// Bytes. A larger file is a capture that could be shorter, or the result of a build.
const FILE_BYTES_MAX: u64 = 256 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

/// Files that git knows or would take, by their path from the root.
fn files() -> Vec<String> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "this test needs git and a work tree");
    let list = String::from_utf8(output.stdout).unwrap();
    let present = list.lines().filter(|path| root().join(path).is_file());
    present.map(str::to_owned).collect()
}

/// Text files of the project's own: no captures, no corpora, nothing generated.
fn sources() -> impl Iterator<Item = (String, String)> {
    files().into_iter().filter_map(|path| {
        let own =
            !path.contains("/generated/") && !path.starts_with("fuzz/corpus/") && !path.ends_with(".lock");
        let text = own.then(|| fs::read_to_string(root().join(&path)).ok())??;
        Some((path, text))
    })
}

fn rust_below(folder: &str) -> impl Iterator<Item = (String, String)> {
    sources().filter(move |(path, _)| path.starts_with(folder) && path.ends_with(".rs"))
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn lower_never_sees_upper() {
    let metadata = metadata();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = LAYERS
            .iter()
            .find(|(layer, _)| *layer == name)
            .unwrap_or_else(|| panic!("which layer is {name} in? LAYERS does not say"));
        for dependency in package["dependencies"].as_array().unwrap() {
            // Those with a path are the workspace's own.
            let used = dependency["name"].as_str().unwrap();
            assert!(
                dependency["path"].is_null() || used == name || allowed.contains(&used),
                "{name} must not use {used}: see ARCHITECTURE.md"
            );
        }
    }
    let order = |name: &str| LAYERS.iter().position(|(layer, _)| *layer == name).unwrap();
    for (name, allowed) in LAYERS {
        assert!(allowed.iter().all(|lower| order(lower) < order(name)), "{name}");
    }
}

#[test]
fn parts_of_the_dataplane_do_not_know_each_other() {
    for part in DATAPLANE_PARTS {
        for (path, text) in rust_below(&format!("dataplane/src/{part}/")) {
            for other in DATAPLANE_PARTS.iter().chain(&["pipeline", "worker", "live"]) {
                let uses = text.contains(&format!("crate::{other}"));
                assert!(*other == part || !uses, "{path} uses {other}");
            }
        }
    }
}

#[test]
fn unsafe_code_stands_in_the_bindings() {
    let is_root = |path: &str| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    for (path, text) in sources().filter(|(path, _)| is_root(path) && !path.starts_with("dpdk-bindings/")) {
        // Where single places are excepted, `deny` stands for `forbid`.
        let says = ["forbid", "deny"].map(|word| text.contains(&format!("#![{word}(unsafe_code)]")));
        assert!(says.contains(&true), "{path} takes unsafe code");
    }
}

#[test]
fn files_are_about_one_thing() {
    for (path, text) in sources().filter(|(path, _)| path.ends_with(".rs")) {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{path} has {lines} lines");
    }
}

#[test]
fn files_are_small() {
    for path in files() {
        let bytes = root().join(&path).metadata().unwrap().len();
        assert!(bytes <= FILE_BYTES_MAX, "{path} has {bytes} bytes");
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Taken apart, so that this file does not hold them.
    let marks = [
        ["TO", "DO"],
        ["FIX", "ME"],
        ["todo", "!("],
        ["unimplemented", "!("],
    ]
    .map(|parts| parts.concat());
    for (path, text) in sources() {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{path} has {mark}");
        }
    }
}

#[test]
fn nothing_is_about_one_machine() {
    let folders =
        [["/wo", "rk/"], ["/ro", "ot/"], ["/home", "/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    for (path, text) in sources() {
        for folder in &folders {
            assert!(!text.contains(folder.as_str()), "{path} has {folder}");
        }
    }
    // Whatever mirror a machine uses, what is locked comes from where everybody finds it.
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for line in lock.lines().filter(|line| line.starts_with("source = ")) {
        assert_eq!(
            line,
            "source = \"registry+https://github.com/rust-lang/crates.io-index\""
        );
    }
}

#[test]
fn scripts_run_and_links_lead_somewhere() {
    use std::os::unix::fs::PermissionsExt;
    for (path, text) in sources() {
        let mode = fs::metadata(root().join(&path)).unwrap().permissions().mode();
        assert_eq!(
            text.starts_with("#!/"),
            mode & 0o111 != 0,
            "{path}: a script, or not?"
        );
        if !path.ends_with(".md") {
            continue;
        }
        let folder = root().join(&path).parent().unwrap().to_owned();
        let targets = text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            assert!(folder.join(target).exists(), "{path} links to {target}");
        }
    }
}

#[test]
fn every_protocol_has_tests() {
    let tests: Vec<_> = rust_below("parsers/src/l7/")
        .filter(|(_, text)| text.contains("#[test]"))
        .collect();
    for protocol in protocols() {
        let own = format!("parsers/src/l7/{protocol}");
        // What the parser of another protocol reads is tested there, by its name.
        let tested = |(path, text): &(String, String)| {
            path.starts_with(&own) || text.to_lowercase().contains(&protocol)
        };
        assert!(
            tests.iter().any(tested),
            "{protocol} has no tests in parsers/src/l7"
        );
    }
}

/// Protocols of which no capture of real peers is kept: the end-to-end tests watch them alone.
const WITHOUT_CAPTURE: [&str; 1] = ["mqtt"];

/// What CONTRIBUTING.md asks of a protocol: scripts that `check()` replays in every way there is, a dictionary
/// for the fuzzer, and a capture of real peers.
#[test]
fn every_protocol_is_in_the_tables() {
    let files = files();
    let has = |path: String| files.contains(&path);
    for protocol in protocols() {
        let own = format!("parsers/src/l7/{protocol}");
        let (file, folder) = (format!("{own}.rs"), format!("{own}/"));
        let is_own = |path: &str| path == file || path.starts_with(&folder);
        // The parser of another protocol reads it, or a plugin does.
        if protocol == "custom" || !files.iter().any(|path| is_own(path)) {
            continue;
        }
        let checked =
            rust_below("parsers/src/l7/").any(|(path, text)| is_own(&path) && text.contains(".check()"));
        assert!(checked, "no script of {protocol} is checked");
        assert!(
            has(format!("fuzz/dict/{protocol}.dict")),
            "{protocol} has no fuzz/dict/{protocol}.dict"
        );
        if WITHOUT_CAPTURE.contains(&protocol.as_str()) {
            continue;
        }
        for ending in ["pcap", "json"] {
            let capture = format!("parsers/tests/captures/{protocol}.{ending}");
            assert!(
                has(capture),
                "{protocol} has no capture (scripts/capture-fixtures {protocol})"
            );
        }
    }
}

fn protocols() -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(["protocols", "--format", "json"])
        .output()
        .unwrap();
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |protocol: &Value| protocol["name"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(name).collect()
}

/// docs/protocols.md is what `tapir protocols` says; `UPDATE_DOCS=1 cargo test -p tapir` writes it anew.
#[test]
fn the_list_of_protocols_is_current() {
    let output = Command::new(env!("CARGO_BIN_EXE_tapir"))
        .args(["protocols", "--format", "markdown"])
        .output()
        .unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let path = root().join("docs/protocols.md");
    let page = fs::read_to_string(&path).unwrap();
    let head = page.split("\n| ").next().unwrap().trim_end();
    let wanted = format!("{head}\n\n{table}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/protocols.md is not what UPDATE_DOCS=1 cargo test -p tapir would write"
    );
}
