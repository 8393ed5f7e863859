//! Records to everybody who connects.
//!
//! Each subscriber has a thread and a bounded queue. One that reads too slowly finds its queue full, and
//! is cut off: it neither slows the others nor costs memory.

use super::queue::{Inlet, Next, Outlet, Refused, bounded};
use super::socket::{Address, Connection, Listener};
use super::{CutOff, LossReason, Sink, SinkError, SinkStats};
use crate::affinity::Affinity;
use crate::batch::{Batch, Format};
use crate::error::CollectorError;
use crate::options::ListenerOptions;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest that one write to a subscriber may stand still.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a subscriber's thread looks up when there is nothing to send.
const IDLE: Duration = Duration::from_secs(1);
/// Connections accepted in a row before records go on.
const ACCEPTS_MAX: usize = 16;

/// Sends batches to all subscribers of a socket.
pub struct ListenerSink {
    listener: Listener,
    options: ListenerOptions,
    format: Format,
    stats: Arc<SinkStats>,
    affinity: Affinity,
    subscribers: Vec<Subscriber>,
}

struct Subscriber {
    inlet: Inlet,
    connection: Connection,
    thread: JoinHandle<io::Result<()>>,
}

impl ListenerSink {
    /// Listens for subscribers to records of `format`.
    ///
    /// # Errors
    /// When the address can't be had.
    pub fn bind(
        options: ListenerOptions,
        format: Format,
        stats: Arc<SinkStats>,
        affinity: Affinity,
    ) -> Result<Self, CollectorError> {
        let listener = Listener::bind(&options.address)?;
        stats.unwanted.store(true, Relaxed);
        Ok(Self {
            listener,
            options,
            format,
            stats,
            affinity,
            subscribers: Vec::new(),
        })
    }

    /// Where it listens; tells the port that was taken for 0.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<Address> {
        self.listener.address()
    }

    fn accept(&mut self) {
        for _ in 0..ACCEPTS_MAX {
            match self.listener.accept() {
                Ok(Some(connection)) => self.admit(connection),
                Ok(None) => return,
                // Out of file descriptors, or a connection that broke at once: the next tick tries again.
                Err(error) => {
                    log::debug!("{}: cannot accept: {error}", self.options.address);
                    return;
                }
            }
        }
    }

    fn admit(&mut self, connection: Connection) {
        if self.subscribers.len() >= self.options.subscribers_max {
            connection.shut();
            self.stats.cut(CutOff::Refused);
            return;
        }
        match self.start(connection) {
            Ok(subscriber) => {
                self.subscribers.push(subscriber);
                self.stats.subscribers_seen.fetch_add(1, Relaxed);
                self.count_subscribers();
            }
            Err(error) => log::warn!("{}: cannot serve a subscriber: {error}", self.options.address),
        }
    }

    fn start(&self, connection: Connection) -> io::Result<Subscriber> {
        connection.set_write_timeout(WRITE_TIMEOUT)?;
        let mut writer = connection.duplicate()?;
        let (inlet, outlet) = bounded(self.options.subscriber_queue_bytes);
        let preamble = self.format.preamble();
        let affinity = self.affinity.clone();
        let thread = std::thread::Builder::new()
            .name("subscriber".into())
            .spawn(move || {
                affinity.apply();
                let ended = serve(&mut writer, &preamble, &outlet);
                writer.shut();
                ended
            })?;
        Ok(Subscriber {
            inlet,
            connection,
            thread,
        })
    }

    /// Lets those go whose connection ended.
    fn sweep(&mut self) {
        for subscriber in self
            .subscribers
            .extract_if(.., |subscriber| subscriber.thread.is_finished())
        {
            let ended = subscriber.thread.join();
            let timed_out = matches!(&ended, Ok(Err(error)) if is_timeout(error));
            self.stats
                .cut(if timed_out { CutOff::Slow } else { CutOff::Left });
        }
        self.count_subscribers();
    }

    fn count_subscribers(&self) {
        self.stats
            .subscribers
            .store(self.subscribers.len() as u64, Relaxed);
        self.stats.unwanted.store(self.subscribers.is_empty(), Relaxed);
    }
}

impl Sink for ListenerSink {
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        let before = self.subscribers.len();
        let mut delivered = false;
        let stats = &self.stats;
        self.subscribers
            .retain(|subscriber| match subscriber.inlet.offer(batch) {
                Ok(()) => {
                    delivered = true;
                    true
                }
                Err(Refused::Full) => {
                    stats.cut(CutOff::Slow);
                    subscriber.connection.shut();
                    false
                }
                // The next sweep finds out why.
                Err(Refused::Closed) => true,
            });
        if self.subscribers.len() != before {
            self.count_subscribers();
        }
        if delivered {
            Ok(())
        } else {
            Err(SinkError::Lost(LossReason::NoSubscriber))
        }
    }

    fn tick(&mut self) {
        self.accept();
        self.sweep();
    }

    fn close(&mut self, deadline: Instant) {
        let (inlets, rest): (Vec<_>, Vec<_>) = self
            .subscribers
            .drain(..)
            .map(|subscriber| (subscriber.inlet, (subscriber.connection, subscriber.thread)))
            .unzip();
        // Closed queues end their threads once they are empty.
        drop(inlets);
        for (connection, thread) in rest {
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
            if !thread.is_finished() {
                self.stats.cut(CutOff::Slow);
                connection.shut();
            }
            // It ends now: what it waits for is its queue, which is closed, or its connection, which is too.
            let _ = thread.join();
        }
        self.count_subscribers();
    }
}

/// A write that stood still for too long says one of these.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Writes batches to one subscriber until there are no more, or it is gone.
fn serve(writer: &mut Connection, preamble: &[u8], outlet: &Outlet) -> io::Result<()> {
    writer.write_all(preamble)?;
    loop {
        match outlet.next(IDLE) {
            Next::Batch(batch) => {
                writer.write_all(&batch.bytes)?;
                outlet.done(&batch);
            }
            Next::Nothing => {}
            Next::Closed => return Ok(()),
        }
    }
}
