//! The first block of a Zstandard frame. Source: RFC 8878 section 3.1.1.
//!
//! A long message does not fit into one unit, but its first block of at most 128 KiB may, and in it stands what
//! is wanted. Decoders give nothing of a frame that does not end, so the block gets a frame of its own.

use crate::l7::inflate::decode_zstd_head;
use std::io::Read;

/// `Magic_Number`.
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// `Frame_Header_Descriptor` with nothing but a window behind it, and a `Window_Descriptor` of 128 KiB, the
/// size of the longest block: exponent 7, mantissa 0.
const OWN_HEADER: [u8; 2] = [0, 7 << 3];
/// `Last_Block`.
const LAST: u32 = 1;
/// Bytes of `Block_Header`.
const BLOCK_HEADER_BYTES: usize = 3;

/// Adds what the first block of the frame that `data` begin with holds to `to`, at most `max` bytes, if it is
/// all here.
pub(super) fn unpack_first(data: &[u8], to: &mut Vec<u8>, max: usize) {
    if let Some((header, block)) = first_block(data) {
        let header = (header | LAST).to_le_bytes();
        let frame = (&MAGIC[..])
            .chain(&OWN_HEADER[..])
            .chain((&header[..]).take(BLOCK_HEADER_BYTES as u64))
            .chain(block);
        decode_zstd_head(frame, to, max);
    }
}

/// The first block's header, and its bytes.
fn first_block(data: &[u8]) -> Option<(u32, &[u8])> {
    let rest = data.strip_prefix(&MAGIC)?;
    let (descriptor, rest) = rest.split_first()?;
    let is_single_segment = descriptor & 0x20 != 0;
    // No dictionary is agreed upon.
    if descriptor & 0x03 != 0 {
        return None;
    }
    let content_size_bytes = match descriptor >> 6 {
        0 => usize::from(is_single_segment),
        flag => 1 << flag,
    };
    let window_bytes = usize::from(!is_single_segment);
    let rest = rest.get(window_bytes + content_size_bytes..)?;
    let &[a, b, c] = rest.first_chunk()?;
    let header = u32::from_le_bytes([a, b, c, 0]);
    let size = (header >> 3) as usize;
    let len = match header >> 1 & 3 {
        // Raw, repeated, compressed.
        0 | 2 => size,
        1 => 1,
        _ => return None,
    };
    Some((header, rest.get(BLOCK_HEADER_BYTES..)?.get(..len)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    /// Text that becomes shorter, but not to nothing.
    fn text(len: usize) -> Vec<u8> {
        let noise = crate::testing::noise(1, len);
        noise.iter().map(|byte| b'a' + byte % 8).collect()
    }

    #[test]
    fn the_first_block_is_read_without_the_others() {
        let plain = text(300_000);
        let packed = compress_to_vec(&plain[..], CompressionLevel::Fastest);
        let (header, block) = first_block(&packed).unwrap();
        assert!(header & LAST == 0 && block.len() < packed.len() / 2);
        for max in [1, 1000, 65_536] {
            let mut to = b"before".to_vec();
            unpack_first(&packed, &mut to, max);
            assert_eq!(to, [b"before", &plain[..max]].concat());
        }
    }

    #[test]
    fn a_part_of_the_first_block_gives_nothing() {
        let packed = compress_to_vec(&text(5_000)[..], CompressionLevel::Fastest);
        for len in 0..packed.len() {
            let mut to = Vec::new();
            unpack_first(&packed[..len], &mut to, 10_000);
            assert!(
                to.is_empty() || to == text(5_000),
                "{len} of {} bytes",
                packed.len()
            );
        }
    }
}
