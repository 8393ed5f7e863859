//! Frame headers. Source: RFC 6455 section 5.2.
//!
//! ```text
//! byte 0: FIN, RSV1-3, opcode (4 bits)    byte 1: MASK, length (7 bits)
//! then: length of 16 or 64 bits when those 7 say 126 or 127, then a masking key of 4 bytes with MASK
//! ```

/// Close, ping and pong carry no more payload than this (section 5.5), bytes.
const CONTROL_BYTES_MAX: u64 = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn new(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    /// `req_type` of a message that begins with it.
    pub(super) const fn name(self) -> &'static [u8] {
        match self {
            Self::Continuation => b"continuation",
            Self::Text => b"text",
            Self::Binary => b"binary",
            Self::Close => b"close",
            Self::Ping => b"ping",
            Self::Pong => b"pong",
        }
    }

    /// Close, ping and pong may come between the fragments of a message.
    pub(super) const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A frame header, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The last fragment of its message.
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// RSV1: the payload is compressed (RFC 7692 section 6).
    pub(super) compressed: bool,
    pub(super) mask: Option<[u8; 4]>,
    /// Bytes of the header.
    pub(super) header: usize,
    /// Bytes of the payload.
    pub(super) payload: u64,
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// A frame.
    Frame(Frame),
    /// So many bytes are needed to tell.
    Need(usize),
    /// No frame.
    Wrong,
}

impl Frame {
    /// Reads the header at the start of `bytes`. RSV1 is permessage-deflate's (RFC 7692); the other
    /// reserved bits belong to no extension in use.
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Read {
        let Some(&[first, second]) = bytes.first_chunk::<2>() else {
            return Read::Need(2);
        };
        let fin = first & 0x80 != 0;
        let Some(opcode) = Opcode::new(first & 0x0F).filter(|_| first & 0x30 == 0) else {
            return Read::Wrong;
        };
        let rsv1 = first & 0x40 != 0;
        let short = second & 0x7F;
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = second & 0x80 != 0;
        let header = 2 + extended + if masked { 4 } else { 0 };
        if opcode.is_control() && (!fin || rsv1 || u64::from(short) > CONTROL_BYTES_MAX) {
            return Read::Wrong;
        }
        let Some(rest) = bytes.get(2..header) else {
            return Read::Need(header);
        };
        let (length, key) = rest.split_at(extended);
        let payload = match extended {
            0 => u64::from(short),
            _ => length.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        };
        // The most significant bit must be 0.
        if payload >> 63 != 0 {
            return Read::Wrong;
        }
        Read::Frame(Self {
            fin,
            opcode,
            compressed: rsv1,
            mask: key.first_chunk().copied(),
            header,
            payload,
        })
    }

    /// Bytes of the whole frame.
    pub(super) fn len(&self) -> u64 {
        self.payload + self.header as u64
    }

    /// The length is written in the shortest form, as it must be: a test for guesses, not for streams.
    pub(super) fn is_minimal(&self) -> bool {
        let extended = self.header - 2 - self.mask.map_or(0, |key| key.len());
        match extended {
            0 => true,
            2 => self.payload > CONTROL_BYTES_MAX,
            _ => self.payload > u64::from(u16::MAX),
        }
    }
}
