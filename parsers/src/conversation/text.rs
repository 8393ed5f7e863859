//! Text of messages between their first byte and the record: chains of small blocks.
//!
//! A text entry is `field u8, length u16 (little-endian), bytes`; an attribute's bytes begin with the
//! length of its key (u8) and the key.

use crate::slab::{NONE, make_room};

/// Payload of one block, bytes: with its link 256, four cache lines, enough for most requests.
const BLOCK_BYTES: usize = 252;

struct Block {
    next: u32,
    bytes: [u8; BLOCK_BYTES],
}

/// Text of one message: blocks of a [`TextPool`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain {
    head: u32,
    tail: u32,
    len: u32,
}

impl Chain {
    /// No blocks, whatever links say. All zeros: what is vacant is cleared by large stores.
    pub(crate) const EMPTY: Self = Self {
        head: 0,
        tail: 0,
        len: 0,
    };

    pub(crate) fn len(self) -> usize {
        self.len as usize
    }
}

/// The blocks of one lcore.
pub(crate) struct TextPool {
    blocks: Vec<Block>,
    free: u32,
    blocks_max: usize,
}

impl TextPool {
    pub(crate) fn with_limit(blocks_max: usize) -> Self {
        Self {
            blocks: Vec::new(),
            free: NONE,
            blocks_max,
        }
    }

    /// Memory of all blocks, bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.blocks.len() * size_of::<Block>()
    }

    fn take(&mut self) -> Option<u32> {
        if self.free != NONE {
            let index = self.free;
            self.free = self.blocks.get(index as usize)?.next;
            return Some(index);
        }
        if self.blocks.len() >= self.blocks_max {
            return None;
        }
        make_room(&mut self.blocks);
        self.blocks.push(Block {
            next: NONE,
            bytes: [0; BLOCK_BYTES],
        });
        Some((self.blocks.len() - 1) as u32)
    }

    /// Appends `bytes`; false (and nothing more is appended) when the pool is at its limit.
    #[inline(always)]
    pub(crate) fn append(&mut self, chain: &mut Chain, bytes: &[u8]) -> bool {
        // Most texts are one block that was used before.
        if chain.len == 0
            && !bytes.is_empty()
            && let Some(block) = self.blocks.get_mut(self.free as usize)
            && let Some(place) = block.bytes.get_mut(..bytes.len())
        {
            place.copy_from_slice(bytes);
            *chain = Chain {
                head: self.free,
                tail: self.free,
                len: bytes.len() as u32,
            };
            self.free = std::mem::replace(&mut block.next, NONE);
            return true;
        }
        self.append_pieces(chain, bytes)
    }

    /// The same, over any number of blocks.
    fn append_pieces(&mut self, chain: &mut Chain, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let used = chain.len as usize % BLOCK_BYTES;
            if used == 0 {
                let Some(index) = self.take() else { return false };
                if let Some(block) = self.blocks.get_mut(index as usize) {
                    block.next = NONE;
                }
                match self.blocks.get_mut(chain.tail as usize) {
                    Some(tail) if chain.len > 0 => tail.next = index,
                    _ => chain.head = index,
                }
                chain.tail = index;
            }
            let Some(block) = self.blocks.get_mut(chain.tail as usize) else {
                return false;
            };
            let count = bytes.len().min(BLOCK_BYTES - used);
            let (now, later) = bytes.split_at(count);
            block.bytes[used..used + count].copy_from_slice(now);
            chain.len += count as u32;
            bytes = later;
        }
        true
    }

    /// Copies the text to the end of `to`.
    pub(crate) fn copy_out(&self, chain: Chain, to: &mut Vec<u8>) {
        let mut index = chain.head;
        let mut left = chain.len();
        while let (Some(block), 1..) = (self.blocks.get(index as usize), left) {
            let count = left.min(BLOCK_BYTES);
            to.extend_from_slice(&block.bytes[..count]);
            left -= count;
            index = block.next;
        }
    }

    /// Copies the text to the start of `to`, as much as there is room for; says how much.
    #[inline]
    pub(crate) fn copy_to(&self, chain: Chain, to: &mut [u8]) -> usize {
        let mut index = chain.head;
        let len = chain.len().min(to.len());
        let mut at = 0;
        while at < len
            && let Some(block) = self.blocks.get(index as usize)
        {
            let count = (len - at).min(BLOCK_BYTES);
            to[at..at + count].copy_from_slice(&block.bytes[..count]);
            at += count;
            index = block.next;
        }
        at
    }

    /// Gives all blocks back.
    #[inline]
    pub(crate) fn release(&mut self, chain: &mut Chain) {
        if chain.len > 0
            && let Some(tail) = self.blocks.get_mut(chain.tail as usize)
        {
            tail.next = self.free;
            self.free = chain.head;
        }
        *chain = Chain::EMPTY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_and_blocks_are_reused() {
        let mut pool = TextPool::with_limit(8);
        for round in 0..10u8 {
            let mut chain = Chain::EMPTY;
            let text: Vec<u8> = (0..600).map(|i| (i as u8) ^ round).collect();
            for piece in text.chunks(77) {
                assert!(pool.append(&mut chain, piece));
            }
            let mut copy = Vec::new();
            pool.copy_out(chain, &mut copy);
            assert_eq!(copy, text);
            pool.release(&mut chain);
        }
        assert_eq!(pool.blocks.len(), 3);
    }

    #[test]
    fn a_full_pool_says_so_and_keeps_what_it_has() {
        let mut pool = TextPool::with_limit(1);
        let mut chain = Chain::EMPTY;
        assert!(pool.append(&mut chain, &[1; BLOCK_BYTES]));
        assert!(!pool.append(&mut chain, &[2]));
        assert_eq!(chain.len(), BLOCK_BYTES);
    }
}
