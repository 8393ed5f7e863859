//! Whole numbers within bounds.

use crate::value::{Value, whole};
use toml::de::DeValue;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Whole<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Whole<MIN, MAX> {
    /// The number, if it is within bounds.
    pub const fn new(number: u64) -> Option<Self> {
        if number >= MIN && number <= MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// A number known when the program is built; one out of bounds does not compile.
    pub(crate) const fn of<const NUMBER: u64>() -> Self {
        const { assert!(NUMBER >= MIN && NUMBER <= MAX) };
        Self(NUMBER)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as a length or a count of things in memory.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }
}

impl<const MIN: u64, const MAX: u64> Value for Whole<MIN, MAX> {
    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn example() -> String {
        MIN.to_string()
    }

    fn show(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        Self::new(whole(value)?)
    }
}
