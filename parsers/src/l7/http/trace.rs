//! Trace and span ids out of the headers of tracing systems.
//!
//! Sources: W3C Trace Context (`traceparent`), openzipkin/b3-propagation, SkyWalking Cross Process
//! Propagation Headers Protocol v3 (`sw8`), Jaeger client libraries' propagation format
//! (`uber-trace-id`), SOFATracer (`SOFA-TraceId`, `SOFA-RpcId`, `new_rpc_trace_context`), EagleEye
//! (`EagleEye-TraceID`, `EagleEye-SpanID`).

use super::base64;
use super::header::Header;
use crate::conversation::Out;
use crate::field::Field;

/// Longest id taken out of base64, bytes: SkyWalking's are about 60.
const DECODED_BYTES_MAX: usize = 192;

/// Writes what a trace header tells of the selected message. A value that breaks its format tells nothing.
pub(crate) fn write(out: &mut Out<'_>, header: Header, value: &[u8]) {
    let told = match header {
        Header::TraceParent => traceparent(value),
        Header::B3 => b3(value),
        Header::UberTraceId => uber(value),
        Header::RpcTraceContext => sofa(value),
        Header::B3TraceId if is_hex(value) => (value, &b""[..]),
        Header::B3SpanId if is_hex(value) => (&b""[..], value),
        Header::SofaTraceId | Header::EagleEyeTraceId => (value, &b""[..]),
        Header::SofaRpcId | Header::EagleEyeSpanId => (&b""[..], value),
        Header::Sw8 => {
            sw8(out, value);
            return;
        }
        _ => return,
    };
    out.text(Field::TraceId, told.0);
    out.text(Field::SpanId, told.1);
}

type Ids<'a> = (&'a [u8], &'a [u8]);

const NO_IDS: Ids<'static> = (b"", b"");

fn is_hex(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_hexdigit)
}

/// `version-trace-parent-flags`, of 2, 32, 16 and 2 hexadecimal digits; later versions may append. A trace
/// of zeros is none.
fn traceparent(value: &[u8]) -> Ids<'_> {
    let mut parts = value.split(|byte| *byte == b'-');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(version), Some(trace), Some(parent))
            if version.len() == 2
                && trace.len() == 32
                && parent.len() == 16
                && [version, trace, parent].into_iter().all(is_hex)
                && trace.iter().any(|digit| *digit != b'0') =>
        {
            (trace, parent)
        }
        _ => NO_IDS,
    }
}

/// `trace-span[-sampled[-parent]]`, or a sampling decision alone.
fn b3(value: &[u8]) -> Ids<'_> {
    let mut parts = value.split(|byte| *byte == b'-');
    match (parts.next(), parts.next()) {
        (Some(trace), Some(span)) if is_hex(trace) && is_hex(span) => (trace, span),
        _ => NO_IDS,
    }
}

/// `trace:span:parent:flags`; the colons may be percent-encoded.
fn uber(value: &[u8]) -> Ids<'_> {
    let (separator, width) = if value.contains(&b':') {
        (&b":"[..], 1)
    } else {
        (&b"%3A"[..], 3)
    };
    let next = |text: &[u8]| {
        text.windows(width)
            .position(|window| window.eq_ignore_ascii_case(separator))
    };
    let Some(trace_end) = next(value) else {
        return NO_IDS;
    };
    let (trace, rest) = value.split_at(trace_end);
    let rest = rest.get(width..).unwrap_or(b"");
    let Some(span_end) = next(rest) else { return NO_IDS };
    match rest.get(..span_end) {
        Some(span) if is_hex(trace) && is_hex(span) => (trace, span),
        _ => NO_IDS,
    }
}

/// `tcid=trace&spid=span&…`.
fn sofa(value: &[u8]) -> Ids<'_> {
    let mut ids = NO_IDS;
    for pair in value.split(|byte| *byte == b'&') {
        if let Some(trace) = pair.strip_prefix(b"tcid=") {
            ids.0 = trace;
        } else if let Some(span) = pair.strip_prefix(b"spid=") {
            ids.1 = span;
        }
    }
    ids
}

/// `sample-trace-segment-span-service-…`, all but numbers in base64. The span's number is unique within
/// its segment only, so both make the span id.
fn sw8(out: &mut Out<'_>, value: &[u8]) {
    let mut parts = value.split(|byte| *byte == b'-');
    let (Some(_), Some(trace), Some(segment), Some(span)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return;
    };
    if let Some(trace) = base64::decode::<DECODED_BYTES_MAX>(trace) {
        out.text(Field::TraceId, &trace);
    }
    if let Some(segment) = base64::decode::<DECODED_BYTES_MAX>(segment) {
        let mut text = out.write(Field::SpanId);
        for piece in [&segment, &b"-"[..], span] {
            text.push(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_out_of_each_format() {
        let trace = b"4bf92f3577b34da6a3ce929d0e0e4736";
        let value = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(value), (&trace[..], &b"00f067aa0ba902b7"[..]));
        assert_eq!(traceparent(b"00-4bf92f-00f067aa0ba902b7-01"), NO_IDS);
        assert_eq!(traceparent(b"garbage"), NO_IDS);
        let zeros = [&b"00-"[..], &[b'0'; 32], b"-00f067aa0ba902b7-01"].concat();
        assert_eq!(traceparent(&zeros), NO_IDS);
        assert_eq!(
            b3(b"80f198ee56343ba8-e457b5a2e4d86bd1-1-05e3ac9a"),
            (&b"80f198ee56343ba8"[..], &b"e457b5a2e4d86bd1"[..])
        );
        assert_eq!(b3(b"0"), NO_IDS);
        assert_eq!(uber(b"3b9f:1c2:0:1"), (&b"3b9f"[..], &b"1c2"[..]));
        assert_eq!(uber(b"3b9f%3a1c2%3A0%3A1"), (&b"3b9f"[..], &b"1c2"[..]));
        assert_eq!(uber(b"3b9f:"), NO_IDS);
        assert_eq!(uber(b""), NO_IDS);
        assert_eq!(
            sofa(b"tcid=0a0fe8ec&spid=0.1&pspid=0&sample=true&"),
            (&b"0a0fe8ec"[..], &b"0.1"[..])
        );
    }
}
