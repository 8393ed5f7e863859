//! Blocks of a pcapng file.

use super::error::CaptureError;
use super::reader::{Endian, Record};
use tapir_parsers::wire::LinkType;

/// Type of a section header block, the same in both byte orders.
pub(super) const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Interfaces a section may describe; more are a broken file.
const INTERFACES_MAX: usize = 4096;

/// Link type and clock of one interface of a section.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Option<LinkType>,
    number: u32,
    snap_len: u32,
    /// Timestamp units in a second.
    units_per_second: u64,
    offset_s: i64,
}

/// What is known of the section at hand.
#[derive(Debug)]
pub(super) struct Section {
    endian: Endian,
    interfaces: Vec<Interface>,
}

/// What a block holds.
pub(super) enum Block {
    /// A packet, and where in the block its bytes begin.
    Packet(Record, usize),
    /// A packet of an interface whose link type is not supported.
    Unsupported(u32),
    /// Anything else.
    Other,
}

impl Section {
    /// The byte order of a section header block: its body begins with the byte-order magic.
    pub(super) fn endian(body_start: [u8; 4]) -> Option<Endian> {
        match u32::from_le_bytes(body_start) {
            0x1A2B_3C4D => Some(Endian::Little),
            0x4D3C_2B1A => Some(Endian::Big),
            _ => None,
        }
    }

    pub(super) fn new(endian: Endian) -> Self {
        Self {
            endian,
            interfaces: Vec::new(),
        }
    }

    /// Byte order of the section.
    pub(super) fn order(&self) -> Endian {
        self.endian
    }

    /// Reads a block's body (without the type and the two lengths).
    pub(super) fn block(&mut self, kind: u32, body: &[u8], at: u64) -> Result<Block, CaptureError> {
        let broken = |what| CaptureError::Broken { offset: at, what };
        match kind {
            INTERFACE => {
                if self.interfaces.len() >= INTERFACES_MAX {
                    return Err(broken("more interfaces than there can be"));
                }
                let interface = self
                    .interface(body)
                    .ok_or_else(|| broken("interface block too short"))?;
                self.interfaces.push(interface);
                Ok(Block::Other)
            }
            ENHANCED_PACKET => self
                .packet(body, self.endian.u32(body, 0))
                .ok_or_else(|| broken("packet block too short")),
            OBSOLETE_PACKET => {
                let interface = self.endian.u16(body, 0).map(u32::from);
                self.packet(body, interface)
                    .ok_or_else(|| broken("packet block too short"))
            }
            SIMPLE_PACKET => self.simple(body).ok_or_else(|| broken("packet block too short")),
            _ => Ok(Block::Other),
        }
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let number = u32::from(self.endian.u16(body, 0)?);
        let mut interface = Interface {
            link: LinkType::from_dlt(number),
            number,
            snap_len: self.endian.u32(body, 4)?,
            units_per_second: 1_000_000,
            offset_s: 0,
        };
        let mut options = body.get(8..)?;
        while let (Some(code), Some(len)) = (self.endian.u16(options, 0), self.endian.u16(options, 2)) {
            let len = usize::from(len);
            let Some(value) = options.get(4..4 + len) else {
                break;
            };
            match (code, value) {
                (0, _) => break,
                // if_tsresol: a power of ten, or of two where the highest bit is set.
                (9, [resolution]) => {
                    let exponent = u32::from(resolution & 0x7F);
                    let base = if resolution & 0x80 == 0 { 10u64 } else { 2 };
                    interface.units_per_second = base.checked_pow(exponent).unwrap_or(1_000_000_000);
                }
                // if_tsoffset
                (14, value) => interface.offset_s = self.endian.u64(value, 0).unwrap_or(0) as i64,
                _ => {}
            }
            options = options.get(4 + len.next_multiple_of(4)..).unwrap_or(&[]);
        }
        Some(interface)
    }

    /// An enhanced packet block and the obsolete packet block share their layout behind the interface.
    fn packet(&self, body: &[u8], interface: Option<u32>) -> Option<Block> {
        let interface = self.interfaces.get(interface? as usize)?;
        let units = u64::from(self.endian.u32(body, 4)?) << 32 | u64::from(self.endian.u32(body, 8)?);
        let len = self.endian.u32(body, 12)?;
        let wire_len = self.endian.u32(body, 16)?;
        body.get(20..20 + len as usize)?;
        let Some(link) = interface.link else {
            return Some(Block::Unsupported(interface.number));
        };
        let per_second = u128::from(interface.units_per_second);
        let ns = (u128::from(units) * 1_000_000_000 / per_second) as i128
            + i128::from(interface.offset_s) * 1_000_000_000;
        let record = Record {
            time_ns: ns.max(0) as u64,
            len,
            wire_len: wire_len.max(len),
            link,
        };
        Some(Block::Packet(record, 20))
    }

    /// A simple packet block: no time, first interface.
    fn simple(&self, body: &[u8]) -> Option<Block> {
        let interface = self.interfaces.first()?;
        let wire_len = self.endian.u32(body, 0)?;
        let snap_len = if interface.snap_len == 0 {
            u32::MAX
        } else {
            interface.snap_len
        };
        let len = wire_len.min(snap_len).min(body.len() as u32 - 4);
        let Some(link) = interface.link else {
            return Some(Block::Unsupported(interface.number));
        };
        Some(Block::Packet(
            Record {
                time_ns: 0,
                len,
                wire_len,
                link,
            },
            4,
        ))
    }
}
