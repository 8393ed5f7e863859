//! Time that an lcore spends on plugins, by the second.

use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// The time of one lcore.
#[derive(Debug)]
pub(crate) struct Budget {
    /// None: as much as they take.
    limit: Option<Duration>,
    window: Instant,
    spent: Duration,
}

impl Budget {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            window: Instant::now(),
            spent: Duration::ZERO,
        }
    }

    /// Whether there is time for a call that begins at `now`.
    pub(crate) fn has_time(&mut self, now: Instant) -> bool {
        let Some(limit) = self.limit else { return true };
        if now.saturating_duration_since(self.window) >= WINDOW {
            self.window = now;
            self.spent = Duration::ZERO;
        }
        self.spent < limit
    }

    /// Takes the time of a call away.
    pub(crate) fn spend(&mut self, time: Duration) {
        self.spent += time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_comes_back_every_second() {
        let mut budget = Budget::new(Some(Duration::from_millis(100)));
        let start = Instant::now();
        assert!(budget.has_time(start));
        budget.spend(Duration::from_millis(60));
        assert!(budget.has_time(start));
        budget.spend(Duration::from_millis(60));
        assert!(!budget.has_time(start + Duration::from_millis(500)));
        assert!(budget.has_time(start + Duration::from_millis(1500)));
        let mut endless = Budget::new(None);
        endless.spend(Duration::from_secs(100));
        assert!(endless.has_time(start));
    }
}
