//! Chunked bodies. Source: RFC 9112 section 7.1.

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// A chunk of so many bytes, size line and line ends included.
    Whole(u64),
    /// The size line of the last chunk, so many bytes of it.
    Last(usize),
    /// Not even the size line is whole.
    Part,
    /// No size.
    Broken,
}

/// Reads the chunk at the start of `bytes`. Extensions are passed over.
pub(super) fn chunk(bytes: &[u8]) -> Chunk {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let size = bytes.iter().take(digits).try_fold(0u64, |size, digit| {
        let value = char::from(*digit).to_digit(16)?;
        size.checked_mul(16)?.checked_add(u64::from(value))
    });
    let (Some(size), Some(first)) = (size, bytes.get(digits)) else {
        return if size.is_some() {
            Chunk::Part
        } else {
            Chunk::Broken
        };
    };
    if digits == 0 || !matches!(first, b';' | b'\r' | b'\n' | b' ' | b'\t') {
        return Chunk::Broken;
    }
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return Chunk::Part;
    };
    if size == 0 {
        return Chunk::Last(end + 1);
    }
    // Who ends lines with LF alone does so after the data too.
    let line_end = if bytes.get(end.wrapping_sub(1)) == Some(&b'\r') {
        2
    } else {
        1
    };
    Chunk::Whole(size.saturating_add(end as u64 + 1 + line_end))
}

/// What a whole chunk holds, without its size line and line end.
pub(super) fn data(chunk: &[u8]) -> &[u8] {
    let data = memchr::memchr(b'\n', chunk).and_then(|end| chunk.get(end + 1..));
    let data = data.unwrap_or(&[]);
    let data = data.strip_suffix(b"\n").unwrap_or(data);
    data.strip_suffix(b"\r").unwrap_or(data)
}

/// Passes trailer fields at the start of `bytes`: how many bytes of whole lines, and whether the empty
/// line that ends them was among them.
pub(super) fn trailer(bytes: &[u8]) -> (usize, bool) {
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Some(end) = memchr::memchr(b'\n', rest)
    {
        at += end + 1;
        if matches!(rest.get(..end), Some([] | [b'\r'])) {
            return (at, true);
        }
    }
    (at, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_bounded() {
        assert_eq!(chunk(b"5\r\nhello\r\n"), Chunk::Whole(10));
        assert_eq!(chunk(b"1F;name=value\r\n"), Chunk::Whole(31 + 15 + 2));
        assert_eq!(chunk(b"5 \nhello\n"), Chunk::Whole(9));
        assert_eq!(chunk(b"000\r\n"), Chunk::Last(5));
        assert_eq!(chunk(b"FFFFFFFFFFFFFFFF\r\n"), Chunk::Whole(u64::MAX));
        assert_eq!(chunk(b"10000000000000000\r\n"), Chunk::Broken);
        assert_eq!(chunk(b"\r\n"), Chunk::Broken);
        assert_eq!(chunk(b"5g\r\n"), Chunk::Broken);
        assert_eq!(chunk(b""), Chunk::Part);
        assert_eq!(chunk(b"5"), Chunk::Part);
        assert_eq!(chunk(b"5\r"), Chunk::Part);
    }

    #[test]
    fn trailers_end_with_an_empty_line() {
        assert_eq!(trailer(b"\r\nHTTP"), (2, true));
        assert_eq!(trailer(b"a: b\r\n\nrest"), (7, true));
        assert_eq!(trailer(b"a: b\r\nc: "), (6, false));
        assert_eq!(trailer(b""), (0, false));
    }
}
