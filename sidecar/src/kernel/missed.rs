//! How often programs did not run because they ran already on that CPU: the kernel says so beside each one's descriptor.

use libbpf_rs::Object;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// Programs of any object; others than the first are at work in threads of their own.
#[derive(Default)]
pub(super) struct Missed {
    programs: Vec<(String, OwnedFd)>,
}

impl Missed {
    /// Counts those of `object` from now on.
    ///
    /// # Errors
    /// When there are no more descriptors to be had.
    pub(super) fn watch(&mut self, object: &Object) -> std::io::Result<()> {
        for program in object.progs().filter(|program| program.autoload()) {
            let name = program.name().to_string_lossy().into_owned();
            self.programs.push((name, program.as_fd().try_clone_to_owned()?));
        }
        Ok(())
    }

    /// Each program, and how often it was missed.
    pub(super) fn by_program(&self) -> impl Iterator<Item = (&str, u64)> {
        self.programs
            .iter()
            .map(|(name, program)| (name.as_str(), misses(program).unwrap_or(0)))
    }
}

fn misses(program: &OwnedFd) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd())).ok()?;
    let mut lines = text.lines();
    let number = lines.find_map(|line| line.strip_prefix("recursion_misses:"))?;
    number.trim().parse().ok()
}
