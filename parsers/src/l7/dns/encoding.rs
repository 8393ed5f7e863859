//! Addresses and binary data as text: RFC 4648 encodings, RFC 5952 addresses.

use crate::conversation::TextWriter;

/// Writes upper-case hexadecimal digits.
pub(super) fn push_hex(bytes: &[u8], text: &mut TextWriter<'_>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if text.is_full() {
            text.mark_truncated();
            return;
        }
        text.push(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xF)]]);
    }
}

/// Writes base64 with padding, RFC 4648 section 4.
pub(super) fn push_base64(bytes: &[u8], text: &mut TextWriter<'_>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        if text.is_full() {
            text.mark_truncated();
            return;
        }
        let mut group = [0; 4];
        group[1..=chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes(group);
        let mut digits = [18, 12, 6, 0].map(|shift| DIGITS[(bits >> shift) as usize & 63]);
        digits[chunk.len() + 1..].fill(b'=');
        text.push(&digits);
    }
}

/// Writes base32 of the extended hex alphabet without padding, as NSEC3 does (RFC 5155 section 3.3).
pub(super) fn push_base32(bytes: &[u8], text: &mut TextWriter<'_>) {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
    for chunk in bytes.chunks(5) {
        let mut group = [0; 8];
        group[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(group);
        let digits = [35, 30, 25, 20, 15, 10, 5, 0].map(|shift| DIGITS[(bits >> shift) as usize & 31]);
        let count = (chunk.len() * 8).div_ceil(5);
        text.push(digits.get(..count).unwrap_or(&digits));
    }
}

/// Writes a dotted quad.
pub(super) fn push_ipv4(address: &[u8; 4], text: &mut TextWriter<'_>) {
    let mut digits = [0; 15];
    let mut len = 0;
    for (i, byte) in address.iter().enumerate() {
        if i > 0 {
            digits[len] = b'.';
            len += 1;
        }
        if *byte >= 100 {
            digits[len] = b'0' + byte / 100;
            len += 1;
        }
        if *byte >= 10 {
            digits[len] = b'0' + byte / 10 % 10;
            len += 1;
        }
        digits[len] = b'0' + byte % 10;
        len += 1;
    }
    text.push(&digits[..len]);
}

/// Writes an address as RFC 5952 section 4 recommends: lower case, the longest run of zeros as `::`.
pub(super) fn push_ipv6(address: &[u8; 16], text: &mut TextWriter<'_>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let groups: [u16; 8] = std::array::from_fn(|i| u16::from_be_bytes([address[2 * i], address[2 * i + 1]]));
    if groups[..5] == [0; 5] && groups[5] == 0xFFFF {
        text.push(b"::ffff:");
        return push_ipv4(&[address[12], address[13], address[14], address[15]], text);
    }
    let zeros = longest_zeros(&groups);
    let mut digits = [0; 40];
    let mut len = 0;
    let mut i = 0;
    while i < groups.len() {
        if zeros.len() > 1 && i == zeros.start {
            digits[len..len + 2].copy_from_slice(b"::");
            len += 2;
            i = zeros.end;
            continue;
        }
        if i > 0 && (i != zeros.end || zeros.len() < 2) {
            digits[len] = b':';
            len += 1;
        }
        let group = groups[i];
        let mut shift = (12 - (group | 1).leading_zeros() as i32 / 4 * 4).max(0);
        while shift >= 0 {
            digits[len] = DIGITS[usize::from(group >> shift) & 0xF];
            len += 1;
            shift -= 4;
        }
        i += 1;
    }
    text.push(&digits[..len]);
}

/// The longest run of zero groups, the first of equal ones.
fn longest_zeros(groups: &[u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (i, group) in groups.iter().enumerate() {
        if *group != 0 {
            start = i + 1;
        } else if i + 1 - start > longest.len() {
            longest = start..i + 1;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::written;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn addresses_are_written_as_the_standard_library_does() {
        for seed in 0..2000 {
            let mut bytes: [u8; 16] = crate::testing::noise(seed, 16).try_into().unwrap();
            let zeros = crate::testing::noise(seed + 5000, 2);
            for group in 0..8 {
                if (zeros[0] | zeros[1]) >> group & 1 == 0 {
                    bytes[2 * group..2 * group + 2].fill(0);
                }
            }
            if seed % 3 == 0 {
                bytes[usize::from(zeros[0] & 14)] = 0;
            }
            let v4 = [bytes[0], bytes[1], bytes[2], bytes[3]];
            assert_eq!(
                written(|text| push_ipv4(&v4, text)),
                Ipv4Addr::from(v4).to_string()
            );
            assert_eq!(
                written(|text| push_ipv6(&bytes, text)),
                Ipv6Addr::from(bytes).to_string()
            );
        }
        let mapped = Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped();
        assert_eq!(
            written(|text| push_ipv6(&mapped.octets(), text)),
            mapped.to_string()
        );
    }

    #[test]
    fn encodings_are_those_of_rfc_4648_section_10() {
        let vectors = [
            ("", "", "", ""),
            ("f", "Zg==", "CO", "66"),
            ("fo", "Zm8=", "CPNG", "666F"),
            ("foo", "Zm9v", "CPNMU", "666F6F"),
            ("foob", "Zm9vYg==", "CPNMUOG", "666F6F62"),
            ("fooba", "Zm9vYmE=", "CPNMUOJ1", "666F6F6261"),
            ("foobar", "Zm9vYmFy", "CPNMUOJ1E8", "666F6F626172"),
        ];
        for (plain, base64, base32, hex) in vectors {
            assert_eq!(written(|text| push_base64(plain.as_bytes(), text)), base64);
            assert_eq!(written(|text| push_base32(plain.as_bytes(), text)), base32);
            assert_eq!(written(|text| push_hex(plain.as_bytes(), text)), hex);
        }
    }
}
