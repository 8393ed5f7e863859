//! One IP datagram that is being put together.

use super::blocks::{Blocks, Chain};
use super::fragment::{DATAGRAM_BYTES_MAX, counted_header_bytes};
use super::{DropReason, Encap, Fragment, IpAddress, checksum, ipv6};
use crate::limits::FRAGMENTS_PER_DATAGRAM_MAX;
use crate::slab::NONE;
use arrayvec::ArrayVec;

/// What fragments of one datagram have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    src: IpAddress,
    dst: IpAddress,
    encap: Encap,
    id: u32,
    /// Part of the key in IPv4 only (RFC 791 section 3.2, RFC 8200 section 4.5).
    protocol: Option<u8>,
}

impl Key {
    pub(super) fn of(fragment: &Fragment) -> Self {
        Self {
            src: fragment.src,
            dst: fragment.dst,
            encap: fragment.encap,
            id: fragment.id,
            protocol: (!fragment.ipv6).then_some(fragment.protocol),
        }
    }
}

/// A fragment that is held.
struct Piece {
    offset: u32,
    data: Chain,
}

impl Piece {
    fn end(&self) -> u32 {
        self.offset + self.data.len()
    }
}

/// Why a fragment has no place in its datagram.
pub(super) enum Misfit {
    /// It covers just what the fragment with these bytes covers.
    SameRange(Chain),
    /// The datagram is not to be trusted.
    Refuse(DropReason),
}

/// The fragments of one datagram so far, and its links in the list of datagrams by age.
pub(super) struct Datagram {
    pub(super) key: Key,
    /// Capture time of the fragment that came first.
    pub(super) first_ns: u64,
    pub(super) older: u32,
    pub(super) newer: u32,
    /// Set when the rest of the datagram is not wanted any more.
    pub(super) refused: Option<DropReason>,
    /// In order of their offsets, without overlap.
    pieces: ArrayVec<Piece, { FRAGMENTS_PER_DATAGRAM_MAX }>,
    /// Bytes of all pieces.
    received: u32,
    /// Length of the payload, once the last fragment is there.
    end: Option<u32>,
    /// Headers of the first fragment, once it is there.
    header: Chain,
    next_header_offset: u16,
    protocol: u8,
}

impl Datagram {
    /// An empty one, younger than the one at `older`.
    pub(super) fn new(key: Key, first_ns: u64, older: u32) -> Self {
        Self {
            key,
            first_ns,
            older,
            newer: NONE,
            refused: None,
            pieces: ArrayVec::new(),
            received: 0,
            end: None,
            header: Chain::EMPTY,
            next_header_offset: 0,
            protocol: 0,
        }
    }

    /// Where among the pieces the fragment belongs.
    pub(super) fn place(&self, fragment: &Fragment) -> Result<usize, Misfit> {
        let offset = u32::from(fragment.offset);
        let end = fragment.end();
        let fits_known_end = match self.end {
            Some(known) if fragment.more => end < known,
            Some(known) => end == known,
            None => fragment.more || self.pieces.last().is_none_or(|last| last.end() <= end),
        };
        if !fits_known_end {
            return Err(Misfit::Refuse(DropReason::FragmentEndConflict));
        }
        let place = self.pieces.partition_point(|piece| piece.offset < offset);
        let (before, after) = self.pieces.split_at_checked(place).unwrap_or_default();
        match after.first() {
            Some(next) if next.offset == offset && next.end() == end => {
                return Err(Misfit::SameRange(next.data));
            }
            Some(next) if next.offset < end => return Err(Misfit::Refuse(DropReason::FragmentOverlap)),
            _ => {}
        }
        if before.last().is_some_and(|previous| previous.end() > offset) {
            return Err(Misfit::Refuse(DropReason::FragmentOverlap));
        }
        if self.pieces.is_full() {
            return Err(Misfit::Refuse(DropReason::FragmentTooMany));
        }
        self.check_size(fragment).map(|()| place).map_err(Misfit::Refuse)
    }

    /// The first fragment may have longer headers than the last, which alone fitted.
    fn check_size(&self, fragment: &Fragment) -> Result<(), DropReason> {
        let header_len = if fragment.offset == 0 {
            fragment.header_len
        } else {
            self.header.len() as u16
        };
        let end = if fragment.more {
            self.end.unwrap_or_default()
        } else {
            fragment.end()
        };
        if counted_header_bytes(header_len, fragment.ipv6) + end as usize > DATAGRAM_BYTES_MAX {
            return Err(DropReason::FragmentTooLarge);
        }
        Ok(())
    }

    /// Adds a fragment where [`Self::place`] said.
    pub(super) fn add(&mut self, place: usize, fragment: &Fragment, data: Chain, header: Chain) {
        self.received += data.len();
        if !fragment.more {
            self.end = Some(fragment.end());
        }
        if fragment.offset == 0 {
            self.header = header;
            self.next_header_offset = fragment.next_header_offset;
            self.protocol = fragment.protocol;
        }
        // There is room: `place` looked.
        let _ = self.pieces.try_insert(
            place,
            Piece {
                offset: u32::from(fragment.offset),
                data,
            },
        );
    }

    /// Whether nothing is missing: pieces do not overlap, so it is enough to count bytes.
    pub(super) fn is_whole(&self) -> bool {
        self.end == Some(self.received)
    }

    /// Writes the whole datagram: the headers of the first fragment without their marks of
    /// fragmentation, then the payload.
    pub(super) fn write(&self, blocks: &Blocks, out: &mut Vec<u8>) {
        out.clear();
        for part in blocks.read(self.header) {
            out.extend_from_slice(part);
        }
        let header_len = out.len();
        for part in self.pieces.iter().flat_map(|piece| blocks.read(piece.data)) {
            out.extend_from_slice(part);
        }
        let total_len = out.len();
        if self.key.protocol.is_some() {
            let Some(header) = out.get_mut(..header_len) else {
                return;
            };
            put(header, 2, (total_len as u16).to_be_bytes());
            put(header, 6, [0; 2]);
            put(header, 10, [0; 2]);
            let sum = checksum::value(&[], &[], 0, header);
            put(header, 10, sum.to_be_bytes());
        } else {
            put(
                out,
                4,
                ((total_len - ipv6::HEADER_BYTES.min(total_len)) as u16).to_be_bytes(),
            );
            put(out, usize::from(self.next_header_offset), [self.protocol]);
        }
    }

    /// Gives back all that is held. Returns how many fragments that were.
    pub(super) fn clear(&mut self, blocks: &mut Blocks) -> u64 {
        let held = self.pieces.len() as u64;
        for piece in self.pieces.drain(..) {
            blocks.release(piece.data);
        }
        blocks.release(std::mem::replace(&mut self.header, Chain::EMPTY));
        held
    }
}

/// Overwrites some bytes of a header.
fn put<const N: usize>(header: &mut [u8], offset: usize, value: [u8; N]) {
    if let Some(field) = header.get_mut(offset..).and_then(<[u8]>::first_chunk_mut) {
        *field = value;
    }
}
