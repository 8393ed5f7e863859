//! Frames that lie in memory: what capture files are read into, and what benchmarks replay.

use super::{Buffer, Poll, Received, Source};
use crate::limits::BURST_PACKETS;
use crate::prefetch::prefetch;
use std::sync::Arc;
use tapir_parsers::wire::LinkType;

/// Where a frame lies in its batch.
#[derive(Clone, Copy, Debug)]
pub struct FrameAt {
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// First byte.
    pub offset: u32,
    /// Captured bytes.
    pub len: u32,
    /// Bytes on the wire.
    pub wire_len: u32,
    /// What the frame begins with.
    pub link: LinkType,
}

/// Frames in one piece of memory, shared by the workers that each read some of them.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The memory.
    pub bytes: Arc<Vec<u8>>,
    /// The frames that are this worker's, in order of capture.
    pub frames: Vec<FrameAt>,
}

/// Replays batches as fast as they are read.
pub struct BatchSource<F> {
    next: F,
    batch: Option<Arc<Batch>>,
    start: usize,
    end: usize,
}

/// Bytes of Ethernet, IPv4 and TCP headers without options: frames lie as they come, often across two lines of cache.
const HEADER_BYTES: usize = 54;

impl<F: FnMut() -> Option<Arc<Batch>>> BatchSource<F> {
    /// A source of the batches that `next` brings, until it brings none.
    pub fn new(next: F) -> Self {
        Self {
            next,
            batch: None,
            start: 0,
            end: 0,
        }
    }
}

impl<F> BatchSource<F> {
    #[inline(always)]
    fn at(&self, i: usize) -> Option<&FrameAt> {
        self.batch.as_ref()?.frames.get(self.start + i)
    }
}

impl<F: FnMut() -> Option<Arc<Batch>>> Source for BatchSource<F> {
    type Buffer = BatchBuffer;

    fn receive(&mut self) -> Poll {
        self.start = self.end;
        loop {
            if let Some(batch) = &self.batch
                && self.start < batch.frames.len()
            {
                self.end = batch.frames.len().min(self.start + BURST_PACKETS);
                return Poll::Packets;
            }
            (self.start, self.end) = (0, 0);
            self.batch = (self.next)();
            if self.batch.is_none() {
                return Poll::End;
            }
        }
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.end - self.start
    }

    /// One by one: the headers of a whole burst, asked for at once, are more than can be under way.
    #[inline(always)]
    fn look_ahead(&self, i: usize) {
        let Some(batch) = self.batch.as_deref() else {
            return;
        };
        let Some(frame) = batch.frames.get(self.end + i) else {
            return;
        };
        let start = frame.offset as usize;
        for at in [start, start + HEADER_BYTES] {
            if let Some(byte) = batch.bytes.get(at) {
                prefetch(byte);
            }
        }
    }

    #[inline(always)]
    fn link(&self, i: usize) -> LinkType {
        self.at(i).map_or(LinkType::Ethernet, |f| f.link)
    }

    #[inline(always)]
    fn time_ns(&self, i: usize) -> u64 {
        self.at(i).map_or(0, |f| f.time_ns)
    }

    #[inline(always)]
    fn frame(&self, i: usize) -> &[u8] {
        let Some(batch) = &self.batch else { return &[] };
        let Some(at) = batch.frames.get(self.start + i) else {
            return &[];
        };
        let start = at.offset as usize;
        batch.bytes.get(start..start + at.len as usize).unwrap_or(&[])
    }

    #[inline(always)]
    fn piece(&self, i: usize, offset: usize, len: usize) -> Option<&[u8]> {
        let batch = self.batch.as_deref()?;
        let at = batch.frames.get(self.start + i)?;
        if offset + len > at.len as usize {
            return None;
        }
        let start = at.offset as usize + offset;
        batch.bytes.get(start..start + len)
    }

    #[inline(always)]
    fn frame_len(&self, i: usize) -> usize {
        self.at(i).map_or(0, |f| f.len as usize)
    }

    #[inline(always)]
    fn wire_len(&self, i: usize) -> usize {
        self.at(i).map_or(0, |f| f.wire_len as usize)
    }

    #[inline(always)]
    fn burst(&self) -> impl Iterator<Item = Received<'_>> {
        let (frames, bytes) = match &self.batch {
            Some(batch) => (batch.frames.get(self.start..self.end), batch.bytes.as_slice()),
            None => (None, &[][..]),
        };
        frames.unwrap_or_default().iter().map(move |at| {
            let start = at.offset as usize;
            Received {
                link: at.link,
                frame: bytes.get(start..start + at.len as usize).unwrap_or(&[]),
                frame_len: at.len as usize,
                wire_len: at.wire_len as usize,
                time_ns: at.time_ns,
            }
        })
    }

    fn take(&mut self, i: usize) -> Option<BatchBuffer> {
        let at = *self.at(i)?;
        let bytes = Arc::clone(&self.batch.as_ref()?.bytes);
        Some(BatchBuffer {
            bytes,
            start: at.offset as usize,
            end: at.offset as usize + at.len as usize,
        })
    }
}

/// A frame of a batch, kept: the batch's memory lives as long.
#[derive(Debug)]
pub struct BatchBuffer {
    bytes: Arc<Vec<u8>>,
    start: usize,
    end: usize,
}

impl Buffer for BatchBuffer {
    fn segment(&self, n: usize) -> Option<&[u8]> {
        if n == 0 {
            self.bytes.get(self.start..self.end)
        } else {
            None
        }
    }
}
