//! Sizes in bytes.

use crate::value::{Value, quoted, whole};
use toml::de::DeValue;

const UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A size from `MIN` to `MAX` bytes, written as `"64MiB"` or as a number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bytes<MIN, MAX> {
    /// So many bytes, if that is within bounds.
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes >= MIN && bytes <= MAX {
            Some(Self(bytes))
        } else {
            None
        }
    }

    /// A size known when the program is built; one out of bounds does not compile.
    pub(crate) const fn of<const BYTES: u64>() -> Self {
        const { assert!(BYTES >= MIN && BYTES <= MAX) };
        Self(BYTES)
    }

    /// Bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Bytes, as a length in memory.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl<const MIN: u64, const MAX: u64> std::str::FromStr for Bytes<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text)
            .and_then(Self::new)
            .ok_or_else(|| format!("expected {}", Self::expected()))
    }
}

impl<const MIN: u64, const MAX: u64> Value for Bytes<MIN, MAX> {
    fn expected() -> String {
        format!("a size from {} to {}", shown(MIN), shown(MAX))
    }

    fn example() -> String {
        quoted(&shown(MIN))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&shown(self.0)))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        let bytes = match value.as_str() {
            Some(text) => parse(text)?,
            None => whole(value)?,
        };
        Self::new(bytes)
    }
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim();
    let factor = match unit {
        "" => 1,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn shown(bytes: u64) -> String {
    let (name, unit) = UNITS
        .into_iter()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit))
        .unwrap_or(("B", 1));
    format!("{}{name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_and_show() {
        assert_eq!(parse("64MiB"), Some(64 << 20));
        assert_eq!(parse("64 KiB"), Some(64 << 10));
        assert_eq!(parse("512"), Some(512));
        for wrong in ["", "MiB", "64MB", "-1", "1.5GiB", "99999999999GiB"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(shown(4096), "4KiB");
        assert_eq!(shown(4097), "4097B");
        assert_eq!(shown(0), "0B");
    }
}
