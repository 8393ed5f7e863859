//! Names of finished files, and how many of them stay.
//!
//! `sessions.json` that is full or old becomes `sessions-20240131T235959.123456Z.json`, the time at which it was
//! finished. The renaming is atomic, names sort by time, and a name that is taken is never overwritten.

use crate::utc::Utc;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Characters of the time in a name: `20240131T235959.123456Z`.
const STAMP_CHARS: usize = 23;
/// How often the clock is read again when a name is taken.
const ATTEMPTS: u32 = 1000;

/// Gives the file at `path` its final name.
pub(super) fn finish(path: &Path) -> io::Result<()> {
    for _ in 0..ATTEMPTS {
        let name = finished_name(path, &stamp(SystemTime::now()));
        if !name.try_exists()? {
            return fs::rename(path, name);
        }
        std::thread::sleep(Duration::from_micros(1));
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Removes the oldest finished files of `path` until `keep` are left.
pub(super) fn prune(path: &Path, keep: usize) -> io::Result<()> {
    let mut finished = finished_files(path)?;
    finished.sort_unstable();
    let surplus = finished.len().saturating_sub(keep);
    for old in finished.iter().take(surplus) {
        fs::remove_file(old)?;
    }
    Ok(())
}

/// The finished files of `path`.
pub(super) fn finished_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = folder_of(path);
    let (stem, extension) = split_name(path);
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name();
        let is_finished = name.to_str().is_some_and(|name| {
            let middle = name
                .strip_prefix(&stem)
                .and_then(|rest| rest.strip_suffix(&extension));
            middle
                .and_then(|middle| middle.strip_prefix('-'))
                .is_some_and(is_stamp)
        });
        if is_finished {
            found.push(folder.join(name));
        }
    }
    Ok(found)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Name without extension, and the extension with its dot.
fn split_name(path: &Path) -> (String, String) {
    let lossy = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let extension = path.extension().map(|ext| format!(".{}", ext.to_string_lossy()));
    (lossy(path.file_stem()), extension.unwrap_or_default())
}

fn finished_name(path: &Path, stamp: &str) -> PathBuf {
    let (stem, extension) = split_name(path);
    folder_of(path).join(format!("{stem}-{stamp}{extension}"))
}

fn stamp(time: SystemTime) -> String {
    let unix_ns = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos() as u64);
    let Utc {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanosecond,
    } = Utc::from_unix_ns(unix_ns);
    let microsecond = nanosecond / 1000;
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{microsecond:06}Z")
}

fn is_stamp(text: &str) -> bool {
    let fits = |(index, byte): (usize, u8)| match index {
        8 => byte == b'T',
        15 => byte == b'.',
        22 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    text.len() == STAMP_CHARS && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_finished_files() {
        let at = stamp(UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456));
        assert_eq!(at, "20231114T221320.123456Z");
        assert!(is_stamp(&at));
        assert!(!is_stamp("backup") && !is_stamp(&format!("{at}.")) && !is_stamp("20231114T221320.123Z"));
        assert_eq!(
            finished_name(Path::new("/var/log/sessions.json"), &at),
            Path::new("/var/log/sessions-20231114T221320.123456Z.json")
        );
        assert_eq!(finished_name(Path::new("records"), "x"), Path::new("./records-x"));
    }
}
