//! Integers with a prefix. Source: RFC 7541 section 5.1.

use super::Broken;

/// Continuation bytes read: 2²⁸ is far beyond any length or index that can stand in a block.
const CONTINUATION_BYTES_MAX: usize = 4;

/// Reads the integer whose prefix is the low `bits` bits of the first byte: its value and how many bytes
/// it took. `None` where the bytes end before it.
#[inline]
pub(super) fn read(bytes: &[u8], bits: u32) -> Result<Option<(usize, usize)>, Broken> {
    let Some(first) = bytes.first() else {
        return Ok(None);
    };
    let mask = (1usize << bits) - 1;
    let prefix = usize::from(*first) & mask;
    if prefix < mask {
        return Ok(Some((prefix, 1)));
    }
    let mut value = mask;
    for i in 0..CONTINUATION_BYTES_MAX {
        let Some(byte) = bytes.get(1 + i) else {
            return Ok(None);
        };
        value += usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some((value, 2 + i)));
        }
    }
    Err(Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7541 appendix C.1.
    #[test]
    fn examples_of_the_specification() {
        assert_eq!(read(&[0b1110_1010], 5), Ok(Some((10, 1))));
        assert_eq!(
            read(&[0b1111_1111, 0b1001_1010, 0b0000_1010], 5),
            Ok(Some((1337, 3)))
        );
        assert_eq!(read(&[0b0010_1010], 8), Ok(Some((42, 1))));
    }

    #[test]
    fn what_does_not_end_is_no_integer() {
        assert_eq!(read(&[], 7), Ok(None));
        assert_eq!(read(&[0x7F], 7), Ok(None));
        assert_eq!(read(&[0x7F, 0x80, 0xFF], 7), Ok(None));
        assert_eq!(read(&[0x7F, 0x80, 0x80, 0x80, 0x00], 7), Ok(Some((127, 5))));
        assert_eq!(read(&[0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], 7), Err(Broken));
    }
}
