//! gRPC, and Triple, which is gRPC with fields of its own.
//!
//! Sources: gRPC over HTTP2 (grpc/grpc, doc/PROTOCOL-HTTP2.md), HTTP to gRPC Status Code Mapping
//! (doc/http-grpc-status-mapping.md), statuscodes.md; Triple (apache/dubbo, Triple protocol specification).

use crate::conversation::{Out, TextWriter};
use crate::field::{Field, Status};
use crate::l7::Protocol;
use crate::parser::Sibling;

/// gRPC calls.
#[derive(Debug)]
pub struct Grpc;

/// gRPC calls of Dubbo 3.
#[derive(Debug)]
pub struct Triple;

/// Attribute: how long the client is willing to wait, as on the wire (`5S`).
pub(super) const TIMEOUT: &str = "timeout";
/// Attribute: the HTTP status, where it is not 200.
pub(super) const HTTP_STATUS: &str = "http_status";
/// Attribute: version of a Triple service.
pub(super) const SERVICE_VERSION: &str = "service_version";
/// Attribute: who reset the stream, `client` or `server`.
pub(super) const RESET_BY: &str = "reset_by";

impl Sibling for Grpc {
    const NAME: &'static str = "grpc";
    const ABOUT: &'static str = "gRPC calls over HTTP/2 (grpc/grpc, PROTOCOL-HTTP2.md)";
    const ATTRS: &'static [&'static str] = &[TIMEOUT, HTTP_STATUS, RESET_BY];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http2];
}

impl Sibling for Triple {
    const NAME: &'static str = "triple";
    const ABOUT: &'static str = "Dubbo 3 Triple calls over HTTP/2 (apache/dubbo, Triple specification)";
    const ATTRS: &'static [&'static str] = &[SERVICE_VERSION, TIMEOUT, HTTP_STATUS, RESET_BY];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http2];
}

/// Whether a content type is that of a call: `application/grpc`, with or without a suffix.
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .get(..16)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"))
}

/// The service of `/package.Service/Method`.
pub(super) fn service(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let end = memchr::memrchr(b'/', path).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

/// How a call went that ended with this code.
pub(super) const fn status(code: i64) -> Status {
    match code {
        0 => Status::Ok,
        1 | 3 | 5 | 6 | 7 | 9 | 11 | 16 => Status::ClientError,
        _ => Status::ServerError,
    }
}

/// A `grpc-status`.
pub(super) fn code(value: &[u8]) -> Option<i64> {
    match value {
        [] => None,
        _ if value.len() > 9 => None,
        _ => value.iter().try_fold(0, |code, digit| {
            let digit = digit.wrapping_sub(b'0');
            (digit < 10).then_some(code * 10 + i64::from(digit))
        }),
    }
}

/// What a client makes of an HTTP status without a `grpc-status`.
pub(super) const fn code_of_http(status: u16) -> Option<i64> {
    match status {
        200 => None,
        400 => Some(13),
        401 => Some(16),
        403 => Some(7),
        404 => Some(12),
        429 | 502 | 503 | 504 => Some(14),
        _ => Some(2),
    }
}

/// What a client makes of a reset stream, by the HTTP/2 error code.
pub(super) const fn code_of_reset(error: u32) -> i64 {
    match error {
        0x7 => 14,
        0x8 => 1,
        0xb => 8,
        0xc => 7,
        _ => 13,
    }
}

/// Writes a `grpc-message`: bytes outside of printable ASCII are percent-encoded; what is no code stands
/// for itself.
pub(super) fn message(out: &mut Out<'_>, message: &[u8]) {
    decode_message(&mut out.write(Field::Exception), message);
}

fn decode_message(to: &mut TextWriter<'_>, mut message: &[u8]) {
    while let Some(at) = memchr::memchr(b'%', message) {
        let (plain, rest) = message.split_at(at);
        to.push(plain);
        let decoded = rest.get(1..3).and_then(|digits| match digits {
            [high, low] => Some(hex(*high)? << 4 | hex(*low)?),
            _ => None,
        });
        to.push(&[decoded.unwrap_or(b'%')]);
        message = rest.get(if decoded.is_some() { 3 } else { 1 }..).unwrap_or(&[]);
    }
    to.push(message);
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::written;

    #[test]
    fn services_come_out_of_paths() {
        let of = |path: &'static str| std::str::from_utf8(service(path.as_bytes())).unwrap();
        assert_eq!(of("/helloworld.Greeter/SayHello"), "helloworld.Greeter");
        assert_eq!(of("/a/b.Greeter/SayHello"), "a/b.Greeter");
        assert_eq!(of("/Greeter"), "Greeter");
        assert_eq!(of("/"), "");
    }

    #[test]
    fn codes_are_numbers() {
        assert_eq!(code(b"0"), Some(0));
        assert_eq!(code(b"16"), Some(16));
        assert_eq!(code(b""), None);
        assert_eq!(code(b"-1"), None);
        assert_eq!(code(b"99999999999999"), None);
    }

    #[test]
    fn messages_are_decoded() {
        let of = |text: &[u8]| written(|to| decode_message(to, text));
        assert_eq!(of(b"plain"), "plain");
        assert_eq!(of(b"50%25 of %e4%bd%A0"), "50% of \u{4f60}");
        assert_eq!(of(b"%zz 100%"), "%zz 100%");
        assert_eq!(of(b"%2"), "%2");
    }

    #[test]
    fn content_types_with_suffix_count() {
        for (value, is) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("Application/gRPC-web", true),
            ("application/grp", false),
            ("application/json", false),
        ] {
            assert_eq!(is_grpc(value.as_bytes()), is, "{value}");
        }
    }
}
