//! Bytes of held fragments, in blocks of one size.
//!
//! Fragments come in any order and length and are let go in any order, so their bytes lie in chains of
//! small blocks: nothing is ever moved or searched for, and the whole is bounded by its number of blocks.

use crate::slab::NONE;

/// Bytes of one block. Three hold a full Ethernet fragment (1480) with little waste.
const BLOCK_BYTES: usize = 500;

struct Block {
    /// The next block of the chain, or of the free list.
    next: u32,
    bytes: [u8; BLOCK_BYTES],
}

/// Some bytes in blocks. Plain data: whoever drops it without giving it back loses the blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    first: u32,
    len: u32,
}

impl Chain {
    /// No bytes.
    pub(super) const EMPTY: Self = Self { first: NONE, len: 0 };

    /// Bytes in the chain.
    pub(super) fn len(&self) -> u32 {
        self.len
    }
}

/// All blocks. Their memory is taken as it is first needed, and kept.
pub(super) struct Blocks {
    blocks: Vec<Block>,
    free: u32,
    free_count: usize,
    blocks_max: usize,
}

impl Blocks {
    /// Room for `bytes_max` bytes of block memory.
    pub(super) fn new(bytes_max: usize) -> Self {
        let blocks_max = (bytes_max / size_of::<Block>()).min(NONE as usize);
        Self {
            blocks: Vec::with_capacity(blocks_max),
            free: NONE,
            free_count: 0,
            blocks_max,
        }
    }

    /// Whether chains of these lengths can be stored now.
    pub(super) fn has_room(&self, lens: [u32; 2]) -> bool {
        let needed: usize = lens.iter().map(|len| (*len as usize).div_ceil(BLOCK_BYTES)).sum();
        needed <= self.free_count + (self.blocks_max - self.blocks.len())
    }

    /// Stores the bytes of all parts, one after the other. What there is no room for is left out; ask
    /// [`Self::has_room`] first.
    pub(super) fn store<'p>(&mut self, parts: impl Iterator<Item = &'p [u8]>) -> Chain {
        let mut chain = Chain::EMPTY;
        let mut last = NONE;
        for mut part in parts {
            while !part.is_empty() {
                let used = chain.len as usize % BLOCK_BYTES;
                if used == 0 {
                    let Some(index) = self.take() else { return chain };
                    match self.blocks.get_mut(last as usize) {
                        Some(block) => block.next = index,
                        None => chain.first = index,
                    }
                    last = index;
                }
                let Some(block) = self.blocks.get_mut(last as usize) else {
                    return chain;
                };
                let Some(room) = block.bytes.get_mut(used..) else {
                    return chain;
                };
                let (now, later) = part.split_at(part.len().min(room.len()));
                room[..now.len()].copy_from_slice(now);
                chain.len += now.len() as u32;
                part = later;
            }
        }
        chain
    }

    /// The bytes of a chain, block by block.
    pub(super) fn read(&self, chain: Chain) -> impl Iterator<Item = &[u8]> {
        let mut index = chain.first;
        let mut left = chain.len as usize;
        std::iter::from_fn(move || {
            let block = self.blocks.get(index as usize).filter(|_| left > 0)?;
            let bytes = block.bytes.get(..left.min(BLOCK_BYTES))?;
            index = block.next;
            left -= bytes.len();
            Some(bytes)
        })
    }

    /// Gives the blocks of a chain back.
    pub(super) fn release(&mut self, chain: Chain) {
        let mut index = chain.first;
        for _ in 0..chain.len.div_ceil(BLOCK_BYTES as u32) {
            let Some(block) = self.blocks.get_mut(index as usize) else {
                return;
            };
            let next = std::mem::replace(&mut block.next, self.free);
            self.free = index;
            self.free_count += 1;
            index = next;
        }
    }

    /// An unused block, linked to nothing.
    fn take(&mut self) -> Option<u32> {
        if let Some(block) = self.blocks.get_mut(self.free as usize) {
            let next = std::mem::replace(&mut block.next, NONE);
            self.free_count -= 1;
            return Some(std::mem::replace(&mut self.free, next));
        }
        if self.blocks.len() >= self.blocks_max {
            return None;
        }
        self.blocks.push(Block {
            next: NONE,
            bytes: [0; BLOCK_BYTES],
        });
        Some((self.blocks.len() - 1) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_comes_back() {
        let mut blocks = Blocks::new(1 << 16);
        let bytes: Vec<u8> = (0..4000_u32).map(|n| n as u8).collect();
        for len in [0, 1, 499, 500, 501, 1000, 1480, 4000] {
            for cut in [0, 1, len / 2, len] {
                let (left, right) = bytes[..len].split_at(cut.min(len));
                let chain = blocks.store([left, right].into_iter());
                assert_eq!(chain.len() as usize, len);
                assert_eq!(blocks.read(chain).collect::<Vec<_>>().concat(), bytes[..len]);
                blocks.release(chain);
            }
        }
        // Every chain was given back, so the longest one set the mark.
        assert_eq!((blocks.blocks.len(), blocks.free_count), (8, 8));
    }

    #[test]
    fn bounded() {
        let mut blocks = Blocks::new(3 * size_of::<Block>());
        assert!(blocks.has_room([1000, 500]) && !blocks.has_room([1001, 500]));
        let chain = blocks.store(std::iter::once(&[1; 1000][..]));
        assert!(blocks.has_room([500, 0]) && !blocks.has_room([501, 0]));
        assert_eq!(blocks.store(std::iter::once(&[1; 2000][..])).len(), 500);
        blocks.release(chain);
        assert!(blocks.has_room([1000, 0]));
    }
}
