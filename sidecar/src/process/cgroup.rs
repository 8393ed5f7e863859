//! Cgroups (version 2) by path or by container, as the numbers that the kernel's programs know them by.

use rustix::mount::{self, FsMountFlags, FsOpenFlags, MountAttrFlags};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Type of the file system that cgroups (version 2) are.
const KIND: &str = "cgroup2";

/// Where cgroups are mounted, if they are.
fn mounted_at() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (place, kind) = (words.next()?, words.next()?);
        (kind == KIND).then(|| PathBuf::from(place))
    })
}

/// The root of all cgroups, opened. Where they are mounted nowhere, it is mounted for this process alone, without a
/// place.
///
/// # Errors
/// When that is refused.
pub fn root() -> io::Result<OwnedFd> {
    match mounted_at() {
        Some(place) => Ok(fs::File::open(place)?.into()),
        None => {
            let context = mount::fsopen(KIND, FsOpenFlags::FSOPEN_CLOEXEC)?;
            mount::fsconfig_create(context.as_fd())?;
            let flags = FsMountFlags::FSMOUNT_CLOEXEC;
            Ok(mount::fsmount(
                context.as_fd(),
                flags,
                MountAttrFlags::MOUNT_ATTR_RDONLY,
            )?)
        }
    }
}

/// How many folders are looked at for a container: hosts have some thousands.
const FOLDERS_MAX: usize = 100_000;

/// A path below the root of cgroups, or an absolute one, seen from there.
pub fn below_root(path: &Path) -> PathBuf {
    let root = mounted_at().unwrap_or_else(|| PathBuf::from("/sys/fs/cgroup"));
    let below = path.strip_prefix(&root).or_else(|_| path.strip_prefix("/"));
    // Without doubled and trailing slashes.
    below.unwrap_or(path).components().collect()
}

/// The numbers of the cgroup at `path` (below the root of cgroups, or absolute) and of all below it.
///
/// # Errors
/// When there is none.
pub fn at(path: &Path) -> io::Result<Vec<u64>> {
    let root = mounted_at().ok_or_else(|| io::Error::other("cgroups (version 2) are mounted nowhere"))?;
    let folder = root.join(below_root(path));
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
    let root = mounted_at().unwrap_or_default();
    let found = folders(&root).filter(is_of);
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
