//! What is known of processes beyond what the kernel's programs tell: found in /proc when a process is first met, and
//! kept as long as there is room.

pub mod cgroup;
mod container;
mod listening;
mod local;
mod pods;

pub use listening::Listening;
pub use local::LocalAddresses;

use crate::event::Who;
use crate::limits::PROCESSES_MAX;
use hashbrown::HashMap;
use pods::Pods;
use std::fs;
use std::path::Path;
use tapir_parsers::host::Process;

/// What is kept of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    comm: String,
    executable: String,
    place: Place,
}

/// What a process runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    container: String,
    pod: String,
}

/// A process and the program in it: a pid is used again, it and the start together never.
type Key = (u32, u64, u32);

/// What is known of processes.
pub struct Processes {
    known: HashMap<Key, Facts>,
    /// By cgroup: of processes that are over before they are looked up.
    places: HashMap<u64, Place>,
    pods: Pods,
}

fn key(who: &Who) -> Key {
    (who.pid, who.started_ns, who.exec)
}

impl Processes {
    /// None yet; those of pods have names where the files of the host below `root` tell them.
    pub fn new(root: &Path) -> Self {
        Self {
            known: HashMap::new(),
            places: HashMap::new(),
            pods: Pods::new(root),
        }
    }

    /// Makes sure that `who` is known.
    pub fn meet(&mut self, who: &Who) {
        let known = self.known.get(&key(who));
        // A process may take another name.
        if known.is_some_and(|facts| facts.comm.as_bytes() == who.comm()) {
            return;
        }
        if self.known.len() >= PROCESSES_MAX {
            // Those that still speak are looked up once more.
            self.known.clear();
        }
        let facts = self.look_up(who);
        self.known.insert(key(who), facts);
    }

    /// What is known of `who`.
    pub fn get(&self, who: &Who) -> Option<Process<'_>> {
        let facts = self.known.get(&key(who))?;
        Some(Process {
            pid: who.pid,
            comm: &facts.comm,
            executable: &facts.executable,
            container: &facts.place.container,
            pod: &facts.place.pod,
        })
    }

    fn look_up(&mut self, who: &Who) -> Facts {
        let proc = format!("/proc/{}", who.pid);
        let executable = fs::read_link(format!("{proc}/exe"));
        let place = match fs::read_to_string(format!("{proc}/cgroup")) {
            Ok(cgroups) => self.place(who, &cgroups),
            Err(_) => self.places.get(&who.cgroup).cloned().unwrap_or_default(),
        };
        Facts {
            comm: String::from_utf8_lossy(who.comm()).into_owned(),
            executable: executable.map_or_else(|_| String::new(), |path| path.to_string_lossy().into_owned()),
            place,
        }
    }

    fn place(&mut self, who: &Who, cgroups: &str) -> Place {
        let container = container::id(cgroups).unwrap_or_default();
        let place = Place {
            container: container.to_owned(),
            pod: self.pods.name(cgroups, container),
        };
        // Cgroups of version 1 have no numbers here.
        let own = cgroups.lines().find(|line| line.starts_with(VERSION_2));
        if own.is_some_and(|line| container::id(line) == Some(container)) {
            if self.places.len() >= PROCESSES_MAX {
                self.places.clear();
            }
            self.places.insert(who.cgroup, place.clone());
        }
        place
    }
}

/// How the line of /proc/PID/cgroup for the cgroup of version 2 begins (cgroups(7)).
const VERSION_2: &str = "0::";
