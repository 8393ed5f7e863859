//! What went wrong, while doing what, with DPDK's own number and text.

use std::ffi::CStr;
use std::fmt;

use crate::ffi;
use crate::id::PortId;

/// Result of this crate's operations.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an operation failed. Each is one line that can be shown as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// DPDK refused; its log (stderr) often says more.
    #[error("{doing}: {errno}")]
    Dpdk {
        /// What was being done, with its operands.
        doing: String,
        /// What DPDK answered.
        errno: Errno,
    },
    /// EAL can be initialised once in the life of a process, also when that failed.
    #[error("initialise EAL: already done in this process, and possible only once")]
    AlreadyInitialised,
    /// The kernel has no hugepage to give, and `no_huge` was not asked for.
    #[error(
        "initialise EAL: no hugepages reserved: `echo 512 > /proc/sys/vm/nr_hugepages` as root (1 GiB in 2 MiB \
         pages), or run without (no_huge: slower, for tests)"
    )]
    NoHugepages,
    /// No port of that name, or with that number.
    #[error("port {wanted}: not found; DPDK has {}", if known.is_empty() { "no ports" } else { known.as_str() })]
    NoSuchPort {
        /// What was asked for.
        wanted: String,
        /// Names of the ports there are, separated by commas.
        known: String,
    },
    /// The port is open elsewhere in this process.
    #[error("port {0}: already open in this process")]
    PortInUse(PortId),
    /// Queues of the port are still held, so it can't be stopped or configured.
    #[error("stop port {port}: {held} of its queues are still held")]
    QueuesHeld {
        /// The port.
        port: PortId,
        /// How many queue handles live.
        held: usize,
    },
    /// An operation in the wrong order.
    #[error("{doing}: {reason}")]
    Invalid {
        /// What was being done.
        doing: String,
        /// Why it can't be.
        reason: String,
    },
}

impl Error {
    pub(crate) fn invalid(doing: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            doing: doing.into(),
            reason: reason.into(),
        }
    }

    /// For functions that leave the reason in `rte_errno`.
    pub(crate) fn from_rte_errno(doing: impl Into<String>) -> Self {
        Self::Dpdk {
            doing: doing.into(),
            errno: Errno::last(),
        }
    }
}

/// An errno, positive: the kernel's numbers, and DPDK's own from 1001 on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Errno(pub i32);

impl Errno {
    /// `rte_errno` of the calling thread.
    pub(crate) fn last() -> Self {
        // SAFETY: reads a thread-local integer.
        Self(unsafe { ffi::tapir_errno() })
    }

    /// The symbol, for the numbers DPDK's functions return.
    fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            libc::EPERM => "EPERM",
            libc::ENOENT => "ENOENT",
            libc::EIO => "EIO",
            libc::EAGAIN => "EAGAIN",
            libc::ENOMEM => "ENOMEM",
            libc::EACCES => "EACCES",
            libc::EFAULT => "EFAULT",
            libc::EBUSY => "EBUSY",
            libc::EEXIST => "EEXIST",
            libc::ENODEV => "ENODEV",
            libc::EINVAL => "EINVAL",
            libc::ENOSPC => "ENOSPC",
            libc::ERANGE => "ERANGE",
            libc::ENAMETOOLONG => "ENAMETOOLONG",
            libc::ENOSYS => "ENOSYS",
            libc::ENOTSUP => "ENOTSUP",
            libc::EALREADY => "EALREADY",
            libc::ENOBUFS => "ENOBUFS",
            libc::ETIMEDOUT => "ETIMEDOUT",
            libc::ENETDOWN => "ENETDOWN",
            _ => return None,
        })
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: returns a static string or this thread's buffer, read before the next call.
        let text = unsafe { CStr::from_ptr(ffi::rte_strerror(self.0)) }.to_string_lossy();
        match self.name() {
            Some(name) => write!(f, "{name} {text}"),
            None => write!(f, "{text} ({})", self.0),
        }
    }
}

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Errno({}: {self})", self.0)
    }
}

/// For functions that return 0 (or a count) or a negative errno. DPDK is not strict about it: a bare
/// -1 of some functions means "see rte_errno".
pub(crate) fn check(returned: i32, doing: impl FnOnce() -> String) -> Result<i32> {
    if returned >= 0 {
        return Ok(returned);
    }
    let last = Errno::last();
    let errno = if returned == -1 && last.0 > 0 {
        last
    } else {
        Errno(returned.saturating_neg())
    };
    Err(Error::Dpdk {
        doing: doing(),
        errno,
    })
}
