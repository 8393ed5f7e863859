//! Base64 in header values and bodies. Source: RFC 4648 section 4.

use arrayvec::ArrayVec;

/// Decodes `text`; `None` when it is no base64 or does not fit. Padding is optional, and may stand in the
/// middle where pieces were encoded one by one.
pub(crate) fn decode<const N: usize>(text: &[u8]) -> Option<ArrayVec<u8, N>> {
    let mut bytes = ArrayVec::new();
    let (mut bits, mut held) = (0u32, 0);
    for digit in text {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                // What is held are the zeros that fill up the last byte.
                held = 0;
                continue;
            }
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.try_push((bits >> held) as u8).ok()?;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn base64_is_decoded_or_refused() {
        for (text, plain) in [
            ("", ""),
            ("YQ==", "a"),
            ("YWI=", "ab"),
            ("YWI", "ab"),
            ("YWJj", "abc"),
            ("Pj4/", ">>?"),
            ("YQ==YWI=YWJj", "aababc"),
        ] {
            assert_eq!(decode::<16>(text.as_bytes()).as_deref(), Some(plain.as_bytes()));
        }
        assert_eq!(decode::<16>(b"YW*j"), None);
        assert_eq!(decode::<16>(&[b'A'; 400]), None);
    }
}
