//! Messages and their parts. Source: PostgreSQL 17 manual, section 53.2 (message flow overview) and 53.7
//! (message formats). Numbers are big-endian; lengths count themselves but not the type byte.

/// Type byte and length.
pub(super) const HEADER_BYTES: usize = 5;

/// The head of a typed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What it is; its meaning depends on the direction.
    pub(super) kind: u8,
    /// Bytes behind the head.
    pub(super) body: u32,
}

impl Header {
    /// The head that `bytes` begin with; `None` when it is not whole or its length is impossible.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[kind, a, b, c, d] = bytes.first_chunk::<HEADER_BYTES>()?;
        let body = u32::from_be_bytes([a, b, c, d]).checked_sub(4)?;
        (body < 1 << 30).then_some(Self { kind, body })
    }

    /// Bytes of the whole message.
    pub(super) fn message_bytes(self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.body)
    }

    /// The body, as far as it is among `bytes`.
    pub(super) fn body_of(self, bytes: &[u8]) -> &[u8] {
        let end = bytes.len().min(HEADER_BYTES + self.body as usize);
        bytes.get(HEADER_BYTES..end).unwrap_or(&[])
    }
}

/// Reads values off the front of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// A string that ends with a NUL; `None` where there is none.
    pub(super) fn text(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(0, self.0)?;
        let text = self.0.get(..end)?;
        self.0 = self.0.get(end + 1..)?;
        Some(text)
    }

    /// A string, or what there is of it.
    pub(super) fn text_so_far(&mut self) -> &'a [u8] {
        match self.text() {
            Some(text) => text,
            None => std::mem::take(&mut self.0),
        }
    }
}
