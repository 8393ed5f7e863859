//! Records to a file, with rotation.
//!
//! The file being written has the name that was asked for; finished ones are named by
//! [`rotation`](super::rotation). A batch that could not be written whole is taken back, so a file
//! ends with a whole record even when the disk is full.

use super::rotation;
use super::{Sink, SinkError, SinkStats};
use crate::batch::{Batch, Format};
use crate::error::CollectorError;
use crate::options::FileOptions;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

/// Writes batches to a file.
pub struct FileSink {
    options: FileOptions,
    preamble: Vec<u8>,
    stats: Arc<SinkStats>,
    current: Option<Current>,
}

/// The file being written.
struct Current {
    file: File,
    /// Bytes up to the end of the last whole batch.
    len: u64,
    opened: Instant,
    /// A write failed after some bytes, and they could not be taken back yet.
    has_half_batch: bool,
    /// A device or a pipe is only ever written to.
    is_regular: bool,
}

impl FileSink {
    /// Opens the file for records of `format`. One that is there already is finished first, never overwritten.
    ///
    /// # Errors
    /// When it can't be opened, or another process writes to it.
    pub fn open(options: FileOptions, format: Format, stats: Arc<SinkStats>) -> Result<Self, CollectorError> {
        let mut sink = Self {
            options,
            preamble: format.preamble(),
            stats,
            current: None,
        };
        match sink.open_current() {
            Ok(()) => Ok(sink),
            Err(error) => Err(CollectorError::path("write", &sink.options.path, error)),
        }
    }

    fn open_current(&mut self) -> io::Result<()> {
        let path = &self.options.path;
        if let Ok(known) = path.metadata()
            && known.is_file()
            && known.len() > 0
        {
            locked(OpenOptions::new().append(true).open(path)?)?;
            rotation::finish(path)?;
        }
        // Appending, so that what is written between opening and locking by another process stays.
        let file = locked(OpenOptions::new().create(true).append(true).open(path)?)?;
        let is_regular = file.metadata()?.is_file();
        let mut current = Current {
            file,
            len: 0,
            opened: Instant::now(),
            has_half_batch: false,
            is_regular,
        };
        current.append(&self.preamble)?;
        self.current = Some(current);
        Ok(())
    }

    /// Whether the file is full or old. Nothing but a preamble is never too old.
    fn is_due(&self, more_bytes: u64) -> bool {
        let Some(current) = self
            .current
            .as_ref()
            .filter(|current| current.is_regular && current.len > self.preamble.len() as u64)
        else {
            return false;
        };
        let full = self
            .options
            .rotate_bytes
            .is_some_and(|max| current.len + more_bytes > max);
        let old = self
            .options
            .rotate_age
            .is_some_and(|max| current.opened.elapsed() >= max);
        full || old
    }

    fn rotate(&mut self) -> io::Result<()> {
        if let Some(current) = &mut self.current {
            current.append(&[])?;
            current.file.sync_data()?;
        }
        self.current = None;
        // Opening finds the file that is there, and finishes it.
        self.open_current()?;
        self.stats.rotations.fetch_add(1, Relaxed);
        if let Some(keep) = self.options.keep
            && let Err(error) = rotation::prune(&self.options.path, keep)
        {
            log::warn!(
                "{}: cannot remove old files: {error}",
                self.options.path.display()
            );
        }
        Ok(())
    }
}

impl Sink for FileSink {
    fn deliver(&mut self, batch: &Arc<Batch>) -> Result<(), SinkError> {
        let due = self.is_due(batch.bytes.len() as u64);
        let ready = match &self.current {
            Some(_) if due => self.rotate(),
            Some(_) => Ok(()),
            None => self.open_current(),
        };
        ready.map_err(SinkError::Again)?;
        let Some(current) = &mut self.current else {
            return Err(SinkError::Again(io::ErrorKind::NotFound.into()));
        };
        match current.append(&batch.bytes) {
            Err(error) if current.is_regular => Err(SinkError::Again(error)),
            // Half a batch can't be taken back.
            Err(error) => Err(SinkError::Gone(error)),
            Ok(()) => Ok(()),
        }
    }

    fn tick(&mut self) {
        if self.is_due(0)
            && let Err(error) = self.rotate()
        {
            log::warn!("{}: cannot rotate: {error}", self.options.path.display());
        }
    }

    fn close(&mut self, _deadline: Instant) {
        if let Some(current) = &mut self.current
            && current.is_regular
            && let Err(error) = current.append(&[]).and_then(|()| current.file.sync_data())
        {
            log::warn!("{}: cannot flush: {error}", self.options.path.display());
        }
    }
}

impl Current {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.has_half_batch {
            self.file.set_len(self.len)?;
            self.has_half_batch = false;
        }
        let written = self.file.write_all(bytes);
        match &written {
            Ok(()) => self.len += bytes.len() as u64,
            Err(_) => self.has_half_batch = self.is_regular && self.file.set_len(self.len).is_err(),
        }
        written
    }
}

/// The file, locked for this process as long as it is open.
fn locked(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::ErrorKind::ResourceBusy.into()),
        // Pipes and some file systems have no locks.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}
