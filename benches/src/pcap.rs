//! Writes a pcap file with nanosecond times, Ethernet.

use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;

/// A capture being written. Every packet is a microsecond later than the one before.
pub(crate) struct Writer {
    file: BufWriter<File>,
    time_ns: u64,
    packets: u64,
    bytes: u64,
}

/// When the first packet is captured, Unix ns.
const START_NS: u64 = 1_700_000_000_000_000_000;
/// Between two packets.
const STEP_NS: u64 = 1_000;

impl Writer {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        // Magic of the nanosecond format, version 2.4, no time zone, snap length, Ethernet.
        for word in [0xA1B2_3C4D_u32, 0x0004_0002, 0, 0, 262_144, 1] {
            file.write_all(&word.to_le_bytes())?;
        }
        Ok(Self {
            file,
            time_ns: START_NS,
            packets: 0,
            bytes: 0,
        })
    }

    pub(crate) fn packet(&mut self, frame: &[u8]) -> Result<()> {
        self.time_ns += STEP_NS;
        self.packets += 1;
        self.bytes += frame.len() as u64;
        let (seconds, ns) = (self.time_ns / 1_000_000_000, self.time_ns % 1_000_000_000);
        let len = frame.len() as u32;
        for word in [seconds as u32, ns as u32, len, len] {
            self.file.write_all(&word.to_le_bytes())?;
        }
        self.file.write_all(frame)
    }

    /// Packets and bytes written.
    pub(crate) fn finish(mut self) -> Result<(u64, u64)> {
        self.file.flush()?;
        Ok((self.packets, self.bytes))
    }
}
