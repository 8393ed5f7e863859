//! Where lines end: the places of all LF in some bytes, found 64 bytes at a time.
//!
//! Heads are made of short lines. Asking for one line end after another costs a call and a dispatch each;
//! here a block of bytes is compared at once, and its lines are read off a word of marks.

use wide::u8x16;

/// Bytes compared at once.
const BLOCK: usize = 64;

/// The places of LF, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineEnds<'a> {
    bytes: &'a [u8],
    /// Where the block of `marks` begins.
    block: usize,
    /// Where the next block begins.
    next: usize,
    /// A bit for every LF of the block that was not given out.
    marks: u64,
}

impl<'a> LineEnds<'a> {
    /// Those of `bytes`.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            block: 0,
            next: 0,
            marks: 0,
        }
    }

    /// Passes over all ends before `at`.
    #[inline]
    pub(crate) fn skip_to(&mut self, at: usize) {
        (self.next, self.marks) = (at, 0);
    }
}

impl Iterator for LineEnds<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            let rest = self.bytes.get(self.next..).filter(|rest| !rest.is_empty())?;
            self.block = self.next;
            self.next += BLOCK;
            self.marks = match (rest.first_chunk::<BLOCK>(), self.bytes.last_chunk::<BLOCK>()) {
                (Some(block), _) => marks(block),
                // The last block overlaps the one before, whose marks are shifted out.
                (None, Some(block)) => marks(block) >> (BLOCK - rest.len()),
                (None, None) => {
                    let mut block = [0; BLOCK];
                    for (to, from) in block.iter_mut().zip(rest) {
                        *to = *from;
                    }
                    marks(&block)
                }
            };
        }
        let at = self.block + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        Some(at)
    }
}

/// A bit for every LF of a block.
#[inline(always)]
fn marks(block: &[u8; BLOCK]) -> u64 {
    let lf = u8x16::splat(b'\n');
    let (parts, _) = block.as_chunks::<16>();
    parts.iter().rev().fold(0, |marks, part| {
        marks << 16 | u64::from(u8x16::new(*part).simd_eq(lf).to_bitmask() as u16)
    })
}

#[cfg(test)]
mod tests {
    use super::LineEnds;

    #[test]
    fn every_line_end_is_found_once_whatever_the_length() {
        let text: Vec<u8> = (0..400u32)
            .map(|n| {
                if n * n % 7 == 4 || n % 61 == 0 {
                    b'\n'
                } else {
                    b'a' + (n % 26) as u8
                }
            })
            .collect();
        for start in 0..70 {
            for end in start..text.len() {
                let bytes = &text[start..end];
                let known: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
                assert_eq!(LineEnds::new(bytes).collect::<Vec<_>>(), known);
            }
        }
    }
}
