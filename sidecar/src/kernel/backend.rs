//! The ways in which kernels tell of what is sent and received. All share one body; they differ in where they hang.

use crate::privileges;
use libbpf_rs::OpenObject;
use libbpf_rs::btf::Btf;
use libbpf_rs::btf::types::{Func, Typedef};
use rustix::thread::CapabilitySet;
use std::fmt;

/// A way to hear of sends and receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// Tracepoints that follow every operation of a socket (kernel 6.3 and newer).
    Socket,
    /// Programs at the return of the protocols' functions (kernel 5.17 and newer, where trampolines are allowed).
    Fexit,
    /// A program at the end of every system call (kernel 5.8 and newer), whether it is about a socket or not.
    Tracepoint,
}

/// Programs without which a backend works: kernels have either the first or no need of it, without the next two only the
/// senders of some datagrams stay unknown, without those behind them when data came, and not all kernels have Unix sockets,
/// or let themselves be looked at there.
const OPTIONAL: [&str; 10] = [
    "inet_sendpage",
    "recvmsg4",
    "recvmsg6",
    "sk_data_ready",
    "tcp_probe",
    "connect_unix",
    "unix_stream_connect",
    "unix_release",
    "unix_stream_sendmsg",
    "unix_stream_recvmsg",
];

impl Backend {
    /// In the order in which they are tried: what costs less first.
    pub const FIRST_AND_OTHERS: (Self, &[Self]) = (Self::Socket, &[Self::Fexit, Self::Tracepoint]);

    /// What build.rs made of its source.
    pub(super) fn object(self) -> &'static [u8] {
        match self {
            Self::Socket => include_bytes!(concat!(env!("OUT_DIR"), "/socket.bpf.o")),
            Self::Fexit => include_bytes!(concat!(env!("OUT_DIR"), "/fexit.bpf.o")),
            Self::Tracepoint => include_bytes!(concat!(env!("OUT_DIR"), "/tracepoint.bpf.o")),
        }
    }

    /// The programs for TLS libraries that keep what they know as this backend's do.
    pub(super) fn tls_object(self) -> &'static [u8] {
        match self {
            Self::Socket | Self::Fexit => include_bytes!(concat!(env!("OUT_DIR"), "/tls.bpf.o")),
            Self::Tracepoint => include_bytes!(concat!(env!("OUT_DIR"), "/tls_plain.bpf.o")),
        }
    }

    /// Leaves out the optional programs that this kernel has no place for. Tells the place of another one that is not
    /// there: loading it would take its time to fail, and not say why.
    pub(super) fn fit(self, open: &mut OpenObject) -> Option<String> {
        let kernel = Btf::from_vmlinux().ok()?;
        for mut program in open.progs_mut() {
            let section = program.section().to_string_lossy().into_owned();
            let Some((how, place)) = section.split_once('/') else {
                continue;
            };
            if is_there(&kernel, how, place) {
                continue;
            }
            if !is_optional(&section) {
                return Some(section);
            }
            log::debug!("backend {self}: not here: {section}");
            program.set_autoload(false);
        }
        None
    }
}

/// Whether a program of this section is not needed.
pub(super) fn is_optional(section: &str) -> bool {
    section
        .split_once('/')
        .is_some_and(|(_, place)| OPTIONAL.contains(&place))
}

fn is_there(kernel: &Btf<'_>, how: &str, place: &str) -> bool {
    let has_function = |name: &str| kernel.type_by_name::<Func<'_>>(name).is_some();
    match how {
        "tp_btf" => kernel
            .type_by_name::<Typedef<'_>>(&format!("btf_trace_{place}"))
            .is_some(),
        // Found out by attaching: a kernel that tells no types has them all the same.
        "raw_tp" => true,
        // Came together with functions for programs there (6.7).
        "cgroup" if place == "connect_unix" && !has_function("bpf_sock_addr_set_sun_path") => false,
        // Every kernel has the others, but one without control groups, which tells so when they are attached.
        "cgroup" => privileges::holds(CapabilitySet::NET_ADMIN),
        _ => has_function(place),
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Self::Socket => "socket",
            Self::Fexit => "fexit",
            Self::Tracepoint => "tracepoint",
        })
    }
}
