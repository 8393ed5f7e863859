//! Where a segment stands in its stream (RFC 9293 section 3.4).

/// Largest window there can be, bytes (RFC 7323 section 2.3). Nothing older than that is sent again.
pub const WINDOW_BYTES_MAX: u32 = 1 << 30;

/// `a - b` of sequence numbers that wrap: negative when `a` is before `b`.
#[inline(always)]
pub fn seq_diff(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

/// How many bytes `seq` is ahead of the next byte in order; negative: so many behind. A segment further
/// behind than any window is taken for one behind a large loss: else a stream that has lost its place
/// would be deaf for as long as it takes to catch up.
#[inline(always)]
pub fn ahead(seq: u32, next_seq: u32) -> i64 {
    let behind = next_seq.wrapping_sub(seq);
    if behind <= WINDOW_BYTES_MAX {
        -i64::from(behind)
    } else {
        i64::from(seq.wrapping_sub(next_seq))
    }
}

/// What is to be done with a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Its bytes from `skip` on are next in order. Of a FIN alone there are none.
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
    /// Places `len` bytes, and behind them a FIN or not, at `seq` in a stream whose next byte is `next_seq`.
    #[inline(always)]
    pub fn of(seq: u32, len: u32, fin: bool, next_seq: u32) -> Self {
        let ahead = ahead(seq, next_seq);
        if ahead > 0 {
            return Self::Ahead;
        }
        let skip = ahead.unsigned_abs() as u32;
        if skip < len || (fin && skip == len) {
            Self::InOrder { skip }
        } else {
            Self::Seen
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_around_the_wrap() {
        let near = u32::MAX - 4;
        let of = |seq, len, next_seq| Placement::of(seq, len, false, next_seq);
        assert_eq!(of(near, 10, near), Placement::InOrder { skip: 0 });
        assert_eq!(of(near, 10, 5), Placement::Seen);
        assert_eq!(of(near, 12, 5), Placement::InOrder { skip: 10 });
        assert_eq!(of(6, 1, near), Placement::Ahead);
        assert_eq!(seq_diff(3, u32::MAX), 4);
    }

    #[test]
    fn a_fin_is_new_until_it_was_reached() {
        let of = |seq, len| Placement::of(seq, len, true, 100);
        assert_eq!(of(100, 0), Placement::InOrder { skip: 0 });
        assert_eq!(of(90, 10), Placement::InOrder { skip: 10 });
        assert_eq!(of(90, 9), Placement::Seen);
        assert_eq!(of(99, 0), Placement::Seen);
        assert_eq!(of(101, 0), Placement::Ahead);
    }

    #[test]
    fn what_no_window_reaches_back_to_is_ahead() {
        assert_eq!(ahead(0, WINDOW_BYTES_MAX), -i64::from(WINDOW_BYTES_MAX));
        assert_eq!(
            ahead(0, WINDOW_BYTES_MAX + 1),
            (1 << 32) - i64::from(WINDOW_BYTES_MAX) - 1
        );
        assert_eq!(ahead(5, u32::MAX), 6);
    }
}
