//! A set of byte values, usable in constants: what a protocol's first bytes may be.

/// Which of the 256 byte values may stand at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteSet([u64; 4]);

impl ByteSet {
    /// No value.
    pub const NONE: Self = Self([0; 4]);
    /// Every value: the place tells nothing.
    pub const ANY: Self = Self([u64::MAX; 4]);

    /// The values listed in `bytes`.
    pub const fn of(bytes: &[u8]) -> Self {
        let mut set = Self::NONE;
        let mut i = 0;
        while i < bytes.len() {
            set = set.with(bytes[i]);
            i += 1;
        }
        set
    }

    /// The values from `first` to `last`, both included.
    pub const fn range(first: u8, last: u8) -> Self {
        let mut set = Self::NONE;
        let mut value = first as usize;
        while value <= last as usize {
            set = set.with(value as u8);
            value += 1;
        }
        set
    }

    /// This set and one value more.
    pub const fn with(mut self, byte: u8) -> Self {
        self.0[(byte >> 6) as usize] |= 1 << (byte & 63);
        self
    }

    /// What is in either set.
    pub const fn or(self, other: Self) -> Self {
        Self([
            self.0[0] | other.0[0],
            self.0[1] | other.0[1],
            self.0[2] | other.0[2],
            self.0[3] | other.0[3],
        ])
    }

    /// The values in whose place `of` is set, of a table of them all.
    pub const fn of_table(of: &[bool; 256]) -> Self {
        let mut set = Self::NONE;
        let mut value = 0;
        while value < of.len() {
            if of[value] {
                set = set.with(value as u8);
            }
            value += 1;
        }
        set
    }

    /// Whether `byte` is in the set.
    pub const fn contains(&self, byte: u8) -> bool {
        self.0[(byte >> 6) as usize] & (1 << (byte & 63)) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSet;

    #[test]
    fn sets_hold_exactly_what_was_put_in() {
        let set = ByteSet::of(b"AZ").or(ByteSet::range(250, 255));
        let inside: Vec<u8> = (0..=255).filter(|b| set.contains(*b)).collect();
        assert_eq!(inside, [b'A', b'Z', 250, 251, 252, 253, 254, 255]);
        assert!((0..=255).all(|b| ByteSet::ANY.contains(b) && !ByteSet::NONE.contains(b)));
    }
}
