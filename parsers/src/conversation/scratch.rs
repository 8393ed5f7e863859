//! Text of the message at hand, until it is known whether it must be kept: entries of a buffer of fixed size.

use crate::field::Field;
use crate::limits::MESSAGE_TEXT_BYTES_MAX;

/// Field number and length before the bytes of a text entry.
pub(super) const ENTRY_HEAD_BYTES: usize = 3;

/// Room for what a message may carry, and for what stands around the last of its fields.
const BYTES: usize = MESSAGE_TEXT_BYTES_MAX + 4096;

/// Text entries, one behind the other.
pub(crate) struct Scratch {
    bytes: Box<[u8; BYTES]>,
    len: usize,
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            bytes: Box::new([0; BYTES]),
            len: 0,
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    #[inline]
    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }

    /// Bytes that one more message field may have.
    #[inline]
    pub(super) fn room(&self) -> usize {
        MESSAGE_TEXT_BYTES_MAX.saturating_sub(self.len)
    }

    /// Adds a text field, if it has text; false: as a whole it may not fit.
    #[inline]
    pub(super) fn push_text(&mut self, field: Field, text: &[u8]) -> bool {
        if text.is_empty() {
            return true;
        }
        let rest = self.bytes.get_mut(self.len..MESSAGE_TEXT_BYTES_MAX);
        let Some((head, rest)) = rest.and_then(|rest| rest.split_first_chunk_mut()) else {
            return false;
        };
        let Some(place) = rest.get_mut(..text.len()) else {
            return false;
        };
        let [low, high] = (text.len() as u16).to_le_bytes();
        *head = [field as u8, low, high];
        copy(place, text);
        self.len += ENTRY_HEAD_BYTES + text.len();
        true
    }

    /// Adds bytes of an entry that is written in pieces; what does not fit is left out.
    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            copy(place, bytes);
            self.len = end;
        }
    }

    /// The entry that begins at `start` ends here.
    #[inline]
    pub(super) fn end_entry(&mut self, start: usize) {
        let len = self.len - start - ENTRY_HEAD_BYTES;
        if let Some(place) = self.bytes.get_mut(start + 1..start + ENTRY_HEAD_BYTES) {
            place.copy_from_slice(&(len as u16).to_le_bytes());
        }
    }

    /// Takes back all from `start` on.
    #[inline]
    pub(super) fn truncate(&mut self, start: usize) {
        self.len = self.len.min(start);
    }
}

/// Copies `from` to `to`, which is as long. Most texts are short, and a call would cost more than the copy: their
/// first and their last bytes are copied, which overlap.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    fn ends<const N: usize>(to: &mut [u8], from: &[u8]) -> Option<()> {
        let (first, last) = (*from.first_chunk::<N>()?, *from.last_chunk::<N>()?);
        *to.first_chunk_mut()? = first;
        *to.last_chunk_mut()? = last;
        Some(())
    }
    let len = from.len();
    if !(2..=32).contains(&len) {
        to.copy_from_slice(from);
    } else if len >= 16 {
        ends::<16>(to, from);
    } else if len >= 8 {
        ends::<8>(to, from);
    } else if len >= 4 {
        ends::<4>(to, from);
    } else {
        ends::<2>(to, from);
    }
}

#[cfg(test)]
mod tests {
    use super::{Scratch, copy};
    use crate::field::Field;
    use crate::limits::MESSAGE_TEXT_BYTES_MAX;
    use crate::record::write_text;

    #[test]
    fn every_length_is_copied_and_nothing_around_it() {
        let from: Vec<u8> = (1..=80).collect();
        for len in 0..from.len() {
            let mut to = vec![0; len + 2];
            copy(&mut to[1..=len], &from[..len]);
            assert_eq!(to, [&[0], &from[..len], &[0]].concat());
        }
    }

    #[test]
    fn entries_stand_as_records_have_them() {
        let (mut scratch, mut known) = (Scratch::new(), Vec::new());
        for text in [&b"GET"[..], b"1.1", &[b'x'; 700]] {
            assert!(scratch.push_text(Field::Result, text));
            write_text(&mut known, Field::Result, text);
        }
        assert_eq!(scratch.as_slice(), known);
    }

    #[test]
    fn what_does_not_fit_is_left_out_as_a_whole() {
        let mut scratch = Scratch::new();
        let text = vec![1; MESSAGE_TEXT_BYTES_MAX - 10];
        scratch.extend(&text);
        assert!(!scratch.push_text(Field::Result, b"12345678"));
        assert_eq!(scratch.as_slice(), text);
        scratch.extend(&vec![2; scratch.bytes.len() - text.len() + 1]);
        assert_eq!(scratch.as_slice(), text);
    }
}
