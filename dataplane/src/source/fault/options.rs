//! Which faults, and how often.

use std::fmt;
use std::str::FromStr;

/// Rates are shares of all packets, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultOptions {
    /// Packets left out.
    pub loss: f64,
    /// Packets sent twice.
    pub duplicate: f64,
    /// Packets that come late.
    pub reorder: f64,
    /// By how many packets, at most, a late packet is late.
    pub window: u32,
    /// Packets cut at some byte.
    pub truncate: f64,
    /// Packets of which one to three bits are flipped.
    pub corrupt: f64,
    /// The same seed gives the same faults.
    pub seed: u64,
}

impl Default for FaultOptions {
    fn default() -> Self {
        Self {
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            window: 8,
            truncate: 0.0,
            corrupt: 0.0,
            seed: 1,
        }
    }
}

/// A fault that can't be told from `what`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault {
    what: String,
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "'{}' is no fault; write loss=, duplicate=, reorder=, truncate= or corrupt= with a share from \
             0 to 1, window= or seed= with a whole number, separated by commas",
            self.what
        )
    }
}

impl std::error::Error for UnknownFault {}

/// From `loss=0.01,reorder=0.02,seed=7`.
impl FromStr for FaultOptions {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let mut options = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            options.set(part).ok_or_else(|| UnknownFault {
                what: part.to_owned(),
            })?;
        }
        Ok(options)
    }
}

impl FaultOptions {
    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        let rate = match name {
            "loss" => &mut self.loss,
            "duplicate" => &mut self.duplicate,
            "reorder" => &mut self.reorder,
            "truncate" => &mut self.truncate,
            "corrupt" => &mut self.corrupt,
            "window" => {
                self.window = value.parse().ok()?;
                return Some(());
            }
            "seed" => {
                self.seed = value.parse().ok()?;
                return Some(());
            }
            _ => return None,
        };
        *rate = value.parse().ok().filter(|rate| (0.0..=1.0).contains(rate))?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_is_written_on_a_command_line() {
        let options: FaultOptions = "loss=0.01,reorder=0.02,seed=7".parse().unwrap();
        let expected = FaultOptions {
            loss: 0.01,
            reorder: 0.02,
            seed: 7,
            ..FaultOptions::default()
        };
        assert_eq!(options, expected);
        assert_eq!("".parse::<FaultOptions>(), Ok(FaultOptions::default()));
        for wrong in ["loss", "loss=2", "loss=-0.1", "loss=NaN", "seed=-1", "rain=1"] {
            let error = wrong.parse::<FaultOptions>().unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("'{wrong}' is no fault;")),
                "{error}"
            );
        }
    }
}
