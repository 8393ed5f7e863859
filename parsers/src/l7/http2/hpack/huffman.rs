//! The Huffman code of header strings. Source: RFC 7541 section 5.2 and appendix B.
//!
//! The code is canonical: codes of one length are numbered in the order of their symbols, and lengths
//! follow each other. So the lengths alone give the code, and the tables are computed from them.

use super::Broken;

/// Bits of each symbol's code; the last is the end of the string.
const LENGTHS: [u8; SYMBOLS] = [
    // Control characters.
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
    // From the space and `0` on.
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
    // From `@` and `P` on.
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    // From the grave accent and `p` on.
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
    // Bytes outside of ASCII.
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
    30,
];

const SYMBOLS: usize = 257;
const END_OF_STRING: u16 = 256;
/// Bits of the longest code.
const LENGTH_MAX: usize = 30;
/// Bits that a look-up sees: all codes of text that is common are shorter, and most pairs of them.
const SEEN_BITS: u32 = 11;

/// Symbols that the bits of a look-up begin with.
#[derive(Clone, Copy)]
struct Found {
    symbols: [u8; 2],
    /// Bits of the first one's code; 0: it is longer than what was looked at.
    first: u8,
    /// Bits of both codes; as many as of the first where there is only one.
    both: u8,
}

impl Found {
    const NONE: Self = Self {
        symbols: [0; 2],
        first: 0,
        both: 0,
    };
}

/// What is computed from the lengths.
struct Code {
    found: [Found; 1 << SEEN_BITS],
    /// Of each length: its first code, how many there are, and where their symbols stand.
    first: [u32; LENGTH_MAX + 1],
    count: [u16; LENGTH_MAX + 1],
    at: [u16; LENGTH_MAX + 1],
    /// Symbols in the order of their codes.
    symbols: [u16; SYMBOLS],
}

static CODE: Code = Code::new();

impl Code {
    const fn new() -> Self {
        let mut code = Self {
            found: [Found::NONE; 1 << SEEN_BITS],
            first: [0; LENGTH_MAX + 1],
            count: [0; LENGTH_MAX + 1],
            at: [0; LENGTH_MAX + 1],
            symbols: [0; SYMBOLS],
        };
        let mut next_code = 0u32;
        let mut next_at = 0;
        let mut length = 1;
        while length <= LENGTH_MAX {
            code.first[length] = next_code;
            code.at[length] = next_at;
            let mut symbol = 0;
            while symbol < SYMBOLS {
                if LENGTHS[symbol] as usize == length {
                    code.symbols[next_at as usize] = symbol as u16;
                    code.fill_first(next_code, length as u32, symbol as u8);
                    code.count[length] += 1;
                    next_code += 1;
                    next_at += 1;
                }
                symbol += 1;
            }
            next_code <<= 1;
            length += 1;
        }
        // Every bit string is a code or the beginning of one.
        assert!(next_code == 1 << (LENGTH_MAX + 1));
        code.fill_second();
        code
    }

    const fn fill_first(&mut self, code: u32, length: u32, symbol: u8) {
        if length > SEEN_BITS {
            return;
        }
        let free = SEEN_BITS - length;
        let mut i = 0;
        while i < 1 << free {
            let found = &mut self.found[((code << free) | i) as usize];
            found.symbols[0] = symbol;
            found.first = length as u8;
            found.both = length as u8;
            i += 1;
        }
    }

    /// Finds the codes that stand behind first ones.
    const fn fill_second(&mut self) {
        let mut bits = 0;
        while bits < 1 << SEEN_BITS {
            let first = self.found[bits].first;
            let behind = self.found[(bits << first) & ((1 << SEEN_BITS) - 1)];
            if first > 0 && behind.first > 0 && (first + behind.first) as u32 <= SEEN_BITS {
                self.found[bits].symbols[1] = behind.symbols[0];
                self.found[bits].both = first + behind.first;
            }
            bits += 1;
        }
    }

    /// Symbol and length of the code that `window` begins with, which is longer than [`SEEN_BITS`].
    #[cold]
    fn long(&self, window: u64) -> (u16, u32) {
        for length in SEEN_BITS as usize + 1..=LENGTH_MAX {
            let above = (window >> (64 - length)) as u32 - self.first[length];
            if above < u32::from(self.count[length]) {
                let symbol = self.symbols.get(usize::from(self.at[length]) + above as usize);
                return (symbol.copied().unwrap_or(END_OF_STRING), length as u32);
            }
        }
        (END_OF_STRING, LENGTH_MAX as u32)
    }
}

/// Bits not decoded yet.
struct Bits<'a> {
    bytes: &'a [u8],
    /// They stand at the top.
    window: u64,
    /// Bits of `window` that count.
    held: u32,
}

impl Bits<'_> {
    /// Fills the window; false when there is nothing to fill it with.
    #[inline]
    fn fill(&mut self) -> bool {
        if let Some(chunk) = self.bytes.first_chunk() {
            // Of a byte that does not fit the bits come again, in the same place.
            self.window |= u64::from_be_bytes(*chunk) >> self.held;
            let taken = (64 - self.held) / 8;
            self.bytes = self.bytes.get(taken as usize..).unwrap_or(&[]);
            self.held += taken * 8;
            return true;
        }
        let before = self.held;
        while self.held <= 56
            && let Some((byte, rest)) = self.bytes.split_first()
        {
            self.window |= u64::from(*byte) << (56 - self.held);
            self.bytes = rest;
            self.held += 8;
        }
        self.held > before
    }

    #[inline]
    fn take(&mut self, count: u32) {
        self.window <<= count;
        self.held -= count;
    }
}

/// Decoded bytes on their way.
struct Text {
    bytes: [u8; Self::ROOM as usize],
    /// Below `ROOM`.
    len: u8,
}

impl Text {
    const ROOM: u8 = 64;

    /// Takes the first `count`, 1 or 2, of `symbols`; there is room for two.
    #[inline]
    fn put(&mut self, symbols: [u8; 2], count: u8, push: &mut impl FnMut(&[u8])) {
        let at = usize::from(self.len);
        if let Some(room) = self.bytes.get_mut(at..at + 2) {
            room.copy_from_slice(&symbols);
        }
        self.len += count;
        if self.len > Self::ROOM - 2 {
            self.pass(push);
        }
    }

    fn pass(&mut self, push: &mut impl FnMut(&[u8])) {
        push(self.bytes.get(..usize::from(self.len)).unwrap_or(&[]));
        self.len = 0;
    }
}

/// Passes the decoded bytes of `bytes` to `push`, some at a time.
#[inline]
pub(in crate::l7::http2) fn decode(bytes: &[u8], mut push: impl FnMut(&[u8])) -> Result<(), Broken> {
    let mut bits = Bits {
        bytes,
        window: 0,
        held: 0,
    };
    let mut text = Text {
        bytes: [0; Text::ROOM as usize],
        len: 0,
    };
    while bits.fill() {
        // Every code that begins in so many bits is whole.
        while bits.held >= LENGTH_MAX as u32 {
            let found = CODE.found[(bits.window >> (64 - SEEN_BITS)) as usize];
            if found.first == 0 {
                let (symbol, length) = CODE.long(bits.window);
                if symbol == END_OF_STRING {
                    return Err(Broken);
                }
                text.put([symbol as u8, 0], 1, &mut push);
                bits.take(length);
                continue;
            }
            let count = 1 + u8::from(found.both > found.first);
            text.put(found.symbols, count, &mut push);
            bits.take(u32::from(found.both));
        }
    }
    loop {
        let found = CODE.found[(bits.window >> (64 - SEEN_BITS)) as usize];
        let (symbol, length) = match found.first {
            0 => CODE.long(bits.window),
            length => (u16::from(found.symbols[0]), u32::from(length)),
        };
        if length > bits.held {
            // What is left is padding: the first bits of the end of string, less than a byte of them.
            let ones = bits.window.leading_ones() >= bits.held;
            text.pass(&mut push);
            return if bits.held < 8 && ones {
                Ok(())
            } else {
                Err(Broken)
            };
        }
        if symbol == END_OF_STRING {
            return Err(Broken);
        }
        text.put([symbol as u8, 0], 1, &mut push);
        bits.take(length);
    }
}

/// Length of what [`decode`] decodes, bytes.
pub(super) fn decoded_len(bytes: &[u8]) -> Result<usize, Broken> {
    let mut len = 0;
    decode(bytes, |piece| len += piece.len())?;
    Ok(len)
}

/// Code and length of each symbol, to encode with.
#[cfg(test)]
pub(in crate::l7::http2) fn code_of(symbol: u8) -> (u32, u32) {
    let length = usize::from(LENGTHS[usize::from(symbol)]);
    let from = usize::from(CODE.at[length]);
    let of_length = &CODE.symbols[from..from + usize::from(CODE.count[length])];
    let place = of_length.iter().position(|s| *s == u16::from(symbol)).unwrap();
    (CODE.first[length] + place as u32, length as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut text = Vec::new();
        decode(bytes, |piece| text.extend_from_slice(piece))?;
        assert_eq!(decoded_len(bytes), Ok(text.len()));
        Ok(text)
    }

    fn encoded(text: &[u8]) -> Vec<u8> {
        let bits: String = text
            .iter()
            .map(|byte| code_of(*byte))
            .map(|(code, length)| format!("{code:0width$b}", width = length as usize))
            .collect();
        let padded = format!("{bits}{}", "1".repeat((8 - bits.len() % 8) % 8));
        let bytes = padded.as_bytes().chunks(8);
        bytes
            .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
            .collect()
    }

    /// Codes of each length, RFC 7541 appendix B.
    #[test]
    fn codes_are_those_of_the_specification() {
        for (symbol, code, length) in [
            (b'0', 0x0, 5),
            (b't', 0x9, 5),
            (b' ', 0x14, 6),
            (b'u', 0x2d, 6),
            (b':', 0x5c, 7),
            (b'z', 0x7b, 7),
            (b'&', 0xf8, 8),
            (b'Z', 0xfd, 8),
            (b'!', 0x3f8, 10),
            (b'|', 0x7fc, 11),
            (b'#', 0xffa, 12),
            (b'~', 0x1ffd, 13),
            (b'^', 0x3ffc, 14),
            (b'<', 0x7ffc, 15),
            (b'\\', 0x7fff0, 19),
            (128, 0xfffe6, 20),
            (1, 0x7fffd8, 23),
            (9, 0xffffea, 24),
            (199, 0x1ffffec, 25),
            (255, 0x3ffffee, 26),
            (254, 0x7fffff0, 27),
            (249, 0xffffffe, 28),
            (b'\n', 0x3ffffffc, 30),
            (22, 0x3ffffffe, 30),
        ] {
            assert_eq!(code_of(symbol), (code, length), "{symbol}");
        }
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decoded(&encoded(&all)), Ok(all));
        assert_eq!(decoded(b""), Ok(vec![]));
        for byte in 0..=255 {
            assert_eq!(decoded(&encoded(&[byte, b'a', byte])), Ok(vec![byte, b'a', byte]));
        }
    }

    /// RFC 7541 appendix C.4.1.
    #[test]
    fn example_of_the_specification() {
        let bytes = [
            0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff,
        ];
        assert_eq!(decoded(&bytes), Ok(b"www.example.com".to_vec()));
    }

    #[test]
    fn wrong_ends_are_refused() {
        // A whole byte of padding, padding that is not all ones, the end of string itself.
        assert_eq!(decoded(&[0xff]), Err(Broken));
        assert_eq!(decoded(&[0x00]), Err(Broken));
        assert_eq!(decoded(&[0xff; 4]), Err(Broken));
        assert_eq!(decoded(&[0x07]), Ok(b"0".to_vec()));
        assert_eq!(decoded(&[0x03]), Err(Broken));
    }
}
