//! The packet header and the basic types of the protocol. Source: MySQL internals, "MySQL Packets",
//! "Integer Types", "String Types"; MariaDB "Protocol Data Types".

/// Payload length (3 bytes, little-endian), sequence number.
pub(super) const HEADER_BYTES: usize = 4;
/// A payload of this length goes on in the next packet.
pub(super) const PAYLOAD_MAX: u32 = 0xFF_FFFF;

/// The head of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Bytes of payload.
    pub(super) len: u32,
    /// Begins at 0 with each command and counts the packets of both sides.
    pub(super) sequence: u8,
}

impl Header {
    /// The header that `bytes` begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[a, b, c, sequence] = bytes.first_chunk::<HEADER_BYTES>()?;
        Some(Self {
            len: u32::from_le_bytes([a, b, c, 0]),
            sequence,
        })
    }

    /// Bytes of the whole packet.
    pub(super) fn packet_bytes(self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.len)
    }

    /// Whether the payload goes on in the next packet.
    pub(super) fn goes_on(self) -> bool {
        self.len == PAYLOAD_MAX
    }
}

/// Reads values off the front of a payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length-encoded integer; `None` for NULL (0xFB) and the mark of an error (0xFF).
    pub(super) fn lenenc(&mut self) -> Option<u64> {
        match self.u8()? {
            value @ 0..=0xFA => Some(u64::from(value)),
            0xFC => self.u16().map(u64::from),
            0xFD => self
                .array()
                .map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0]))),
            0xFE => self.u64(),
            _ => None,
        }
    }

    /// A string with its length before it.
    pub(super) fn lenenc_text(&mut self) -> Option<&'a [u8]> {
        let len = self.lenenc()?;
        self.take(usize::try_from(len).ok()?)
    }

    /// A string up to a NUL, which is passed; or all that is left where there is none.
    pub(super) fn nul_text(&mut self) -> &'a [u8] {
        match memchr::memchr(0, self.0) {
            Some(end) => {
                let text = self.0.get(..end).unwrap_or(&[]);
                self.0 = self.0.get(end + 1..).unwrap_or(&[]);
                text
            }
            None => std::mem::take(&mut self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_width_are_read() {
        let read = |bytes: &[u8]| Reader(bytes).lenenc();
        assert_eq!(read(&[0xFA]), Some(0xFA));
        assert_eq!(read(&[0xFC, 1, 2]), Some(0x201));
        assert_eq!(read(&[0xFD, 1, 2, 3]), Some(0x3_0201));
        assert_eq!(read(&[0xFE, 1, 0, 0, 0, 0, 0, 0, 1]), Some(0x100_0000_0000_0001));
        assert_eq!(
            (read(&[0xFB]), read(&[0xFF]), read(&[0xFC, 1]), read(&[])),
            (None, None, None, None)
        );
    }

    #[test]
    fn lying_lengths_are_refused() {
        assert_eq!(Reader(&[5, b'a']).lenenc_text(), None);
        assert_eq!(
            Reader(&[0xFE, 255, 255, 255, 255, 255, 255, 255, 255]).lenenc_text(),
            None
        );
        assert_eq!(Reader(b"abc").nul_text(), b"abc");
    }
}
