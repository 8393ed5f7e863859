//! How far the text of a string reaches.

/// The units of a text under way. Its length counts UTF-16 units; its bytes are UTF-8, in which Java writes a character
/// beyond the Basic Multilingual Plane as two units of three bytes each, and others as four bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Units {
    /// Units that have not begun.
    left: usize,
    /// Bytes that are missing of the last character that has.
    owed: usize,
}

impl Units {
    /// So many.
    pub(super) const fn new(units: usize) -> Self {
        Self { left: units, owed: 0 }
    }

    /// Whether all have passed.
    pub(super) const fn are_over(self) -> bool {
        self.left == 0 && self.owed == 0
    }

    /// Bytes that are still to come, at least.
    pub(super) const fn wants(self) -> usize {
        self.left + self.owed
    }

    /// Passes what of `bytes` belongs to them; says how many bytes.
    ///
    /// As many bytes as there are units left are its own in any case, so whole stretches are counted, not
    /// single characters. What goes on with the last character is told by the byte that begins it: the
    /// value behind the string may begin with a byte that looks the same.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> usize {
        if self.owed == 0
            && let Some(all) = bytes.get(..self.left)
            && all.is_ascii()
        {
            self.left = 0;
            return all.len();
        }
        let mut at = 0;
        while self.left > 0 && at < bytes.len() {
            let end = bytes.len().min(at.saturating_add(self.left));
            let stretch = bytes.get(at..end).unwrap_or(&[]);
            self.left = self.left.saturating_sub(units_in(stretch));
            self.owe(stretch);
            at = end;
        }
        if self.left == 0 {
            let rest = self.owed.min(bytes.len() - at);
            self.owed -= rest;
            at += rest;
        }
        at
    }

    /// Takes note of how much of the last character in `stretch` is missing.
    fn owe(&mut self, stretch: &[u8]) {
        let mut last = stretch.iter().rev().take(4).enumerate();
        match last.find(|(_, byte)| begins_character(**byte)) {
            Some((behind, first)) => self.owed = character_bytes(*first).saturating_sub(behind + 1),
            None => self.owed = self.owed.saturating_sub(stretch.len()),
        }
    }
}

/// UTF-16 units of the characters that begin in `stretch`.
fn units_in(stretch: &[u8]) -> usize {
    // Counted in small numbers a block at a time: so the compiler makes wide instructions of it.
    let count = |block: &[u8]| {
        let units = |byte: &u8| u8::from(begins_character(*byte)) + u8::from(*byte >= 0xF0);
        usize::from(block.iter().map(units).sum::<u8>())
    };
    stretch.chunks(127).map(count).sum()
}

const fn begins_character(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

const fn character_bytes(first: u8) -> usize {
    match first {
        0..=0x7F => 1,
        0x80..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}
