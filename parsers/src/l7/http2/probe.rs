//! Tells HTTP/2 from everything else, at its start and in its middle.
//!
//! Frames have no mark. What proves them is a header block: its frame fits the rules of section 4, its
//! content those of RFC 7541, and its first fields are those that every request or response begins with.

use super::PREFACE;
use super::block;
use super::frame::{Frame, HEADER_BYTES, Kind, PAYLOAD_BYTES_DEFAULT, flag, unpadded};
use super::hpack::{Begins, begins};
use crate::limits::PROBE_BYTES_MAX;
use crate::parser::{Direction, Probe, ProbeContext, Speaker};

/// Streams that may have been begun unseen in a gap: those of about 100 ms at 100,000 a second, odd ids only.
const UNSEEN_STREAMS_MAX: u32 = 20_000;

/// Whether `head` is HTTP/2, and who sent it.
pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let start = head.get(..PREFACE.len()).unwrap_or(head);
    if PREFACE.starts_with(start) {
        return if start.len() == PREFACE.len() {
            Probe::Match(Speaker::Client)
        } else {
            Probe::NeedMore
        };
    }
    let direction = context.direction_is_sure.then_some(context.direction);
    let mut rest = head;
    while let Some(frame) = Frame::read(rest) {
        if !frame.is_valid(PAYLOAD_BYTES_DEFAULT) || !frame.is_plausible(direction) {
            return Probe::NoMatch;
        }
        if frame.kind == Kind::Headers {
            return match block_begins(&frame, rest) {
                Begins::Request if direction != Some(Direction::ToClient) => Probe::Match(Speaker::Client),
                Begins::Response if direction != Some(Direction::ToServer) => Probe::Match(Speaker::Server),
                Begins::TooShort => Probe::NeedMore,
                _ => Probe::NoMatch,
            };
        }
        match rest.get(frame.len()..) {
            Some(behind) => rest = behind,
            None if frame.len() < PROBE_BYTES_MAX => return Probe::NeedMore,
            None => return Probe::NoMatch,
        }
    }
    // Frames without a block prove nothing, but one may follow.
    Probe::NeedMore
}

/// What the block of a HEADERS frame at the start of `bytes` begins with.
fn block_begins(frame: &Frame, bytes: &[u8]) -> Begins {
    let payload = bytes.get(HEADER_BYTES..).unwrap_or(&[]);
    let whole = payload.len() >= frame.payload_len();
    let payload = payload.get(..frame.payload_len()).unwrap_or(payload);
    let content = if whole {
        unpadded(frame, payload)
    } else {
        payload.get(block::offset(frame)..)
    };
    match content {
        None if whole => Begins::Broken,
        None => Begins::TooShort,
        Some(content) => begins(content, whole && frame.has(flag::END_HEADERS)),
    }
}

/// Where in `bytes` frames of `direction` begin, streams up to about `highest` being in use.
pub(super) fn find(bytes: &[u8], direction: Direction, highest: u32, payload_max: u32) -> Option<usize> {
    (0..bytes.len()).find(|at| {
        let rest = bytes.get(*at..).unwrap_or(&[]);
        is_start(rest, direction, highest, payload_max)
    })
}

/// Whether frames begin here: one that fits what is known of the connection, and then others as far as
/// the bytes go.
fn is_start(bytes: &[u8], direction: Direction, highest: u32, payload_max: u32) -> bool {
    let mut rest = bytes;
    // A frame without stream is little more than zeros: it proves nothing by itself.
    let mut proven = false;
    while let Some(frame) = Frame::read(rest) {
        if !frame.is_valid(payload_max) || !frame.is_plausible(Some(direction)) {
            return false;
        }
        if frame.stream > highest.saturating_add(UNSEEN_STREAMS_MAX) && highest > 0 {
            return false;
        }
        proven |= highest > 0 && frame.stream > 0 && frame.kind != Kind::WindowUpdate;
        if frame.kind == Kind::Headers {
            match (block_begins(&frame, rest), direction) {
                (Begins::Broken, _)
                | (Begins::Request, Direction::ToClient)
                | (Begins::Response, Direction::ToServer) => return false,
                (Begins::Request | Begins::Response, _) => proven = true,
                _ => {}
            }
        }
        match rest.get(frame.len()..) {
            Some(behind) => rest = behind,
            None => return proven,
        }
    }
    proven
}
