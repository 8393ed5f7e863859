//! A header block put together from its frames. Source: RFC 9113 sections 4.3 and 6.10.

use super::frame::{self, Frame, HEADER_BYTES, Kind, flag};
use crate::limits::STITCH_BYTES_MAX;
use arrayvec::ArrayVec;

/// How far the frames of a block reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// So many bytes, all there.
    Whole(usize),
    /// At least so many bytes.
    Need(usize),
    /// Other frames stand between them.
    Broken,
}

/// Finds the end of the block that begins with `first`.
#[inline]
pub(super) fn extent(first: &Frame, bytes: &[u8]) -> Extent {
    let (mut end, mut whole) = (first.len(), first.has(flag::END_HEADERS));
    while !whole {
        let rest = bytes.get(end..).unwrap_or(&[]);
        let Some(next) = Frame::read(rest) else {
            return Extent::Need(end + HEADER_BYTES);
        };
        if next.kind != Kind::Continuation || next.stream != first.stream {
            return Extent::Broken;
        }
        end += next.len();
        whole = next.has(flag::END_HEADERS);
    }
    if end <= bytes.len() {
        Extent::Whole(end)
    } else {
        Extent::Need(end)
    }
}

/// Room to join the pieces of a block that has several.
pub(super) type Joined = ArrayVec<u8, STITCH_BYTES_MAX>;

/// The block in `bytes`, which begin with `first`, as far as it is there; `skip` bytes of its first piece
/// are something else (a promised stream). `None` when it is broken.
#[inline]
pub(super) fn content<'a>(
    first: &Frame,
    bytes: &'a [u8],
    skip: usize,
    joined: &'a mut Joined,
) -> Option<&'a [u8]> {
    let payload = bytes.get(HEADER_BYTES..)?;
    let whole = payload.len() >= first.payload_len();
    let payload = payload.get(..first.payload_len()).unwrap_or(payload);
    // Of a frame that was cut the padding is not there to take off.
    let piece = if whole {
        frame::unpadded(first, payload)?
    } else {
        payload.get(offset(first)..)?
    };
    let piece = piece.get(skip..)?;
    if first.has(flag::END_HEADERS) || !whole {
        return Some(piece);
    }
    joined.try_extend_from_slice(piece).ok()?;
    let mut at = first.len();
    while let Some(rest) = bytes.get(at..)
        && let Some(next) = Frame::read(rest)
    {
        let piece = rest.get(HEADER_BYTES..).unwrap_or(&[]);
        let piece = piece.get(..next.payload_len()).unwrap_or(piece);
        joined.try_extend_from_slice(piece).ok()?;
        if next.has(flag::END_HEADERS) {
            break;
        }
        at += next.len();
    }
    Some(joined)
}

/// Bytes of padding length and priority before the block.
pub(super) fn offset(first: &Frame) -> usize {
    let priority = first.kind == Kind::Headers && first.has(flag::PRIORITY);
    usize::from(first.has(flag::PADDED)) + if priority { 5 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let head = [0, 0, payload.len() as u8, kind, flags, 0, 0, 0, 1];
        [&head[..], payload].concat()
    }

    #[test]
    fn pieces_are_joined() {
        let bytes = [frame(1, 0x8, b"\x01abX"), frame(9, 0, b"cd"), frame(9, 0x4, b"e")].concat();
        let first = Frame::read(&bytes).unwrap();
        for end in 0..bytes.len() {
            assert!(matches!(extent(&first, &bytes[..end]), Extent::Need(n) if n > end && n <= bytes.len()));
        }
        let longer = [&bytes[..], b"more"].concat();
        assert_eq!(extent(&first, &longer), Extent::Whole(bytes.len()));
        let mut joined = Joined::new();
        assert_eq!(content(&first, &longer, 0, &mut joined), Some(&b"abcde"[..]));
        let mut joined = Joined::new();
        assert_eq!(content(&first, &bytes[..25], 1, &mut joined), Some(&b"bcd"[..]));
    }

    #[test]
    fn other_frames_between_them_break_it() {
        let bytes = [frame(1, 0, b"ab"), frame(0, 0, b"cd")].concat();
        let first = Frame::read(&bytes).unwrap();
        assert_eq!(extent(&first, &bytes), Extent::Broken);
    }
}
