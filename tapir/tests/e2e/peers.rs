//! Clients and servers that `scripts/peers` installs, and programs that few machines have.

use crate::lab::{skipped, text};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Python with the packages of scripts/peers.d; `None` where a machine does not have them, having said so.
pub(crate) fn python() -> Option<String> {
    installed().then(|| path_text(&peers().join("python/bin/python")))
}

/// What `NODE_PATH` must be for Node.js to find the packages of scripts/peers.d; `None` as above.
pub(crate) fn node_path() -> Option<String> {
    installed().then(|| path_text(&peers().join("node/node_modules")))
}

/// A client or server in a language of its own: its file below tapir/tests/e2e/peers.
pub(crate) fn source(name: &str) -> String {
    path_text(&root().join("tapir/tests/e2e/peers").join(name))
}

/// Whether all these programs are in PATH; says which are not.
pub(crate) fn has(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let missing = programs
        .iter()
        .filter(|program| !folders.iter().any(|folder| folder.join(program).is_file()));
    let missing: Vec<&str> = missing.copied().collect();
    if !missing.is_empty() {
        skipped(&missing.join("\n"));
    }
    missing.is_empty()
}

fn installed() -> bool {
    let script = root().join("scripts/peers");
    let missing = Command::new(script).arg("--check").output().unwrap();
    if !missing.status.success() {
        skipped(&text(&missing.stdout));
    }
    missing.status.success()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn peers() -> PathBuf {
    root().join("target/peers")
}

fn path_text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
