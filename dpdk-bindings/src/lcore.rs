//! A thread that works on packets: pinned to a CPU and known to DPDK.
//!
//! Of DPDK's two ways, launching functions on threads EAL started and registering threads of one's
//! own, this is the second: a worker is an ordinary Rust thread (it can be joined, panic, hold borrows of a
//! scope), CPUs are chosen when it starts and not when EAL does, and it costs the same, since
//! what DPDK gives either kind is the same lcore id, through which pools find the thread's cache.

use std::marker::PhantomData;

use crate::affinity::Affinity;
use crate::eal::Eal;
use crate::error::{Error, Result, check};
use crate::ffi;
use crate::id::{CpuId, LcoreId, SocketId};

/// The calling thread as an lcore; undone, affinity too, when dropped.
#[derive(Debug)]
pub struct Lcore {
    id: LcoreId,
    cpu: CpuId,
    before: Affinity,
    // About this thread, so of no use on another.
    _not_send: PhantomData<*mut ()>,
}

impl Lcore {
    /// Pins the calling thread to `cpu` and registers it with DPDK.
    ///
    /// # Errors
    /// EINVAL if the process may not use that CPU, ENOMEM when all 128 lcore ids are taken,
    /// [`Error::Invalid`] if the thread is an lcore already.
    pub fn enter(_eal: Eal, cpu: CpuId) -> Result<Self> {
        let doing = || format!("register a thread on CPU {cpu}");
        if Self::current().is_some() {
            return Err(Error::invalid(doing(), "it is registered already"));
        }
        let before = Affinity::current()?;
        // First the CPU, then DPDK: it takes the NUMA node from where the thread may run.
        Affinity::of(cpu)?.apply()?;
        // SAFETY: EAL is up and the thread is not registered.
        let registered = check(unsafe { ffi::rte_thread_register() }, doing);
        match (registered, Self::current()) {
            (Ok(_), Some(id)) => Ok(Self {
                id,
                cpu,
                before,
                _not_send: PhantomData,
            }),
            (result, _) => {
                before.apply()?;
                Err(result
                    .err()
                    .unwrap_or_else(|| Error::invalid(doing(), "it got no id")))
            }
        }
    }

    /// The calling thread's id, if it is an lcore.
    #[must_use]
    pub fn current() -> Option<LcoreId> {
        // SAFETY: reads a thread-local integer.
        let id = unsafe { ffi::tapir_lcore_id() };
        (id != ffi::ANY_LCORE).then_some(LcoreId(id))
    }

    /// DPDK's number of this thread.
    #[must_use]
    pub fn id(&self) -> LcoreId {
        self.id
    }

    /// The CPU it runs on.
    #[must_use]
    pub fn cpu(&self) -> CpuId {
        self.cpu
    }

    /// The NUMA node of that CPU.
    #[must_use]
    pub fn socket(&self) -> Option<SocketId> {
        // SAFETY: reads a thread-local integer; `self` can't have left the thread it is about.
        SocketId::from_raw(unsafe { ffi::rte_socket_id() }.cast_signed())
    }
}

impl Drop for Lcore {
    fn drop(&mut self) {
        // SAFETY: registered in `enter`, on this thread.
        unsafe { ffi::rte_thread_unregister() };
        // CPUs may have gone offline since; the thread then stays where it is.
        _ = self.before.apply();
    }
}
