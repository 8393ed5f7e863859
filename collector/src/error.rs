//! Why a collector could not start: one line, with what to do.

use std::io;
use std::path::Path;

/// Why a collector could not start.
#[derive(Debug, thiserror::Error)]
pub enum CollectorError {
    /// A file or a Unix socket.
    #[error("cannot {what} {path}: {}", said(.source))]
    Path {
        /// What was being done.
        what: &'static str,
        /// With what.
        path: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A TCP address.
    #[error("cannot listen on {address}: {}", said(.source))]
    Address {
        /// Where.
        address: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of TLS.
    #[error("cannot use {path} for TLS: {why}; {advice}")]
    Tls {
        /// Which one.
        path: String,
        /// What is wrong with it.
        why: String,
        /// What it should be.
        advice: &'static str,
    },
    /// A sink to a collector in another format.
    #[error("sink `{0}` goes to a collector, which reads FlatBuffers only; set that format")]
    CollectorFormat(String),
    /// Two sinks of the same name.
    #[error("two sinks are named `{0}`; give one of them another name")]
    SameName(String),
    /// A thread could not be started.
    #[error("cannot start thread {name}: {source}; is the limit of processes (ulimit -u) reached?")]
    Thread {
        /// Which one.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl CollectorError {
    pub(crate) fn path(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Path {
            what,
            path: path.display().to_string(),
            source,
        }
    }
}

/// The error, and what to do about it.
fn said(error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::PermissionDenied => "choose another one, or run as a user who may",
        io::ErrorKind::NotFound => "create the folder first",
        io::ErrorKind::ResourceBusy => {
            return "another process writes to it; stop it or choose another path".into();
        }
        io::ErrorKind::AddrInUse => {
            "stop the process that has it (`ss -lptnx` shows it), or choose another one"
        }
        io::ErrorKind::AddrNotAvailable => "use an address of this machine, or 0.0.0.0 for all",
        io::ErrorKind::IsADirectory => "name a file, not a folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room first",
        io::ErrorKind::ReadOnlyFilesystem => "choose a path on another file system",
        io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput => "check the path",
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}
