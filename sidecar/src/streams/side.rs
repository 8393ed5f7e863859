//! One direction of a connection: what is next, what came before its turn, what will never come.

use std::collections::VecDeque;

/// `a - b` of sequence numbers that wrap: negative when `a` is before `b`.
pub(super) fn seq_diff(a: u32, b: u32) -> i32 {
    a.wrapping_sub(b) as i32
}

/// Data that came before its turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) seq: u32,
    pub(super) peer_seq: u32,
    pub(super) len: u32,
    pub(super) time_ns: u64,
    pub(super) bytes: Vec<u8>,
}

/// A direction.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Sequence number of the next byte.
    pub(super) next_seq: u32,
    /// Bytes of the direction before it.
    pub(super) offset: u64,
    /// Payload that inference looked at in vain.
    pub(super) tries: u8,
    /// Its end was reached.
    pub(super) ended: bool,
    held: VecDeque<Held>,
}

/// Where data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    /// It is next, but for so many bytes at its front that were there before.
    Next(u32),
    /// All of it was there before.
    Seen,
    /// So many bytes before it are not there.
    Ahead(u32),
}

impl Side {
    /// A direction whose next byte has the number `seq`, behind `passed` others.
    pub(super) fn starting_at(seq: u32, passed: u32) -> Self {
        Self {
            next_seq: seq,
            offset: u64::from(passed),
            ..Self::default()
        }
    }

    /// The number at offset 0.
    pub(super) fn first_seq(&self) -> u32 {
        self.next_seq.wrapping_sub(self.offset as u32)
    }

    /// Where `len` bytes at `seq` stand.
    pub(super) fn place(&self, seq: u32, len: u32) -> Placement {
        let ahead = seq_diff(seq, self.next_seq);
        if ahead > 0 {
            return Placement::Ahead(ahead.unsigned_abs());
        }
        let skip = ahead.unsigned_abs();
        if skip < len {
            Placement::Next(skip)
        } else {
            Placement::Seen
        }
    }

    /// The bytes from `seq` on are done with; `len` of them.
    pub(super) fn advance(&mut self, len: u32) {
        self.next_seq = self.next_seq.wrapping_add(len);
        self.offset += u64::from(len);
    }

    /// Offset of the byte with the number `seq`.
    pub(super) fn offset_of(&self, seq: u32) -> u64 {
        let ahead = i64::from(seq_diff(seq, self.next_seq));
        self.offset.saturating_add_signed(ahead)
    }

    /// Keeps data until its turn comes, in order.
    pub(super) fn hold(&mut self, data: Held) {
        let at = self
            .held
            .partition_point(|other| seq_diff(other.seq, data.seq) <= 0);
        self.held.insert(at, data);
    }

    /// Nothing waits.
    pub(super) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    /// How many wait, and how many bytes they hold.
    pub(super) fn held(&self) -> (usize, usize) {
        (
            self.held.len(),
            self.held.iter().map(|data| data.bytes.len()).sum(),
        )
    }

    /// Bytes told of in those that wait.
    pub(super) fn held_len(&self) -> u64 {
        self.held.iter().map(|data| u64::from(data.len)).sum()
    }

    /// Since when the first of those that wait does.
    pub(super) fn waiting_since(&self) -> Option<u64> {
        self.held.iter().map(|data| data.time_ns).min()
    }

    /// Number of the first byte that waits.
    pub(super) fn first_held(&self) -> Option<u32> {
        self.held.front().map(|held| held.seq)
    }

    /// Bytes missing before the first that waits.
    pub(super) fn hole(&self) -> Option<u32> {
        let first = self.held.front()?;
        u32::try_from(seq_diff(first.seq, self.next_seq)).ok()
    }

    /// The first that waits, if its turn has come.
    pub(super) fn take_due(&mut self) -> Option<Held> {
        let due = seq_diff(self.held.front()?.seq, self.next_seq) <= 0;
        due.then(|| self.held.pop_front()).flatten()
    }
}
