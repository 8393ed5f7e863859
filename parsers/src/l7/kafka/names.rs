//! A text that grows: short ones stand in the connection's state, and only long ones cost an allocation.

use arrayvec::ArrayVec;

/// Bytes that stand in place: one topic as most are named, or a few short ones.
const SHORT_BYTES_MAX: usize = 112;

/// Names of topics, comma joined, or another text under way.
#[derive(Default)]
pub(super) struct Names {
    short: ArrayVec<u8, SHORT_BYTES_MAX>,
    /// Holds all of it once it is not short any more.
    long: Vec<u8>,
}

impl Names {
    /// None.
    pub(super) const EMPTY: Self = Self {
        short: ArrayVec::new_const(),
        long: Vec::new(),
    };

    /// All of it.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.long.is_empty() {
            &self.short
        } else {
            &self.long
        }
    }

    /// Appends `bytes`.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            if self.short.try_extend_from_slice(bytes).is_ok() {
                return;
            }
            self.long.extend_from_slice(&self.short);
        }
        self.long.extend_from_slice(bytes);
    }

    /// Empties it, and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.short.clear();
        self.long.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_any_length_come_out_as_they_went_in() {
        let mut names = Names::EMPTY;
        for length in [0, 1, 60, SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1, 1000, 3] {
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            names.clear();
            for piece in text.chunks(50) {
                names.push(piece);
            }
            assert_eq!(names.bytes(), text);
        }
    }
}
