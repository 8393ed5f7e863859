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

/// Room for the text of an address with a word before it, and for what is written behind it and not meant.
pub(super) const ADDRESS_ROOM_BYTES: usize = 64;

/// The digits of each byte and, in the last place, how many they are.
const DECIMAL: [[u8; 4]; 256] = {
    let mut decimal = [[0; 4]; 256];
    let mut byte = 0;
    while byte < decimal.len() {
        let digits = [byte / 100, byte / 10 % 10, byte % 10];
        let leading_zeros = if byte >= 100 {
            0
        } else if byte >= 10 {
            1
        } else {
            2
        };
        let mut i = leading_zeros;
        while i < digits.len() {
            decimal[byte][i - leading_zeros] = b'0' + digits[i] as u8;
            i += 1;
        }
        decimal[byte][3] = (digits.len() - leading_zeros) as u8;
        byte += 1;
    }
    decimal
};

/// Writes a dotted quad.
pub(super) fn push_ipv4(address: &[u8; 4], text: &mut TextWriter<'_>) {
    text.push(put_ipv4(address, &mut [0; ADDRESS_ROOM_BYTES], 0));
}

/// Writes a dotted quad at `at` of `room`, and returns all that it holds then.
#[inline]
pub(super) fn put_ipv4<'r>(address: &[u8; 4], room: &'r mut [u8; ADDRESS_ROOM_BYTES], at: usize) -> &'r [u8] {
    let mut end = at;
    for byte in address {
        let digits = DECIMAL[usize::from(*byte)];
        room[end..end + 4].copy_from_slice(&digits);
        end += usize::from(digits[3] & 3);
        room[end] = b'.';
        end += 1;
    }
    &room[..end - 1]
}

/// Writes an address as RFC 5952 section 4 recommends: lower case, the longest run of zeros as `::`.
pub(super) fn push_ipv6(address: &[u8; 16], text: &mut TextWriter<'_>) {
    text.push(put_ipv6(address, &mut [0; ADDRESS_ROOM_BYTES], 0));
}

/// Writes an address, as [`push_ipv6`] does, at `at` of `room`, and returns all that it holds then.
pub(super) fn put_ipv6<'r>(
    address: &[u8; 16],
    room: &'r mut [u8; ADDRESS_ROOM_BYTES],
    at: usize,
) -> &'r [u8] {
    let groups: [u16; 8] = std::array::from_fn(|i| u16::from_be_bytes([address[2 * i], address[2 * i + 1]]));
    if groups[..5] == [0; 5] && groups[5] == 0xFFFF {
        const MAPPED: &[u8; 7] = b"::ffff:";
        room[at..at + MAPPED.len()].copy_from_slice(MAPPED);
        let address = [address[12], address[13], address[14], address[15]];
        return put_ipv4(&address, room, at + MAPPED.len());
    }
    let zeros = longest_zeros(&groups);
    let mut end = at;
    let mut i = 0;
    while i < groups.len() {
        if zeros.len() > 1 && i == zeros.start {
            room[end..end + 2].copy_from_slice(b"::");
            end += 2;
            i = zeros.end;
            continue;
        }
        if i > 0 && (i != zeros.end || zeros.len() < 2) {
            room[end] = b':';
            end += 1;
        }
        let (digits, count) = hex_digits(groups[i]);
        room[end..end + 4].copy_from_slice(&digits);
        end += count;
        i += 1;
    }
    &room[..end]
}

/// The digits of a group without leading zeros, and how many they are.
fn hex_digits(group: u16) -> ([u8; 4], usize) {
    let group = u32::from(group);
    // One to a byte, in the order of text.
    let values = group >> 12 | (group & 0xF00) | (group & 0xF0) << 12 | (group & 0xF) << 24;
    let letters = (values + 0x0606_0606) >> 4 & 0x0101_0101;
    let digits = values + letters * u32::from(b'a' - b'9' - 1) + u32::from_le_bytes([b'0'; 4]);
    let zeros = ((group << 16 | 0xFFFF).leading_zeros() / 4).min(3);
    ((digits >> (8 * zeros)).to_le_bytes(), 4 - zeros as usize)
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
