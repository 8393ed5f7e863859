//! The programs for filters by cgroup and by container: they see cgroups that are made later.

use super::{KernelError, KernelOptions, share, update};
use crate::process::cgroup;
use libbpf_rs::{Link, Object, ObjectBuilder};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use tapir_parsers::inference::Candidates;

/// The object that build.rs made of bpf/cgroups.bpf.c.
const CGROUPS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/cgroups.bpf.o"));

/// Bytes of a path with a zero behind: TEXT_MAX of bpf/cgroups.bpf.c.
const PATH_BYTES: usize = 256;

/// Bytes of an id: ID_MAX there.
const ID_BYTES: usize = 64;

/// Programs at work, until dropped.
pub(super) struct CgroupPrograms {
    _object: Object,
    _links: Vec<Link>,
}

/// Which cgroups are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CgroupFilters {
    paths: Vec<Vec<u8>>,
    containers: Vec<String>,
}

impl CgroupFilters {
    /// Those at `paths` (below the root of cgroups, or absolute), those of `containers` by the beginnings of their ids,
    /// and all below.
    ///
    /// # Errors
    /// When a path or an id is longer than the kernel's programs compare.
    pub fn new(paths: &[impl AsRef<Path>], containers: Vec<String>) -> Result<Self, String> {
        let keys = paths.iter().map(|path| {
            let key = [b"/", cgroup::below_root(path.as_ref()).as_os_str().as_bytes()].concat();
            let fits = key.len() < PATH_BYTES;
            fits.then_some(key).ok_or_else(|| {
                format!(
                    "cgroup {}: longer than {PATH_BYTES} bytes",
                    path.as_ref().display()
                )
            })
        });
        for id in &containers {
            if id.is_empty() || id.len() > ID_BYTES {
                return Err(format!("container {id}: expected 1 to {ID_BYTES} digits"));
            }
        }
        Ok(Self {
            paths: keys.collect::<Result<_, _>>()?,
            containers,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.containers.is_empty()
    }

    /// The numbers of those that there are.
    fn numbers(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        let mut tell = |what: String, found: Vec<u64>| {
            if found.is_empty() {
                log::info!("{what}: there is none yet");
            }
            numbers.extend(found);
        };
        for path in &self.paths {
            let path = Path::new(std::ffi::OsStr::from_bytes(path));
            let found = cgroup::at(path).unwrap_or_default();
            tell(format!("cgroup {}", path.display()), found);
        }
        for id in &self.containers {
            tell(format!("container {id}"), cgroup::of_container(id));
        }
        numbers
    }

    /// The keys and values of every map, by its name.
    fn entries(&self) -> impl Iterator<Item = (&'static str, Vec<u8>, Vec<u8>)> {
        let paths = self.paths.iter().map(|path| {
            let mut key = path.clone();
            key.resize(PATH_BYTES, 0);
            ("filter_paths", key, vec![1])
        });
        let containers = self.containers.iter().zip(0u32..).map(|(id, number)| {
            let mut value = (id.len() as u32).to_ne_bytes().to_vec();
            value.extend_from_slice(id.as_bytes());
            value.resize(size_of::<u32>() + ID_BYTES, 0);
            ("filter_containers", number.to_ne_bytes().to_vec(), value)
        });
        paths.chain(containers)
    }
}

/// Fills the filters of `object`'s programs with the cgroups that there are, and sees to those that are made later.
///
/// # Errors
/// When a map can't be written. Where the kernel does not tell of new cgroups, that is logged.
pub(super) fn follow(
    object: &Object,
    options: &KernelOptions,
    table: &Candidates,
) -> Result<Option<CgroupPrograms>, KernelError> {
    let filters = &options.filters.cgroups;
    if filters.is_empty() {
        return Ok(None);
    }
    // First, so that none is missed in between.
    let programs = match start(object, options, table) {
        Ok(programs) => Some(programs),
        Err(error) => {
            log::warn!("{error}: filters let nobody pass in cgroups that are made from now on");
            None
        }
    };
    for number in filters.numbers() {
        update(object, "filter_cgroups", &number.to_ne_bytes(), &[1])
            .map_err(KernelError::while_doing("setting filters"))?;
    }
    Ok(programs)
}

fn start(
    object: &Object,
    options: &KernelOptions,
    table: &Candidates,
) -> Result<CgroupPrograms, KernelError> {
    let doing = || KernelError::while_doing("watching cgroups");
    let mut builder = ObjectBuilder::default();
    if let Some(path) = &options.btf {
        builder.btf_custom_path(path).map_err(doing())?;
    }
    let mut open = builder.open_memory(CGROUPS).map_err(doing())?;
    share(object, &mut open, options, table).map_err(doing())?;
    let own = open.load().map_err(doing())?;
    for (map, key, value) in options.filters.cgroups.entries() {
        update(&own, map, &key, &value).map_err(doing())?;
    }
    let links = own.progs_mut().map(|program| program.attach());
    let links = links.collect::<Result<_, _>>().map_err(doing())?;
    Ok(CgroupPrograms {
        _object: own,
        _links: links,
    })
}
