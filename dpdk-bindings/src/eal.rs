//! DPDK's environment: started once a process, cleaned up after everything made with it.
//!
//! EAL makes the thread that initialises it its main lcore: pins it, and every thread that one starts
//! later inherits the pinning. So EAL gets a thread of its own, which does nothing but wait for the end;
//! the caller's affinity is never touched, and threads that work on packets say where they run
//! ([`Lcore`](crate::Lcore)).

use std::collections::BTreeSet;
use std::ffi::{CString, c_char, c_int};
use std::fmt;
use std::fs;
use std::path::Path;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::affinity::Affinity;
use crate::eal_config::EalConfig;
use crate::error::{Error, Result, check};
use crate::ffi;
use crate::id::{PortId, SocketId};
use crate::mbuf;

static INITIALISED: AtomicBool = AtomicBool::new(false);

/// A handle to EAL. Clones are the same EAL; it is cleaned up when the last one, and everything
/// made with it, is dropped.
#[derive(Clone)]
pub struct Eal(Arc<Inner>);

struct Inner {
    thread: Option<JoinHandle<()>>,
    end: Sender<End>,
    pools: Mutex<Vec<Pool>>,
    open_ports: Mutex<BTreeSet<PortId>>,
}

/// A pool made here, and how many mbufs it has. They live until EAL is cleaned up.
struct Pool(NonNull<ffi::rte_mempool>, u32);

// SAFETY: only its count is read, which DPDK allows from any thread.
unsafe impl Send for Pool {}

/// How EAL's thread is told to end.
enum End {
    CleanUp,
    /// Some mbuf is still out: memory must stay until the process exits.
    LeaveAsIs,
}

impl Eal {
    /// Starts EAL and its devices.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialised`] on a second call, also after the first failed or was cleaned up;
    /// [`Error::NoHugepages`]; DPDK's errno for everything else, with the device if it was one.
    pub fn init(config: &EalConfig) -> Result<Self> {
        let doing = || "initialise EAL".to_owned();
        if !config.no_huge && has_no_hugepages(Path::new("/sys/kernel/mm/hugepages")) {
            return Err(Error::NoHugepages);
        }
        let args = config.to_args(&Affinity::current()?.cpus());
        let args = to_c_strings(doing(), &args)?;
        let vdevs = to_c_strings("add virtual device".to_owned(), &config.vdevs)?;
        if INITIALISED.swap(true, Ordering::AcqRel) {
            return Err(Error::AlreadyInitialised);
        }

        let (end, end_receiver) = channel();
        let (started, started_receiver) = channel();
        let thread = thread::Builder::new()
            .name("eal".to_owned())
            .spawn(move || run(args, &vdevs, &started, &end_receiver))
            .map_err(|error| Error::invalid(doing(), format!("no thread: {error}")))?;
        started_receiver
            .recv()
            .unwrap_or_else(|_| Err(Error::invalid(doing(), "EAL's thread ended")))?;
        Ok(Self(Arc::new(Inner {
            thread: Some(thread),
            end,
            pools: Mutex::default(),
            open_ports: Mutex::default(),
        })))
    }

    /// Ticks of [`tsc`](crate::tsc) in a second.
    #[must_use]
    pub fn tsc_hz(&self) -> u64 {
        // SAFETY: reads a number measured when EAL started.
        unsafe { ffi::rte_get_tsc_hz() }
    }

    /// The NUMA nodes that have CPUs or memory.
    #[must_use]
    pub fn sockets(&self) -> Vec<SocketId> {
        // SAFETY: both read EAL's configuration, fixed since it started; a wrong index gives -1.
        unsafe {
            (0..ffi::rte_socket_count())
                .filter_map(|index| SocketId::from_raw(ffi::rte_socket_id_by_idx(index)))
                .collect()
        }
    }

    /// Remembers a pool, whose mbufs must be back before EAL can go.
    pub(crate) fn register_pool(&self, pool: NonNull<ffi::rte_mempool>, mbufs: u32) {
        lock(&self.0.pools).push(Pool(pool, mbufs));
    }

    /// Reserves a port for one [`Port`](crate::Port).
    pub(crate) fn claim_port(&self, port: PortId) -> Result<()> {
        if lock(&self.0.open_ports).insert(port) {
            Ok(())
        } else {
            Err(Error::PortInUse(port))
        }
    }

    pub(crate) fn release_port(&self, port: PortId) {
        lock(&self.0.open_ports).remove(&port);
    }
}

impl fmt::Debug for Eal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eal").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Registered threads hold a handle, so none is in the middle of returning an mbuf to its cache;
        // others return to the pool's ring, which counts an mbuf only when it is there.
        let all_back = lock(&self.pools).iter().all(|Pool(pool, mbufs)| {
            // SAFETY: pools live until the clean-up this decides about.
            unsafe { ffi::rte_mempool_avail_count(pool.as_ptr()) == *mbufs }
        });
        // A send fails, and a join does, only if the thread is gone: nothing left to do then.
        _ = self
            .end
            .send(if all_back { End::CleanUp } else { End::LeaveAsIs });
        _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The life of EAL's thread.
fn run(args: Vec<CString>, vdevs: &[CString], started: &Sender<Result<()>>, end: &Receiver<End>) {
    if let Err(error) = initialise(args) {
        _ = started.send(Err(error));
        return;
    }
    let probed = vdevs.iter().try_for_each(probe);
    let go_on = probed.is_ok();
    _ = started.send(probed);
    if !go_on || matches!(end.recv(), Ok(End::CleanUp)) {
        // SAFETY: no pool is in use (see `Inner::drop`), ports and rings hold an `Eal`, so are gone.
        unsafe { ffi::rte_eal_cleanup() };
    }
}

fn initialise(args: Vec<CString>) -> Result<()> {
    let count =
        c_int::try_from(args.len()).map_err(|_| Error::invalid("initialise EAL", "too many options"))?;
    // DPDK reorders the array and may keep the strings: a few hundred bytes for the process's life.
    let mut pointers: Vec<*mut c_char> = args.into_iter().map(CString::into_raw).collect();
    pointers.push(ptr::null_mut());
    let pointers = pointers.leak();
    // SAFETY: `count` strings and a null, all of them never freed.
    check(unsafe { ffi::rte_eal_init(count, pointers.as_mut_ptr()) }, || {
        "initialise EAL".to_owned()
    })?;
    check(mbuf::register_timestamp_field(), || {
        "reserve the timestamp field of mbufs".to_owned()
    })?;
    Ok(())
}

fn probe(device: &CString) -> Result<()> {
    // SAFETY: a C string, copied by DPDK.
    let returned = unsafe { ffi::rte_dev_probe(device.as_ptr()) };
    check(returned, || {
        format!("add virtual device {}", device.to_string_lossy())
    })?;
    Ok(())
}

fn to_c_strings(doing: String, strings: &[String]) -> Result<Vec<CString>> {
    strings
        .iter()
        .map(|string| CString::new(string.as_str()))
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| Error::invalid(doing, "a zero byte in an argument"))
}

/// Whether the kernel surely has no hugepage of any size; where it can't be read, EAL finds out.
fn has_no_hugepages(sizes: &Path) -> bool {
    let Ok(sizes) = fs::read_dir(sizes) else {
        return false;
    };
    sizes.flatten().all(|size| {
        fs::read_to_string(size.path().join("nr_hugepages")).is_ok_and(|count| count.trim() == "0")
    })
}

/// What the mutexes hold stays whole whatever panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
