//! The programs in the kernel: open, load, attach, count. What is loaded lives as long as this process has it open;
//! nothing is pinned, so that nothing is left behind however it ends.

mod counters;

pub use counters::{Counter, Counters};

use libbpf_rs::{Link, Object, ObjectBuilder};
use std::path::Path;

/// The object that build.rs made of bpf/socket.bpf.c.
const SOCKET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/socket.bpf.o"));

/// Why nothing runs in the kernel.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {reason}")]
pub struct KernelError {
    doing: String,
    reason: libbpf_rs::Error,
}

impl KernelError {
    fn while_doing(doing: impl Into<String>) -> impl FnOnce(libbpf_rs::Error) -> Self {
        let doing = doing.into();
        move |reason| Self { doing, reason }
    }
}

/// Programs at work, until dropped.
pub struct Kernel {
    object: Object,
    _links: Vec<Link>,
}

impl Kernel {
    /// Loads and attaches. `btf` is a file with the kernel's types, where the kernel itself does not tell them.
    ///
    /// # Errors
    /// When the kernel refuses, mostly for want of privileges.
    pub fn start(btf: Option<&Path>) -> Result<Self, KernelError> {
        let mut builder = ObjectBuilder::default();
        if let Some(path) = btf {
            let doing = format!("reading types from {}", path.display());
            builder
                .btf_custom_path(path)
                .map_err(KernelError::while_doing(doing))?;
        }
        let open = builder
            .open_memory(SOCKET)
            .map_err(KernelError::while_doing("reading the kernel's programs"))?;
        let object = open
            .load()
            .map_err(KernelError::while_doing("loading programs into the kernel"))?;
        let mut links = Vec::new();
        for program in object.progs_mut() {
            let doing = format!("attaching {}", program.name().display());
            links.push(program.attach().map_err(KernelError::while_doing(doing))?);
        }
        Ok(Self {
            object,
            _links: links,
        })
    }

    /// What the programs have counted so far, all CPUs.
    ///
    /// # Errors
    /// When the map can't be read.
    pub fn counters(&self) -> Result<Counters, KernelError> {
        Counters::read(&self.object).map_err(KernelError::while_doing("reading the kernel's counters"))
    }
}
