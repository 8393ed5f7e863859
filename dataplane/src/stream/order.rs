//! Where a segment stands in its stream (RFC 9293 section 3.4).

/// `a - b` of sequence numbers that wrap: negative when `a` is before `b`.
#[inline(always)]
pub fn seq_diff(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

/// What is to be done with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Its bytes from `skip` on are next in order.
    InOrder {
        /// Bytes at its front that were seen before.
        skip: u32,
    },
    /// Everything in it was seen before (a retransmission, or a keep-alive).
    Seen,
    /// Bytes before it are missing.
    Ahead,
}

impl Placement {
    /// Places `len` bytes at `seq` in a stream whose next byte is `next_seq`.
    #[inline(always)]
    pub fn of(seq: u32, len: u32, next_seq: u32) -> Self {
        let ahead = seq_diff(seq, next_seq);
        if ahead > 0 {
            return Self::Ahead;
        }
        let skip = ahead.unsigned_abs();
        if skip >= len {
            Self::Seen
        } else {
            Self::InOrder { skip }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_around_the_wrap() {
        let near = u32::MAX - 4;
        assert_eq!(Placement::of(near, 10, near), Placement::InOrder { skip: 0 });
        assert_eq!(Placement::of(near, 10, 5), Placement::Seen);
        assert_eq!(Placement::of(near, 12, 5), Placement::InOrder { skip: 10 });
        assert_eq!(Placement::of(6, 1, near), Placement::Ahead);
        assert_eq!(seq_diff(3, u32::MAX), 4);
    }
}
