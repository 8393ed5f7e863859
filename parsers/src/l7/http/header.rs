//! The headers that say something of a message, recognised by the first letter and length of their names.

use crate::conversation::Out;
use crate::field::Field;

use super::trace;

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
    ContentLength,
    TransferEncoding,
    Upgrade,
}

/// Names in lower case, by their first letter.
const fn names(first: u8) -> &'static [(&'static [u8], Header)] {
    use Header::*;
    match first | 0x20 {
        b'b' => &[(b"b3", B3)],
        b'c' => &[(b"content-length", ContentLength)],
        b'h' => &[(b"host", Host)],
        b'n' => &[(b"new_rpc_trace_context", RpcTraceContext)],
        b'r' => &[(b"referer", Referer)],
        b's' => &[
            (b"sw8", Sw8),
            (b"sofa-traceid", SofaTraceId),
            (b"sofa-rpcid", SofaRpcId),
        ],
        b't' => &[
            (b"transfer-encoding", TransferEncoding),
            (b"traceparent", TraceParent),
        ],
        b'u' => &[
            (b"user-agent", UserAgent),
            (b"upgrade", Upgrade),
            (b"uber-trace-id", UberTraceId),
        ],
        b'x' => &[
            (b"x-request-id", XRequestId),
            (b"x-forwarded-for", ForwardedFor),
            (b"x-b3-traceid", B3TraceId),
            (b"x-b3-spanid", B3SpanId),
        ],
        _ => &[],
    }
}

impl Header {
    /// The header of a line `name:value`, and where its value begins. Lines of other headers cost a
    /// look at their first byte.
    #[inline]
    pub(crate) fn of_line(line: &[u8]) -> Option<(Self, usize)> {
        for (known, header) in names(*line.first()?) {
            let len = known.len();
            if line.get(len) == Some(&b':') && line.get(..len)?.eq_ignore_ascii_case(known) {
                return Some((*header, len + 1));
            }
        }
        None
    }
}

/// `value` without blanks around it (RFC 9110 section 5.5).
#[inline]
pub(crate) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = value {
        value = rest;
    }
    value
}

/// Writes what a header tells of the selected message; headers that only frame it write nothing.
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
        Header::ContentLength | Header::TransferEncoding | Header::Upgrade => return,
        _ => {
            trace::write(out, header, value);
            return;
        }
    };
    let hide = out.settings().redaction.http_headers && !value.is_empty();
    out.text(field, if hide { b"?" } else { value });
}

#[cfg(test)]
mod tests {
    use super::{Header, names, trim};

    #[test]
    fn names_stand_under_their_first_letter_in_lower_case() {
        for first in b'a'..=b'z' {
            for (name, header) in names(first) {
                assert_eq!(name.first(), Some(&first));
                assert!(!name.iter().any(u8::is_ascii_uppercase));
                let line = [&name.to_ascii_uppercase(), &b": v"[..]].concat();
                assert_eq!(Header::of_line(&line), Some((*header, name.len() + 1)));
            }
        }
        assert_eq!(Header::of_line(b"hos"), None);
        assert_eq!(Header::of_line(b""), None);
        assert_eq!(Header::of_line(b"Host : v"), None);
        assert_eq!(Header::of_line(b"Hosts: v"), None);
    }

    #[test]
    fn blanks_around_values_go() {
        assert_eq!(trim(b" \t a b\t \r"), b"a b");
        assert_eq!(trim(b"  "), b"");
    }
}
