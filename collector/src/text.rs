//! Text off the wire as UTF-8 within a limit.

/// Longest texts of a record in UTF-8, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLimits {
    /// Of `resource`.
    pub resource: usize,
    /// Of every other string.
    pub other: usize,
}

impl TextLimits {
    /// For records whose text was cut when they were made.
    pub const NONE: Self = Self {
        resource: usize::MAX,
        other: usize::MAX,
    };
}

impl Default for TextLimits {
    /// The defaults of the record format.
    fn default() -> Self {
        Self {
            resource: 4096,
            other: 1024,
        }
    }
}

/// Hands `bytes` to `piece` as UTF-8, what is not UTF-8 replaced by U+FFFD, at most `max` bytes in
/// all and cut between characters. Returns whether something was cut.
pub fn lossy(bytes: &[u8], max: usize, mut piece: impl FnMut(&str)) -> bool {
    if bytes.len() <= max
        && let Ok(whole) = std::str::from_utf8(bytes)
    {
        piece(whole);
        return false;
    }
    let mut room = max;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let fits = &valid[..valid.floor_char_boundary(room)];
        if !fits.is_empty() {
            piece(fits);
        }
        if fits.len() < valid.len() {
            return true;
        }
        room -= fits.len();
        if !chunk.invalid().is_empty() {
            if room < REPLACEMENT.len() {
                return true;
            }
            piece(REPLACEMENT);
            room -= REPLACEMENT.len();
        }
    }
    false
}

/// `bytes` as UTF-8, as [`lossy`] gives it, and whether something was cut. What can't be borrowed is put together in
/// `scratch`.
pub(crate) fn lossy_bytes<'a>(bytes: &'a [u8], max: usize, scratch: &'a mut String) -> (&'a [u8], bool) {
    // Most text is ASCII, which is seen in a fraction of the time that a look at characters takes.
    if bytes.len() <= max && (bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()) {
        return (bytes, false);
    }
    scratch.clear();
    let cut = lossy(bytes, max, |piece| scratch.push_str(piece));
    (scratch.as_bytes(), cut)
}

/// Stands for bytes that are not UTF-8.
const REPLACEMENT: &str = "\u{FFFD}";

#[cfg(test)]
mod tests {
    use super::lossy;

    fn run(bytes: &[u8], max: usize) -> (String, bool) {
        let mut text = String::new();
        let cut = lossy(bytes, max, |piece| text.push_str(piece));
        (text, cut)
    }

    #[test]
    fn what_is_not_utf8_is_replaced() {
        assert_eq!(run(b"a\xFFb\xC3", 100), ("a\u{FFFD}b\u{FFFD}".into(), false));
        assert_eq!(run("héllo".as_bytes(), 100), ("héllo".into(), false));
        assert_eq!(run(b"", 100), (String::new(), false));
    }

    #[test]
    fn the_limit_holds_after_replacement_and_between_characters() {
        // Four bad bytes become twelve bytes of text.
        assert_eq!(run(&[0xFF; 4], 10), ("\u{FFFD}".repeat(3), true));
        assert_eq!(run("aé".as_bytes(), 2), ("a".into(), true));
        assert_eq!(run("aé".as_bytes(), 3), ("aé".into(), false));
        assert_eq!(run(b"ab\xFF", 4), ("ab".into(), true));
    }

    #[test]
    fn twice_is_as_once() {
        for seed in 0..200u64 {
            let bytes = tapir_parsers::testing::noise(seed, 60);
            let (once, _) = run(&bytes, 50);
            assert!(once.len() <= 50);
            assert_eq!(run(once.as_bytes(), 50), (once.clone(), false));
        }
    }
}
