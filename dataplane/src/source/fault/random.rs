//! Random numbers that a seed repeats.

/// The SplitMix64 generator (Steele, Lea, Flood 2014): every seed is a good one.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A generator of its own: how much is drawn from it does not show here.
    pub(super) fn split(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// True in `rate` of all cases.
    pub(super) fn happens(&mut self, rate: f64) -> bool {
        // 53 bits are what the fraction of an f64 holds.
        ((self.next() >> 11) as f64) < rate * (1u64 << 53) as f64
    }
}
