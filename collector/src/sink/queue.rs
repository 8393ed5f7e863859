//! A queue of batches between two threads, bounded in bytes. Putting something in never waits.

use crate::batch::Batch;
use crate::limits::BATCH_OVERHEAD_BYTES;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Makes a queue of at most `limit_bytes`. One batch always has room in an empty queue.
pub(crate) fn bounded(limit_bytes: usize) -> (Inlet, Outlet) {
    let (sender, receiver) = channel();
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let inlet = Inlet {
        sender,
        waiting_bytes: Arc::clone(&waiting_bytes),
        limit_bytes,
    };
    let outlet = Outlet {
        receiver,
        waiting_bytes,
    };
    (inlet, outlet)
}

/// Where batches go in. Dropping it closes the queue.
pub(crate) struct Inlet {
    sender: Sender<Arc<Batch>>,
    waiting_bytes: Arc<AtomicUsize>,
    limit_bytes: usize,
}

/// Why a batch was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl Inlet {
    pub(crate) fn offer(&self, batch: &Arc<Batch>) -> Result<(), Refused> {
        let cost = cost(batch);
        // There is one thread that puts in, so nothing can come between the check and the addition.
        let waiting = self.waiting_bytes.load(Relaxed);
        if waiting > 0 && waiting + cost > self.limit_bytes {
            return Err(Refused::Full);
        }
        self.waiting_bytes.fetch_add(cost, Relaxed);
        self.sender.send(Arc::clone(batch)).map_err(|_| Refused::Closed)
    }
}

/// Where batches come out. Dropping it closes the queue.
pub(crate) struct Outlet {
    receiver: Receiver<Arc<Batch>>,
    waiting_bytes: Arc<AtomicUsize>,
}

/// What came out.
pub(crate) enum Next {
    /// Its room is given back by [`Outlet::done`].
    Batch(Arc<Batch>),
    Nothing,
    Closed,
}

impl Outlet {
    pub(crate) fn next(&self, timeout: Duration) -> Next {
        match self.receiver.recv_timeout(timeout) {
            Ok(batch) => Next::Batch(batch),
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::Closed,
        }
    }

    pub(crate) fn done(&self, batch: &Batch) {
        self.waiting_bytes.fetch_sub(cost(batch), Relaxed);
    }
}

fn cost(batch: &Batch) -> usize {
    batch.bytes.len() + BATCH_OVERHEAD_BYTES
}
