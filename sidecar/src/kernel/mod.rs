//! The programs in the kernel: open, load, attach, read. What is loaded lives as long as this process has it open;
//! nothing is pinned, so that nothing is left behind however it ends.

mod backend;
mod cgroups;
mod counters;
mod living;
mod missed;
mod settings;
mod tls;

pub use backend::Backend;
pub use cgroups::CgroupFilters;
use cgroups::CgroupPrograms;
pub use counters::{Counter, Counters};
pub use settings::{Filters, KernelOptions, Network, Side};
pub use tls::TlsPrograms;

use crate::limits::KERNEL_CONNECTIONS_MAX;
use crate::process::cgroup;
use crate::streams::Order;
use hashbrown::HashSet;
use libbpf_rs::{
    Link, MapCore, MapFlags, MapType, Object, ObjectBuilder, OpenMapMut, OpenObject, PrintLevel, RingBuffer,
    RingBufferBuilder,
};
use living::Living;
use missed::Missed;
use settings::{Settings, candidates};
use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;
use tapir_parsers::inference::Candidates;

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
    links: Vec<Link>,
    _cgroups: Option<CgroupPrograms>,
    living: Option<Living>,
    live: Live,
    missed: Missed,
    backend: Backend,
}

/// `struct live` of bpf/events.h.
#[derive(Clone, Copy, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
struct Live {
    generation: u32,
    sample_shift: u32,
}

impl Kernel {
    /// Loads and attaches: the backend that is asked for, else the first that this kernel takes. Payload that is no
    /// candidate of `table` is not told of.
    ///
    /// # Errors
    /// When the kernel refuses, mostly for want of privileges.
    pub fn start(options: &KernelOptions, table: &Candidates) -> Result<Self, KernelError> {
        libbpf_rs::set_print(Some((PrintLevel::Debug, print)));
        if let Some(backend) = options.backend {
            return Self::start_with(backend, options, table);
        }
        let (first, others) = Backend::FIRST_AND_OTHERS;
        let mut refusal = match Self::start_with(first, options, table) {
            Ok(kernel) => return Ok(kernel),
            Err(refusal) => refusal,
        };
        for backend in others {
            log::info!("{refusal}; trying {backend}");
            refusal = match Self::start_with(*backend, options, table) {
                Ok(kernel) => return Ok(kernel),
                Err(refusal) => refusal,
            };
        }
        Err(refusal)
    }

    fn start_with(
        backend: Backend,
        options: &KernelOptions,
        table: &Candidates,
    ) -> Result<Self, KernelError> {
        let doing = |what: &str| KernelError::while_doing(format!("backend {backend}: {what}"));
        let mut builder = ObjectBuilder::default();
        if let Some(path) = &options.btf {
            let what = format!("reading types from {}", path.display());
            builder.btf_custom_path(path).map_err(doing(&what))?;
        }
        let mut open = builder
            .open_memory(backend.object())
            .map_err(doing("reading the kernel's programs"))?;
        for mut map in open.maps_mut() {
            configure(&mut map, options, table).map_err(doing("sizing the kernel's maps"))?;
        }
        if let Some(place) = backend.fit(&mut open) {
            // ENOENT, as the kernel would have it.
            return Err(doing(&format!("looking for {place}"))(
                libbpf_rs::Error::from_raw_os_error(2),
            ));
        }
        let object = open.load().map_err(doing("loading programs into the kernel"))?;
        for (map, key) in options.filters.keys() {
            update(&object, map, &key, &[1]).map_err(doing("setting filters"))?;
        }
        let cgroups = cgroups::follow(&object, options, table)?;
        let living = Living::start(&object, options, table)
            .inspect_err(|error| log::debug!("{error}: connections may stay whose end is not told of"))
            .ok();
        let links = attach(&object, backend)?;
        let mut missed = Missed::default();
        missed
            .watch(&object)
            .map_err(|error| doing("counting missed runs")(error.into()))?;
        Ok(Self {
            object,
            links,
            _cgroups: cgroups,
            living,
            live: Live::default(),
            missed,
            backend,
        })
    }

    /// How the kernel tells of data.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Ends the programs. What they told and counted can still be read.
    pub fn detach(&mut self) {
        self.links.clear();
    }

    /// What the programs have counted so far, all CPUs.
    ///
    /// # Errors
    /// When the map can't be read.
    pub fn counters(&self) -> Result<Counters, KernelError> {
        Counters::read(&self.object).map_err(KernelError::while_doing("reading the kernel's counters"))
    }

    /// The programs, those for TLS libraries among them, and how often each did not run because it ran already on that
    /// CPU.
    pub fn missed(&self) -> impl Iterator<Item = (&str, u64)> {
        self.missed.by_program()
    }

    /// The cookies of all sockets that were told of and are there; `None` where the kernel has no way to list them.
    ///
    /// # Errors
    /// When the list can't be read.
    pub fn living(&self) -> Result<Option<HashSet<u64>>, KernelError> {
        self.living.as_ref().map(Living::cookies).transpose()
    }

    /// Hands orders to the programs.
    ///
    /// # Errors
    /// When a map can't be written.
    pub fn order(&mut self, orders: impl IntoIterator<Item = (u64, Order)>) -> Result<(), KernelError> {
        let doing = || KernelError::while_doing("telling the kernel which connections are of interest");
        let mut any = false;
        for (cookie, order) in orders {
            let verdict = match order {
                Order::Look => 1,
                Order::Ignore => 2,
                Order::Tell => 3,
            };
            update(&self.object, "verdicts", &cookie.to_ne_bytes(), &[verdict]).map_err(doing())?;
            any = true;
        }
        if any {
            self.live.generation = self.live.generation.wrapping_add(1);
            self.set_live().map_err(doing())?;
        }
        Ok(())
    }

    /// From now on, follows one connection of `1 << shift`.
    ///
    /// # Errors
    /// When a map can't be written.
    pub fn sample(&mut self, shift: u32) -> Result<(), KernelError> {
        self.live.sample_shift = shift;
        self.set_live().map_err(KernelError::while_doing(
            "telling the kernel how many connections to follow",
        ))
    }

    fn set_live(&self) -> libbpf_rs::Result<()> {
        update(
            &self.object,
            ".data.live",
            &[0; 4],
            bytemuck::bytes_of(&self.live),
        )
    }

    /// The reading end of the ring of events; each is handed to `take`.
    ///
    /// # Errors
    /// When the ring can't be mapped.
    pub fn events<'a>(&self, take: impl FnMut(&[u8]) + 'a) -> Result<Events<'a>, KernelError> {
        ring(&self.object, "events", take)
    }
}

/// The reading end of the ring `name`; what is in it is handed to `take`.
fn ring<'a>(
    object: &Object,
    name: &str,
    mut take: impl FnMut(&[u8]) + 'a,
) -> Result<Events<'a>, KernelError> {
    let doing = || KernelError::while_doing(format!("mapping the ring {name}"));
    let map = object.maps().find(|map| map.name() == name);
    let map = map
        .ok_or(libbpf_rs::Error::from_raw_os_error(2))
        .map_err(doing())?;
    let mut builder = RingBufferBuilder::new();
    builder
        .add(&map, move |event| {
            take(event);
            0
        })
        .map_err(doing())?;
    builder.build().map(Events).map_err(doing())
}

/// Programs of which the second does worse what the first does, and is for kernels that have no place for that.
const SECOND_CHOICE: (&str, &str) = ("raw_tp/sk_data_ready", "raw_tp/tcp_probe");

/// Attaches all programs, those of cgroups to the root of them.
fn attach(object: &Object, backend: Backend) -> Result<Vec<Link>, KernelError> {
    let mut links = Vec::new();
    let mut attached = HashSet::new();
    for program in object.progs_mut().filter(|program| program.autoload()) {
        let doing = format!("backend {backend}: attaching {}", program.name().display());
        let section = program.section().to_string_lossy().into_owned();
        let of_cgroup = section.starts_with("cgroup/");
        if section == SECOND_CHOICE.1 && attached.contains(SECOND_CHOICE.0) {
            continue;
        }
        let link = if of_cgroup {
            match cgroup::root() {
                Ok(root) => program.attach_cgroup(root.as_raw_fd()),
                Err(error) => Err(error.into()),
            }
        } else {
            program.attach()
        };
        match link.map_err(KernelError::while_doing(doing)) {
            Ok(link) => {
                links.push(link);
                attached.insert(section.clone());
            }
            Err(error) if section.contains("/unix_") || section.ends_with("_unix") => {
                log::warn!("{error}: connections by Unix sockets are taken for older than this");
            }
            // What it would have told is counted as not known.
            Err(error) if of_cgroup => {
                log::warn!("{error}: senders of datagrams are known of connected sockets only");
            }
            Err(error) if backend::is_optional(&section) => log::debug!("{error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(links)
}

/// The reading end of the ring of events.
pub struct Events<'a>(RingBuffer<'a>);

impl Events<'_> {
    /// Hands out up to `max` events that are there; how many there were.
    ///
    /// # Errors
    /// When the ring is broken.
    pub fn drain(&self, max: usize) -> Result<usize, KernelError> {
        let count = self.0.consume_raw_n(max);
        usize::try_from(count)
            .map_err(|_| libbpf_rs::Error::from_raw_os_error(-count))
            .map_err(KernelError::while_doing("reading the ring of events"))
    }
}

/// A wait was interrupted by a signal.
const EINTR: i32 = 4;

impl Events<'_> {
    /// Waits at most `time` for somebody to be woken up, and hands out all that is there.
    ///
    /// # Errors
    /// When the ring is broken.
    pub fn wait(&self, time: Duration) -> Result<(), KernelError> {
        let count = self.0.poll_raw(time);
        if count >= 0 || count == -EINTR {
            return Ok(());
        }
        Err(libbpf_rs::Error::from_raw_os_error(-count))
            .map_err(KernelError::while_doing("waiting for a ring"))
    }
}

/// Puts the maps of `object` in the place of those that have their names in another one.
fn share(
    object: &Object,
    open: &mut OpenObject,
    options: &KernelOptions,
    table: &Candidates,
) -> libbpf_rs::Result<()> {
    for mut map in open.maps_mut() {
        let name = map.name().to_owned();
        // Settings and the like, which every object has of its own.
        if name.to_str().is_some_and(|name| name.starts_with('.')) {
            configure(&mut map, options, table)?;
        } else if let Some(shared) = object.maps().find(|shared| shared.name() == name) {
            map.reuse_fd(shared.as_fd())?;
        }
    }
    Ok(())
}

fn configure(map: &mut OpenMapMut<'_>, options: &KernelOptions, table: &Candidates) -> libbpf_rs::Result<()> {
    match map.name().to_str() {
        Some("events") => map.set_max_entries(options.ring_bytes),
        Some("conns") if map.map_type() == MapType::Hash => map.set_max_entries(KERNEL_CONNECTIONS_MAX),
        Some("scratches") => map.set_max_entries(2 * libbpf_rs::num_possible_cpus()? as u32),
        Some(".rodata.settings") => map.set_initial_value(bytemuck::bytes_of(&Settings::of(options))),
        Some(".rodata.candidates") => map.set_initial_value(&candidates(table)),
        _ => Ok(()),
    }
}

/// Sets an entry of the map `name`.
fn update(object: &Object, name: &str, key: &[u8], value: &[u8]) -> libbpf_rs::Result<()> {
    let map = object.maps().find(|map| map.name() == OsStr::new(name));
    let map = map.ok_or_else(|| libbpf_rs::Error::from_raw_os_error(2))?;
    map.update(key, value, MapFlags::ANY)
}

/// What libbpf says, to whoever debugs: what matters of it comes as an error.
#[allow(clippy::needless_pass_by_value)] // As libbpf-rs calls it.
fn print(_: PrintLevel, text: String) {
    log::debug!("{}", text.trim_end());
}
