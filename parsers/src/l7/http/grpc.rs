//! What a gRPC call says of itself in the fields of HTTP: over HTTP/2, and over HTTP/1 as gRPC-Web.
//!
//! Sources: gRPC over HTTP2 (grpc/grpc, doc/PROTOCOL-HTTP2.md), HTTP to gRPC Status Code Mapping
//! (doc/http-grpc-status-mapping.md), statuscodes.md.

use crate::conversation::{Out, TextWriter};
use crate::field::{Field, Status};

/// Attribute: how long the client is willing to wait, as on the wire (`5S`).
pub(crate) const TIMEOUT: &str = "timeout";
/// Attribute: the HTTP status, where it is not 200.
pub(crate) const HTTP_STATUS: &str = "http_status";

/// Whether a content type is that of a call: `application/grpc`, with or without a suffix.
pub(crate) fn is_grpc(content_type: &[u8]) -> bool {
    content_type
        .get(..16)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"application/grpc"))
}

/// Writes what the path of a call tells.
pub(crate) fn describe_path(path: &[u8], out: &mut Out<'_>) {
    out.text(Field::Resource, service(path));
    out.text(Field::Endpoint, path);
}

/// [`describe_path`] for a request that had been told as one of HTTP alone.
pub(crate) fn redescribe_path(out: &mut Out<'_>) {
    out.retell_resource(|path| (service(path), path));
}

/// The service of `/package.Service/Method`.
fn service(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"/").unwrap_or(path);
    let end = memchr::memrchr(b'/', path).unwrap_or(path.len());
    path.get(..end).unwrap_or(path)
}

/// How a call went that ended with this code.
const fn status(code: i64) -> Status {
    match code {
        0 => Status::Ok,
        1 | 3 | 5 | 6 | 7 | 9 | 11 | 16 => Status::ClientError,
        _ => Status::ServerError,
    }
}

/// A `grpc-status`.
fn code(value: &[u8]) -> Option<i64> {
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
const fn code_of_http(status: u16) -> Option<i64> {
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
const fn code_of_reset(error: u32) -> i64 {
    match error {
        0x7 => 14,
        0x8 => 1,
        0xb => 8,
        0xc => 7,
        _ => 13,
    }
}

/// Writes the outcome of a call that an HTTP status alone tells of.
pub(crate) fn http_outcome(status: u16, out: &mut Out<'_>) {
    if let Some(code) = code_of_http(status) {
        let digits = [status / 100, status / 10 % 10, status % 10].map(|digit| b'0' + digit as u8);
        out.attr(HTTP_STATUS, &digits);
        set_code(code, out);
    }
}

/// Writes the outcome of a call whose stream was reset with this HTTP/2 error code.
pub(crate) fn reset_outcome(error: u32, out: &mut Out<'_>) {
    set_code(code_of_reset(error), out);
}

/// Writes the outcome of a call: its `grpc-status` and `grpc-message`.
pub(crate) fn outcome(status: &[u8], text: Option<&[u8]>, out: &mut Out<'_>) {
    let Some(code) = code(status) else { return };
    set_code(code, out);
    if let Some(text) = text {
        message(out, text);
    }
}

fn set_code(code: i64, out: &mut Out<'_>) {
    out.code(code);
    out.status(status(code));
}

/// Writes a `grpc-message`: bytes outside of printable ASCII are percent-encoded; what is no code stands
/// for itself.
fn message(out: &mut Out<'_>, message: &[u8]) {
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
