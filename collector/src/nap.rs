//! How long whoever empties a ring sleeps in between.
//!
//! Long naps make each item cheap: many are taken for one wake-up. But while many are taken, whatever ran on that core
//! waits, and soon whoever waits for that: where there is no core to spare, a burst of a millisecond stops both a client
//! and its server. So naps are as long as some items take to come.

use std::time::Duration;

/// Items that are wanted at once: enough that a wake-up costs little beside them, and done in a fraction of the time that
/// a scheduler gives to one task.
const WANTED: u64 = 128;

/// Finds the length of naps by what has come in the last one.
#[derive(Clone, Copy, Debug)]
pub struct Nap {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Nap {
    /// Naps of these lengths; long ones first.
    pub fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            next: longest,
        }
    }

    /// How long to sleep when so many items had come since the last time.
    pub fn after(&mut self, items: u64) -> Duration {
        if items > 2 * WANTED {
            self.next = (self.next / 2).max(self.shortest);
        } else if items < WANTED / 2 {
            self.next = (self.next * 2).min(self.longest);
        }
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The nap that remains when so many items come in a millisecond.
    fn settled(per_ms: u64) -> Duration {
        let mut nap = Nap::new(MS / 2, MS * 8);
        let mut time = MS;
        for _ in 0..20 {
            time = nap.after(per_ms * time.as_micros() as u64 / 1000);
        }
        time
    }

    #[test]
    fn naps_are_as_long_as_some_items_take() {
        assert_eq!(settled(0), MS * 8);
        assert_eq!(settled(5), MS * 8);
        let some = settled(60);
        assert!(some > MS && some < MS * 8, "{some:?}");
        assert_eq!(settled(100_000), MS / 2);
    }

    #[test]
    fn a_pause_makes_them_long_again() {
        let mut nap = Nap::new(MS, MS * 8);
        let busy = (0..9).map(|_| nap.after(10_000)).last();
        let quiet = (0..9).map(|_| nap.after(0)).last();
        assert_eq!((busy, quiet), (Some(MS), Some(MS * 8)));
    }
}
