//! The command line, and what it stands for.

use super::shape::Shape;
use crate::kernel::{Backend, CgroupFilters, Filters, KernelOptions, Network, Side};
use crate::limits::{CAPTURE_BYTES_MAX, COLLECTOR_NAP, EVENT_RING_BYTES};
use crate::output::Place;
use crate::sidecar::SidecarOptions;
use clap::Parser;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::PathBuf;
use tapir_collector::sink::Remote;
use tapir_collector::tls::TlsFiles;
use tapir_collector::{CollectorOptions, ConnectorOptions, FileOptions, SinkOptions, Target};
use tapir_parsers::l7::{DECLARATIONS, Protocol};

/// Width of a table where nobody tells.
const TABLE_WIDTH: usize = 180;

/// See what the applications of this host say on their sockets, and which process spoke.
///
/// Exit codes: 0 done, 1 the operation failed, 2 the command line is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "tapir-sidecar",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Other>,

    /// How much to say on stderr: off, error, warn, info, debug or trace.
    #[arg(long, env = "TAPIR_LOG", hide_env_values = true, value_name = "LEVEL", default_value_t = log::LevelFilter::Info)]
    pub(super) log: log::LevelFilter,

    /// How records are written; to a collector always as FlatBuffers, else as JSON unless given.
    #[arg(long, value_enum)]
    format: Option<Format>,

    /// Where records go: PATH, or a collector that takes records of sidecars at unix:PATH or tcp:HOST:PORT;
    /// standard output unless given.
    #[arg(long, short, value_name = "TO")]
    output: Option<Place>,

    /// The certificate that a collector at tcp:HOST:PORT is shown, PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,

    /// Its private key, PEM.
    #[arg(long, value_name = "FILE", requires = "ca")]
    key: Option<PathBuf>,

    /// Certificates of the authorities that the collector's certificate is signed by, PEM.
    #[arg(long, value_name = "FILE", requires = "certificate")]
    ca: Option<PathBuf>,

    /// Read only this protocol; may be repeated.
    #[arg(long = "proto", value_name = "P", value_parser = protocol)]
    protocols: Vec<Protocol>,

    /// Which end is watched of a connection that has both on this host.
    #[arg(long, value_enum, default_value_t = Side::Server)]
    side: Side,

    /// Watch only this process; may be repeated, as all filters. Of different filters, all must fit; those of
    /// processes may fit either end of a connection within this host.
    #[arg(long, value_name = "PID")]
    pid: Vec<u32>,

    /// Watch only processes with this name (15 bytes of it).
    #[arg(long, value_name = "NAME")]
    comm: Vec<String>,

    /// Watch only this container, by its id or the beginning of it; it may start later.
    #[arg(long, value_name = "ID")]
    container: Vec<String>,

    /// Watch only processes in this cgroup and those below it, also when it is made later.
    #[arg(long, value_name = "PATH")]
    cgroup: Vec<PathBuf>,

    /// Watch only connections with this port at either end.
    #[arg(long, value_name = "PORT")]
    port: Vec<u16>,

    /// Watch only connections with this address at either end, or with one of this network.
    #[arg(long, value_name = "ADDRESS[/BITS]")]
    address: Vec<Network>,

    #[command(flatten)]
    shape: Shape,

    /// Let connections go before more than so many percent of one core are taken.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..))]
    cpu_max: Option<u32>,

    /// Bytes of the ring that the kernel tells by: a power of two.
    #[arg(long, value_name = "BYTES", default_value_t = EVENT_RING_BYTES, value_parser = ring_bytes)]
    ring_bytes: u32,

    /// Bytes that one call of an application gives at most.
    #[arg(long, value_name = "BYTES", default_value_t = CAPTURE_BYTES_MAX,
          value_parser = clap::value_parser!(u32).range(64..=i64::from(CAPTURE_BYTES_MAX)))]
    capture_bytes: u32,

    /// Serve metrics for Prometheus at this address.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,

    /// Where the host's files are, in a container where they are mounted elsewhere: pods have their names in them.
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = folder)]
    host_root: PathBuf,

    /// How the kernel tells of data; the first way that works unless given.
    #[arg(long, value_enum)]
    backend: Option<Backend>,

    /// Types that the programs are fitted to, instead of those in /sys/kernel/btf/vmlinux; where the kernel has none,
    /// backend tracepoint works by them.
    #[arg(long, value_name = "FILE", value_parser = types)]
    btf: Option<PathBuf>,
}

/// What else there is to do.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Other {
    /// Tell what this machine has for the sidecar, and how to fix what is missing.
    Doctor {
        /// Print one JSON document.
        #[arg(long)]
        json: bool,

        /// Types that the programs are fitted to, instead of those in /sys/kernel/btf/vmlinux.
        #[arg(long, value_name = "FILE", value_parser = types)]
        btf: Option<PathBuf>,
    },
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object a line.
    Json,
    /// Aligned columns for eyes.
    Table,
    /// Size-prefixed FlatBuffers batches.
    Flatbuffers,
    /// Records are made, counted and thrown away.
    None,
}

impl Cli {
    /// Whether records go to a file.
    pub(super) fn writes_files(&self) -> bool {
        matches!(self.output, Some(Place::File(_)))
    }

    pub(super) fn into_options(self) -> Result<SidecarOptions, String> {
        let filters = self.filters()?;
        Ok(SidecarOptions {
            collector: CollectorOptions {
                sinks: self.sink()?.into_iter().collect(),
                http: self.metrics,
                nap: COLLECTOR_NAP,
                text_limits: self.shape.text_limits(),
                ..CollectorOptions::default()
            },
            kernel: KernelOptions {
                backend: self.backend,
                btf: self.btf,
                side: self.side,
                ring_bytes: self.ring_bytes,
                capture_bytes: self.capture_bytes,
                filters,
            },
            settings: self.shape.settings(),
            share_max: self.cpu_max.map(|percent| f64::from(percent) / 100.0),
            protocols: self.protocols,
            host_root: self.host_root,
        })
    }

    fn filters(&self) -> Result<Filters, String> {
        Ok(Filters {
            pids: self.pid.clone(),
            comms: self.comm.clone(),
            cgroups: CgroupFilters::new(&self.cgroup, self.container.clone())?,
            ports: self.port.clone(),
            networks: self.address.clone(),
        })
    }

    fn sink(&self) -> Result<Option<SinkOptions>, String> {
        let to_collector = matches!(self.output, Some(Place::Collector(_)));
        let format = match (self.format, to_collector) {
            (None | Some(Format::Flatbuffers), true) => tapir_collector::Format::FlatBuffers,
            (Some(Format::Json | Format::Table), true) => {
                return Err("a collector reads FlatBuffers only; leave --format out".to_owned());
            }
            (None | Some(Format::Json), false) => tapir_collector::Format::Json,
            (Some(Format::Table), false) => tapir_collector::Format::Table {
                width: TABLE_WIDTH,
                processes: true,
            },
            (Some(Format::Flatbuffers), false) => tapir_collector::Format::FlatBuffers,
            (Some(Format::None), _) => return Ok(None),
        };
        let (name, target) = match &self.output {
            None => ("stdout", Target::Stdout),
            Some(Place::File(path)) => ("file", Target::File(FileOptions::new(path))),
            Some(Place::Collector(remote)) => {
                let tls = self.tls(matches!(remote, Remote::Tcp(..)))?;
                let remote = remote.clone();
                ("collector", Target::Collector(ConnectorOptions { remote, tls }))
            }
        };
        Ok(Some(SinkOptions::new(name, format, target)))
    }

    fn tls(&self, needed: bool) -> Result<Option<TlsFiles>, String> {
        match (&self.certificate, &self.key, &self.ca) {
            (Some(certificate), Some(key), Some(ca)) if needed => Ok(Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
                ca: ca.clone(),
            })),
            _ if needed => Err("tcp:HOST:PORT needs --certificate, --key and --ca".to_owned()),
            (None, None, None) => Ok(None),
            _ => Err("--certificate, --key and --ca are for tcp:HOST:PORT".to_owned()),
        }
    }
}

/// Rings have a size that is a power of two, and of pages.
fn ring_bytes(text: &str) -> Result<u32, String> {
    let bytes = text.parse().ok().filter(|bytes: &u32| bytes.is_power_of_two());
    bytes
        .filter(|bytes| *bytes >= 64 * 1024)
        .ok_or_else(|| "expected a power of two, 65536 or more".to_owned())
}

/// A file with types, by its first bytes: the loader's refusal would not name it. Bare BTF begins with a magic in the
/// machine's own order (Documentation/bpf/btf.rst), else it is a section of an ELF file.
fn types(path: &str) -> Result<PathBuf, String> {
    let mut head = [0; 4];
    let mut file = File::open(path).map_err(|error| error.to_string())?;
    let is_whole = file.read_exact(&mut head).is_ok();
    if is_whole && (head[..2] == 0xEB9F_u16.to_ne_bytes() || head == *b"\x7fELF") {
        return Ok(path.into());
    }
    Err("expected the types of a kernel: BTF, or an ELF file with such a section".to_owned())
}

/// A folder that is there: without it all pods would lack their names.
fn folder(path: &str) -> Result<PathBuf, String> {
    let found = std::fs::metadata(path).map_err(|error| error.to_string())?;
    let is_folder = found.is_dir().then(|| path.into());
    is_folder.ok_or_else(|| "expected a folder".to_owned())
}

pub(super) fn protocol(name: &str) -> Result<Protocol, String> {
    let names = || DECLARATIONS.iter().map(|d| d.name).collect::<Vec<_>>().join(", ");
    Protocol::from_name(name).ok_or_else(|| format!("expected one of {}", names()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::is_current;
    use clap::CommandFactory;

    /// docs/sidecar.md shows what `--help` says.
    #[test]
    fn the_page_shows_the_options() {
        let help = Cli::command().term_width(100).render_help().to_string();
        let help: String = help.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        is_current(|page| {
            let (head, rest) = page.split_once("```text\nSee what").unwrap();
            let (_, tail) = rest.split_once("\n```\n").unwrap();
            format!("{head}```text\n{}\n```\n{tail}", help.trim_end())
        });
    }

    #[test]
    fn what_is_no_kernels_types_is_refused_by_name() {
        let of = |arguments: &[&str]| Cli::try_parse_from(["tapir-sidecar"].iter().chain(arguments));
        let no_types = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (option, value, why) in [
            ("--btf", no_types, "expected the types of a kernel"),
            ("--btf", "/nowhere", "No such file"),
            ("--host-root", "/nowhere", "No such file"),
            ("--host-root", no_types, "expected a folder"),
        ] {
            let error = of(&[option, value]).unwrap_err().to_string();
            assert!(error.contains(value) && error.contains(why), "{error}");
        }
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("types");
        std::fs::write(&bare, [0xEB9F_u16, 1].map(u16::to_ne_bytes).as_flattened()).unwrap();
        for program in [bare.to_str().unwrap(), "/proc/self/exe"] {
            assert!(of(&["--btf", program]).is_ok(), "{program}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
