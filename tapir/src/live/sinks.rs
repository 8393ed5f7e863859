//! From the configuration to what the collector is started with.

use dpdk_bindings::CpuId;
use std::io::IsTerminal;
use tapir_collector::ingest::IngestOptions;
use tapir_collector::join::JoinOptions;
use tapir_collector::sink::{Address, Remote};
use tapir_collector::tls::TlsFiles;
use tapir_collector::{
    Affinity, CollectorOptions, ConnectorOptions, FileOptions, Format, ListenerOptions, SinkOptions, Target,
    text::TextLimits,
};
use tapir_config::{
    CollectorSocket, Config, Destination, RecordFormat, Rotation, Sidecar, SidecarSocket, Sink, Tls,
};

/// What the collector is started with: it keeps away from the workers' CPUs, where there are others.
pub(super) fn collector(config: &Config, workers: &[CpuId]) -> CollectorOptions {
    let all: Vec<usize> = core_affinity::get_core_ids()
        .unwrap_or_default()
        .iter()
        .map(|core| core.id)
        .collect();
    let free: Vec<usize> = all
        .iter()
        .copied()
        .filter(|id| !workers.iter().any(|cpu| usize::from(cpu.0) == *id))
        .collect();
    let helpers = if free.is_empty() { all } else { free };
    let core = match config.workers.collector_core {
        Some(core) => vec![usize::from(core.get())],
        None => helpers.clone(),
    };
    CollectorOptions {
        core: Affinity(core),
        helper_cores: Affinity(helpers),
        text_limits: TextLimits {
            resource: config.records.resource_bytes.as_usize(),
            other: config.records.text_bytes.as_usize(),
        },
        batch_bytes: config.records.batch_bytes.as_usize(),
        batch_interval: config.records.batch_delay.as_duration(),
        sinks: config
            .sinks
            .iter()
            .enumerate()
            .map(|(number, sink)| sink_options(number, sink, !config.sidecars.is_empty()))
            .collect(),
        sidecars: config.sidecars.iter().map(sidecars).collect(),
        join: JoinOptions {
            wait: config.join.wait.as_duration(),
            bytes_max: config.join.memory.as_usize(),
            start_difference: config.join.start_difference.as_duration(),
        },
        http: config.metrics.listen,
        ..CollectorOptions::default()
    }
}

fn sidecars(sidecar: &Sidecar) -> IngestOptions {
    let (address, tls) = match &sidecar.socket {
        SidecarSocket::Unix(path) => (Address::Unix(path.clone()), None),
        SidecarSocket::Tcp(listen, tls) => (Address::Tcp(*listen), Some(tls_files(tls))),
    };
    IngestOptions {
        sidecars_max: sidecar.sidecars_max.as_usize(),
        ..IngestOptions::new(address, tls)
    }
}

fn tls_files(tls: &Tls) -> TlsFiles {
    TlsFiles {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        ca: tls.ca.clone(),
    }
}

/// `processes`: records may name them.
fn sink_options(number: usize, sink: &Sink, processes: bool) -> SinkOptions {
    let (kind, target) = match &sink.destination {
        Destination::Stdout => ("stdout", Target::Stdout),
        Destination::File { path, rotation } => {
            let Rotation {
                bytes,
                interval,
                keep_files,
            } = rotation;
            let file = FileOptions {
                path: path.clone(),
                rotate_bytes: bytes.map(|bytes| bytes.get()),
                rotate_age: interval.map(|time| time.as_duration()),
                keep: keep_files.map(|count| count.as_usize()),
            };
            ("file", Target::File(file))
        }
        Destination::Unix {
            path,
            subscribers_max,
        } => (
            "unix",
            listener(Address::Unix(path.clone()), subscribers_max.as_usize(), sink),
        ),
        Destination::Tcp {
            listen,
            subscribers_max,
        } => (
            "tcp",
            listener(Address::Tcp(*listen), subscribers_max.as_usize(), sink),
        ),
        Destination::Collector(socket) => {
            let (remote, tls) = match socket {
                CollectorSocket::Unix(path) => (Remote::Unix(path.clone()), None),
                CollectorSocket::Tcp(to, tls) => {
                    (Remote::Tcp(to.host().to_owned(), to.port()), Some(tls_files(tls)))
                }
            };
            ("collector", Target::Collector(ConnectorOptions { remote, tls }))
        }
    };
    let mut options = SinkOptions::new(format!("{kind}-{number}"), format(sink.format, processes), target);
    options.queue_bytes = sink.queue.as_usize();
    options
}

fn listener(address: Address, subscribers_max: usize, sink: &Sink) -> Target {
    let mut options = ListenerOptions::new(address);
    options.subscribers_max = subscribers_max;
    options.subscriber_queue_bytes = sink.queue.as_usize();
    Target::Listener(options)
}

fn format(format: RecordFormat, processes: bool) -> Format {
    match format {
        RecordFormat::Json => Format::Json,
        RecordFormat::Table => Format::Table {
            width: terminal_width(),
            processes,
        },
        RecordFormat::Flatbuffers => Format::FlatBuffers,
    }
}

/// Width of a table: that of the terminal, or one that fits most.
fn terminal_width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    match told {
        Some(width) if std::io::stdout().is_terminal() => width,
        _ => 160,
    }
}
