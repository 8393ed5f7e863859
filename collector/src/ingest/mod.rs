//! Records of sidecars: listeners, a thread for each sidecar, and a bounded way to the collector's thread.
//!
//! A sidecar sends size-prefixed batches, as sinks write them, and is told of each that was taken over. A
//! batch is verified whole before a record of it is read. One that is broken, or does not come to its end in
//! time, ends the connection, counted; the others never wait for it. A collector that is slower than its
//! sidecars makes them wait, and what they can't hold then is lost there, counted there.

mod connection;
mod entry;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod stats;

pub(crate) use stats::IngestStats;
pub use stats::{IngestCounts, IngestEnd};

use crate::affinity::Affinity;
use crate::error::CollectorError;
use crate::limits::SIDECARS_MAX;
use crate::shared::Shared;
use crate::sink::{Address, Listener};
use crate::tls::{TlsFiles, TlsServer};
use connection::{Connection, serve};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Acquire, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often a listener looks for sidecars.
const LOOK: Duration = Duration::from_millis(20);

/// A socket to which sidecars connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestOptions {
    /// Where it listens.
    pub address: Address,
    /// Mutual TLS; `None` for Unix sockets, whose mode says who may connect.
    pub tls: Option<TlsFiles>,
    /// Sidecars at once.
    pub sidecars_max: usize,
}

impl IngestOptions {
    /// A listener with the default bounds.
    pub fn new(address: Address, tls: Option<TlsFiles>) -> Self {
        Self {
            address,
            tls,
            sidecars_max: SIDECARS_MAX,
        }
    }
}

/// The records of one batch, as ring entries one behind the other.
pub(crate) struct Portion {
    pub(crate) entries: Vec<u8>,
    /// Portions of its sidecar that are under way.
    under_way: Arc<AtomicUsize>,
}

impl Drop for Portion {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Relaxed);
    }
}

/// A listener that has its socket, but no thread yet.
pub(crate) struct OpenIngest {
    listener: Listener,
    tls: Option<TlsServer>,
    sidecars_max: usize,
    pub(crate) address: Address,
    pub(crate) stats: Arc<IngestStats>,
}

impl OpenIngest {
    pub(crate) fn open(options: &IngestOptions) -> Result<Self, CollectorError> {
        let tls = options.tls.as_ref().map(TlsServer::load).transpose()?;
        let listener = Listener::bind(&options.address)?;
        Ok(Self {
            address: listener.address().unwrap_or_else(|_| options.address.clone()),
            listener,
            tls,
            sidecars_max: options.sidecars_max,
            stats: Arc::default(),
        })
    }

    fn start(
        self,
        to: Sender<Portion>,
        shared: Arc<Shared>,
        cores: Affinity,
    ) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new()
            .name("sidecars".into())
            .spawn(move || {
                cores.apply();
                self.run(&to, &shared, &cores);
            })
    }

    /// Admits sidecars until the collector stops.
    fn run(self, to: &Sender<Portion>, shared: &Arc<Shared>, cores: &Affinity) {
        let mut sidecars: Vec<JoinHandle<()>> = Vec::new();
        while !shared.stop.load(Acquire) {
            sidecars.retain(|sidecar| !sidecar.is_finished());
            self.stats.connected.store(sidecars.len() as u64, Relaxed);
            match self.listener.accept() {
                Ok(Some(stream)) if sidecars.len() < self.sidecars_max => {
                    self.stats.accepted.fetch_add(1, Relaxed);
                    match self.admit(stream, to, shared, cores) {
                        Ok(sidecar) => sidecars.push(sidecar),
                        Err(error) => log::warn!("{}: cannot serve a sidecar: {error}", self.address),
                    }
                }
                Ok(Some(_)) => self.stats.end(IngestEnd::Refused),
                Ok(None) => std::thread::sleep(LOOK),
                Err(error) => {
                    log::debug!("{}: cannot accept: {error}", self.address);
                    std::thread::sleep(LOOK);
                }
            }
        }
        for sidecar in sidecars {
            // It looks up as often as its reads time out. A panic was reported when it happened.
            let _ = sidecar.join();
        }
        self.stats.connected.store(0, Relaxed);
    }

    fn admit(
        &self,
        stream: crate::sink::Accepted,
        to: &Sender<Portion>,
        shared: &Arc<Shared>,
        cores: &Affinity,
    ) -> std::io::Result<JoinHandle<()>> {
        let mut connection = Connection::new(stream, self.tls.as_ref())?;
        let (to, shared, cores) = (to.clone(), Arc::clone(shared), cores.clone());
        let (stats, address) = (Arc::clone(&self.stats), self.address.clone());
        std::thread::Builder::new().name("sidecar".into()).spawn(move || {
            cores.apply();
            let (end, why) = serve(&mut connection, &to, &shared.stop, &stats);
            if end != IngestEnd::Left {
                log::warn!("{address}: a sidecar was cut off: {why}");
            }
            stats.end(end);
        })
    }
}

/// Starts all listeners; what they read comes out of the receiver, which is closed when all have ended.
pub(crate) fn start(
    opened: Vec<OpenIngest>,
    shared: &Arc<Shared>,
    cores: &Affinity,
) -> std::io::Result<Option<Receiver<Portion>>> {
    if opened.is_empty() {
        return Ok(None);
    }
    let (to, receiver) = channel();
    for listener in opened {
        // Each ends by itself when the collector stops; the closed channel tells that all have.
        drop(listener.start(to.clone(), Arc::clone(shared), cores.clone())?);
    }
    Ok(Some(receiver))
}
