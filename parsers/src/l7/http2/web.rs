//! The outcome of calls of browsers, which stands in the DATA of their responses: see
//! [`grpc_web`](crate::l7::http::grpc_web).

use super::Http2;
use super::fields::Fields;
use super::frame::{Frame, HEADER_BYTES, unpadded};
use super::name::{CONTENT_TYPE, GRPC_STATUS};
use crate::conversation::Out;
use crate::l7::http::grpc_web::{self, Encoding};
use crate::limits::GRPC_WEB_TRAILERS_BYTES_MAX;
use crate::parser::{Advance, Input};

impl Http2 {
    /// A response with these fields was opened; `ends` with them.
    #[inline]
    pub(super) fn begin_web(&mut self, ends: bool, fields: &Fields, out: &mut Out<'_>) {
        if !ends
            && !fields.has(GRPC_STATUS)
            && let Some(encoding) = fields.get(CONTENT_TYPE).and_then(grpc_web::encoding)
        {
            self.has_web = true;
            out.tag(encoding.tag());
        }
    }
}

/// Looks for the outcome of the selected call in a frame of its response, where that is short. An advance when it is
/// not whole but worth waiting for.
#[cold]
pub(super) fn data(frame: &Frame, input: Input<'_>, out: &mut Out<'_>) -> Option<Advance> {
    let encoding = Encoding::of_tag(out.noted())?;
    if frame.payload_len() > GRPC_WEB_TRAILERS_BYTES_MAX {
        return None;
    }
    let Some(payload) = input.bytes.get(HEADER_BYTES..frame.len()) else {
        return (!input.ended).then_some(Advance::Need(frame.len()));
    };
    grpc_web::trailers(encoding, unpadded(frame, payload)?, out);
    None
}
