//! What is known of processes beyond what the kernel's programs tell: found in /proc when a process is first met, and
//! kept as long as there is room.

pub mod cgroup;
mod container;
mod listening;

pub use listening::Listening;

use crate::event::Who;
use crate::limits::PROCESSES_MAX;
use hashbrown::HashMap;
use std::fs;

/// A process, as records tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Process id, as the host sees it.
    pub pid: u32,
    /// Name of the command.
    pub comm: Vec<u8>,
    /// Path of the program; empty when it can't be told any more.
    pub executable: Vec<u8>,
    /// Container id; empty outside of containers.
    pub container: String,
}

/// Processes by pid and start: a pid is used again, the two together never.
#[derive(Default)]
pub struct Processes {
    known: HashMap<(u32, u64), Facts>,
}

impl Processes {
    /// What is known of `who`.
    pub fn facts(&mut self, who: &Who) -> &Facts {
        let key = (who.pid, who.started_ns);
        if self.known.len() >= PROCESSES_MAX && !self.known.contains_key(&key) {
            // Those that still speak are looked up once more.
            self.known.clear();
        }
        let facts = self.known.entry(key).or_insert_with(|| look_up(who));
        if facts.comm != who.comm() {
            // It has executed another program.
            *facts = look_up(who);
        }
        facts
    }
}

fn look_up(who: &Who) -> Facts {
    use std::os::unix::ffi::OsStringExt;
    let proc = format!("/proc/{}", who.pid);
    let executable = fs::read_link(format!("{proc}/exe"));
    let cgroups = fs::read_to_string(format!("{proc}/cgroup"));
    Facts {
        pid: who.pid,
        comm: who.comm().to_vec(),
        executable: executable.map_or_else(|_| Vec::new(), |path| path.into_os_string().into_vec()),
        container: cgroups
            .ok()
            .and_then(|text| container::id(&text).map(str::to_owned))
            .unwrap_or_default(),
    }
}
