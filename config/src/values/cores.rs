//! CPU cores by their number in Linux.

use crate::value::{Value, quoted, whole};
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;
use toml::de::DeValue;

/// Highest number of a core: Linux on x86 can be built for 8192.
const CORE_MAX: u16 = 8191;

/// One CPU core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Core(u16);

impl Core {
    /// The core of this number, if there can be one.
    pub const fn new(number: u16) -> Option<Self> {
        if number <= CORE_MAX {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Its number in Linux.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for Core {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .and_then(Self::new)
            .ok_or_else(|| format!("'{text}' is no core: expected {}", Self::expected()))
    }
}

impl Value for Core {
    fn expected() -> String {
        format!("a core's number from 0 to {CORE_MAX}")
    }

    fn example() -> String {
        "1".to_owned()
    }

    fn show(&self) -> Option<String> {
        Some(self.0.to_string())
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        Self::new(u16::try_from(whole(value)?).ok()?)
    }
}

/// Cores, each once, in the order given. Written as a list or as `"1-3,8"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cores(Vec<Core>);

impl Cores {
    /// The cores, if none is there twice.
    ///
    /// # Errors
    /// The core that is.
    pub fn new(cores: Vec<Core>) -> Result<Self, Core> {
        let mut seen = HashSet::new();
        match cores.iter().find(|core| !seen.insert(**core)) {
            Some(twice) => Err(*twice),
            None => Ok(Self(cores)),
        }
    }

    /// In the order given.
    pub fn as_slice(&self) -> &[Core] {
        &self.0
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<_> = self.0.iter().map(|core| core.0.to_string()).collect();
        f.write_str(&numbers.join(","))
    }
}

impl FromStr for Cores {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut cores = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last): (Core, Core) = (first.trim().parse()?, last.trim().parse()?);
            if first > last {
                return Err(format!("'{part}' counts down: write {}-{}", last.0, first.0));
            }
            cores.extend((first.0..=last.0).map(Core));
        }
        Self::new(cores).map_err(|twice| format!("core {} is there twice", twice.0))
    }
}

impl Value for Cores {
    fn expected() -> String {
        "cores, each once, as a list of numbers or as text such as \"1-3,8\"".to_owned()
    }

    fn example() -> String {
        quoted("1-2")
    }

    fn show(&self) -> Option<String> {
        self.0.show()
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        match value.as_str() {
            Some(text) => text.parse().ok(),
            None => Self::new(Vec::parse(value)?).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<Vec<u16>, String> {
        text.parse()
            .map(|cores: Cores| cores.as_slice().iter().map(|core| core.get()).collect())
    }

    #[test]
    fn ranges_and_single_cores() {
        assert_eq!(numbers("1-3,8"), Ok(vec![1, 2, 3, 8]));
        assert_eq!(numbers("5"), Ok(vec![5]));
        assert_eq!(numbers("1-3,2"), Err("core 2 is there twice".to_owned()));
        assert_eq!(numbers("3-1"), Err("'3-1' counts down: write 1-3".to_owned()));
        for wrong in ["", "a", "1,", "-1", "9999", "1-99999"] {
            assert!(numbers(wrong).is_err(), "{wrong}");
        }
    }
}
