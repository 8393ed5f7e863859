//! What a caller sets. Plain data; whoever reads a configuration file turns it into this.

use crate::affinity::Affinity;
use crate::batch::Format;
use crate::ingest::IngestOptions;
use crate::join::JoinOptions;
use crate::limits::{BATCH_BYTES, NAP_DEFAULT, SINK_QUEUE_BYTES, SUBSCRIBER_QUEUE_BYTES, SUBSCRIBERS_MAX};
use crate::sink::{Address, Remote, Sink};
use crate::text::TextLimits;
use crate::tls::TlsFiles;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Options of a collector.
pub struct CollectorOptions {
    /// Cores of the thread that drains the rings; best one that nothing else uses.
    pub core: Affinity,
    /// Cores of all other threads: sinks, subscribers, HTTP.
    pub helper_cores: Affinity,
    /// Longest texts, as the parsers were told.
    pub text_limits: TextLimits,
    /// Bytes at which a batch is full.
    pub batch_bytes: usize,
    /// How long a record may wait for its batch to fill.
    pub batch_interval: Duration,
    /// How long at most the thread that drains the rings sleeps when they are empty: short where rings are small or a
    /// core is its own, long where processor time is somebody else's.
    pub nap: Duration,
    /// Where records go; none: they are only counted.
    pub sinks: Vec<SinkOptions>,
    /// Where sidecars connect to; none: records are of the wire alone, and none waits for another.
    pub sidecars: Vec<IngestOptions>,
    /// How records of sidecars are joined with those of the wire.
    pub join: JoinOptions,
    /// Where metrics are served over HTTP.
    pub http: Option<SocketAddr>,
    /// How long sinks have to bring out what waits when the collector stops.
    pub stop_timeout: Duration,
}

impl Default for CollectorOptions {
    fn default() -> Self {
        Self {
            core: Affinity::default(),
            helper_cores: Affinity::default(),
            text_limits: TextLimits::default(),
            batch_bytes: BATCH_BYTES,
            batch_interval: Duration::from_millis(100),
            nap: NAP_DEFAULT,
            sinks: Vec::new(),
            sidecars: Vec::new(),
            join: JoinOptions::default(),
            http: None,
            stop_timeout: Duration::from_secs(5),
        }
    }
}

/// One sink.
pub struct SinkOptions {
    /// Its name in metrics and messages; unique.
    pub name: String,
    /// How records are written.
    pub format: Format,
    /// Where they go.
    pub target: Target,
    /// Bytes that may wait for it.
    pub queue_bytes: usize,
    /// How long a batch is tried again before it is lost.
    pub retry_for: Duration,
}

impl SinkOptions {
    /// A sink with the default bounds.
    pub fn new(name: impl Into<String>, format: Format, target: Target) -> Self {
        Self {
            name: name.into(),
            format,
            target,
            queue_bytes: SINK_QUEUE_BYTES,
            retry_for: Duration::from_secs(30),
        }
    }
}

/// Where records go.
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file.
    File(FileOptions),
    /// Whoever connects to a socket.
    Listener(ListenerOptions),
    /// A collector that takes records of sidecars.
    Collector(ConnectorOptions),
    /// A sink of the caller's own.
    Custom(Box<dyn Sink>),
}

/// A file and when it is finished and a new one begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// The file being written.
    pub path: PathBuf,
    /// Its size at most, bytes.
    pub rotate_bytes: Option<u64>,
    /// Its age at most.
    pub rotate_age: Option<Duration>,
    /// How many finished files stay; `None`: all.
    pub keep: Option<usize>,
}

impl FileOptions {
    /// A file that is never rotated.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            rotate_bytes: None,
            rotate_age: None,
            keep: None,
        }
    }
}

/// A collector to which a sink connects. Its records are FlatBuffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorOptions {
    /// Where it listens.
    pub remote: Remote,
    /// Mutual TLS, for TCP.
    pub tls: Option<TlsFiles>,
}

/// A socket to which subscribers connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerOptions {
    /// Where it listens.
    pub address: Address,
    /// Subscribers at most.
    pub subscribers_max: usize,
    /// Bytes that may wait for one subscriber before it is cut off.
    pub subscriber_queue_bytes: usize,
}

impl ListenerOptions {
    /// A listener with the default bounds.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            subscribers_max: SUBSCRIBERS_MAX,
            subscriber_queue_bytes: SUBSCRIBER_QUEUE_BYTES,
        }
    }
}
