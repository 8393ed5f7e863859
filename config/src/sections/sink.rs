//! `[[sinks]]`: where records go.

use super::sidecar::{Tls, tls};
use crate::reader::TableReader;
use crate::section::{Section, section};
use crate::values::{Bytes, HostPort, PemFile, RecordFormat, SinkType, Time, Whole};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Bytes of batches that wait for a sink.
type Queue = Bytes<{ 1 << 20 }, { 16 << 30 }>;
type FileBytes = Bytes<{ 64 << 10 }, { 1 << 44 }>;
type FileTime = Time<1000, 2_678_400_000>;
type FileCount = Whole<1, 1_000_000>;
type Subscribers = Whole<1, 4096>;

section! {
    /// A place that records go to; one [[sinks]] each. With none, they go to standard output as JSON.
    pub(crate) struct SinkKeys ["sinks"] {
        /// A file; subscribers of a Unix socket or of a TCP port; the [[sidecars]] of another Tapir; or standard
        /// output.
        r#type: Option<SinkType> = None,

        /// How records are written. Left out, JSON to standard output and FlatBuffers elsewhere.
        format: Option<RecordFormat> = None,

        /// Path of the file or of the Unix socket; of a collector on this host, that of its socket.
        path: Option<PathBuf> = None,

        /// Address and port that TCP subscribers connect to.
        listen: Option<SocketAddr> = None,

        /// Host and port of a collector, to connect to.
        connect: Option<HostPort> = None,

        /// The own certificate, PEM, followed by those between it and its authority. Needed with connect.
        certificate: Option<PemFile> = None,

        /// Its private key, PEM. Needed with connect.
        key: Option<PemFile> = None,

        /// Certificates of the authorities that the collector's certificate is signed by, PEM. Needed with
        /// connect.
        ca: Option<PemFile> = None,

        /// A file of this size is closed and renamed, with the time in its name. Left out, size does not
        /// matter.
        rotate_bytes: Option<FileBytes> = None,

        /// So is a file of this age. Left out, age does not matter.
        rotate_interval: Option<FileTime> = None,

        /// Closed files that are kept; older ones are deleted. Left out, all are kept.
        keep_files: Option<FileCount> = None,

        /// Subscribers at once of a socket; more are refused. Left out, 64.
        subscribers_max: Option<Subscribers> = None,

        /// Batches that wait for a slow sink, or for each slow subscriber. What finds the queue full is
        /// dropped and counted; a subscriber is cut off.
        queue: Queue = Queue::of::<{ 64 << 20 }>(),
    }
}

/// Where a sink takes records to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A file.
    File {
        /// The file being written.
        path: PathBuf,
        /// When it is closed and another begun.
        rotation: Rotation,
    },
    /// Subscribers of a Unix socket.
    Unix {
        /// The socket.
        path: PathBuf,
        /// How many at once.
        subscribers_max: Subscribers,
    },
    /// Subscribers of a TCP port.
    Tcp {
        /// Where they connect to.
        listen: SocketAddr,
        /// How many at once.
        subscribers_max: Subscribers,
    },
    /// A collector that takes records of sidecars.
    Collector(CollectorSocket),
    /// Standard output.
    Stdout,
}

/// Where a collector takes records of sidecars.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CollectorSocket {
    /// At a Unix socket of this host.
    Unix(PathBuf),
    /// At a TCP port, with mutual TLS.
    Tcp(HostPort, Tls),
}

/// When a file is closed and another begun.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// At this size.
    pub bytes: Option<FileBytes>,
    /// At this age.
    pub interval: Option<FileTime>,
    /// Closed files that are kept; `None`: all.
    pub keep_files: Option<FileCount>,
}

/// A place that records go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Where.
    pub destination: Destination,
    /// How they are written.
    pub format: RecordFormat,
    /// Bytes of batches that wait for it, or for each of its subscribers.
    pub queue: Queue,
}

const SUBSCRIBERS: Subscribers = Subscribers::of::<64>();

impl Sink {
    /// Standard output in this format.
    pub fn stdout(format: RecordFormat) -> Self {
        Self::new(Destination::Stdout, format)
    }

    /// One file, never rotated.
    pub fn file(path: PathBuf, format: RecordFormat) -> Self {
        Self::new(
            Destination::File {
                path,
                rotation: Rotation::default(),
            },
            format,
        )
    }

    /// Subscribers of a Unix socket.
    pub fn unix(path: PathBuf, format: RecordFormat) -> Self {
        Self::new(
            Destination::Unix {
                path,
                subscribers_max: SUBSCRIBERS,
            },
            format,
        )
    }

    /// Subscribers of a TCP port.
    pub fn tcp(listen: SocketAddr, format: RecordFormat) -> Self {
        Self::new(
            Destination::Tcp {
                listen,
                subscribers_max: SUBSCRIBERS,
            },
            format,
        )
    }

    fn new(destination: Destination, format: RecordFormat) -> Self {
        Self {
            destination,
            format,
            queue: SinkKeys::default().queue,
        }
    }

    /// Reads one `[[sinks]]`; nothing, and a problem noted, where its keys don't make a sink.
    pub(crate) fn read(reader: &mut TableReader<'_, '_, '_>) -> Option<Self> {
        let keys = SinkKeys::read(reader);
        let Some(kind) = keys.r#type else {
            if !reader.has("type") {
                reader.conflict(
                    "",
                    "expected a type; add type = \"file\", \"unix\", \"tcp\", \"collector\" or \"stdout\"",
                );
            }
            return None;
        };
        // Which keys a type takes, the first of them being indispensable.
        let takes: &[&str] = match kind {
            SinkType::File => &["path", "rotate_bytes", "rotate_interval", "keep_files"],
            SinkType::Unix => &["path", "subscribers_max"],
            SinkType::Tcp => &["listen", "subscribers_max"],
            SinkType::Collector => &["path", "connect", "certificate", "key", "ca"],
            SinkType::Stdout => &[],
        };
        for key in [
            "path",
            "listen",
            "connect",
            "certificate",
            "key",
            "ca",
            "rotate_bytes",
            "rotate_interval",
            "keep_files",
            "subscribers_max",
        ] {
            if reader.has(key) && !takes.contains(&key) {
                reader.conflict(
                    key,
                    format!("has no meaning for type = \"{}\"; remove it", kind.name()),
                );
            }
        }
        let by_connect = kind == SinkType::Collector && reader.has("connect");
        if by_connect && reader.has("path") {
            reader.conflict("connect", "a collector is at path or at connect; remove one");
        }
        if let Some(needed) = takes.first().filter(|needed| !by_connect && !reader.has(needed)) {
            let example = match kind {
                SinkType::Tcp => "127.0.0.1:9465",
                SinkType::Collector => "/run/tapir/sidecars.sock",
                _ => "/var/lib/tapir/sessions",
            };
            reader.conflict(
                "",
                format!(
                    "type = \"{}\" needs {needed}; add {needed} = \"{example}\"",
                    kind.name()
                ),
            );
        }
        if keys.keep_files.is_some() && keys.rotate_bytes.is_none() && keys.rotate_interval.is_none() {
            reader.conflict(
                "keep_files",
                "files are never closed; add rotate_bytes or rotate_interval",
            );
        }
        let subscribers_max = keys.subscribers_max.unwrap_or(SUBSCRIBERS);
        let destination = match kind {
            SinkType::File => {
                let (bytes, interval, keep_files) =
                    (keys.rotate_bytes, keys.rotate_interval, keys.keep_files);
                Destination::File {
                    path: keys.path?,
                    rotation: Rotation {
                        bytes,
                        interval,
                        keep_files,
                    },
                }
            }
            SinkType::Unix => Destination::Unix {
                path: keys.path?,
                subscribers_max,
            },
            SinkType::Tcp => Destination::Tcp {
                listen: keys.listen?,
                subscribers_max,
            },
            SinkType::Collector => {
                if keys
                    .format
                    .is_some_and(|format| format != RecordFormat::Flatbuffers)
                {
                    reader.conflict("format", "a collector reads \"flatbuffers\" only; remove it");
                }
                let files = [keys.certificate, keys.key, keys.ca];
                let tls = tls(reader, files, by_connect.then_some("connect"));
                Destination::Collector(match keys.connect {
                    Some(connect) => CollectorSocket::Tcp(connect, tls?),
                    None => CollectorSocket::Unix(keys.path?),
                })
            }
            SinkType::Stdout => Destination::Stdout,
        };
        let format = keys.format.unwrap_or(match kind {
            SinkType::Stdout => RecordFormat::Json,
            SinkType::File | SinkType::Unix | SinkType::Tcp | SinkType::Collector => {
                RecordFormat::Flatbuffers
            }
        });
        Some(Self {
            destination,
            format,
            queue: keys.queue,
        })
    }

    /// As the file has it, for documentation.
    pub(crate) fn keys(&self) -> SinkKeys {
        let mut keys = SinkKeys {
            format: Some(self.format),
            queue: self.queue,
            ..SinkKeys::default()
        };
        match &self.destination {
            Destination::File { path, rotation } => {
                keys.r#type = Some(SinkType::File);
                keys.path = Some(path.clone());
                (keys.rotate_bytes, keys.rotate_interval) = (rotation.bytes, rotation.interval);
                keys.keep_files = rotation.keep_files;
            }
            Destination::Unix {
                path,
                subscribers_max,
            } => {
                keys.r#type = Some(SinkType::Unix);
                (keys.path, keys.subscribers_max) = (Some(path.clone()), Some(*subscribers_max));
            }
            Destination::Tcp {
                listen,
                subscribers_max,
            } => {
                keys.r#type = Some(SinkType::Tcp);
                (keys.listen, keys.subscribers_max) = (Some(*listen), Some(*subscribers_max));
            }
            Destination::Collector(socket) => {
                keys.r#type = Some(SinkType::Collector);
                match socket {
                    CollectorSocket::Unix(path) => keys.path = Some(path.clone()),
                    CollectorSocket::Tcp(connect, tls) => {
                        keys.connect = Some(connect.clone());
                        keys.certificate = Some(PemFile(tls.certificate.clone()));
                        (keys.key, keys.ca) = (Some(PemFile(tls.key.clone())), Some(PemFile(tls.ca.clone())));
                    }
                }
            }
            Destination::Stdout => keys.r#type = Some(SinkType::Stdout),
        }
        keys
    }
}
