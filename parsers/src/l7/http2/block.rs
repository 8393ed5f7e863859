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

/// A block as far as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content<'a> {
    pub(super) bytes: &'a [u8],
    /// Nothing is missing.
    pub(super) whole: bool,
}

/// The block in `bytes`, which begin with `first`, its only frame; `skip` bytes of it are something else (a
/// promised stream). `None` when it is broken.
#[inline]
pub(super) fn single<'a>(first: &Frame, bytes: &'a [u8], skip: usize) -> Option<Content<'a>> {
    let payload = bytes.get(HEADER_BYTES..)?;
    let Some(payload) = payload.get(..first.payload_len()) else {
        // Of a frame that was cut the padding is not there to take off.
        let bytes = payload.get(offset(first) + skip..)?;
        return Some(Content { bytes, whole: false });
    };
    let bytes = frame::unpadded(first, payload)?.get(skip..)?;
    Some(Content { bytes, whole: true })
}

/// As [`single`], of a block that goes on in other frames.
pub(super) fn several<'a>(
    first: &Frame,
    bytes: &'a [u8],
    skip: usize,
    joined: &'a mut Joined,
) -> Option<Content<'a>> {
    let piece = single(first, bytes, skip)?;
    if !piece.whole {
        return Some(piece);
    }
    let whole = join(first, piece.bytes, bytes, joined);
    Some(Content { bytes: joined, whole })
}

/// Joins the first piece of a block and those of the frames behind it, as far as there is room; says
/// whether that is all.
fn join(first: &Frame, piece: &[u8], bytes: &[u8], joined: &mut Joined) -> bool {
    let mut push = |piece: &[u8]| {
        let room = joined.remaining_capacity();
        let fits = piece.get(..room).unwrap_or(piece);
        fits.len() == piece.len() && joined.try_extend_from_slice(fits).is_ok()
    };
    if !push(piece) {
        return false;
    }
    let mut at = first.len();
    while let Some(rest) = bytes.get(at..)
        && let Some(next) = Frame::read(rest)
    {
        let Some(piece) = rest.get(HEADER_BYTES..next.len()) else {
            break;
        };
        if !push(piece) {
            break;
        }
        if next.has(flag::END_HEADERS) {
            return true;
        }
        at += next.len();
    }
    false
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
        let of = |bytes, skip| {
            let mut joined = Joined::new();
            several(&first, bytes, skip, &mut joined).map(|content| (content.bytes.to_vec(), content.whole))
        };
        assert_eq!(of(&longer, 0), Some((b"abcde".to_vec(), true)));
        assert_eq!(of(&bytes[..25], 1), Some((b"bcd".to_vec(), false)));
        assert_eq!(of(&bytes[..12], 0), Some((b"ab".to_vec(), false)));
    }

    #[test]
    fn other_frames_between_them_break_it() {
        let bytes = [frame(1, 0, b"ab"), frame(0, 0, b"cd")].concat();
        let first = Frame::read(&bytes).unwrap();
        assert_eq!(extent(&first, &bytes), Extent::Broken);
    }
}
