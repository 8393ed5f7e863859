//! gRPC calls of browsers. Source: gRPC Web (grpc/grpc, doc/PROTOCOL-WEB.md).
//!
//! A body is a sequence of length-prefixed messages; what HTTP/2 has in trailers is the last of them. It
//! is read where it comes in a chunk of its own, or in a body that is short.

use super::chunk;
use super::head::{Announced, Fields};
use super::start_line::StatusLine;
use crate::conversation::Out;
use crate::l7::Protocol;
use crate::l7::http::header::{self, Header};
use crate::l7::http::{base64, grpc};
use crate::limits::GRPC_WEB_TRAILERS_BYTES_MAX;
use crate::parser::{Advance, Input};
use arrayvec::ArrayVec;

/// How the messages stand in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Binary,
    Base64,
}

const CONTENT_TYPE: &[u8] = b"application/grpc-web";
/// Marks the message that holds trailers.
const TRAILERS: u8 = 0x80;
/// Bytes of a message before its content.
const PREFIX_BYTES: usize = 5;

/// The encoding of this content type; `None`: no call.
pub(super) fn encoding(content_type: &[u8]) -> Option<Encoding> {
    let (start, suffix) = content_type.split_at_checked(CONTENT_TYPE.len())?;
    if !start.eq_ignore_ascii_case(CONTENT_TYPE) {
        return None;
    }
    let text = suffix
        .get(..5)
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"-text"));
    Some(if text { Encoding::Base64 } else { Encoding::Binary })
}

/// Writes how the call went, as far as the head tells. False: it is no call.
pub(super) fn describe_response(line: &StatusLine<'_>, fields: &Fields<'_>, out: &mut Out<'_>) -> bool {
    if fields.grpc_web.is_none() && out.named_proto() != Some(Protocol::Grpc) {
        return false;
    }
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
    true
}

/// How many bytes the head of `len` bytes and its body make up, when the body is to be read as a whole.
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

/// Writes the outcome that stands at the end of `body`, messages as they were sent.
pub(super) fn trailers(encoding: Encoding, body: &[u8], out: &mut Out<'_>) {
    let decoded: Option<ArrayVec<u8, GRPC_WEB_TRAILERS_BYTES_MAX>>;
    let mut rest = match encoding {
        Encoding::Binary => body,
        Encoding::Base64 => {
            decoded = base64::decode(body);
            decoded.as_deref().unwrap_or(&[])
        }
    };
    while let Some((&[flags, l3, l2, l1, l0], behind)) = rest.split_first_chunk::<PREFIX_BYTES>() {
        let len = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let Some((content, behind)) = behind.split_at_checked(len) else {
            return;
        };
        if flags & TRAILERS != 0 {
            read_trailers(content, out);
            return;
        }
        rest = behind;
    }
}

/// Lines of `name:value`, as in the head of a message.
fn read_trailers(lines: &[u8], out: &mut Out<'_>) {
    let (mut status, mut message) = (None, None);
    for line in lines.split(|byte| *byte == b'\n') {
        let Some((name, at)) = Header::of_line(line) else {
            continue;
        };
        let value = header::trim(line.get(at..).unwrap_or(&[]));
        match name {
            Header::GrpcStatus => status = Some(value),
            Header::GrpcMessage => message = Some(value),
            _ => {}
        }
    }
    if let Some(status) = status {
        grpc::outcome(status, message, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_tell_the_encoding() {
        assert_eq!(encoding(b"application/grpc-web"), Some(Encoding::Binary));
        assert_eq!(encoding(b"application/grpc-web+proto"), Some(Encoding::Binary));
        assert_eq!(
            encoding(b"application/grpc-web-text+proto"),
            Some(Encoding::Base64)
        );
        assert_eq!(encoding(b"application/grpc"), None);
        assert_eq!(encoding(b"application/json"), None);
    }
}
