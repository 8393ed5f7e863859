//! Frames. Source: RFC 9113 sections 4 and 6.

use crate::parser::Direction;

/// Bytes of a frame before its payload.
pub(super) const HEADER_BYTES: usize = 9;

/// Longest payload that may be sent unless the receiver allows more, bytes (section 4.2).
pub(super) const PAYLOAD_BYTES_DEFAULT: u32 = 16_384;

/// Bits of `flags`.
pub(super) mod flag {
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    RstStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// An extension: passed (section 4.1).
    Other,
}

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    /// 0: the connection.
    pub(super) stream: u32,
    payload_len: u32,
}

impl Frame {
    /// Reads the head at the start of `bytes`; `None` when there are fewer than [`HEADER_BYTES`].
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let &[l2, l1, l0, kind, flags, s3, s2, s1, s0] = bytes.first_chunk::<HEADER_BYTES>()?;
        Some(Self {
            kind: match kind {
                0x0 => Kind::Data,
                0x1 => Kind::Headers,
                0x2 => Kind::Priority,
                0x3 => Kind::RstStream,
                0x4 => Kind::Settings,
                0x5 => Kind::PushPromise,
                0x6 => Kind::Ping,
                0x7 => Kind::GoAway,
                0x8 => Kind::WindowUpdate,
                0x9 => Kind::Continuation,
                _ => Kind::Other,
            },
            flags,
            // The top bit is reserved and ignored.
            stream: u32::from_be_bytes([s3 & 0x7F, s2, s1, s0]),
            payload_len: u32::from_be_bytes([0, l2, l1, l0]),
        })
    }

    /// Bytes of the whole frame.
    #[inline]
    pub(super) fn len(&self) -> usize {
        HEADER_BYTES + self.payload_len as usize
    }

    #[inline]
    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    #[inline]
    pub(super) fn payload_len(&self) -> usize {
        self.payload_len as usize
    }

    /// Whether length and stream are what the kind asks for (section 6), with payloads of at most
    /// `payload_max` bytes.
    #[inline]
    pub(super) fn is_valid(&self, payload_max: u32) -> bool {
        let (len, on_stream) = (self.payload_len, self.stream != 0);
        let fits = match self.kind {
            Kind::Data | Kind::Continuation => on_stream,
            Kind::Headers => on_stream && len > 0,
            Kind::Priority => on_stream && len == 5,
            Kind::RstStream => on_stream && len == 4,
            Kind::Settings if self.has(flag::ACK) => !on_stream && len == 0,
            Kind::Settings => !on_stream && len.is_multiple_of(6),
            Kind::PushPromise => on_stream && len > 4,
            Kind::Ping => !on_stream && len == 8,
            Kind::GoAway => !on_stream && len >= 8,
            Kind::WindowUpdate => len == 4,
            Kind::Other => true,
        };
        fits && len <= payload_max
    }

    /// Whether a peer that keeps to the specification sends this: a known kind, only flags that mean
    /// something for it, and a direction that it may travel in.
    pub(super) fn is_plausible(&self, direction: Option<Direction>) -> bool {
        use flag::*;
        let flags = match self.kind {
            Kind::Data => END_STREAM | PADDED,
            Kind::Headers => END_STREAM | END_HEADERS | PADDED | PRIORITY,
            Kind::Settings | Kind::Ping => ACK,
            Kind::PushPromise => END_HEADERS | PADDED,
            Kind::Continuation => END_HEADERS,
            Kind::Priority | Kind::RstStream | Kind::GoAway | Kind::WindowUpdate => 0,
            Kind::Other => return false,
        };
        let pushed = self.stream != 0 && self.stream.is_multiple_of(2);
        let wrong_way = match direction {
            Some(Direction::ToServer) => {
                self.kind == Kind::PushPromise || pushed && matches!(self.kind, Kind::Data | Kind::Headers)
            }
            _ => false,
        };
        self.flags & !flags == 0 && !wrong_way
    }

    /// Whether it says nothing of any message.
    #[inline]
    pub(super) fn is_control(&self) -> bool {
        matches!(
            self.kind,
            Kind::Priority | Kind::Settings | Kind::Ping | Kind::WindowUpdate | Kind::Other
        )
    }
}

/// The part of `payload` that is left when padding and, with it, priority is taken off (sections 6.1 and
/// 6.2). `None` when there is more padding than payload.
#[inline]
pub(super) fn unpadded<'a>(frame: &Frame, mut payload: &'a [u8]) -> Option<&'a [u8]> {
    if frame.has(flag::PADDED) {
        let (padding, rest) = payload.split_first()?;
        payload = rest.get(..rest.len().checked_sub(usize::from(*padding))?)?;
    }
    if frame.kind == Kind::Headers && frame.has(flag::PRIORITY) {
        payload = payload.get(5..)?;
    }
    Some(payload)
}

/// A big-endian number of four bytes at the start of `payload`.
#[inline]
pub(super) fn number(payload: &[u8]) -> Option<u32> {
    payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u32, len: u8) -> Frame {
        let [s3, s2, s1, s0] = stream.to_be_bytes();
        Frame::read(&[0, 0, len, kind, flags, s3, s2, s1, s0]).unwrap()
    }

    #[test]
    fn heads_are_read() {
        let head = [0x01, 0x02, 0x03, 0x1, 0x25, 0x80, 0, 0, 5];
        let frame = Frame::read(&head).unwrap();
        assert_eq!(
            (frame.kind, frame.stream, frame.len()),
            (Kind::Headers, 5, 0x0001_0203 + 9)
        );
        assert!(frame.has(flag::PRIORITY) && frame.has(flag::END_STREAM) && !frame.has(flag::PADDED));
        assert_eq!(Frame::read(&head[..8]), None);
    }

    #[test]
    fn each_kind_has_its_length_and_stream() {
        let valid = |kind, flags, stream, len| frame(kind, flags, stream, len).is_valid(16_384);
        assert!(valid(0, 0, 1, 0) && !valid(0, 0, 0, 1));
        assert!(valid(1, 0, 1, 1) && !valid(1, 0, 1, 0));
        assert!(valid(2, 0, 1, 5) && !valid(2, 0, 1, 4));
        assert!(valid(3, 0, 1, 4) && !valid(3, 0, 0, 4));
        assert!(valid(4, 0, 0, 12) && !valid(4, 0, 0, 13) && !valid(4, 1, 0, 6) && !valid(4, 0, 1, 6));
        assert!(valid(6, 0, 0, 8) && !valid(6, 0, 0, 9));
        assert!(valid(7, 0, 0, 8) && !valid(7, 0, 1, 8));
        assert!(valid(8, 0, 0, 4) && valid(8, 0, 7, 4) && !valid(8, 0, 7, 5));
        assert!(!frame(0, 0, 1, 9).is_valid(8));
    }

    #[test]
    fn padding_comes_off() {
        let of = |flags, payload| unpadded(&frame(1, flags, 1, 0), payload);
        assert_eq!(of(0, b"abc"), Some(&b"abc"[..]));
        assert_eq!(of(flag::PADDED, b"\x01abc"), Some(&b"ab"[..]));
        assert_eq!(of(flag::PADDED, b"\x03abc"), Some(&b""[..]));
        assert_eq!(of(flag::PADDED, b"\x04abc"), None);
        assert_eq!(of(flag::PADDED | flag::PRIORITY, b"\x0112345ab"), Some(&b"a"[..]));
        assert_eq!(of(flag::PRIORITY, b"1234"), None);
    }
}
