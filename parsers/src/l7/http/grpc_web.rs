//! The outcome of calls of browsers, over HTTP/1 and HTTP/2. Source: gRPC Web (grpc/grpc, doc/PROTOCOL-WEB.md).
//!
//! A body is a sequence of length-prefixed messages; what gRPC has in trailers is the last of them.

use super::header::{self, Header};
use super::{base64, grpc};
use crate::conversation::Out;
use crate::limits::GRPC_WEB_TRAILERS_BYTES_MAX;
use arrayvec::ArrayVec;

/// How the messages stand in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Binary,
    Base64,
}

impl Encoding {
    /// The note of an exchange whose response is encoded so: see [`Out::tag`].
    pub(crate) fn tag(self) -> u32 {
        match self {
            Self::Binary => 1,
            Self::Base64 => 2,
        }
    }

    /// The encoding of such a note.
    pub(crate) fn of_tag(tag: u32) -> Option<Self> {
        [Self::Binary, Self::Base64]
            .into_iter()
            .find(|encoding| encoding.tag() == tag)
    }
}

const CONTENT_TYPE: &[u8] = b"application/grpc-web";
/// Marks the message that holds trailers.
const TRAILERS: u8 = 0x80;
/// Bytes of a message before its content.
const PREFIX_BYTES: usize = 5;

/// The encoding of this content type; `None`: no call.
#[inline]
pub(crate) fn encoding(content_type: &[u8]) -> Option<Encoding> {
    let (start, suffix) = content_type.split_at_checked(CONTENT_TYPE.len())?;
    if !start.eq_ignore_ascii_case(CONTENT_TYPE) {
        return None;
    }
    let text = suffix
        .get(..5)
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case(b"-text"));
    Some(if text { Encoding::Base64 } else { Encoding::Binary })
}

/// Writes the outcome that stands at the end of `body`, messages as they were sent.
pub(crate) fn trailers(encoding: Encoding, body: &[u8], out: &mut Out<'_>) {
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
