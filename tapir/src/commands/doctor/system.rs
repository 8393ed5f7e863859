//! /sys, /proc and /usr as they are, or below another root for tests.

use std::fs;
use std::path::PathBuf;

/// Where files of the system are read. What can't be read is taken as not there.
pub(super) struct System {
    root: PathBuf,
}

impl System {
    /// This machine.
    pub(super) fn this() -> Self {
        Self::at("/")
    }

    /// A tree below `root`.
    pub(super) fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// A file's text without blanks at its ends.
    pub(super) fn read(&self, path: &str) -> Option<String> {
        let bytes = fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// A file's number.
    pub(super) fn number(&self, path: &str) -> Option<u64> {
        self.read(path)?.parse().ok()
    }

    /// Names in a folder, sorted.
    pub(super) fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Last part of what a symbolic link points to.
    pub(super) fn link(&self, path: &str) -> Option<String> {
        let target = fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// Whether there is such a file or folder.
    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).exists()
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }
}

/// How many numbers a list of the kernel holds, as in `0-3,8`.
pub(super) fn count_of_list(list: &str) -> usize {
    let ranges = list.split(',').filter(|range| !range.is_empty());
    ranges
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            Some(last.checked_sub(first)? + 1)
        })
        .sum()
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// A tree of files for one test.
    pub(in super::super) struct Tree {
        folder: tempfile::TempDir,
    }

    impl Tree {
        pub(in super::super) fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
            }
        }

        pub(in super::super) fn file(&self, path: &str, text: &str) -> &Self {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            self
        }

        pub(in super::super) fn link(&self, path: &str, target: &str) -> &Self {
            let path = self.folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, path).unwrap();
            self
        }

        pub(in super::super) fn system(&self) -> System {
            System::at(self.folder.path())
        }
    }

    #[test]
    fn lists_of_the_kernel_are_counted() {
        for (list, count) in [("", 0), ("0", 1), ("0-3,8", 5), ("3-1", 0), ("x", 0)] {
            assert_eq!(count_of_list(list), count, "{list}");
        }
    }
}
