//! Which files hold TLS libraries, which processes use them, and where probes are.
//!
//! A probe belongs to a file, not to a process: whoever maps the file later runs it from his first instruction on. So
//! each file is looked into once, probes stay a while after its last user is gone, and a short-lived program is missed
//! only when nobody has ever used its library before.

use super::library::{Inspection, Library, Probe, inspect};
use super::maps::{FileKey, Mapped, code_files};
use super::why::{self, Reason};
use crate::limits::{
    MAPS_BYTES_MAX, TLS_EXAMINE_AGAIN, TLS_FILES_EXAMINED_MAX, TLS_FILES_PROBED_MAX, TLS_PROCESSES_MAX,
    TLS_RELEASE_AFTER,
};
use hashbrown::{HashMap, HashSet};
use std::fs::File;
use std::io::{Read, Result};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Puts probes into files.
pub trait Attach {
    /// Keeps them there until dropped.
    type Link;

    /// Puts `probes` into `file`, all or none.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn attach(&mut self, file: &File, probes: &[Probe]) -> Result<Self::Link>;
}

/// What the finder has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinderCounters {
    /// Times that a process's files were looked through.
    pub looks: u64,
    /// Files looked into.
    pub examined: u64,
    /// Files that could not be opened or read.
    pub unreadable: u64,
    /// Files that probes were put into.
    pub probed: u64,
    /// Files that probes were taken out of.
    pub released: u64,
    /// Files that the kernel refused probes for.
    pub refused: u64,
    /// Files left alone because too many have probes.
    pub too_many: u64,
}

impl FinderCounters {
    /// Every count by name.
    pub fn visit(&self, see: &mut dyn FnMut(&'static str, u64)) {
        see("looks", self.looks);
        see("examined", self.examined);
        see("unreadable", self.unreadable);
        see("probed", self.probed);
        see("released", self.released);
        see("refused", self.refused);
        see("too_many", self.too_many);
    }
}

/// A file that was looked into.
struct Known<L> {
    libraries: Vec<Library>,
    /// It has something to probe.
    is_of_use: bool,
    link: Option<L>,
    unknown_go: bool,
    /// What its contents tell, once asked.
    told: Option<Option<Reason>>,
    examined: Instant,
    used: Instant,
    /// Probes stay, used or not: the system's own libraries.
    stays: bool,
}

/// A process, as far as it uses what is probed.
struct Process {
    started: u64,
    files: Vec<FileKey>,
}

/// See the module.
pub struct Finder<A: Attach> {
    proc: PathBuf,
    attach: A,
    files: HashMap<FileKey, Known<A::Link>>,
    processes: HashMap<u32, Process>,
    counters: FinderCounters,
}

impl<A: Attach> Finder<A> {
    /// Knows nothing yet. `proc` is where the kernel shows processes.
    pub fn new(proc: impl Into<PathBuf>, attach: A) -> Self {
        Self {
            proc: proc.into(),
            attach,
            files: HashMap::new(),
            processes: HashMap::new(),
            counters: FinderCounters::default(),
        }
    }

    /// What was done so far.
    pub fn counters(&self) -> FinderCounters {
        self.counters
    }

    /// Everything that keeps probes in files.
    pub fn into_links(self) -> Vec<A::Link> {
        self.files.into_values().filter_map(|known| known.link).collect()
    }

    /// How many files have probes.
    pub fn probed(&self) -> usize {
        self.files.values().filter(|known| known.link.is_some()).count()
    }

    /// Looks into libraries before anybody is seen to use them.
    pub fn look_at(&mut self, paths: impl IntoIterator<Item = PathBuf>, now: Instant) {
        for path in paths {
            let Ok(file) = File::open(&path) else { continue };
            let Ok(metadata) = file.metadata() else { continue };
            let device = metadata.dev();
            let key = FileKey {
                device: (rustix::fs::major(device), rustix::fs::minor(device)),
                inode: metadata.ino(),
            };
            if !self.files.contains_key(&key) {
                self.examine(key, &file, &path, now);
            }
            if let Some(known) = self.files.get_mut(&key) {
                known.stays = true;
            }
        }
    }

    /// Looks at all processes that there are, unless `stop` says that it is in vain.
    pub fn look_at_all(&mut self, now: Instant, stop: impl Fn() -> bool) {
        let Ok(entries) = std::fs::read_dir(&self.proc) else {
            return;
        };
        let pids = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        for pid in pids.collect::<Vec<u32>>().into_iter().take_while(|_| !stop()) {
            self.look(pid, now);
        }
    }

    /// Looks at what a process has mapped.
    pub fn look(&mut self, pid: u32, now: Instant) {
        self.counters.looks += 1;
        // A process without files is over, or of the kernel.
        let Some(mapped) = self.mapped(pid) else { return };
        let mut used = Vec::new();
        for mapped in mapped {
            if self.is_news(mapped.key, now) {
                match mapped.open(&self.proc, pid) {
                    Ok(file) => self.examine(mapped.key, &file, &mapped.path, now),
                    Err(_) => {
                        self.counters.unreadable += 1;
                        continue;
                    }
                }
            }
            if let Some(known) = self.files.get_mut(&mapped.key).filter(|known| known.is_of_use) {
                known.used = now;
                used.push(mapped.key);
            }
        }
        if used.is_empty() {
            self.processes.remove(&pid);
        } else if let Some(started) = self.started(pid)
            && (self.processes.len() < TLS_PROCESSES_MAX || self.processes.contains_key(&pid))
        {
            self.processes.insert(pid, Process { started, files: used });
        }
    }

    /// Processes that have a library that is watched.
    pub fn users(&self) -> impl Iterator<Item = u32> {
        self.processes.keys().copied().filter(|pid| self.is_user(*pid))
    }

    /// Whether a process has a library that is watched, as far as it was looked at.
    pub fn is_user(&self, pid: u32) -> bool {
        let files = self
            .processes
            .get(&pid)
            .into_iter()
            .flat_map(|process| &process.files);
        let mut known = files.filter_map(|key| self.files.get(key));
        known.any(|known| known.link.is_some() && !known.libraries.is_empty())
    }

    /// Why the plain bytes of a TLS connection of `pid`, which no probe has seen, are not there.
    pub fn why(&mut self, pid: u32) -> Reason {
        let Some(mapped) = self.mapped(pid) else {
            return Reason::NotExamined;
        };
        let known = |finder: &Self, test: fn(&Known<A::Link>) -> bool| {
            mapped.iter().any(|m| finder.files.get(&m.key).is_some_and(test))
        };
        if known(self, |known| {
            known.is_of_use && known.link.is_none() && !known.libraries.is_empty()
        }) {
            return Reason::Refused;
        }
        if known(self, |known| known.unknown_go) {
            return Reason::GoUnsupported;
        }
        if let Some(reason) = mapped.iter().find_map(|m| why::by_name(m.name())) {
            return reason;
        }
        if known(self, |known| !known.libraries.is_empty()) {
            return Reason::Indirect;
        }
        // The program itself comes first in its maps, and most others are the system's.
        if let Some(reason) = mapped.iter().find_map(|m| self.told(m, pid)) {
            return reason;
        }
        Reason::Unknown
    }

    /// Forgets processes that are over, and takes probes out of files that nobody has used for long.
    pub fn sweep(&mut self, now: Instant) {
        let over: Vec<u32> = self
            .processes
            .iter()
            .filter(|(pid, process)| self.started(**pid) != Some(process.started))
            .map(|(pid, _)| *pid)
            .collect();
        for pid in over {
            self.processes.remove(&pid);
        }
        let used: HashSet<FileKey> = self
            .processes
            .values()
            .flat_map(|p| p.files.iter().copied())
            .collect();
        // Without all processes in view, a file that seems unused may not be.
        let sees_all = self.processes.len() < TLS_PROCESSES_MAX;
        let mut released = 0;
        for (_, known) in self.files.iter_mut().filter(|(key, _)| !used.contains(*key)) {
            let is_due = now.saturating_duration_since(known.used) >= TLS_RELEASE_AFTER;
            if sees_all && is_due && !known.stays && known.link.take().is_some() {
                // Whoever uses it next has it looked into again.
                known.examined = known
                    .examined
                    .checked_sub(TLS_EXAMINE_AGAIN)
                    .unwrap_or(known.examined);
                known.is_of_use = false;
                released += 1;
            }
        }
        self.counters.released += released;
    }

    /// Whether there is no such process any more.
    pub fn is_over(&self, pid: u32) -> bool {
        !self.proc.join(pid.to_string()).exists()
    }

    /// Whether a file is to be looked into. One with probes can't be another meanwhile: they hold it.
    fn is_news(&self, key: FileKey, now: Instant) -> bool {
        self.files.get(&key).is_none_or(|known| {
            known.link.is_none() && now.saturating_duration_since(known.examined) >= TLS_EXAMINE_AGAIN
        })
    }

    fn examine(&mut self, key: FileKey, file: &File, path: &Path, now: Instant) {
        self.counters.examined += 1;
        let inspection = file.try_clone().and_then(inspect).unwrap_or_else(|error| {
            log::debug!("{}: {error}", path.display());
            self.counters.unreadable += 1;
            Inspection::default()
        });
        if self.files.len() >= TLS_FILES_EXAMINED_MAX {
            self.files.retain(|_, known| known.link.is_some());
        }
        let mut known = Known {
            is_of_use: !inspection.probes.is_empty(),
            link: None,
            unknown_go: inspection.unknown_go,
            told: None,
            examined: now,
            used: now,
            stays: false,
            libraries: inspection.libraries,
        };
        if known.is_of_use {
            known.link = self.probe(file, path, &inspection.probes);
        }
        self.files.insert(key, known);
    }

    fn probe(&mut self, file: &File, path: &Path, probes: &[Probe]) -> Option<A::Link> {
        if self.probed() >= TLS_FILES_PROBED_MAX {
            self.counters.too_many += 1;
            return None;
        }
        match self.attach.attach(file, probes) {
            Ok(link) => {
                self.counters.probed += 1;
                log::debug!("{}: {} probes", path.display(), probes.len());
                Some(link)
            }
            Err(error) => {
                self.counters.refused += 1;
                log::warn!(
                    "probing {}: {error}; what its users encrypt stays unread",
                    path.display()
                );
                None
            }
        }
    }

    fn told(&mut self, mapped: &Mapped, pid: u32) -> Option<Reason> {
        let known = self.files.get_mut(&mapped.key)?;
        // A library that is read has these texts as well.
        if !known.libraries.is_empty() {
            return None;
        }
        let proc = &self.proc;
        *known
            .told
            .get_or_insert_with(|| why::by_contents(&mut mapped.open(proc, pid).ok()?))
    }

    fn mapped(&self, pid: u32) -> Option<Vec<Mapped>> {
        let file = File::open(self.proc.join(pid.to_string()).join("maps")).ok()?;
        let mut maps = Vec::new();
        file.take(MAPS_BYTES_MAX).read_to_end(&mut maps).ok()?;
        let files = code_files(&maps);
        (!files.is_empty()).then_some(files)
    }

    /// When a process started, in the kernel's ticks: field 22 of /proc/PID/stat (proc_pid_stat(5)).
    fn started(&self, pid: u32) -> Option<u64> {
        let stat = std::fs::read_to_string(self.proc.join(pid.to_string()).join("stat")).ok()?;
        let (_, behind_name) = stat.rsplit_once(')')?;
        behind_name.split_ascii_whitespace().nth(19)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::library::Program;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    /// Remembers which probes are in, by file.
    #[derive(Clone, Default)]
    struct Fake {
        inside: Rc<RefCell<Vec<u64>>>,
        refuses: bool,
    }

    struct FakeLink(Fake, u64);

    impl Drop for FakeLink {
        fn drop(&mut self) {
            self.0.inside.borrow_mut().retain(|inode| *inode != self.1);
        }
    }

    impl Attach for Fake {
        type Link = FakeLink;

        fn attach(&mut self, file: &File, probes: &[Probe]) -> Result<FakeLink> {
            if self.refuses {
                return Err(std::io::ErrorKind::PermissionDenied.into());
            }
            assert!(probes.iter().any(|probe| probe.program == Program::Enter));
            let inode = file.metadata()?.ino();
            self.inside.borrow_mut().push(inode);
            Ok(FakeLink(self.clone(), inode))
        }
    }

    /// Processes that never were, in a directory of files as the kernel would show them.
    struct Host {
        proc: tempfile::TempDir,
        fake: Fake,
    }

    impl Host {
        fn new() -> Self {
            Self {
                proc: tempfile::tempdir().unwrap(),
                fake: Fake::default(),
            }
        }

        fn finder(&self) -> Finder<Fake> {
            Finder::new(self.proc.path(), self.fake.clone())
        }

        fn run(&self, pid: u32, started: u64, files: &[&Path]) {
            let process = self.proc.path().join(pid.to_string());
            std::fs::create_dir_all(&process).unwrap();
            let line = |path: &&Path| {
                let inode = std::fs::metadata(path).unwrap().ino();
                format!("1000-2000 r-xp 00000000 08:01 {inode}    {}\n", path.display())
            };
            let maps: String = files.iter().map(line).collect();
            std::fs::write(process.join("maps"), maps).unwrap();
            let stat = format!("{pid} (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {started} 0");
            std::fs::write(process.join("stat"), stat).unwrap();
            let root = process.join("root");
            if !root.exists() {
                std::os::unix::fs::symlink("/", root).unwrap();
            }
        }

        fn end(&self, pid: u32) {
            std::fs::remove_dir_all(self.proc.path().join(pid.to_string())).unwrap();
        }

        fn inside(&self) -> usize {
            self.fake.inside.borrow().len()
        }
    }

    fn libssl() -> PathBuf {
        let found = super::super::system_libraries();
        let is_libssl = |path: &PathBuf| path.file_name().is_some_and(|name| name == "libssl.so.3");
        found
            .into_iter()
            .find(is_libssl)
            .expect("scripts/setup installs OpenSSL 3")
    }

    #[test]
    fn a_file_is_probed_once_and_released_after_its_last_user() {
        let (host, library) = (Host::new(), libssl());
        let mut finder = host.finder();
        let begin = Instant::now();
        host.run(10, 1, &[Path::new("/bin/true"), &library]);
        host.run(11, 1, &[&library]);
        finder.look_at_all(begin, || false);
        finder.look(11, begin);
        assert_eq!((host.inside(), finder.probed()), (1, 1));
        assert_eq!(finder.counters().probed, 1);

        host.end(10);
        let later = begin + 2 * TLS_RELEASE_AFTER;
        finder.sweep(later);
        assert_eq!(host.inside(), 1, "11 goes on");
        // Another process by the number of one that is over.
        host.run(11, 2, &[Path::new("/bin/true")]);
        finder.sweep(later);
        assert_eq!((host.inside(), finder.counters().released), (0, 1));

        host.run(12, 3, &[&library]);
        finder.look(12, later);
        assert_eq!(host.inside(), 1, "it is looked into again at once");
    }

    #[test]
    fn a_file_that_nobody_uses_for_a_short_while_keeps_its_probes() {
        let (host, library) = (Host::new(), libssl());
        let mut finder = host.finder();
        let begin = Instant::now();
        host.run(10, 1, &[&library]);
        finder.look(10, begin);
        host.end(10);
        finder.sweep(begin + TLS_RELEASE_AFTER - Duration::from_secs(1));
        assert_eq!(host.inside(), 1);
        finder.sweep(begin + TLS_RELEASE_AFTER);
        assert_eq!(host.inside(), 0);
    }

    #[test]
    fn the_systems_libraries_stay() {
        let host = Host::new();
        let mut finder = host.finder();
        let begin = Instant::now();
        finder.look_at([libssl(), PathBuf::from("/nowhere/libssl.so")], begin);
        finder.sweep(begin + 10 * TLS_RELEASE_AFTER);
        assert_eq!(host.inside(), 1);
    }

    #[test]
    fn the_reason_is_told() {
        let (mut host, library) = (Host::new(), libssl());
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, contents: &[u8]| {
            let path = directory.path().join(name);
            std::fs::write(&path, contents).unwrap();
            path
        };
        let now = Instant::now();
        let plain = file("plain", b"nothing here");
        let cases = [
            (
                file("program", b"\x7fELF ... registry/src/rustls-0.23.1/src/lib.rs"),
                Reason::Rustls,
            ),
            (file("other", b"... ssl/ssl_lib.c ..."), Reason::Stripped),
            (file("libjvm.so", b""), Reason::Jsse),
            (file("libnspr4.so", b""), Reason::Nss),
            (library.clone(), Reason::Indirect),
            (plain.clone(), Reason::Unknown),
        ];
        let mut finder = host.finder();
        for (pid, (path, reason)) in (1..).zip(&cases) {
            host.run(pid, 1, &[&plain, path]);
            finder.look(pid, now);
            assert_eq!(finder.why(pid), *reason, "{}", path.display());
        }
        assert_eq!(finder.why(99), Reason::NotExamined);
        host.fake.refuses = true;
        let mut refused = host.finder();
        host.run(50, 1, &[&library]);
        refused.look(50, now);
        assert_eq!(
            (refused.why(50), refused.counters().refused),
            (Reason::Refused, 1)
        );
    }

    #[test]
    fn files_without_use_are_forgotten_when_they_are_too_many() {
        let host = Host::new();
        let directory = tempfile::tempdir().unwrap();
        let mut finder = host.finder();
        let now = Instant::now();
        let path = directory.path().join("x");
        std::fs::write(&path, b"x").unwrap();
        for inode in 0..TLS_FILES_EXAMINED_MAX as u64 + 10 {
            let key = FileKey {
                device: (0, 0),
                inode,
            };
            finder.examine(key, &File::open(&path).unwrap(), &path, now);
        }
        assert!(finder.files.len() <= TLS_FILES_EXAMINED_MAX);
    }
}
