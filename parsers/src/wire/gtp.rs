//! GTP-U, user data of mobile networks (3GPP TS 29.281).

use super::ethernet::is_plausible;
use super::walk::{Layer, Walk};
use super::{DropReason, Tunnel, TunnelKind};
use crate::limits::GTP_EXTENSIONS_MAX;

/// Mandatory header, bytes.
const HEADER_BYTES: usize = 8;

/// Version 1, protocol type GTP, as the upper four bits of the first byte say it (section 5.1).
const VERSION_1: u8 = 0b0011;

/// Extension header, sequence number or N-PDU number present: then all three fields are there.
const FLAGS_OPTIONAL: u8 = 0x07;

/// Message type of user data (section 6.1).
const TYPE_G_PDU: u8 = 0xff;

/// Flags (1), type (1), length of what follows the mandatory header (2), tunnel endpoint (4); optional:
/// sequence (2), N-PDU number (1), type of the next extension header (1).
///
/// Returns nothing when it is no user data, or cannot be GTP-U.
pub(super) fn decode(walk: &mut Walk<'_>) -> Result<Option<Layer>, DropReason> {
    let Some(header) = walk.try_read::<HEADER_BYTES>(walk.offset)? else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let body = walk.offset + HEADER_BYTES;
    if header[0] >> 4 != VERSION_1 || header[1] != TYPE_G_PDU || body + len > walk.promised_end() {
        return Ok(None);
    }
    let inner_offset = if header[0] & FLAGS_OPTIONAL == 0 {
        Some(body)
    } else {
        skip_optional(walk, header[0], body)?
    };
    let Some(inner_offset) = inner_offset else {
        return Ok(None);
    };
    let Some([first]) = walk.try_read::<1>(inner_offset)? else {
        return Ok(None);
    };
    // The header does not name what is inside; 5G sessions may carry Ethernet (TS 23.501 section 5.6.10.2).
    let inner = match first >> 4 {
        4 => Layer::Ipv4,
        6 => Layer::Ipv6,
        _ if is_plausible(walk, inner_offset)? => Layer::Ethernet,
        _ => return Ok(None),
    };
    let id = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    walk.enter(Tunnel {
        kind: TunnelKind::Gtp,
        id: Some(id),
    })?;
    walk.end = walk.end.min(body + len);
    walk.offset = inner_offset;
    Ok(Some(inner))
}

/// The offset behind the optional fields and the extension headers, or nothing when they are malformed.
fn skip_optional(walk: &Walk<'_>, flags: u8, start: usize) -> Result<Option<usize>, DropReason> {
    let Some([_, _, _, next]) = walk.try_read::<4>(start)? else {
        return Ok(None);
    };
    let mut offset = start + 4;
    // Section 5.1: the type counts only when its own flag is set.
    let mut next = if flags & 0x04 != 0 { *next } else { 0 };
    for _ in 0..GTP_EXTENSIONS_MAX {
        if next == 0 {
            return Ok(Some(offset));
        }
        // Section 5.2.1: length in units of 4 bytes, never 0; the last byte is the type of the next one.
        let Some([units]) = walk.try_read::<1>(offset)? else {
            return Ok(None);
        };
        if *units == 0 {
            return Ok(None);
        }
        offset += usize::from(*units) * 4;
        let Some([following]) = walk.try_read::<1>(offset - 1)? else {
            return Ok(None);
        };
        next = *following;
    }
    Ok((next == 0).then_some(offset))
}

#[cfg(test)]
mod tests {
    use super::super::TunnelKind;
    use super::super::samples::{Sample, tunnel};

    fn gtp(flags: u8, kind: u8, optional: &[u8], inner: &Sample) -> Sample {
        let len = (inner.bytes.len() + optional.len()) as u16;
        let mut header = vec![flags, kind, (len >> 8) as u8, len as u8, 0, 0, 1, 0];
        header.extend(optional);
        inner.clone().front(&header).in_udp4(2152).ethernet(0x0800)
    }

    #[test]
    fn plain_with_sequence_and_with_extensions() {
        let session_container = [0, 0, 0, 0x85, 1, 0x10, 9, 0xc0, 1, 0, 0, 0];
        for inner in [Sample::udp4(1, 2, b"inner"), Sample::udp6(1, 2, b"inner")] {
            let frames = [
                gtp(0x30, 0xff, &[], &inner),
                gtp(0x32, 0xff, &[0, 1, 0, 0x85], &inner),
                gtp(0x34, 0xff, &session_container, &inner),
            ];
            for frame in frames {
                assert_eq!(frame.packet().encap.tunnel(), tunnel(TunnelKind::Gtp, 256));
                assert_eq!(frame.payload(), b"inner");
            }
        }
    }

    #[test]
    fn ethernet_inside() {
        let frame = gtp(0x30, 0xff, &[], &Sample::udp4(1, 2, b"inner").ethernet(0x0800));
        assert_eq!(frame.payload(), b"inner");
    }

    #[test]
    fn signalling_and_junk_stay_udp() {
        let inner = Sample::udp4(1, 2, b"inner");
        let mut long = gtp(0x30, 0xff, &[], &inner);
        long.bytes[44] = 0x7f;
        let frames = [
            gtp(0x32, 1, &[0, 1, 0, 0], &inner),
            gtp(0x50, 0xff, &[], &inner),
            gtp(0x34, 0xff, &[0, 0, 0, 0x85, 0, 0, 0, 0], &inner),
            gtp(0x30, 0xff, &[], &super::super::samples::bytes(b"\xff\xff")),
            long,
        ];
        for frame in frames {
            let packet = frame.packet();
            assert!(packet.encap.tunnel_rejected() && packet.dst_port == 2152);
        }
    }
}
