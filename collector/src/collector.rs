//! Starts a collector and stops it.

use crate::affinity::Affinity;
use crate::error::CollectorError;
use crate::health;
use crate::http::HttpServer;
use crate::ingest::{self, IngestCounts, OpenIngest};
use crate::join::{JoinCounters, JoinCounts, Joiner};
use crate::metrics::{MetricSource, ProtocolAggregates};
use crate::options::{CollectorOptions, SinkOptions, Target};
use crate::ring::RecordRing;
use crate::shared::{RingCounters, Shared};
use crate::sink::{
    Address, ConnectorSink, FileSink, ListenerSink, Shutdown, Sink, SinkCounts, SinkStats, SinkThread,
    StreamSink,
};
use crate::worker::{Output, Sidecars, Worker};
use rtrb::Consumer;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Drains record rings into sinks and metrics.
pub struct Collector;

impl Collector {
    /// Starts all threads. `rings` are the reading ends of the lcores' record rings: whole entries of
    /// [`tapir_parsers::record`], committed entry by entry.
    ///
    /// # Errors
    /// When a file, socket or address can't be had; then nothing is left running.
    pub fn start(
        options: CollectorOptions,
        rings: Vec<Consumer<u8>>,
        sources: Vec<Arc<dyn MetricSource>>,
    ) -> Result<CollectorHandle, CollectorError> {
        let shutdown = Arc::new(Shutdown::default());
        // Everything that can be refused is asked for before a thread runs.
        let mut opened: Vec<OpenSink> = Vec::new();
        for sink in options.sinks {
            if opened.iter().any(|other| other.name == sink.name) {
                return Err(CollectorError::SameName(sink.name));
            }
            opened.push(OpenSink::open(sink, &options.helper_cores)?);
        }
        let listeners: Result<Vec<_>, _> = options.sidecars.iter().map(OpenIngest::open).collect();
        let listeners = listeners?;
        let join = Arc::new(JoinCounters::default());
        let rings: Vec<RecordRing> = rings.into_iter().map(RecordRing::new).collect();
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            rings: rings.iter().map(counters_of).collect(),
            aggregates: ProtocolAggregates::default(),
            sinks: opened
                .iter()
                .map(|sink| (sink.name.clone(), Arc::clone(&sink.stats)))
                .collect(),
            sources,
            ingest: listeners
                .iter()
                .map(|listener| (listener.address.to_string(), Arc::clone(&listener.stats)))
                .collect(),
            join: Arc::clone(&join),
        });
        let http = options
            .http
            .map(|address| HttpServer::start(address, Arc::clone(&shared), options.helper_cores.clone()));
        let http = http.transpose()?;
        let mut handle = CollectorHandle {
            shared: Arc::clone(&shared),
            shutdown: Arc::clone(&shutdown),
            stop_timeout: options.stop_timeout,
            addresses: opened
                .iter()
                .filter_map(|sink| Some((sink.name.clone(), sink.address.clone()?)))
                .collect(),
            sidecar_addresses: listeners
                .iter()
                .map(|listener| listener.address.clone())
                .collect(),
            http,
            worker: None,
        };
        let mut outputs: Vec<Output> = Vec::new();
        for sink in opened {
            let format = sink.format;
            let thread = sink.start(&shutdown, &options.helper_cores)?;
            match outputs.iter_mut().find(|output| output.format() == format) {
                Some(output) => output.add(thread),
                None => {
                    let mut output = Output::new(format, options.batch_bytes);
                    output.add(thread);
                    outputs.push(output);
                }
            }
        }
        let portions = ingest::start(listeners, &shared, &options.helper_cores);
        let portions = portions.map_err(|source| CollectorError::Thread {
            name: "sidecars".into(),
            source,
        })?;
        let sidecars = portions.map(|portions| Sidecars {
            portions,
            joiner: Joiner::new(options.join, join),
            began: Instant::now(),
            ended: false,
        });
        let worker = Worker {
            rings,
            shared,
            outputs,
            text_limits: options.text_limits,
            batch_interval: options.batch_interval,
            nap: options.nap,
            sidecars,
        };
        let core = options.core;
        let spawned = std::thread::Builder::new()
            .name("collector".into())
            .spawn(move || {
                core.apply();
                worker.run()
            });
        handle.worker = Some(spawned.map_err(|source| CollectorError::Thread {
            name: "collector".into(),
            source,
        })?);
        Ok(handle)
    }
}

fn counters_of(ring: &RecordRing) -> RingCounters {
    RingCounters {
        capacity_bytes: AtomicU64::new(ring.capacity_bytes() as u64),
        ..RingCounters::default()
    }
}

/// A sink that has what it needs, but no thread yet.
struct OpenSink {
    name: String,
    format: crate::batch::Format,
    sink: Box<dyn Sink>,
    stats: Arc<SinkStats>,
    address: Option<Address>,
    queue_bytes: usize,
    retry_for: Duration,
}

impl OpenSink {
    fn open(options: SinkOptions, helper_cores: &Affinity) -> Result<Self, CollectorError> {
        let SinkOptions {
            name,
            format,
            target,
            queue_bytes,
            retry_for,
        } = options;
        let stats = Arc::new(SinkStats::default());
        let mut address = None;
        let sink: Box<dyn Sink> = match target {
            Target::Stdout => Box::new(StreamSink::new(std::io::stdout(), format)),
            Target::File(file) => Box::new(FileSink::open(file, format, Arc::clone(&stats))?),
            Target::Listener(listener) => {
                let sink = ListenerSink::bind(listener, format, Arc::clone(&stats), helper_cores.clone())?;
                address = sink.address().ok();
                Box::new(sink)
            }
            Target::Collector(_) if format != crate::batch::Format::FlatBuffers => {
                return Err(CollectorError::CollectorFormat(name));
            }
            Target::Collector(connector) => Box::new(ConnectorSink::new(connector)?),
            Target::Custom(sink) => sink,
        };
        Ok(Self {
            name,
            format,
            sink,
            stats,
            address,
            queue_bytes,
            retry_for,
        })
    }

    fn start(self, shutdown: &Arc<Shutdown>, helper_cores: &Affinity) -> Result<SinkThread, CollectorError> {
        let name = self.name.clone();
        SinkThread::start(
            self.name,
            self.sink,
            self.stats,
            self.queue_bytes,
            self.retry_for,
            Arc::clone(shutdown),
            helper_cores.clone(),
        )
        .map_err(|source| CollectorError::Thread { name, source })
    }
}

/// A collector at work. Dropping it lets its threads end by themselves; [`stop`](Self::stop) waits for them.
pub struct CollectorHandle {
    shared: Arc<Shared>,
    shutdown: Arc<Shutdown>,
    stop_timeout: Duration,
    addresses: Vec<(String, Address)>,
    sidecar_addresses: Vec<Address>,
    http: Option<HttpServer>,
    worker: Option<JoinHandle<Vec<SinkThread>>>,
}

/// What a collector had counted when it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorReport {
    /// Records taken out of each ring.
    pub received: Vec<u64>,
    /// What became of them, by sink.
    pub sinks: Vec<(String, SinkCounts)>,
    /// Records taken over from sidecars, by the addresses of the listeners.
    pub sidecars: Vec<(String, IngestCounts)>,
    /// What joining made of them.
    pub join: JoinCounts,
}

impl CollectorHandle {
    /// Where metrics are served; tells the port that was taken for 0.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(|http| http.address)
    }

    /// Where the listener named `sink` listens.
    pub fn sink_address(&self, sink: &str) -> Option<&Address> {
        let found = self.addresses.iter().find(|(name, _)| name == sink);
        found.map(|(_, address)| address)
    }

    /// Where sidecars connect to, in the order of the options.
    pub fn sidecar_addresses(&self) -> &[Address] {
        &self.sidecar_addresses
    }

    /// Whether there are sinks and none of them can take anything any more, as when the reader of stdout
    /// went away: the caller may want to stop.
    pub fn is_abandoned(&self) -> bool {
        let sinks = &self.shared.sinks;
        !sinks.is_empty() && sinks.iter().all(|(_, stats)| stats.is_gone())
    }

    /// What was counted so far.
    pub fn report(&self) -> CollectorReport {
        let received = self.shared.rings.iter();
        CollectorReport {
            received: received
                .map(|ring| ring.received.load(std::sync::atomic::Ordering::Relaxed))
                .collect(),
            sinks: self
                .shared
                .sinks
                .iter()
                .map(|(name, stats)| (name.clone(), stats.counts()))
                .collect(),
            sidecars: self
                .shared
                .ingest
                .iter()
                .map(|(name, stats)| (name.clone(), stats.counts()))
                .collect(),
            join: self.shared.join.counts(),
        }
    }

    /// All metrics in the text format of Prometheus: what `/metrics` says.
    pub fn metrics(&self) -> String {
        String::from_utf8_lossy(&self.shared.metrics()).into_owned()
    }

    /// Both accounts and those of the sinks as JSON: what `/healthz` says.
    pub fn health(&self) -> serde_json::Value {
        health::check(&self.shared)
    }

    /// Takes all that is left in the rings, brings it out, and ends all threads. Whoever writes to the
    /// rings must have stopped: what is committed after this call may stay where it is.
    pub fn stop(mut self) -> CollectorReport {
        // Sinks must know how long they have before they find their queues closed.
        let deadline = self.shutdown.begin(self.stop_timeout);
        self.shared.stop.store(true, Release);
        if let Some(worker) = self.worker.take()
            && let Ok(sinks) = worker.join()
        {
            for sink in sinks {
                sink.join(deadline);
            }
        }
        if let Some(http) = self.http.take() {
            http.stop();
        }
        self.report()
    }
}

impl Drop for CollectorHandle {
    fn drop(&mut self) {
        self.shutdown.begin(self.stop_timeout);
        self.shared.stop.store(true, Release);
    }
}
