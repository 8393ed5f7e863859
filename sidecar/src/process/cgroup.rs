//! Cgroups (version 2) by path or by container, as the numbers that the kernel's programs know them by.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where cgroups are mounted.
const ROOT: &str = "/sys/fs/cgroup";

/// How many folders are looked at for a container: hosts have some thousands.
const FOLDERS_MAX: usize = 100_000;

/// The numbers of the cgroup at `path` (below the root of cgroups, or absolute) and of all below it.
///
/// # Errors
/// When there is none.
pub fn at(path: &Path) -> io::Result<Vec<u64>> {
    let folder = if path.starts_with(ROOT) {
        path.to_owned()
    } else {
        Path::new(ROOT).join(path.strip_prefix("/").unwrap_or(path))
    };
    let own = fs::metadata(&folder)?.ino();
    let below = folders(&folder).filter_map(|folder| Some(fs::metadata(folder).ok()?.ino()));
    Ok([own].into_iter().chain(below).collect())
}

/// The numbers of the cgroups of a container, by the beginning of its id.
pub fn of_container(id: &str) -> Vec<u64> {
    let is_of = |folder: &PathBuf| {
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        name.split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| word.starts_with(id) && word.len() >= id.len())
    };
    let found = folders(Path::new(ROOT)).filter(is_of);
    let mut numbers: Vec<u64> = found.flat_map(|folder| at(&folder).unwrap_or_default()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// All folders below `root`.
fn folders(root: &Path) -> impl Iterator<Item = PathBuf> {
    let mut left = vec![root.to_owned()];
    std::iter::from_fn(move || {
        let next = left.pop()?;
        let entries = fs::read_dir(&next).into_iter().flatten().flatten();
        left.extend(
            entries
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
        Some(next)
    })
    .skip(1)
    .take(FOLDERS_MAX)
}
