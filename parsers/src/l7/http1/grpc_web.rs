//! gRPC calls of browsers over HTTP/1. Source: gRPC Web (grpc/grpc, doc/PROTOCOL-WEB.md).
//!
//! The message that holds the outcome is read where it comes in a chunk of its own, or in a body that is short.

use super::chunk;
use super::head::{Announced, Fields};
use super::start_line::StatusLine;
use crate::conversation::Out;
use crate::l7::Protocol;
use crate::l7::http::grpc;
use crate::l7::http::grpc_web::{Encoding, trailers};
use crate::l7::http::header::Header;
use crate::limits::GRPC_WEB_TRAILERS_BYTES_MAX;
use crate::parser::{Advance, Input};

/// Writes how the call went, as far as the head tells. False: it is no call.
#[inline]
pub(super) fn describe_response(line: &StatusLine<'_>, fields: &Fields<'_>, out: &mut Out<'_>) -> bool {
    let is_call = fields.grpc_web.is_some() || out.named_proto() == Some(Protocol::Grpc);
    if is_call {
        describe_call(line, fields, out);
    }
    is_call
}

#[cold]
fn describe_call(line: &StatusLine<'_>, fields: &Fields<'_>, out: &mut Out<'_>) {
    out.proto(Protocol::Grpc);
    grpc::http_outcome(line.code, out);
    let value = |wanted| {
        let mut kept = fields.kept.iter();
        kept.find(|(header, _)| *header == wanted)
            .map(|(_, value)| *value)
    };
    if let Some(status) = value(Header::GrpcStatus) {
        grpc::outcome(status, value(Header::GrpcMessage), out);
    }
}

/// How many bytes the head of `len` bytes and its body make up, when the body is to be read as a whole.
#[inline]
pub(super) fn whole_len(fields: &Fields<'_>, len: usize) -> Option<usize> {
    match (fields.grpc_web, fields.announced) {
        (Some(_), Announced::Bytes(count)) if count <= GRPC_WEB_TRAILERS_BYTES_MAX as u64 => {
            Some(len + count as usize)
        }
        _ => None,
    }
}

/// Reads a chunk of `len` bytes at `at`. An advance when it is not whole but worth waiting for.
pub(super) fn chunk(
    encoding: Encoding,
    input: Input<'_>,
    at: usize,
    len: u64,
    out: &mut Out<'_>,
) -> Option<Advance> {
    if len > GRPC_WEB_TRAILERS_BYTES_MAX as u64 {
        return None;
    }
    match input.bytes.get(at..at + len as usize) {
        Some(chunk) => {
            trailers(encoding, chunk::data(chunk), out);
            None
        }
        None if input.ended => None,
        None if at > 0 => Some(Advance::Consumed(at)),
        None => Some(Advance::Need(len as usize)),
    }
}
