//! The pieces of a capture, each timed in every lap.
//!
//! On a machine that is shared, hardly a lap passes without others using the core's second thread or its caches. A
//! piece of some milliseconds often does: the least times of all pieces together are what a lap takes by itself.

use std::time::Duration;

/// Pieces that are told apart; room for them is taken before the clock runs.
const PIECES_MAX: usize = 1 << 16;

/// The least time of every piece so far.
pub(super) struct Pieces {
    least: Vec<Piece>,
    /// The one under way.
    at: usize,
    /// When it began, and the packets before it.
    began: (Duration, u64),
}

#[derive(Clone, Copy)]
struct Piece {
    packets: u64,
    time: Duration,
}

impl Piece {
    /// Of what follows the last packet, all that it took.
    fn ns_per_packet(&self) -> f64 {
        self.time.as_nanos() as f64 / self.packets.max(1) as f64
    }
}

impl Pieces {
    pub(super) fn new() -> Self {
        Self {
            least: Vec::with_capacity(PIECES_MAX),
            at: 0,
            began: (Duration::ZERO, 0),
        }
    }

    /// A lap begins at `time`, `packets` after the first of all.
    pub(super) fn begin(&mut self, time: Duration, packets: u64) {
        (self.at, self.began) = (0, (time, packets));
    }

    /// A piece ends.
    pub(super) fn mark(&mut self, time: Duration, packets: u64) {
        let piece = Piece {
            packets: packets.saturating_sub(self.began.1),
            time: time.saturating_sub(self.began.0),
        };
        match self.least.get_mut(self.at) {
            // What comes from a file at its own pace is cut elsewhere each time.
            Some(least) if piece.ns_per_packet() < least.ns_per_packet() => *least = piece,
            Some(_) => {}
            None if self.at < PIECES_MAX => self.least.push(piece),
            None => {}
        }
        self.at += 1;
        self.began = (time, packets);
    }

    /// Forgets the laps so far.
    pub(super) fn clear(&mut self) {
        self.least.clear();
    }

    /// All pieces at their least.
    pub(super) fn sum(&self) -> (Duration, u64) {
        let time = self.least.iter().map(|piece| piece.time).sum();
        (time, self.least.iter().map(|piece| piece.packets).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::Pieces;
    use std::time::Duration;

    #[test]
    fn every_piece_counts_by_its_quietest_lap() {
        let mut pieces = Pieces::new();
        let ms = Duration::from_millis;
        for (start, times) in [(0, [5, 12, 15]), (100, [8, 10, 14]), (200, [6, 11, 12])] {
            pieces.begin(ms(start), start);
            // Two pieces of ten packets, and what comes behind the last.
            for (end, packets) in times.into_iter().zip([10, 20, 20]) {
                pieces.mark(ms(start + end), start + packets);
            }
        }
        assert_eq!(pieces.sum(), (ms(5 + 2 + 1), 20));
        pieces.clear();
        assert_eq!(pieces.sum(), (Duration::ZERO, 0));
    }
}
