//! When there is more than can be read: how many connections are followed.
//!
//! Losing events at random would cut holes into all connections and cost most of their records. So, when the ring of
//! events was full, or the sidecar takes more time than it may, half the connections are let go, and half of the rest if
//! that does not do; when it has been quiet for some time, new connections are followed again.

use std::time::Duration;

/// At most, one connection of this power of two is left out of all.
const SHIFT_MAX: u32 = 10;

/// Looks without trouble after which more connections are followed again.
const QUIET_LOOKS: u32 = 50;

/// One look at how things go.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// Events lost so far.
    pub lost: u64,
    /// Processor time taken so far.
    pub used: Duration,
    /// Time passed so far.
    pub passed: Duration,
}

/// Decides how many connections are followed.
#[derive(Debug)]
pub struct Overload {
    /// Share of one core that may be taken; `None`: all there is.
    share_max: Option<f64>,
    before: Look,
    shift: u32,
    quiet: u32,
}

impl Overload {
    /// All connections are followed, with up to this share of one core.
    pub fn new(share_max: Option<f64>) -> Self {
        Self {
            share_max,
            before: Look::default(),
            shift: 0,
            quiet: 0,
        }
    }

    /// Takes a look; from now on, one connection of `1 << shift` is followed, if that is to change.
    pub fn look(&mut self, now: Look) -> Option<u32> {
        let lost = now.lost > self.before.lost;
        let passed = now.passed.saturating_sub(self.before.passed).as_secs_f64();
        let used = now.used.saturating_sub(self.before.used).as_secs_f64();
        let share = if passed > 0.0 { used / passed } else { 0.0 };
        self.before = now;
        // As many again must fit before more are taken.
        let (too_much, room) = match self.share_max {
            Some(max) => (share > max, share * 2.0 < max),
            None => (false, true),
        };
        if lost || too_much {
            self.quiet = 0;
            if self.shift == SHIFT_MAX {
                return None;
            }
            self.shift += 1;
            return Some(self.shift);
        }
        self.quiet = if room { self.quiet + 1 } else { 0 };
        if self.shift == 0 || self.quiet < QUIET_LOOKS {
            return None;
        }
        self.quiet = 0;
        self.shift -= 1;
        Some(self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `n`-th look, so much lost and so many percent of a core used.
    fn look(n: u32, lost: u64, percent: u32) -> Look {
        Look {
            lost,
            used: Duration::from_millis(u64::from(n * percent)),
            passed: Duration::from_millis(u64::from(n * 100)),
        }
    }

    #[test]
    fn losses_halve_and_quiet_brings_back() {
        let mut overload = Overload::new(None);
        assert_eq!(overload.look(look(1, 0, 99)), None);
        assert_eq!(overload.look(look(2, 5, 99)), Some(1));
        assert_eq!(overload.look(look(3, 6, 99)), Some(2));
        let quiet: Vec<_> = (4..4 + 3 * QUIET_LOOKS)
            .filter_map(|n| overload.look(look(n, 6, 99)))
            .collect();
        assert_eq!(quiet, [1, 0]);
    }

    #[test]
    fn a_budget_is_kept() {
        let mut overload = Overload::new(Some(0.2));
        assert_eq!(overload.look(look(1, 0, 10)), None);
        assert_eq!(overload.look(look(2, 0, 30)), Some(1));
        // Twice of this would not fit.
        let still: Vec<_> = (0..2 * QUIET_LOOKS)
            .filter_map(|n| overload.look(look(100 + n, 0, 15)))
            .collect();
        assert_eq!(still, [0; 0]);
        let less: Vec<_> = (0..2 * QUIET_LOOKS)
            .filter_map(|n| overload.look(look(300 + n, 0, 5)))
            .collect();
        assert_eq!(less, [0]);
    }

    #[test]
    fn there_is_an_end_to_halving() {
        let mut overload = Overload::new(None);
        let last = (0..100)
            .filter_map(|n| overload.look(look(n, u64::from(n) + 1, 0)))
            .last();
        assert_eq!(last, Some(SHIFT_MAX));
    }
}
