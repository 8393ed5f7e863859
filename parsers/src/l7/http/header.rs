//! The headers that say something of a message, recognised by the first letter and length of their names.

use crate::conversation::Out;
use crate::field::Field;
use arrayvec::ArrayVec;

use super::trace;

/// Length of the longest name worth reading.
const NAME_BYTES_MAX: usize = 21;

/// A header worth reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Host,
    UserAgent,
    Referer,
    ForwardedFor,
    XRequestId,
    /// W3C Trace Context.
    TraceParent,
    /// Zipkin, all in one.
    B3,
    /// Zipkin, the trace alone.
    B3TraceId,
    /// Zipkin, the span alone.
    B3SpanId,
    /// SkyWalking.
    Sw8,
    /// Jaeger.
    UberTraceId,
    /// SOFATracer, the trace alone.
    SofaTraceId,
    /// SOFATracer, the span alone.
    SofaRpcId,
    /// SOFATracer, both.
    RpcTraceContext,
    /// EagleEye, the trace alone.
    EagleEyeTraceId,
    /// EagleEye, the span alone.
    EagleEyeSpanId,
    /// Outcome of a gRPC call.
    GrpcStatus,
    /// Why it failed.
    GrpcMessage,
    ContentType,
    ContentLength,
    TransferEncoding,
    Upgrade,
}

impl Header {
    /// The header of a line `name:value`, and where its value begins. Lines of other headers cost a
    /// look at their first byte, as a rule.
    #[inline(always)]
    pub(crate) fn of_line(line: &[u8]) -> Option<(Self, usize)> {
        let first = *line.first()?;
        // Each name ends in the colon: `X-Request-IDs` is another header.
        let (header, len) = match first | 0x20 {
            b'b' if line.starts_with(b"b3:") || line.starts_with(b"B3:") => (Self::B3, 3),
            b'c' if begins(line, b"content-length:") => (Self::ContentLength, 15),
            b'c' if begins(line, b"content-type:") => (Self::ContentType, 13),
            b'e' if begins(line, b"eagleeye-traceid:") => (Self::EagleEyeTraceId, 17),
            b'e' if begins(line, b"eagleeye-spanid:") => (Self::EagleEyeSpanId, 16),
            b'g' if begins(line, b"grpc-status:") => (Self::GrpcStatus, 12),
            b'g' if begins(line, b"grpc-message:") => (Self::GrpcMessage, 13),
            b'h' if begins(line, b"host:") => (Self::Host, 5),
            b'n' if begins(line, b"new_rpc_trace_context:") => (Self::RpcTraceContext, 22),
            b'r' if begins(line, b"referer:") => (Self::Referer, 8),
            b's' if begins(line, b"sw8:") => (Self::Sw8, 4),
            b's' if begins(line, b"sofa-traceid:") => (Self::SofaTraceId, 13),
            b's' if begins(line, b"sofa-rpcid:") => (Self::SofaRpcId, 11),
            b't' if begins(line, b"traceparent:") => (Self::TraceParent, 12),
            b't' if begins(line, b"transfer-encoding:") => (Self::TransferEncoding, 18),
            b'u' if begins(line, b"user-agent:") => (Self::UserAgent, 11),
            b'u' if begins(line, b"upgrade:") => (Self::Upgrade, 8),
            b'u' if begins(line, b"uber-trace-id:") => (Self::UberTraceId, 14),
            b'x' if begins(line, b"x-request-id:") => (Self::XRequestId, 13),
            b'x' if begins(line, b"x-forwarded-for:") => (Self::ForwardedFor, 16),
            b'x' if begins(line, b"x-b3-traceid:") => (Self::B3TraceId, 13),
            b'x' if begins(line, b"x-b3-spanid:") => (Self::B3SpanId, 12),
            _ => return None,
        };
        Some((header, len))
    }

    /// The header of this name.
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        let mut line = [0; NAME_BYTES_MAX + 1];
        line.get_mut(..name.len())?.copy_from_slice(name);
        *line.get_mut(name.len())? = b':';
        Self::of_line(line.get(..=name.len())?).map(|(header, _)| header)
    }
}

/// Whether `line` begins with `name`, which is in lower case, in any case. Compared in words of four
/// bytes, the last of which may overlap: the length is known to the compiler, so this is a handful of
/// instructions. The last word comes first, since that is where names that begin alike differ. Bit 5 is left out of the comparison: it is the case of letters, and confuses what else
/// names are made of with control characters only.
#[inline(always)]
fn begins<const N: usize>(line: &[u8], name: &[u8; N]) -> bool {
    const { assert!(N >= 4) };
    let differ = |a: &[u8; 4], b: &[u8; 4]| (u32::from_le_bytes(*a) ^ u32::from_le_bytes(*b)) & !0x2020_2020;
    let Some(head) = line.first_chunk::<N>() else {
        return false;
    };
    if let (Some(last), Some(known)) = (head.last_chunk(), name.last_chunk())
        && differ(last, known) != 0
    {
        return false;
    }
    let (words, known) = (head.as_chunks::<4>().0, name.as_chunks::<4>().0);
    words
        .iter()
        .zip(known)
        .fold(0, |all, (word, known)| all | differ(word, known))
        == 0
}

/// `value` without blanks and line ends around it (RFC 9110 section 5.5).
#[inline]
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t' | b'\r' | b'\n'));
    match value {
        // One blank before and a CR behind it is how nearly all are written.
        [b' ', value @ .., b'\r'] if !is_blank(value.first()) && !is_blank(value.last()) => value,
        _ => trim_all(value),
    }
}

#[inline(never)]
fn trim_all(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = value {
        value = rest;
    }
    value
}

/// A value that goes over several lines on one line, in `room`; what does not fit is left out.
pub(crate) fn unfold<'r, const N: usize>(value: &[u8], room: &'r mut ArrayVec<u8, N>) -> &'r [u8] {
    room.clear();
    for line in value.split(|byte| *byte == b'\n') {
        let blank: &[u8] = if room.is_empty() { b"" } else { b" " };
        let pieces = blank.iter().chain(trim(line));
        room.extend(pieces.copied().take(room.remaining_capacity()));
    }
    room
}

/// Writes what a header tells of the selected message; headers that frame it or decide what it
/// is write nothing.
pub(crate) fn write(out: &mut Out<'_>, header: Header, value: &[u8]) {
    let field = match header {
        Header::Host => {
            out.text(Field::Domain, value);
            return;
        }
        Header::XRequestId => {
            out.text(Field::XRequestId, value);
            return;
        }
        Header::UserAgent => Field::UserAgent,
        Header::Referer => Field::Referer,
        Header::ForwardedFor => Field::ForwardedFor,
        Header::ContentType
        | Header::ContentLength
        | Header::TransferEncoding
        | Header::Upgrade
        | Header::GrpcStatus
        | Header::GrpcMessage => return,
        _ => {
            trace::write(out, header, value);
            return;
        }
    };
    let hide = out.settings().redaction.http_headers && !value.is_empty();
    out.text(field, if hide { b"?" } else { value });
}

/// Writes what a header of this name tells of the trace that the selected message belongs to, where other
/// protocols carry such headers among what applications add to messages.
pub(crate) fn write_trace(out: &mut Out<'_>, name: &[u8], value: &[u8]) {
    match Header::of_name(name) {
        Some(Header::XRequestId) => out.text(Field::XRequestId, value),
        Some(header) => trace::write(out, header, value),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, trim, unfold};
    use arrayvec::ArrayVec;

    #[test]
    fn names_are_recognised_in_any_case_and_as_a_whole() {
        let of = |line: &str| Header::of_line(line.as_bytes());
        assert_eq!(of("Host: v"), Some((Header::Host, 5)));
        assert_eq!(of("hOST:v"), Some((Header::Host, 5)));
        assert_eq!(of("X-FORWARDED-FOR:"), Some((Header::ForwardedFor, 16)));
        assert_eq!(
            of("NEW_RPC_TRACE_CONTEXT: v"),
            Some((Header::RpcTraceContext, 22))
        );
        let named = |name: &str| Header::of_name(name.as_bytes());
        assert_eq!(named("host"), Some(Header::Host));
        assert_eq!(named("new_rpc_trace_context"), Some(Header::RpcTraceContext));
        assert_eq!(named("hosts"), None);
        assert_eq!(named(""), None);
        assert_eq!(named("a-name-longer-than-any-that-is-worth-reading"), None);
        for other in [
            "",
            "h",
            "Host",
            "Host : v",
            "Hosts: v",
            "Accept: v",
            ": v",
            " Host: v",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn blanks_around_values_go() {
        assert_eq!(trim(b" \t a b\t \r"), b"a b");
        assert_eq!(trim(b"  "), b"");
    }

    #[test]
    fn folded_values_become_one_line_and_fit() {
        let of = |value: &[u8]| unfold(value, &mut ArrayVec::<u8, 8>::new()).to_vec();
        assert_eq!(of(b"a\r\n b\r\n\t c"), b"a b c");
        assert_eq!(of(b"\r\n b"), b"b");
        assert_eq!(of(b"12345\r\n 6789"), b"12345 67");
    }
}
