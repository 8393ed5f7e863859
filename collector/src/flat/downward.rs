//! Memory that is filled from its end: in FlatBuffers, what refers to something stands before it, and can only be written
//! when that has its place.

/// Where something stands: how many bytes from its first one to the end. It stays when the memory grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place(pub(super) u32);

/// Bytes of a length before a string, a vector or a batch, of a reference, and of what a table begins with.
pub(super) const WORD: usize = 4;

/// What FlatBuffers align at most: numbers of 64 bits.
pub(super) const ALIGN_MAX: usize = 8;

/// Bytes at first: a batch of common size.
const BYTES_FIRST: usize = 128 * 1024;

/// The bytes of a batch in the making. Every place keeps its alignment as long as the whole is a multiple of
/// [`ALIGN_MAX`] in the end.
#[derive(Debug, Default)]
pub(super) struct Downward {
    memory: Vec<u8>,
    /// Bytes that are free at the front.
    free: usize,
}

impl Downward {
    /// How many bytes there are.
    pub(super) fn len(&self) -> usize {
        self.memory.len() - self.free
    }

    /// Where what was put last stands.
    pub(super) fn place(&self) -> Place {
        Place(self.len() as u32)
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        self.memory.get(self.free..).unwrap_or_default()
    }

    /// The bytes from `place` on.
    pub(super) fn at(&self, place: Place) -> &[u8] {
        let from = self.memory.len() - place.0 as usize;
        self.memory.get(from..).unwrap_or_default()
    }

    /// The same, to be written.
    pub(super) fn at_mut(&mut self, place: Place) -> &mut [u8] {
        let from = self.memory.len() - place.0 as usize;
        self.memory.get_mut(from..).unwrap_or_default()
    }

    /// Whether the string at `place` is `text`.
    #[inline]
    pub(super) fn has_string(&self, place: Place, text: &[u8]) -> bool {
        let len = (text.len() as u32).to_le_bytes();
        let string = self.at(place).strip_prefix(&len);
        string.is_some_and(|string| string.starts_with(text))
    }

    /// Forgets everything but the memory.
    pub(super) fn clear(&mut self) {
        self.free = self.memory.len();
    }

    /// Room for `len` bytes before all others, with so many zeros behind that with `ahead` bytes more all of it is a
    /// multiple of `align`.
    #[inline]
    pub(super) fn put(&mut self, len: usize, align: usize, ahead: usize) -> &mut [u8] {
        let gap = (self.len() + len + ahead).wrapping_neg() % align;
        if self.free < len + gap {
            self.grow(len + gap);
        }
        self.free -= len + gap;
        let (room, behind) = self.memory[self.free..].split_at_mut(len);
        behind[..gap].fill(0);
        room
    }

    #[cold]
    fn grow(&mut self, wanted: usize) {
        let len = (2 * self.memory.len())
            .max(BYTES_FIRST)
            .max(2 * (self.len() + wanted));
        let mut memory = vec![0; len];
        memory[len - self.len()..].copy_from_slice(self.bytes());
        self.free = len - self.len();
        self.memory = memory;
    }

    /// A vector of bytes.
    #[inline]
    pub(super) fn put_bytes<const LEN: usize>(&mut self, bytes: [u8; LEN]) -> Place {
        let (len, content) = self.put(WORD + LEN, WORD, 0).split_at_mut(WORD);
        len.copy_from_slice(&(LEN as u32).to_le_bytes());
        content.copy_from_slice(&bytes);
        self.place()
    }

    /// A vector of numbers.
    pub(super) fn put_numbers(&mut self, numbers: &[u16]) -> Place {
        let (len, content) = self.put(WORD + 2 * numbers.len(), WORD, 0).split_at_mut(WORD);
        len.copy_from_slice(&(numbers.len() as u32).to_le_bytes());
        for (slot, number) in content.chunks_exact_mut(2).zip(numbers) {
            slot.copy_from_slice(&number.to_le_bytes());
        }
        self.place()
    }

    /// A string: bytes that are UTF-8, and a zero behind them.
    #[inline]
    pub(super) fn put_string(&mut self, text: &[u8]) -> Place {
        let room = self.put(WORD + text.len() + 1, WORD, 0);
        let (len, content) = room.split_at_mut(WORD);
        len.copy_from_slice(&(text.len() as u32).to_le_bytes());
        content[..text.len()].copy_from_slice(text);
        content[text.len()] = 0;
        self.place()
    }

    /// A vector of references.
    pub(super) fn put_references(&mut self, to: &[Place]) -> Place {
        let len = (to.len() as u32).to_le_bytes();
        self.put(WORD * (1 + to.len()), WORD, 0)[..WORD].copy_from_slice(&len);
        let first = (self.len() - WORD) as u32;
        let slots = self.memory[self.free..].chunks_exact_mut(WORD).skip(1);
        for ((slot, to), before) in slots.zip(to).zip((0..).step_by(WORD)) {
            slot.copy_from_slice(&(first - before - to.0).to_le_bytes());
        }
        self.place()
    }
}
