//! Everything joined: the kernel below, streams and engine between, the collector above.

use crate::clock::Clock;
use crate::event::{Datagram, Event, Open, Role, What};
use crate::kernel::{Backend, Counters, Kernel, KernelError, KernelOptions};
use crate::limits::{LIVING_LOOK_NS, LIVING_LOOK_SHARE, LOOK_NS, RECORD_RING_BYTES, TICK_NS};
use crate::metrics::{Counts, SidecarSource};
use crate::overload::{Look, Overload};
use crate::process::{Listening, LocalAddresses};
use crate::sink::ProcessSink;
use crate::streams::Streams;
use crate::tls::watch::{Findings, Watch};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tapir_collector::nap::Nap;
use tapir_collector::{Collector, CollectorError, CollectorHandle, CollectorOptions, CollectorReport};
use tapir_parsers::engine::Engine;
use tapir_parsers::inference::Candidates;
use tapir_parsers::l7::Protocol;
use tapir_parsers::ring::{RingSink, WhenFull};
use tapir_parsers::settings::Settings;

/// Events taken at once, at most, before the clock is looked at.
const EVENTS_AT_ONCE: usize = 4096;

/// How long the ring is left alone when it was emptied, at least and at most: short enough that it never fills.
const NAPS: (Duration, Duration) = (Duration::from_micros(500), Duration::from_millis(8));
/// The same, when nothing has come for some naps.
const LONG_NAP: Duration = Duration::from_millis(30);
/// Naps without an event before they get longer.
const NAPS_SHORT: u32 = 25;

/// What a sidecar is started with.
pub struct SidecarOptions {
    /// What is watched.
    pub kernel: KernelOptions,
    /// What becomes of it on its way to a record.
    pub settings: Settings,
    /// Protocols that are read; all of them if empty.
    pub protocols: Vec<Protocol>,
    /// Share of one core that may be taken before connections are let go; `None`: all there is.
    pub share_max: Option<f64>,
    /// Where the host's files are: /, or where it is mounted in a container.
    pub host_root: PathBuf,
    /// Where records go.
    pub collector: CollectorOptions,
}

/// Why a sidecar does not run.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Nowhere for the records to go.
    #[error(transparent)]
    Collector(#[from] CollectorError),
}

/// What a run amounted to.
pub struct Outcome {
    /// What was counted in the kernel and here.
    pub counts: Counts,
    /// What the collector did with the records.
    pub report: CollectorReport,
}

/// Programs attached, a collector waiting.
pub struct Sidecar {
    kernel: RefCell<Kernel>,
    /// Who follows TLS libraries; none where the kernel refuses.
    watch: Option<Watch>,
    findings: Arc<Findings>,
    streams: RefCell<Streams<ProcessSink>>,
    collector: CollectorHandle,
    source: Arc<SidecarSource>,
    clock: RefCell<Clock>,
    listening: RefCell<Listening>,
    addresses: RefCell<LocalAddresses>,
    own_netns: Option<u32>,
    overload: RefCell<Overload>,
    started: Instant,
    /// Events that could not be read, a bug.
    corrupt: RefCell<u64>,
}

impl Sidecar {
    /// Starts the collector, then the programs in the kernel.
    ///
    /// # Errors
    /// When either can't be had.
    pub fn start(options: SidecarOptions) -> Result<Self, SidecarError> {
        let (ring, records) = RingSink::new(RECORD_RING_BYTES, WhenFull::Drop);
        let protocols = options.protocols;
        let wanted = |protocol| protocols.is_empty() || protocols.contains(&protocol);
        let engine = Engine::new(options.settings, wanted);
        let source = Arc::new(SidecarSource::default());
        let collector = Collector::start(options.collector, vec![records], vec![Arc::clone(&source) as _])?;
        let mut kernel = Kernel::start(&options.kernel, engine.candidates())?;
        let watch = watch_tls(&mut kernel, &options.kernel, engine.candidates());
        let findings = watch.as_ref().map(Watch::findings).unwrap_or_default();
        Ok(Self {
            kernel: RefCell::new(kernel),
            watch,
            findings: Arc::clone(&findings),
            streams: RefCell::new(Streams::new(
                engine,
                ProcessSink::new(ring, findings, &options.host_root),
                options.kernel.side.left_out(),
            )),
            listening: RefCell::new(Listening::default()),
            addresses: RefCell::new(LocalAddresses::default()),
            own_netns: own_netns(),
            overload: RefCell::new(Overload::new(options.share_max)),
            started: Instant::now(),
            collector,
            source,
            clock: RefCell::new(Clock::new()),
            corrupt: RefCell::new(0),
        })
    }

    /// How the kernel tells of data.
    pub fn backend(&self) -> Backend {
        self.kernel.borrow().backend()
    }

    /// The collector.
    pub fn collector(&self) -> &CollectorHandle {
        &self.collector
    }

    /// Reads events until `stop` says so.
    ///
    /// # Errors
    /// When the ring of events is broken.
    pub fn run_until(&self, stop: impl Fn() -> bool) -> Result<(), KernelError> {
        let events = self.kernel.borrow().events(|bytes| self.take(bytes))?;
        let (mut next_tick_ns, mut next_look_ns, mut idle) = (0, 0, 0);
        let mut next_living_ns = self.clock.borrow().now_ns() + LIVING_LOOK_NS;
        let mut nap = Nap::new(NAPS.0, NAPS.1);
        while !stop() {
            let count = events.drain(EVENTS_AT_ONCE)?;
            self.kernel
                .borrow_mut()
                .order(self.streams.borrow_mut().orders())?;
            let now_ns = self.clock.borrow().now_ns();
            if now_ns >= next_tick_ns {
                next_tick_ns = now_ns + TICK_NS;
                self.streams.borrow_mut().tick(now_ns);
            }
            if now_ns >= next_look_ns {
                next_look_ns = now_ns + LOOK_NS;
                self.clock.borrow_mut().adjust();
                let counts = self.counts()?;
                self.source.publish(counts);
                self.shed(&counts)?;
            }
            if now_ns >= next_living_ns {
                self.forget_gone(now_ns)?;
                let took_ns = self.clock.borrow().now_ns().saturating_sub(now_ns);
                next_living_ns = now_ns + LIVING_LOOK_NS.max(LIVING_LOOK_SHARE * took_ns);
            }
            idle = if count == 0 { idle + 1 } else { 0 };
            if count < EVENTS_AT_ONCE {
                let time = nap.after(count as u64);
                std::thread::sleep(if idle > NAPS_SHORT { LONG_NAP } else { time });
            }
        }
        Ok(())
    }

    /// Ends the connections whose sockets are gone.
    fn forget_gone(&self, now_ns: u64) -> Result<(), KernelError> {
        if let Some(cookies) = self.kernel.borrow().living()? {
            self.streams.borrow_mut().living(&cookies, now_ns);
        }
        Ok(())
    }

    /// Lets connections go, or takes them again, as there is time for them.
    fn shed(&self, counts: &Counts) -> Result<(), KernelError> {
        let look = Look {
            lost: counts.kernel.lost(),
            used: Clock::used(),
            passed: self.started.elapsed(),
        };
        let Some(shift) = self.overload.borrow_mut().look(look) else {
            return Ok(());
        };
        match shift {
            0 => log::info!("there is time again: following every connection"),
            _ => log::warn!("too much to read: following one connection of {}", 1 << shift),
        }
        self.kernel.borrow_mut().sample(shift)
    }

    fn take(&self, bytes: &[u8]) {
        match Event::read(bytes) {
            Some(mut event) => {
                log::trace!("{event:?}");
                match &mut event.what {
                    What::Open(open) => self.settle_role(open),
                    What::Datagram(datagram) => self.settle_address(datagram),
                    _ => {}
                }
                let time_ns = self.clock.borrow().unix_ns(event.time_ns);
                self.streams.borrow_mut().event(&event, time_ns);
            }
            None => *self.corrupt.borrow_mut() += 1,
        }
    }

    /// Of a connection that is older than the programs: who is listened to is the server.
    fn settle_role(&self, open: &mut Open) {
        if open.role == Role::Unknown && open.l4 == 0 {
            let mut listening = self.listening.borrow_mut();
            if listening.is_listening(open.netns, open.this.pid, open.local.1) {
                open.role = Role::Server;
            }
        }
    }

    /// Of a datagram that left by whatever address the kernel chose.
    fn settle_address(&self, datagram: &mut Datagram<'_>) {
        if datagram.local.0.is_unspecified() && Some(datagram.netns) == self.own_netns {
            let towards = self.addresses.borrow_mut().towards(datagram.remote.0);
            datagram.local.0 = towards.unwrap_or(datagram.local.0);
        }
    }

    fn counts(&self) -> Result<Counts, KernelError> {
        let mut streams = self.streams.borrow_mut();
        let (sent, dropped) = streams.sink().counts();
        Ok(Counts {
            kernel: self.kernel.borrow().counters()?,
            missed: self.kernel.borrow().missed().map(|(_, times)| times).sum(),
            streams: *streams.counters(),
            corrupt: *self.corrupt.borrow(),
            connections: streams.connections() as u64,
            tls: streams.sink().tls(),
            finder: self.findings.counters(),
            records_made: streams.engine().counters().records(),
            records_sent: sent,
            records_dropped: dropped,
        })
    }

    /// Detaches the programs, takes what they told last, and turns everything under way into records.
    ///
    /// # Errors
    /// When the ring of events is broken.
    pub fn stop(mut self) -> Result<Outcome, KernelError> {
        self.kernel.borrow_mut().detach();
        // Its probes end with it.
        self.watch = None;
        let events = self.kernel.borrow().events(|bytes| self.take(bytes))?;
        while events.drain(EVENTS_AT_ONCE)? > 0 {}
        drop(events);
        let now_ns = self.clock.borrow().now_ns();
        self.streams.borrow_mut().finish(now_ns);
        let counts = self.counts()?;
        self.source.publish(counts);
        let report = self.collector.stop();
        Ok(Outcome { counts, report })
    }
}

/// Watches TLS libraries. Sockets are worth watching without.
fn watch_tls(kernel: &mut Kernel, options: &KernelOptions, table: &Candidates) -> Option<Watch> {
    let started = kernel
        .tls(options, table)
        .map_err(|error| error.to_string())
        .and_then(|programs| Watch::start(programs).map_err(|error| format!("starting a thread: {error}")));
    started
        .inspect_err(|error| log::warn!("{error}; what applications encrypt stays unread"))
        .ok()
}

impl Outcome {
    /// What was counted in the kernel.
    pub fn kernel(&self) -> &Counters {
        &self.counts.kernel
    }
}

/// The number of the network namespace that this process is in.
fn own_netns() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let namespace = std::fs::metadata("/proc/self/ns/net").ok()?;
    u32::try_from(namespace.ino()).ok()
}
