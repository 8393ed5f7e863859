//! The programs for TLS libraries: an object of its own, which shares maps with the sockets' programs. Where the kernel
//! refuses it, sockets are watched without.

use super::{Events, Kernel, KernelError, KernelOptions, ring, share};
use libbpf_rs::{Link, Object, ObjectBuilder, ProgramAttachType};
use tapir_parsers::inference::Candidates;

/// The one program that does not wait for a file to be put into.
const EXEC: &str = "tls_exec";

/// Number of TLS_LOOK_WHY in bpf/tls.h.
const WHY: u32 = 1;

/// Programs for TLS libraries, loaded, in no file yet.
pub struct TlsPrograms {
    pub(crate) object: Object,
    _exec: Link,
}

impl Kernel {
    /// Loads the programs for TLS libraries.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn tls(&mut self, options: &KernelOptions, table: &Candidates) -> Result<TlsPrograms, KernelError> {
        // Kernels before 6.6 know nothing of the one kind.
        let object = self
            .load_tls(options, table, true)
            .or_else(|_| self.load_tls(options, table, false))?;
        let exec = object.progs_mut().find(|program| program.name() == EXEC);
        let exec = exec
            .ok_or(libbpf_rs::Error::from_raw_os_error(2))
            .and_then(|program| program.attach())
            .map_err(KernelError::while_doing("attaching to the start of programs"))?;
        self.missed.watch(&object).map_err(|error| {
            KernelError::while_doing("counting missed runs of programs for TLS libraries")(error.into())
        })?;
        Ok(TlsPrograms { object, _exec: exec })
    }

    /// With `many`, programs can be put into many places of a file by one link.
    fn load_tls(
        &self,
        options: &KernelOptions,
        table: &Candidates,
        many: bool,
    ) -> Result<Object, KernelError> {
        let mut builder = ObjectBuilder::default();
        if let Some(path) = &options.btf {
            let doing = format!("reading types from {}", path.display());
            builder
                .btf_custom_path(path)
                .map_err(KernelError::while_doing(doing))?;
        }
        let mut open = builder
            .open_memory(self.backend.tls_object())
            .map_err(KernelError::while_doing("reading the programs for TLS libraries"))?;
        share(&self.object, &mut open, options, table).map_err(KernelError::while_doing(
            "sharing maps with the programs for TLS libraries",
        ))?;
        let probes = open.progs_mut().filter(|program| program.name() != EXEC);
        for mut program in probes.filter(|_| many) {
            program.set_attach_type(ProgramAttachType::TraceUprobeMulti);
        }
        open.load()
            .map_err(KernelError::while_doing("loading the programs for TLS libraries"))
    }
}

impl TlsPrograms {
    /// The reading end of the ring of processes to look at; each is handed to `take`, and whether it was seen to speak
    /// TLS by no known library.
    ///
    /// # Errors
    /// When the ring can't be mapped.
    pub fn looks<'a>(&self, mut take: impl FnMut(u32, bool) + 'a) -> Result<Events<'a>, KernelError> {
        ring(&self.object, "tls_looks", move |event| {
            if let Some((pid, why)) = event.split_first_chunk() {
                let why = why.first_chunk().map(|why| u32::from_ne_bytes(*why));
                take(u32::from_ne_bytes(*pid), why == Some(WHY));
            }
        })
    }
}
