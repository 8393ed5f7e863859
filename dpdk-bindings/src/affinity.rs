//! Which CPUs the calling thread may run on.

use std::io;
use std::mem;

use crate::error::{Errno, Error, Result};
use crate::id::CpuId;

/// CPUs a `cpu_set_t` has room for.
const SET_SIZE: u16 = libc::CPU_SETSIZE as u16;

/// A set of CPUs as the kernel takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Affinity(libc::cpu_set_t);

impl Affinity {
    /// One CPU.
    pub(crate) fn of(cpu: CpuId) -> Result<Self> {
        if cpu.0 >= SET_SIZE {
            return Err(Error::invalid(
                format!("pin to CPU {cpu}"),
                format!("CPUs end at {}", SET_SIZE - 1),
            ));
        }
        // SAFETY: all zeros is the empty set; the index is below CPU_SETSIZE.
        let set = unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            libc::CPU_SET(usize::from(cpu.0), &mut set);
            set
        };
        Ok(Self(set))
    }

    /// What the calling thread may run on.
    pub(crate) fn current() -> Result<Self> {
        // SAFETY: all zeros is the empty set, and the kernel is told its size.
        let (returned, set) = unsafe {
            let mut set: libc::cpu_set_t = mem::zeroed();
            (libc::sched_getaffinity(0, size_of_val(&set), &raw mut set), set)
        };
        check(returned, || "read the thread's CPU affinity".to_owned())?;
        Ok(Self(set))
    }

    /// Lets the calling thread run on these CPUs only.
    pub(crate) fn apply(&self) -> Result<()> {
        // SAFETY: the kernel reads the set, whose size it is told.
        let returned = unsafe { libc::sched_setaffinity(0, size_of_val(&self.0), &raw const self.0) };
        check(returned, || format!("run on CPUs {:?}", self.cpus()))
    }

    /// The CPUs, in order.
    pub(crate) fn cpus(&self) -> Vec<CpuId> {
        // SAFETY: every index is below CPU_SETSIZE.
        let is_in = |cpu: &u16| unsafe { libc::CPU_ISSET(usize::from(*cpu), &self.0) };
        (0..SET_SIZE).filter(is_in).map(CpuId).collect()
    }
}

fn check(returned: i32, doing: impl FnOnce() -> String) -> Result<()> {
    if returned == 0 {
        return Ok(());
    }
    let errno = Errno(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL));
    Err(Error::Dpdk {
        doing: doing(),
        errno,
    })
}
