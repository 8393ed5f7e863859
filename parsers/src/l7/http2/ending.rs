//! Frames that end streams before their time.

use super::error_code;
use super::frame::{self, Frame, HEADER_BYTES};
use super::siblings::RESET_BY;
use crate::conversation::{Out, Role};
use crate::field::{Ended, Field};
use crate::l7::http::grpc;
use crate::limits::PENDING_PER_FLOW_MAX;
use crate::parser::{Advance, Direction};
use arrayvec::ArrayVec;

/// RST_STREAM (section 6.4): the stream ends here, but for what the server had on its way.
pub(super) fn reset(direction: Direction, frame: &Frame, bytes: &[u8], out: &mut Out<'_>) -> Advance {
    let code = frame::number(bytes.get(HEADER_BYTES..).unwrap_or(&[])).unwrap_or(error_code::NO_ERROR);
    if out.select_exchange(u64::from(frame.stream)).is_some() {
        if !out.is_answered() {
            describe_reset(direction, code, out);
        }
        match direction {
            Direction::ToServer => out.give_up(),
            Direction::ToClient => out.conclude(Ended::Rst),
        }
    }
    Advance::Consumed(frame.len())
}

/// GOAWAY (section 6.8): what the other side began above the last stream named will never be looked at.
#[cold]
pub(super) fn go_away(direction: Direction, frame: &Frame, bytes: &[u8], out: &mut Out<'_>) -> Advance {
    let payload = bytes.get(HEADER_BYTES..).unwrap_or(&[]);
    let last = frame::number(payload).unwrap_or(u32::MAX) & 0x7FFF_FFFF;
    let code = frame::number(payload.get(4..).unwrap_or(&[])).unwrap_or(error_code::NO_ERROR);
    let begun_by_client = u64::from(direction == Direction::ToClient);
    let refused: ArrayVec<u64, PENDING_PER_FLOW_MAX> = out
        .waiting()
        .filter(|id| *id > u64::from(last) && id % 2 == begun_by_client)
        .collect();
    for id in refused {
        if out.select_exchange(id) == Some(Role::Request) {
            describe_reset(direction, code, out);
            out.conclude(Ended::Rst);
        }
    }
    Advance::Consumed(frame.len())
}

fn describe_reset(direction: Direction, code: u32, out: &mut Out<'_>) {
    let by: &[u8] = match direction {
        Direction::ToServer => b"client",
        Direction::ToClient => b"server",
    };
    out.attr(RESET_BY, by);
    if code != error_code::NO_ERROR {
        out.text(Field::Exception, error_code::name(code).as_bytes());
    }
    if out.named_proto().is_some() {
        grpc::reset_outcome(code, out);
    } else if let Some(status) = error_code::status(code, direction) {
        out.status(status);
    }
}
