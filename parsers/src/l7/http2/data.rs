//! DATA: counted and passed, and looked into only where pieces of streams are told.

use super::Http2;
use super::frame::{Frame, HEADER_BYTES, Kind, flag};
use super::pieces::{PREFIX_BYTES, Payload, Step};
use super::web;
use crate::conversation::{Out, Role};
use crate::parser::{Advance, Direction, Input};

impl Http2 {
    #[inline]
    pub(super) fn data(
        &mut self,
        direction: Direction,
        frame: &Frame,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let id = u64::from(frame.stream);
        if !out.select(role_of(direction), id) && !self.reopen(direction, frame.stream, out) {
            return Advance::Skip(frame.len() as u64);
        }
        if self.has_web
            && direction == Direction::ToClient
            && let Some(advance) = web::data(frame, input, out)
        {
            return advance;
        }
        if self.pieces.is_some()
            && let Some(advance) = self.enter_payload(direction, frame, input, out)
        {
            return advance;
        }
        out.add_len(frame.len() as u64);
        if frame.has(flag::END_STREAM) {
            self.close(direction, frame.stream, out);
        }
        Advance::Skip(frame.len() as u64)
    }

    /// Passes with the header block that `first` begins, and that was read as `advance` says, the DATA frame
    /// behind it: most bodies are that short, and a call by itself would cost more than the frame.
    #[inline]
    pub(super) fn with_data(
        &mut self,
        direction: Direction,
        first: &Frame,
        input: Input<'_>,
        advance: Advance,
        out: &mut Out<'_>,
    ) -> Advance {
        let Advance::Skip(end) = advance else {
            return advance;
        };
        let behind = input.bytes.get(end as usize..).and_then(Frame::read);
        let Some(frame) = behind.filter(|frame| frame.kind == Kind::Data && frame.stream == first.stream)
        else {
            return advance;
        };
        let valid = frame.is_valid(self.half(direction).payload_max);
        let open = !first.has(flag::END_STREAM) && self.pieces.is_none() && !self.has_web;
        if !valid || !open || !out.select(role_of(direction), u64::from(frame.stream)) {
            return advance;
        }
        out.add_len(frame.len() as u64);
        if frame.has(flag::END_STREAM) {
            self.close(direction, frame.stream, out);
        }
        Advance::Skip(end + frame.len() as u64)
    }

    /// Begins to read the payload of a frame whose pieces are told; `None`: it is passed as any other.
    #[cold]
    fn enter_payload(
        &mut self,
        direction: Direction,
        frame: &Frame,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Option<Advance> {
        let pieces = self.pieces.as_deref_mut()?;
        let track = pieces.track(direction, frame.stream)?;
        let padded = usize::from(frame.has(flag::PADDED));
        let head = HEADER_BYTES + padded;
        let wanted = head + if track.is_lost() { PREFIX_BYTES } else { 0 };
        if wanted > frame.len() {
            return None;
        }
        if input.bytes.len() < wanted {
            return (!input.ended).then_some(Advance::Need(wanted));
        }
        let padding = if padded > 0 {
            *input.bytes.get(HEADER_BYTES)?
        } else {
            0
        };
        let left = frame.payload_len().checked_sub(padded + usize::from(padding))?;
        if left == 0 || !track.goes_on(input.bytes.get(head..)?, left) {
            return None;
        }
        pieces.enter(
            direction,
            Payload {
                stream: frame.stream,
                left: left as u32,
                padding,
                ends: frame.has(flag::END_STREAM),
            },
        );
        out.add_len(frame.len() as u64);
        Some(Advance::Consumed(head))
    }

    /// Goes on with a payload that is being read; `None`: there is none.
    #[inline]
    pub(super) fn in_payload(
        &mut self,
        direction: Direction,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Option<Advance> {
        let payload = self.pieces.as_ref()?.payload(direction)?;
        Some(self.read_payload(direction, payload, input, out))
    }

    #[cold]
    fn read_payload(
        &mut self,
        direction: Direction,
        mut payload: Payload,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let pieces = self.pieces.get_or_insert_default();
        // The call may have been told meanwhile: ended by a reset, or pushed out.
        let open = out.select(role_of(direction), u64::from(payload.stream));
        let step = match pieces.track(direction, payload.stream) {
            Some(track) if open => track.step(input.bytes, payload.left, &out.here()),
            _ => Step::all(payload.left),
        };
        for span in &step.told {
            out.piece(span);
        }
        if step.passed == 0 {
            return Advance::Need(1);
        }
        payload.left -= step.passed;
        let mut passed = u64::from(step.passed);
        if payload.left > 0 {
            pieces.enter(direction, payload);
            return Advance::Skip(passed);
        }
        pieces.leave(direction);
        passed += u64::from(payload.padding);
        if payload.ends && open {
            self.end_pieces(direction, payload.stream);
            self.close(direction, payload.stream, out);
        }
        Advance::Skip(passed)
    }

    /// The call that was just opened in `direction` may stream.
    #[inline]
    pub(super) fn begin_pieces(&mut self, direction: Direction, stream: u32, out: &mut Out<'_>) {
        if out.settings().grpc_stream_records {
            self.begin_track(direction, stream, out);
        }
    }

    #[cold]
    fn begin_track(&mut self, direction: Direction, stream: u32, out: &mut Out<'_>) {
        if out.named_proto().is_some() {
            self.pieces.get_or_insert_default().begin(direction, stream);
        }
    }

    /// No more of this stream comes in `direction`.
    #[inline]
    pub(super) fn end_pieces(&mut self, direction: Direction, stream: u32) {
        if let Some(pieces) = &mut self.pieces {
            pieces.end(direction, stream);
        }
    }

    /// Opens the response whose fields were lost.
    #[cold]
    fn reopen(&mut self, direction: Direction, stream: u32, out: &mut Out<'_>) -> bool {
        let id = Some(u64::from(stream));
        let lost = stream <= self.half(direction).doubtful;
        if direction == Direction::ToServer || !lost || out.answering(id).is_none() {
            return false;
        }
        out.open(Role::Response, id);
        out.truncated();
        true
    }

    /// The selected message ends here.
    pub(super) fn close(&mut self, direction: Direction, stream: u32, out: &mut Out<'_>) {
        out.close();
        if direction == Direction::ToClient && stream <= self.half(Direction::ToServer).doubtful {
            out.end_request();
        }
    }
}

/// What a DATA frame is part of.
pub(super) fn role_of(direction: Direction) -> Role {
    match direction {
        Direction::ToServer => Role::Request,
        Direction::ToClient => Role::Response,
    }
}
