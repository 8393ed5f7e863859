//! Shared by the measurements of protocols (`speed.rs` beside them).

use crate::record::RecordSink;
use std::time::Instant;

/// Counts records and their bytes.
#[derive(Default)]
pub(crate) struct Count {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
}

impl RecordSink for Count {
    fn record(&mut self, entry: &[u8]) {
        self.records += 1;
        self.bytes += entry.len() as u64;
    }
}

/// Prints the best of many short runs: what the code costs when nothing else wants the core.
pub(crate) fn best(what: &str, mut run: impl FnMut()) {
    const ROUNDS: u32 = 1000;
    let mut best = f64::MAX;
    for _ in 0..500 {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            run();
        }
        best = best.min(started.elapsed().as_nanos() as f64 / f64::from(ROUNDS));
    }
    println!("{what}: {best:.1} ns");
}
