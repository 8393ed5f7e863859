//! Which files of machine code a process has mapped: /proc/PID/maps (proc_pid_maps(5)).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file of a process, by what the kernel knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FileKey {
    /// Major and minor number of its file system.
    pub(super) device: (u32, u32),
    /// Its number there.
    pub(super) inode: u64,
}

/// One of a process's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    pub(super) key: FileKey,
    /// Where it is to be found, as the process sees the file system.
    pub(super) path: PathBuf,
    /// Its name in /proc/PID/map_files.
    pub(super) range: String,
}

impl Mapped {
    /// Last part of its path.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(OsStr::to_str).unwrap_or_default()
    }

    /// Opens it: by its path where that still leads to the same file, else by its mapping, which takes more privileges
    /// and finds what was deleted or lies beneath another file system. A program is also found by being one.
    pub(super) fn open(&self, proc: &Path, pid: u32) -> Result<File> {
        let process = proc.join(pid.to_string());
        let path = self.path.strip_prefix("/").unwrap_or(&self.path);
        let by_path = File::open(process.join("root").join(path)).and_then(|file| {
            let is_same = file.metadata()?.ino() == self.key.inode;
            is_same
                .then_some(file)
                .ok_or_else(|| Error::from(ErrorKind::NotFound))
        });
        by_path.or_else(|error| {
            File::open(process.join("map_files").join(&self.range))
                .or_else(|_| self.open_program(&process.join("exe")))
                .map_err(|_| error)
        })
    }

    /// Opens the program that a process executes, if this is it: overlayfs shows a file that was written to by another
    /// number than that of its mapping.
    fn open_program(&self, link: &Path) -> Result<File> {
        let program = std::fs::read_link(link)?;
        if without_mark(program.as_os_str().as_bytes()) == self.path.as_os_str().as_bytes() {
            File::open(link)
        } else {
            Err(Error::from(ErrorKind::NotFound))
        }
    }
}

/// The files that a process has mapped as code, each once. `maps` is what the kernel writes.
pub(super) fn code_files(maps: &[u8]) -> Vec<Mapped> {
    let mut files: Vec<Mapped> = Vec::new();
    for mapped in maps.split(|byte| *byte == b'\n').filter_map(code_file) {
        if !files.iter().any(|file| file.key == mapped.key) {
            files.push(mapped);
        }
    }
    files
}

/// One line: `start-end rwxp offset major:minor inode   path`.
fn code_file(line: &[u8]) -> Option<Mapped> {
    let mut rest = line;
    let mut field = || {
        let end = memchr::memchr(b' ', rest)?;
        let (field, behind) = rest.split_at(end);
        rest = behind.get(1..)?;
        std::str::from_utf8(field).ok()
    };
    let (range, rights, _offset, device, inode) = (field()?, field()?, field()?, field()?, field()?);
    let (major, minor) = device.split_once(':')?;
    let inode = inode.parse().ok().filter(|inode| *inode != 0)?;
    let path = rest.trim_ascii_start();
    if !rights.contains('x') || !path.starts_with(b"/") {
        return None;
    }
    Some(Mapped {
        key: FileKey {
            device: (
                u32::from_str_radix(major, 16).ok()?,
                u32::from_str_radix(minor, 16).ok()?,
            ),
            inode,
        },
        path: PathBuf::from(OsStr::from_bytes(without_mark(path))),
        range: name_of(range)?,
    })
}

/// A path without what the kernel appends when it leads there no more.
fn without_mark(path: &[u8]) -> &[u8] {
    path.strip_suffix(b" (deleted)").unwrap_or(path)
}

/// What a range of addresses is called in map_files: without the zeros that fill low ones up here.
fn name_of(range: &str) -> Option<String> {
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some(format!("{:x}-{:x}", number(start)?, number(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &[u8] = b"\
55d0c8a00000-55d0c8a29000 r--p 00000000 08:01 1573 /usr/bin/a program (deleted)
55d0c8a29000-55d0c8b00000 r-xp 00029000 08:01 1573                       /usr/bin/a program (deleted)
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
7f1000000000-7f1000100000 r-xp 00001000 fd:1e 18446744073709551615       /lib/libssl.so.3
7f1000200000-7f1000300000 r-xp 00101000 fd:1e 18446744073709551615       /lib/libssl.so.3
7f1000400000-7f1000500000 r-xp 00000000 00:00 0                          [vdso]
7f1000600000-7f1000700000 rwxp 00000000 00:01 5                          /memfd:jit (deleted)
nonsense
7f-80 r-xp";

    #[test]
    fn code_files_come_once_each() {
        let files = code_files(MAPS);
        let paths: Vec<&str> = files.iter().filter_map(|file| file.path.to_str()).collect();
        assert_eq!(paths, ["/usr/bin/a program", "/lib/libssl.so.3", "/memfd:jit"]);
        assert_eq!(
            files[0].key,
            FileKey {
                device: (8, 1),
                inode: 1573
            }
        );
        assert_eq!(files[0].range, "55d0c8a29000-55d0c8b00000");
        assert_eq!(
            files[1].key,
            FileKey {
                device: (0xfd, 0x1e),
                inode: u64::MAX
            }
        );
        assert_eq!(files[1].name(), "libssl.so.3");
    }

    #[test]
    fn a_mapping_at_a_low_address_has_a_short_name() {
        let files = code_files(b"00400000-00701000 r-xp 00000000 00:17 19    /usr/bin/by go\n");
        assert_eq!(files[0].range, "400000-701000");
    }

    /// As on overlayfs: the path leads to the program, whose number there is another one than that of its mapping.
    #[test]
    fn a_program_is_found_by_being_one() {
        let folder = tempfile::tempdir().unwrap();
        let (process, program) = (folder.path().join("1"), folder.path().join("program"));
        std::fs::create_dir(&process).unwrap();
        std::fs::write(&program, "what is executed").unwrap();
        let mapped = |path: &Path| Mapped {
            key: FileKey {
                device: (0, 0),
                inode: 1,
            },
            path: path.to_owned(),
            range: "0-1".to_owned(),
        };
        std::os::unix::fs::symlink("/", process.join("root")).unwrap();
        std::os::unix::fs::symlink(&program, process.join("exe")).unwrap();
        assert!(mapped(&program).open(folder.path(), 1).is_ok());
        let library = folder.path().join("library");
        std::fs::write(&library, "what is mapped").unwrap();
        assert!(mapped(&library).open(folder.path(), 1).is_err());
    }

    #[test]
    fn the_files_of_this_process_open() {
        let maps = std::fs::read("/proc/self/maps").unwrap();
        let files = code_files(&maps);
        let own = std::env::current_exe().unwrap();
        let this = files.iter().find(|file| file.path == own).unwrap();
        let opened = this.open(Path::new("/proc"), std::process::id()).unwrap();
        assert_eq!(
            opened.metadata().unwrap().ino(),
            std::fs::metadata(&own).unwrap().ino()
        );
    }

    #[test]
    fn another_file_at_the_path_is_not_taken_for_it() {
        let key = FileKey {
            device: (0, 0),
            inode: 1,
        };
        let mapped = Mapped {
            key,
            path: "/proc/self/exe".into(),
            range: "0-1".to_owned(),
        };
        assert!(mapped.open(Path::new("/proc"), std::process::id()).is_err());
    }
}
