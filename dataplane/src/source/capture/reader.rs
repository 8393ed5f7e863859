//! Reads a capture file piece by piece; the packets stay where the file was read to.

use super::error::CaptureError;
use super::pcap::{FILE_HEADER, Format};
use super::pcapng::{Block, SECTION_HEADER, Section};
use crate::source::FrameAt;
use std::io::Read;
use tapir_parsers::wire::LinkType;

/// Longest record or block taken for real: the pcap maximum snap length is 256 KiB; jumbo and loopback
/// captures stay far below this.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// Bytes read at a time: so few that a piece is still in a cache when a worker reads it, so many that
/// handing pieces over costs nothing.
const PIECE_BYTES: usize = 1 << 20;

/// Byte order of a file or section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endian {
    Little,
    Big,
}

impl Endian {
    pub(super) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    pub(super) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    pub(super) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Little {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }
}

/// A packet's record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    pub(super) time_ns: u64,
    pub(super) len: u32,
    pub(super) wire_len: u32,
    pub(super) link: LinkType,
}

/// What was read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaptureSummary {
    /// Packets handed out.
    pub packets: u64,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// The file ends within a packet (a capture that was cut off): its last, partial record is left out.
    pub cut_off: bool,
    /// Packets left out because their link type is not supported.
    pub unsupported: u64,
}

enum Layout {
    Pcap(Format),
    PcapNg(Section),
}

/// A capture file, open.
pub struct CaptureReader<R> {
    input: R,
    layout: Layout,
    /// Bytes read and not handed out yet: the start of a record.
    left: Vec<u8>,
    summary: CaptureSummary,
    error: Option<CaptureError>,
    at_end: bool,
    last_ns: u64,
}

impl<R: Read> CaptureReader<R> {
    /// Opens a capture.
    ///
    /// # Errors
    /// When it is not a capture, or of a link type that is not supported.
    pub fn new(mut input: R) -> Result<Self, CaptureError> {
        let mut left = vec![0; FILE_HEADER];
        let got = read_full(&mut input, &mut left)?;
        left.truncate(got);
        let magic: [u8; 4] = *left.first_chunk().ok_or(CaptureError::NoHeader)?;
        let layout = if u32::from_le_bytes(magic) == SECTION_HEADER {
            let order = left
                .get(8..12)
                .and_then(|b| b.first_chunk())
                .ok_or(CaptureError::NoHeader)?;
            let endian = Section::endian(*order).ok_or(CaptureError::UnknownFormat(magic))?;
            Layout::PcapNg(Section::new(endian))
        } else {
            let header: &[u8; FILE_HEADER] = match left.first_chunk() {
                Some(header) => header,
                None => return Err(CaptureError::NoHeader),
            };
            let format = Format::new(header).ok_or(CaptureError::UnknownFormat(magic))??;
            left.clear();
            Layout::Pcap(format)
        };
        let summary = CaptureSummary {
            file_bytes: got as u64,
            ..CaptureSummary::default()
        };
        Ok(Self {
            input,
            layout,
            left,
            summary,
            error: None,
            at_end: false,
            last_ns: 0,
        })
    }

    /// What was read so far.
    pub fn summary(&self) -> CaptureSummary {
        self.summary
    }

    /// Reads the next piece into `piece`, whose contents don't matter, and tells where its frames lie and how
    /// many bytes it took of the file; memory that was used before is neither asked for nor cleared anew.
    /// `None` at the end.
    ///
    /// # Errors
    /// When the file can't be read or is broken; frames before that were handed out.
    pub fn next_piece(
        &mut self,
        piece: &mut Vec<u8>,
        frames: &mut Vec<FrameAt>,
    ) -> Result<Option<usize>, CaptureError> {
        frames.clear();
        if let Some(error) = self.error.take() {
            self.at_end = true;
            return Err(error);
        }
        if self.at_end {
            return Ok(None);
        }
        let kept = self.left.len();
        if piece.len() < kept + PIECE_BYTES {
            piece.resize(kept + PIECE_BYTES, 0);
        }
        piece[..kept].copy_from_slice(&self.left);
        self.left.clear();
        let got = read_full(&mut self.input, &mut piece[kept..kept + PIECE_BYTES])?;
        let piece = &piece[..kept + got];
        self.at_end = got < PIECE_BYTES;
        self.summary.file_bytes += got as u64;
        let piece_offset = self.summary.file_bytes - piece.len() as u64;
        let mut at = 0;
        loop {
            match self.record(piece, at, piece_offset) {
                Ok(Some((next, frame))) => {
                    self.summary.packets += u64::from(frame.is_some());
                    frames.extend(frame);
                    at = next;
                }
                Ok(None) => break,
                Err(error) => {
                    // The packets before it are handed out first.
                    self.error = Some(error);
                    return Ok(Some(got));
                }
            }
        }
        if self.at_end {
            self.summary.cut_off = at < piece.len();
        } else {
            self.left.extend_from_slice(&piece[at..]);
        }
        Ok(Some(got))
    }

    /// Reads the record at `at`: where the next begins, and its frame if it holds one. `None`: not whole.
    #[allow(clippy::type_complexity)]
    fn record(
        &mut self,
        piece: &[u8],
        at: usize,
        piece_offset: u64,
    ) -> Result<Option<(usize, Option<FrameAt>)>, CaptureError> {
        let Some(rest) = piece.get(at..) else {
            return Ok(None);
        };
        let file_offset = piece_offset + at as u64;
        match &mut self.layout {
            Layout::Pcap(format) => {
                let header = format.record_header();
                let Some(record) = rest.get(..header).and_then(|h| format.record(h)) else {
                    return Ok(None);
                };
                if record.len as usize > RECORD_BYTES_MAX {
                    let what = "a packet longer than any can be";
                    return Err(CaptureError::Broken {
                        offset: file_offset,
                        what,
                    });
                }
                let next = at + header + record.len as usize;
                if next > piece.len() {
                    return Ok(None);
                }
                Ok(Some((next, Some(frame_of(&record, at + header)))))
            }
            Layout::PcapNg(section) => {
                let broken = |what| CaptureError::Broken {
                    offset: file_offset,
                    what,
                };
                if rest.len() < 12 {
                    return Ok(None);
                }
                if rest.starts_with(&SECTION_HEADER.to_le_bytes()) {
                    let order = rest
                        .get(8..12)
                        .and_then(|b| b.first_chunk())
                        .copied()
                        .unwrap_or_default();
                    let endian =
                        Section::endian(order).ok_or_else(|| broken("section without byte order"))?;
                    *section = Section::new(endian);
                }
                let order = section.order();
                let kind = order.u32(rest, 0).unwrap_or(0);
                let len = order.u32(rest, 4).unwrap_or(0) as usize;
                if len < 12 || !len.is_multiple_of(4) || len > RECORD_BYTES_MAX {
                    return Err(broken("a block length that can't be"));
                }
                let Some(block) = rest.get(..len) else {
                    return Ok(None);
                };
                let frame = match section.block(kind, &block[8..len - 4], file_offset)? {
                    Block::Packet(mut record, body_at) => {
                        // A simple packet block has no time: it takes that of the packet before.
                        record.time_ns = if record.time_ns == 0 {
                            self.last_ns
                        } else {
                            record.time_ns
                        };
                        self.last_ns = record.time_ns;
                        Some(frame_of(&record, at + 8 + body_at))
                    }
                    Block::Unsupported(number) => {
                        self.summary.unsupported += 1;
                        if self.summary.packets == 0 && self.summary.unsupported == 1 {
                            return Err(CaptureError::LinkType(number));
                        }
                        None
                    }
                    Block::Other => None,
                };
                Ok(Some((at + len, frame)))
            }
        }
    }
}

fn frame_of(record: &Record, offset: usize) -> FrameAt {
    FrameAt {
        time_ns: record.time_ns,
        offset: offset as u32,
        len: record.len,
        wire_len: record.wire_len,
        link: record.link,
    }
}

/// Reads until `buffer` is full or the input ends; says how many bytes.
fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(count) => got += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
