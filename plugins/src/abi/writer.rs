//! Writes what guests read, straight to where it shall stand; what does not fit is seen at the end.

/// Bytes from the front of a buffer on.
#[derive(Debug)]
pub struct Writer<'a> {
    to: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// Writes to `to`.
    pub const fn new(to: &'a mut [u8]) -> Self {
        Self { to, len: 0 }
    }

    /// Appends `bytes`.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.len.saturating_add(bytes.len());
        if let Some(place) = self.to.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
        }
        self.len = end;
    }

    /// Appends a byte.
    #[inline]
    pub fn u8(&mut self, value: u8) {
        self.bytes(&[value]);
    }

    /// Appends two bytes, big-endian.
    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends four bytes, big-endian.
    #[inline]
    pub fn u32(&mut self, value: u32) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends eight bytes, big-endian.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_be_bytes());
    }

    /// Appends a text behind its length of 16 bits; what is longer is cut.
    pub fn text(&mut self, text: &[u8]) {
        let text = text.get(..usize::from(u16::MAX)).unwrap_or(text);
        self.u16(text.len() as u16);
        self.bytes(text);
    }

    /// Bytes that fit still.
    pub fn room(&self) -> usize {
        self.to.len().saturating_sub(self.len)
    }

    /// Bytes written; `None` when some did not fit.
    pub fn finish(self) -> Option<usize> {
        (self.len <= self.to.len()).then_some(self.len)
    }
}
