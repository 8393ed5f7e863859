//! Takes IP packets apart.

use super::frame::{Frame, checksum};

/// The fragments of a frame's IP packet, each with at most `bytes` of its payload (rounded down to a
/// multiple of 8). IPv6 gets a fragment header.
///
/// # Panics
/// When `bytes` is below 8, or the frame holds no IP packet without options right behind its Ethernet header.
pub fn fragments(frame: &Frame, bytes: usize, id: u32) -> Vec<Frame> {
    let piece = bytes / 8 * 8;
    assert!(piece > 0, "a fragment holds at least 8 bytes");
    let v6 = frame.bytes[12..14] == [0x86, 0xDD];
    let header_len = if v6 { 40 } else { 20 };
    let (head, payload) = frame.bytes.split_at(14 + header_len);
    let pieces: Vec<&[u8]> = payload.chunks(piece).collect();
    let last = pieces.len() - 1;
    let build = |(n, part): (usize, &&[u8])| {
        let mut bytes = head.to_vec();
        let offset = (n * piece / 8) as u16;
        if v6 {
            let next = std::mem::replace(&mut bytes[14 + 6], 44);
            bytes[18..20].copy_from_slice(&((8 + part.len()) as u16).to_be_bytes());
            bytes.extend([next, 0]);
            bytes.extend((offset << 3 | u16::from(n < last)).to_be_bytes());
            bytes.extend(id.to_be_bytes());
        } else {
            bytes[16..18].copy_from_slice(&((20 + part.len()) as u16).to_be_bytes());
            bytes[18..20].copy_from_slice(&(id as u16).to_be_bytes());
            bytes[20..22].copy_from_slice(&(offset | u16::from(n < last) << 13).to_be_bytes());
            bytes[24..26].fill(0);
            let sum = checksum(&bytes[14..34]);
            bytes[24..26].copy_from_slice(&sum.to_be_bytes());
        }
        bytes.extend(*part);
        Frame::new(frame.time_ns, bytes)
    };
    pieces.iter().enumerate().map(build).collect()
}
