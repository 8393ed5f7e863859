//! DPDK's environment: started once a process, for the life of the process.
//!
//! EAL makes the thread that initialises it its main lcore: pins it, and every thread that one starts
//! later inherits the pinning. So EAL gets a thread of its own, which does nothing from then on;
//! the caller's affinity is never touched, and threads that work on packets say where they run
//! ([`Lcore`](crate::Lcore)).
//!
//! EAL is not cleaned up. Ports are closed one by one; what is left is memory, which the kernel takes back
//! when the process exits, while `rte_eal_cleanup` unmaps it under mbufs still held and under EAL's
//! own interrupt thread, which goes on running (22.11; seen as a crash after closing net_memif). In return
//! every pool and every mbuf is valid for good. Use [`EalConfig::in_memory`] where no hugepage files should stay.

use std::collections::BTreeSet;
use std::ffi::{CString, c_char, c_int};
use std::fs;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::affinity::Affinity;
use crate::eal_config::EalConfig;
use crate::error::{Error, Result, check};
use crate::ffi;
use crate::id::{PortId, SocketId};
use crate::mbuf;

static INITIALISED: AtomicBool = AtomicBool::new(false);
static OPEN_PORTS: Mutex<BTreeSet<PortId>> = Mutex::new(BTreeSet::new());

/// Proof that EAL is up.
#[derive(Clone, Copy, Debug)]
pub struct Eal(());

impl Eal {
    /// Starts EAL and its devices.
    ///
    /// The handle can be copied to any thread.
    ///
    /// # Errors
    /// [`Error::AlreadyInitialised`] on a second call, also when the first failed;
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

        let (started, outcome) = channel();
        thread::Builder::new()
            .name("eal".to_owned())
            .spawn(move || {
                // Nobody waits for an outcome only if the caller is gone.
                _ = started.send(initialise(args).and_then(|()| vdevs.iter().try_for_each(probe)));
                // This thread is DPDK's main lcore, so it stays.
                loop {
                    thread::park();
                }
            })
            .map_err(|error| Error::invalid(doing(), format!("no thread: {error}")))?;
        outcome
            .recv()
            .unwrap_or_else(|_| Err(Error::invalid(doing(), "EAL's thread ended")))?;
        Ok(Self(()))
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
}

/// Reserves a port for one [`Port`](crate::Port).
pub(crate) fn claim_port(port: PortId) -> Result<()> {
    if open_ports().insert(port) {
        Ok(())
    } else {
        Err(Error::PortInUse(port))
    }
}

pub(crate) fn release_port(port: PortId) {
    open_ports().remove(&port);
}

/// The set stays whole whatever panicked.
fn open_ports() -> MutexGuard<'static, BTreeSet<PortId>> {
    OPEN_PORTS.lock().unwrap_or_else(PoisonError::into_inner)
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
