//! One sidecar's connection.

use super::stats::{IngestEnd, IngestStats};
use super::{Portion, entry};
use crate::flat::decode_batch;
use crate::limits::{BATCH_BYTES_MAX, PORTIONS_PER_SIDECAR_MAX};
use crate::sink::{Accepted, TAKEN};
use crate::tls::TlsServer;
use rustls::{ServerConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How often a thread that reads looks up.
const LOOK: Duration = Duration::from_millis(50);
/// How long what was begun (TLS, a batch) may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much is read at a time: memory grows with what has come, not with what was announced.
const READ_BYTES: usize = 64 * 1024;
/// Before a batch: its length.
const PREFIX_BYTES: usize = 4;

pub(super) enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Connection {
    pub(super) fn new(accepted: Accepted, tls: Option<&TlsServer>) -> io::Result<Self> {
        match accepted {
            Accepted::Unix(stream) => {
                stream.set_read_timeout(Some(LOOK))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                Ok(Self::Unix(stream))
            }
            Accepted::Tcp(stream) => {
                stream.set_read_timeout(Some(LOOK))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                match tls {
                    Some(tls) => Ok(Self::Tls(Box::new(tls.accept(stream)?))),
                    None => Ok(Self::Tcp(stream)),
                }
            }
        }
    }

    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(to),
            Self::Tcp(stream) => stream.read(to),
            Self::Tls(stream) => match stream.read(to) {
                // A peer that ended without saying so is gone all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }

    fn answer(&mut self) -> io::Result<()> {
        match self {
            Self::Unix(stream) => stream.write_all(&[TAKEN]),
            Self::Tcp(stream) => stream.write_all(&[TAKEN]),
            Self::Tls(stream) => stream.write_all(&[TAKEN]).and_then(|()| stream.flush()),
        }
    }

    fn is_shaking_hands(&self) -> bool {
        matches!(self, Self::Tls(stream) if stream.conn.is_handshaking())
    }
}

/// Why reading ended.
type Ended = (IngestEnd, String);

/// Reads batches until the sidecar goes, must go, or the collector stops.
pub(super) fn serve(
    connection: &mut Connection,
    to: &Sender<Portion>,
    stop: &AtomicBool,
    stats: &IngestStats,
) -> Ended {
    let under_way = Arc::new(AtomicUsize::new(0));
    let mut batch = Vec::new();
    loop {
        if stop.load(Acquire) {
            return stopped();
        }
        if let Err(ended) = read_batch(connection, &mut batch, stop) {
            return ended;
        }
        let (mut entries, mut records) = (Vec::new(), 0);
        let decoded = decode_batch(&batch, |session| {
            entry::write(session, &mut entries);
            records += 1;
        });
        if let Err(error) = decoded {
            return (IngestEnd::Broken, error.to_string());
        }
        // The collector has its own pace: wait here, where only this sidecar waits.
        while under_way.load(Relaxed) >= PORTIONS_PER_SIDECAR_MAX {
            if stop.load(Acquire) {
                return stopped();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        under_way.fetch_add(1, Relaxed);
        stats.batches.fetch_add(1, Relaxed);
        stats.records.fetch_add(records, Relaxed);
        stats.bytes.fetch_add(batch.len() as u64, Relaxed);
        let portion = Portion {
            entries,
            under_way: Arc::clone(&under_way),
        };
        if to.send(portion).is_err() {
            return stopped();
        }
        if let Err(error) = connection.answer() {
            return (IngestEnd::Slow, format!("it does not read: {error}"));
        }
    }
}

fn stopped() -> Ended {
    (IngestEnd::Left, "the collector stops".into())
}

/// Reads one batch with its prefix into `batch`.
fn read_batch(connection: &mut Connection, batch: &mut Vec<u8>, stop: &AtomicBool) -> Result<(), Ended> {
    batch.clear();
    let mut wanted = PREFIX_BYTES;
    let mut began = connection.is_shaking_hands().then(Instant::now);
    while batch.len() < wanted {
        let before = batch.len();
        batch.resize(wanted.min(before + READ_BYTES), 0);
        let was_shaking_hands = connection.is_shaking_hands();
        let read = connection.read(batch.get_mut(before..).unwrap_or_default());
        batch.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) if before == 0 => return Err((IngestEnd::Left, "it left".into())),
            Ok(0) => return Err((IngestEnd::Broken, "it left within a batch".into())),
            Ok(_) => {}
            Err(error) if is_pause(&error) => {
                if stop.load(Acquire) {
                    return Err(stopped());
                }
                if !connection.is_shaking_hands() && batch.is_empty() {
                    began = None;
                }
                if began.is_some_and(|began| began.elapsed() > PATIENCE) {
                    return Err((IngestEnd::Slow, "what it began does not come to its end".into()));
                }
                continue;
            }
            Err(error) if was_shaking_hands || error.kind() == ErrorKind::InvalidData => {
                return Err((IngestEnd::Tls, error.to_string()));
            }
            Err(error) => return Err((IngestEnd::Broken, error.to_string())),
        }
        began.get_or_insert_with(Instant::now);
        if began.is_some_and(|began| began.elapsed() > PATIENCE) {
            return Err((IngestEnd::Slow, "a batch does not come to its end".into()));
        }
        if before < PREFIX_BYTES
            && let Some(prefix) = batch.first_chunk()
        {
            let len = u32::from_le_bytes(*prefix) as usize;
            if len > BATCH_BYTES_MAX {
                return Err((IngestEnd::Broken, "what it sends are no session records".into()));
            }
            wanted = PREFIX_BYTES + len;
        }
    }
    Ok(())
}

/// Nothing has come for a moment.
fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}
