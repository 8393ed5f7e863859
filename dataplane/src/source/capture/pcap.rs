//! Records of a classic pcap file.

use super::error::CaptureError;
use super::reader::{Endian, Record};
use tapir_parsers::wire::LinkType;

/// Length of the file header.
pub(super) const FILE_HEADER: usize = 24;

/// How the records of a file are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    endian: Endian,
    /// ns in one unit of the fraction.
    unit_ns: u64,
    /// Bytes of a record header: 24 in the modified variant, else 16.
    record_header: usize,
    link: LinkType,
}

impl Format {
    /// Reads the file header; `None` when the magic number is not pcap's.
    pub(super) fn new(header: &[u8; FILE_HEADER]) -> Option<Result<Self, CaptureError>> {
        let [m0, m1, m2, m3, ..] = *header;
        let (endian, magic) = match u32::from_le_bytes([m0, m1, m2, m3]) {
            magic @ (0xA1B2_C3D4 | 0xA1B2_3C4D | 0xA1B2_CD34) => (Endian::Little, magic),
            swapped => (Endian::Big, swapped.swap_bytes()),
        };
        let (unit_ns, record_header) = match magic {
            0xA1B2_C3D4 => (1000, 16),
            0xA1B2_3C4D => (1, 16),
            0xA1B2_CD34 => (1000, 24),
            _ => return None,
        };
        // The upper bits of the link type field tell of a frame check sequence.
        let number = endian.u32(header, 20).unwrap_or(0) & 0x0FFF_FFFF;
        let format = |link| Self {
            endian,
            unit_ns,
            record_header,
            link,
        };
        Some(
            LinkType::from_dlt(number)
                .map(format)
                .ok_or(CaptureError::LinkType(number)),
        )
    }

    /// Bytes of a record header.
    pub(super) fn record_header(&self) -> usize {
        self.record_header
    }

    /// Reads a record header; `None` when `header` is too short.
    pub(super) fn record(&self, header: &[u8]) -> Option<Record> {
        let seconds = u64::from(self.endian.u32(header, 0)?);
        let fraction = u64::from(self.endian.u32(header, 4)?);
        let len = self.endian.u32(header, 8)?;
        let wire_len = self.endian.u32(header, 12)?;
        Some(Record {
            time_ns: seconds * 1_000_000_000 + fraction * self.unit_ns,
            len,
            wire_len: wire_len.max(len),
            link: self.link,
        })
    }
}
