//! Spans of time.

use crate::value::{Value, quoted};
use std::str::FromStr;
use toml::de::DeValue;

/// Units with their length in µs, longest first.
const UNITS: [(&str, u64); 5] = [
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1000),
    ("us", 1),
];

/// A span of `MIN_MS` to `MAX_MS` milliseconds, written as `"30s"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time<const MIN_MS: u64, const MAX_MS: u64> {
    us: u64,
}

impl<const MIN_MS: u64, const MAX_MS: u64> Time<MIN_MS, MAX_MS> {
    /// A span known when the program is built; one out of bounds does not compile.
    pub(crate) const fn of_ms<const MS: u64>() -> Self {
        const { assert!(MS >= MIN_MS && MS <= MAX_MS) };
        Self { us: MS * 1000 }
    }

    /// Its length, ns.
    pub const fn as_ns(self) -> u64 {
        self.us * 1000
    }

    /// As the standard library has it.
    pub const fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_micros(self.us)
    }

    fn new(us: u64) -> Option<Self> {
        (MIN_MS * 1000..=MAX_MS * 1000)
            .contains(&us)
            .then_some(Self { us })
    }
}

impl<const MIN_MS: u64, const MAX_MS: u64> FromStr for Time<MIN_MS, MAX_MS> {
    type Err = String;

    /// As it is written in a configuration.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = parse(text).and_then(Self::new);
        time.ok_or_else(|| format!("expected {}, not '{text}'", <Self as Value>::expected()))
    }
}

impl<const MIN_MS: u64, const MAX_MS: u64> Value for Time<MIN_MS, MAX_MS> {
    fn expected() -> String {
        format!("a time from {} to {}", shown(MIN_MS * 1000), shown(MAX_MS * 1000))
    }

    fn example() -> String {
        quoted(&shown(MIN_MS * 1000))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&shown(self.us)))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        Self::new(parse(value.as_str()?)?)
    }
}

fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.get(digits.len()..)?.trim();
    let (_, us) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(us)
}

fn shown(us: u64) -> String {
    if us == 0 {
        return "0s".to_owned();
    }
    // One minute is rather read as 60 seconds, one hour as 60 minutes; one second stays one.
    let fits = |&(name, unit): &(&str, u64)| {
        us.is_multiple_of(unit) && (us >= 2 * unit || us == unit && !matches!(name, "m" | "h"))
    };
    let (name, unit) = UNITS.into_iter().find(fits).unwrap_or(("us", 1));
    format!("{}{name}", us / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_and_show() {
        assert_eq!(parse("30s"), Some(30_000_000));
        assert_eq!(parse("5 m"), Some(300_000_000));
        assert_eq!(parse("200us"), Some(200));
        for wrong in ["", "30", "s", "-1s", "1.5s", "1d", "99999999999999h"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        for text in ["300us", "20ms", "1s", "90s", "5m", "24h", "0s"] {
            assert_eq!(shown(parse(text).unwrap()), text);
        }
    }
}
