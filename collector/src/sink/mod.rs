//! Where batches go. A sink has its own thread and a bounded queue: however slow, wrong or dead it is,
//! the collector's thread never waits for it, and what it could not deliver is counted by reason.

mod connector;
mod file;
mod listener;
mod queue;
mod rotation;
mod runner;
mod socket;
mod stats;
mod stream;

pub use connector::{ConnectorSink, Remote};
pub use file::FileSink;
pub use listener::ListenerSink;
pub use socket::Address;
pub use stats::{CutOff, LossReason, SinkCounts, SinkStats};
pub use stream::StreamSink;

pub(crate) use connector::TAKEN;
pub(crate) use runner::{Shutdown, SinkThread};
pub(crate) use socket::{Connection as Accepted, Listener};

use crate::batch::Batch;
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// Takes batches somewhere. Called on the sink's own thread, so it may block, within bounds of its own.
pub trait Sink: Send {
    /// Takes one batch.
    ///
    /// # Errors
    /// [`SinkError`] says what becomes of the batch and of the sink.
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError>;

    /// Called some times a second, whether there are batches or not.
    fn tick(&mut self) {}

    /// No more batches come: brings out what is under way, until `deadline` at most.
    fn close(&mut self, deadline: Instant) {
        let _ = deadline;
    }
}

/// What went wrong with a batch.
#[derive(Debug)]
pub enum SinkError {
    /// The same batch may be delivered later; nothing of it was.
    Again(io::Error),
    /// The batch is lost, the sink goes on.
    Lost(LossReason),
    /// The sink can take nothing any more.
    Gone(io::Error),
}
