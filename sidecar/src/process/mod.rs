//! What is known of processes beyond what the kernel's programs tell: found in /proc when a process is first met, and
//! kept as long as there is room.

pub mod cgroup;
mod container;
mod listening;
mod local;

pub use listening::Listening;
pub use local::LocalAddresses;

use crate::event::Who;
use crate::limits::PROCESSES_MAX;
use hashbrown::HashMap;
use std::fs;
use tapir_parsers::host::Process;

/// What is kept of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    comm: String,
    executable: String,
    container: String,
}

/// Processes by pid and start: a pid is used again, the two together never.
#[derive(Default)]
pub struct Processes {
    known: HashMap<(u32, u64), Facts>,
}

fn key(who: &Who) -> (u32, u64) {
    (who.pid, who.started_ns)
}

impl Processes {
    /// Makes sure that `who` is known.
    pub fn meet(&mut self, who: &Who) {
        let known = self.known.get(&key(who));
        // Another name: it has executed another program.
        if known.is_some_and(|facts| facts.comm.as_bytes() == who.comm()) {
            return;
        }
        if self.known.len() >= PROCESSES_MAX {
            // Those that still speak are looked up once more.
            self.known.clear();
        }
        self.known.insert(key(who), look_up(who));
    }

    /// What is known of `who`.
    pub fn get(&self, who: &Who) -> Option<Process<'_>> {
        let facts = self.known.get(&key(who))?;
        Some(Process {
            pid: who.pid,
            comm: &facts.comm,
            executable: &facts.executable,
            container: &facts.container,
            pod: "",
        })
    }
}

fn look_up(who: &Who) -> Facts {
    let proc = format!("/proc/{}", who.pid);
    let executable = fs::read_link(format!("{proc}/exe"));
    let cgroups = fs::read_to_string(format!("{proc}/cgroup")).unwrap_or_default();
    Facts {
        comm: String::from_utf8_lossy(who.comm()).into_owned(),
        executable: executable.map_or_else(|_| String::new(), |path| path.to_string_lossy().into_owned()),
        container: container::id(&cgroups).unwrap_or_default().to_owned(),
    }
}
