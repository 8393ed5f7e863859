//! The beginning of a Snappy block. Source: google/snappy, "format_description.txt".
//!
//! Of a long message only its head is wanted, from as much of the block as is at hand; decoders at large take
//! blocks whole. What is read here is literals and copies in front of the bound, nothing else.

/// The length that a block says it has unpacked, and the bytes that say it. `None`: not whole, or no number of
/// 32 bits.
pub(super) fn declared_len(block: &[u8]) -> Option<(u64, usize)> {
    let mut len = 0;
    for (at, byte) in block.iter().take(5).enumerate() {
        len |= u64::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return (len <= u64::from(u32::MAX)).then_some((len, at + 1));
        }
    }
    None
}

/// Unpacks the beginning of `block` into `to`, which is empty, up to `max` bytes or the end of what is at
/// hand. False where it is no Snappy; what stood before is unpacked all the same.
pub(super) fn unpack(block: &[u8], to: &mut Vec<u8>, max: usize) -> bool {
    let Some((_, used)) = declared_len(block) else {
        return false;
    };
    let mut rest = block.get(used..).unwrap_or(&[]);
    while to.len() < max
        && let Some((tag, behind)) = rest.split_first()
    {
        let room = max - to.len();
        match tag & 3 {
            0 => {
                let (len, from) = match literal_len(*tag, behind) {
                    Some(literal) => literal,
                    // Its length is not all here.
                    None => return true,
                };
                let text = behind.get(from..).unwrap_or(&[]);
                let here = len.min(text.len());
                to.extend_from_slice(text.get(..here.min(room)).unwrap_or(&[]));
                rest = text.get(here..).unwrap_or(&[]);
            }
            kind => {
                let (len, offset, used) = match (kind, behind) {
                    (1, [low, ..]) => {
                        let high = usize::from(tag >> 5) << 8;
                        (4 + usize::from(tag >> 2 & 7), high | usize::from(*low), 1)
                    }
                    (2, [a, b, ..]) => (
                        1 + usize::from(tag >> 2),
                        usize::from(u16::from_le_bytes([*a, *b])),
                        2,
                    ),
                    (3, [a, b, c, d, ..]) => {
                        let offset = u32::from_le_bytes([*a, *b, *c, *d]);
                        (1 + usize::from(tag >> 2), offset as usize, 4)
                    }
                    _ => return true,
                };
                if offset == 0 || offset > to.len() {
                    return false;
                }
                copy(to, offset, len.min(room));
                rest = behind.get(used..).unwrap_or(&[]);
            }
        }
    }
    true
}

/// The length of a literal, and where its bytes begin behind the tag.
fn literal_len(tag: u8, behind: &[u8]) -> Option<(usize, usize)> {
    let short = usize::from(tag >> 2);
    let Some(bytes) = short.checked_sub(59).filter(|bytes| *bytes > 0) else {
        return Some((short + 1, 0));
    };
    let mut number = [0; 8];
    number.get_mut(..bytes)?.copy_from_slice(behind.get(..bytes)?);
    Some((u64::from_le_bytes(number) as usize + 1, bytes))
}

/// Repeats `len` bytes from `offset` bytes back, which may reach into what they become.
fn copy(to: &mut Vec<u8>, offset: usize, len: usize) {
    let mut left = len;
    while left > 0 {
        let start = to.len() - offset;
        let piece = left.min(offset);
        to.extend_from_within(start..start + piece);
        left -= piece;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "abcd", itself twice more by a copy that overlaps, and once by one with an offset of four bytes.
    const BLOCK: &[u8] = b"\x10\x0Cabcd\x11\x04\x0F\x04\0\0\0";

    #[test]
    fn literals_and_copies_are_unpacked_to_any_bound() {
        for max in 0..=20 {
            let mut to = Vec::new();
            assert!(unpack(BLOCK, &mut to, max));
            assert_eq!(to, &b"abcdabcdabcdabcd"[..max.min(16)], "at most {max}");
        }
    }

    #[test]
    fn a_part_gives_what_it_holds() {
        let mut longest = 0;
        for len in 1..=BLOCK.len() {
            let mut to = Vec::new();
            assert!(unpack(&BLOCK[..len], &mut to, 100));
            assert!(b"abcdabcdabcdabcd".starts_with(&to) && to.len() >= longest);
            longest = to.len();
        }
        assert_eq!(longest, 16);
    }

    #[test]
    fn garbage_is_refused() {
        let mut to = Vec::new();
        // A copy from before the beginning, and one from nowhere.
        assert!(!unpack(b"\x04\x01\x04", &mut to, 10));
        assert!(!unpack(b"\x08\x0Cabcd\x01\x00", &mut to, 10));
        assert_eq!(declared_len(b"\xff\xff\xff\xff\xff\x01"), None);
        assert_eq!(declared_len(b"\x80\x01"), Some((128, 2)));
        assert_eq!(declared_len(b"\x80"), None);
    }

    #[test]
    fn literals_of_every_length_are_told() {
        for bytes in 1..=4usize {
            let tag = ((59 + bytes) << 2) as u8;
            let behind = [vec![2; bytes], b"abc".to_vec()].concat();
            let number = (0..bytes).map(|i| 2usize << (8 * i)).sum::<usize>();
            assert_eq!(literal_len(tag, &behind), Some((number + 1, bytes)));
            assert_eq!(literal_len(tag, &behind[..bytes - 1]), None);
        }
    }
}
