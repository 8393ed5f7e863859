//! Records to one writer: stdout.

use super::{Sink, SinkError};
use crate::batch::{Batch, Format};
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

/// Writes batches to `W` as they come. An error ends it: a writer that can't be taken back to the last
/// whole batch must not go on.
pub struct StreamSink<W> {
    to: W,
    preamble: Vec<u8>,
}

impl<W: Write> StreamSink<W> {
    /// Writes records of `format` to `to`.
    pub fn new(to: W, format: Format) -> Self {
        let preamble = format.preamble();
        Self { to, preamble }
    }
}

impl<W: Write + Send> Sink for StreamSink<W> {
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        let preamble = std::mem::take(&mut self.preamble);
        let written = self.to.write_all(&preamble);
        written
            .and_then(|()| self.to.write_all(&batch.bytes))
            .and_then(|()| self.to.flush())
            .map_err(SinkError::Gone)
    }

    fn close(&mut self, _deadline: Instant) {
        // There is nothing to be done about a reader that is gone.
        let _ = self.to.flush();
    }
}
