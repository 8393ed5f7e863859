//! From the kernel's time to that of records.

use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Events have ns since boot, records Unix ns.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    offset_ns: u64,
}

/// By how much the two may drift apart before records follow: less is the doing of who disciplines the clock, and
/// would only make exchanges seem longer or shorter.
const DRIFT_NS: u64 = 1_000_000;

fn now_ns(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    (time.tv_sec as u64)
        .wrapping_mul(1_000_000_000)
        .wrapping_add(time.tv_nsec as u64)
}

fn offset_ns() -> u64 {
    // The wall clock is read between two looks at the other.
    let before = now_ns(ClockId::Boottime);
    let wall = now_ns(ClockId::Realtime);
    let after = now_ns(ClockId::Boottime);
    wall.wrapping_sub(before + (after - before) / 2)
}

impl Clock {
    /// The two clocks as they stand.
    pub fn new() -> Self {
        Self {
            offset_ns: offset_ns(),
        }
    }

    /// Unix ns of a time since boot.
    pub fn unix_ns(&self, boot_ns: u64) -> u64 {
        boot_ns.wrapping_add(self.offset_ns)
    }

    /// Now, Unix ns, as [`unix_ns`](Self::unix_ns) says it.
    pub fn now_ns(&self) -> u64 {
        self.unix_ns(now_ns(ClockId::Boottime))
    }

    /// Processor time that this process has taken.
    pub fn used() -> Duration {
        Duration::from_nanos(now_ns(ClockId::ProcessCPUTime))
    }

    /// Looks whether somebody has set the wall clock.
    pub fn adjust(&mut self) {
        let offset_ns = offset_ns();
        if offset_ns.abs_diff(self.offset_ns) > DRIFT_NS {
            self.offset_ns = offset_ns;
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
