//! The messages in the DATA of calls, where each is told as a record of its own.
//!
//! Source: gRPC over HTTP2 (grpc/grpc, doc/PROTOCOL-HTTP2.md), Length-Prefixed-Message. Messages don't care
//! where DATA frames begin, so their lengths are followed, a call at a time. A call that does not stream has
//! one message each way: the first message of a direction is told when there is a second one.

use crate::conversation::Span;
use crate::limits::PENDING_PER_FLOW_MAX;
use crate::parser::Direction;
use arrayvec::ArrayVec;

/// Before each message: whether it is compressed, and its length in four bytes.
pub(super) const PREFIX_BYTES: usize = 5;

/// The rest of a DATA frame that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Payload {
    pub(super) stream: u32,
    /// Bytes to come, more than 0; padding is not among them.
    pub(super) left: u32,
    pub(super) padding: u8,
    /// The stream ends with it.
    pub(super) ends: bool,
}

/// Where in their messages the calls of a connection are.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    payloads: [Option<Payload>; 2],
    /// Of each direction: by stream.
    tracks: [Vec<Track>; 2],
}

impl Pieces {
    /// A call begins to be told.
    pub(super) fn begin(&mut self, direction: Direction, stream: u32) {
        let tracks = &mut self.tracks[direction.index()];
        if tracks.len() >= PENDING_PER_FLOW_MAX {
            // There are no more calls than that: the oldest ended without its end being seen.
            tracks.remove(0);
        }
        let at = tracks.partition_point(|track| track.stream < stream);
        tracks.insert(at, Track::new(stream));
    }

    pub(super) fn end(&mut self, direction: Direction, stream: u32) {
        let tracks = &mut self.tracks[direction.index()];
        if let Ok(at) = tracks.binary_search_by_key(&stream, |track| track.stream) {
            tracks.remove(at);
        }
    }

    pub(super) fn track(&mut self, direction: Direction, stream: u32) -> Option<&mut Track> {
        let tracks = &mut self.tracks[direction.index()];
        let at = tracks.binary_search_by_key(&stream, |track| track.stream).ok()?;
        tracks.get_mut(at)
    }

    /// The payload that is being read.
    #[inline]
    pub(super) fn payload(&self, direction: Direction) -> Option<Payload> {
        self.payloads[direction.index()]
    }

    pub(super) fn enter(&mut self, direction: Direction, payload: Payload) {
        self.payloads[direction.index()] = Some(payload);
    }

    pub(super) fn leave(&mut self, direction: Direction) {
        self.payloads[direction.index()] = None;
    }

    /// Frames of `direction` were lost, of whichever streams.
    pub(super) fn lose(&mut self, direction: Direction) {
        self.leave(direction);
        for track in &mut self.tracks[direction.index()] {
            track.place = Place::Lost;
        }
    }
}

/// Where in a message a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many bytes of the prefix were read.
    Prefix(u8),
    /// So many bytes of the message are to come.
    Body(u32),
    /// Not known since bytes were lost, or never was.
    Lost,
}

/// The messages of one call in one direction.
#[derive(Debug)]
pub(super) struct Track {
    stream: u32,
    place: Place,
    /// As much of the message's length as was read.
    len: u32,
    span: Span,
    first: First,
}

/// What became of the first message.
#[derive(Clone, Copy, Debug)]
enum First {
    ToCome,
    /// It may be the only one.
    Held(Span),
    Told,
}

/// What a call of [`Track::step`] found.
#[derive(Debug)]
pub(super) struct Step {
    /// Bytes done with, seen or not yet; 0: none are there.
    pub(super) passed: u32,
    /// Messages to tell.
    pub(super) told: ArrayVec<Span, 2>,
}

impl Step {
    /// Passes the whole payload.
    pub(super) fn all(left: u32) -> Self {
        Self {
            passed: left,
            told: ArrayVec::new(),
        }
    }
}

impl Track {
    const fn new(stream: u32) -> Self {
        Self {
            stream,
            place: Place::Prefix(0),
            len: 0,
            span: Span {
                start_ns: 0,
                end_ns: 0,
                len: 0,
                seq: (0, false),
            },
            first: First::ToCome,
        }
    }

    /// Whether it must be found out where messages begin.
    pub(super) fn is_lost(&self) -> bool {
        self.place == Place::Lost
    }

    /// Whether the payload of `left` bytes that begins with `bytes` can be read: where the place was lost,
    /// it is found where a message fills a payload.
    pub(super) fn goes_on(&mut self, bytes: &[u8], left: usize) -> bool {
        if self.is_lost()
            && let Some([0 | 1, l3, l2, l1, l0]) = bytes.first_chunk()
            && u32::from_be_bytes([*l3, *l2, *l1, *l0]) as usize + PREFIX_BYTES == left
        {
            self.place = Place::Prefix(0);
        }
        !self.is_lost()
    }

    /// Reads on in a payload of which `left` bytes are to come, `bytes` being the first of them and `here`
    /// where these stand.
    pub(super) fn step(&mut self, bytes: &[u8], left: u32, here: &Span) -> Step {
        let mut step = Step::all(0);
        match self.place {
            Place::Lost => step.passed = left,
            Place::Prefix(_) => {
                for byte in bytes.iter().take(left as usize) {
                    let Place::Prefix(read) = self.place else { break };
                    self.read_prefix(read, *byte, here, &mut step);
                    step.passed += 1;
                }
                if self.is_lost() {
                    step.passed = left;
                }
            }
            Place::Body(to_come) => {
                step.passed = match to_come {
                    _ if to_come > left => left,
                    // The last byte by itself, for its time.
                    1 => u32::from(!bytes.is_empty()),
                    _ => to_come - 1,
                };
                self.place = Place::Body(to_come - step.passed);
            }
        }
        if self.place == Place::Body(0) {
            self.place = Place::Prefix(0);
            self.span.end_ns = here.end_ns;
            self.span.len = PREFIX_BYTES as u64 + u64::from(self.len);
            match self.first {
                First::ToCome => self.first = First::Held(self.span),
                First::Held(_) | First::Told => step.told.push(self.span),
            }
        }
        step
    }

    /// Takes byte number `read` of a prefix.
    fn read_prefix(&mut self, read: u8, byte: u8, here: &Span, step: &mut Step) {
        match read {
            // No other flags are defined: this is something else.
            0 if byte > 1 => {
                self.place = Place::Lost;
                return;
            }
            0 => {
                self.len = 0;
                self.span.start_ns = here.start_ns;
                self.span.seq = (here.seq.0.wrapping_add(step.passed), here.seq.1);
                if let First::Held(first) = self.first {
                    step.told.push(first);
                    self.first = First::Told;
                }
            }
            _ => self.len = self.len << 8 | u32::from(byte),
        }
        self.place = match read + 1 {
            read if usize::from(read) < PREFIX_BYTES => Place::Prefix(read),
            _ => Place::Body(self.len),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_whose_end_was_not_seen_go_first() {
        let mut pieces = Pieces::default();
        let to_server = Direction::ToServer;
        for stream in 0..PENDING_PER_FLOW_MAX as u32 + 2 {
            pieces.begin(to_server, 2 * stream + 1);
        }
        assert_eq!(pieces.tracks[0].len(), PENDING_PER_FLOW_MAX);
        assert!(pieces.track(to_server, 3).is_none());
        assert!(pieces.track(to_server, 5).is_some());
        pieces.end(to_server, 5);
        assert!(pieces.track(to_server, 5).is_none());
        assert!(pieces.track(Direction::ToClient, 7).is_none());
    }
}
