//! The host's own TLS libraries, which are worth probes before anybody is seen to use them: a program that runs for
//! milliseconds is over before it could be looked at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where libraries are, and directories of libraries by architecture.
const DIRECTORIES: [&str; 6] = [
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/local/lib64",
];
/// How the names of their files begin. The loaders tell of libraries that programs load later.
const NAMES: [&str; 4] = ["libssl.so", "libgnutls.so", "ld-linux", "ld-musl"];

/// The files that there are; some may be there by two names.
pub fn libraries() -> Vec<PathBuf> {
    let architecture = format!("{}-linux-gnu", std::env::consts::ARCH);
    let roots = DIRECTORIES.iter().map(Path::new);
    roots
        .flat_map(|root| [root.to_owned(), root.join(&architecture)])
        .filter_map(|directory| std::fs::read_dir(directory).ok())
        .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
        .filter(|path| {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            NAMES.iter().any(|start| name.starts_with(start))
        })
        .collect()
}
