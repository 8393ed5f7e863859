//! Inflaters, lent by the lcore to the flows that are in the middle of a compressed packet.

use crate::limits::{COMPRESSED_WHOLE_BYTES_MAX, INFLATED_BYTES_FREE, INFLATERS_MAX};
use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::cell::RefCell;
use std::io::Read;

/// Inflaters that are kept for the next packet when nobody needs them.
const IDLE_MAX: usize = 64;
/// Plain bytes made in one go.
const PIECE_BYTES: usize = 8 * 1024;

#[derive(Default)]
// Boxes are what is lent: a stream's state of 43 KiB is not moved about.
#[allow(clippy::vec_box)]
struct Pool {
    idle: Vec<Box<Decompress>>,
    lent: usize,
    zstd: Option<Box<FrameDecoder>>,
    work: Vec<u8>,
}

impl Pool {
    fn zstd(&mut self) -> &mut FrameDecoder {
        self.zstd.get_or_insert_with(|| {
            let mut decoder = Box::new(FrameDecoder::new());
            // A frame declares how much memory it wants; no honest one of these needs more.
            decoder.set_max_window_size(8 << 20);
            decoder
        })
    }
}

thread_local! {
    // An lcore is a thread: what its flows share without a lock.
    static POOL: RefCell<Pool> = RefCell::default();
}

/// The state of one zlib stream; goes back to the lcore when dropped.
pub(crate) struct Inflater(Option<Box<Decompress>>);

impl Inflater {
    /// For a new stream; `None` when too many are lent.
    pub(crate) fn lend() -> Option<Self> {
        POOL.with_borrow_mut(|pool| {
            if pool.lent >= INFLATERS_MAX {
                return None;
            }
            pool.lent += 1;
            let mut inflater = pool.idle.pop().unwrap_or_else(|| Box::new(Decompress::new(true)));
            inflater.reset(true);
            Some(Self(Some(inflater)))
        })
    }

    /// Inflates some of `from`, adding at most `max` bytes to `to`. How many bytes of `from` were used, and
    /// how many came out; `None` when `from` is no zlib stream.
    pub(crate) fn inflate(&mut self, from: &[u8], to: &mut Vec<u8>, max: usize) -> Option<(usize, usize)> {
        let inflater = self.0.as_mut()?;
        let (used, made, start) = (inflater.total_in(), inflater.total_out(), to.len());
        to.resize(start + max.min(PIECE_BYTES), 0);
        let status = inflater.decompress(from, to.get_mut(start..)?, FlushDecompress::None);
        let used = (inflater.total_in() - used) as usize;
        let made = (inflater.total_out() - made) as usize;
        to.truncate(start + made);
        match status {
            Ok(Status::Ok | Status::BufError | Status::StreamEnd) => Some((used, made)),
            Err(_) => None,
        }
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        let Some(inflater) = self.0.take() else { return };
        // Threads that end take their pool with them.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut() {
                pool.lent = pool.lent.saturating_sub(1);
                if pool.idle.len() < IDLE_MAX {
                    pool.idle.push(inflater);
                }
            }
        });
    }
}

/// Adds what the zstd frame `from` holds to `to`, if that is exactly `len` bytes and not too many.
pub(crate) fn decode_zstd(from: &[u8], to: &mut Vec<u8>, len: usize) -> bool {
    if from.len() > COMPRESSED_WHOLE_BYTES_MAX || len as u64 > 4 * INFLATED_BYTES_FREE {
        return false;
    }
    POOL.with_borrow_mut(|pool| {
        let decoder = pool.zstd();
        let start = to.len();
        to.resize(start + len, 0);
        let made = to
            .get_mut(start..)
            .and_then(|place| decoder.decode_all(from, place).ok())
            .unwrap_or(0);
        to.truncate(start + made);
        made == len
    })
}

/// Adds the beginning of what the zstd frame from `source` holds to `to`, at most `max` bytes; nothing when it
/// is not whole.
pub(crate) fn decode_zstd_head(mut source: impl Read, to: &mut Vec<u8>, max: usize) {
    POOL.with_borrow_mut(|pool| {
        let decoder = pool.zstd();
        let decoded = decoder
            .init(&mut source)
            .and_then(|()| decoder.decode_blocks(&mut source, BlockDecodingStrategy::All));
        if decoded.is_err() {
            return;
        }
        let start = to.len();
        to.resize(start + max, 0);
        let place = to.get_mut(start..);
        let made = place.and_then(|place| decoder.read(place).ok()).unwrap_or(0);
        to.truncate(start + made);
    });
}

/// Takes the lcore's buffer for plain bytes, empty.
pub(crate) fn take_work_buffer() -> Vec<u8> {
    let mut work = POOL.with_borrow_mut(|pool| std::mem::take(&mut pool.work));
    work.clear();
    work
}

/// Gives the buffer back.
pub(crate) fn give_work_buffer(work: Vec<u8>) {
    POOL.with_borrow_mut(|pool| pool.work = work);
}
