//! Which sockets there are: the end of a connection may not have been told of.

use super::{KernelError, KernelOptions, share};
use hashbrown::HashSet;
use libbpf_rs::{Iter, Link, MapCore, Object, ObjectBuilder};
use std::io::Read;
use std::os::fd::AsFd;
use tapir_parsers::inference::Candidates;

/// The object that build.rs made of bpf/living.bpf.c.
const LIVING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/living.bpf.o"));

/// A program that goes through all sockets when it is read.
pub(super) struct Living {
    _object: Object,
    link: Link,
}

impl Living {
    /// Loads it for the sockets that `object`'s programs remember.
    pub(super) fn start(
        object: &Object,
        options: &KernelOptions,
        table: &Candidates,
    ) -> Result<Self, KernelError> {
        let doing = || KernelError::while_doing("preparing to look for sockets that are gone");
        let missing = || libbpf_rs::Error::from_raw_os_error(2);
        let mut builder = ObjectBuilder::default();
        if let Some(path) = &options.btf {
            builder.btf_custom_path(path).map_err(doing())?;
        }
        let mut open = builder.open_memory(LIVING).map_err(doing())?;
        share(object, &mut open, options, table).map_err(doing())?;
        let own = open.load().map_err(doing())?;
        let conns = object.maps().find(|map| map.name() == "conns");
        let conns = conns.ok_or_else(missing).map_err(doing())?;
        let program = own.progs_mut().next().ok_or_else(missing).map_err(doing())?;
        let link = program.attach_iter(conns.as_fd()).map_err(doing())?;
        Ok(Self { _object: own, link })
    }

    /// The cookies of all sockets that were told of and are there.
    pub(super) fn cookies(&self) -> Result<HashSet<u64>, KernelError> {
        let mut bytes = Vec::new();
        Iter::new(&self.link)
            .and_then(|mut sockets| Ok(sockets.read_to_end(&mut bytes)?))
            .map_err(KernelError::while_doing("looking for sockets that are gone"))?;
        let (cookies, _) = bytes.as_chunks();
        Ok(cookies.iter().map(|cookie| u64::from_ne_bytes(*cookie)).collect())
    }
}
