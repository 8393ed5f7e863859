//! Trace ids in SQL comments. Source: the sqlcommenter specification (comments of `key='value'` pairs)
//! and W3C Trace Context, section 3.2 (traceparent: version, trace id, parent id, flags in hex).

use crate::conversation::Out;
use crate::field::Field;
use memchr::memmem;

const TRACE_ID_HEX: usize = 32;
const SPAN_ID_HEX: usize = 16;

/// Takes trace and span id out of a `traceparent`, where `value` begins with one.
pub(crate) fn write_traceparent(out: &mut Out<'_>, value: &[u8]) {
    let mut parts = value.split(|b| *b == b'-');
    let (Some(version), Some(trace), Some(span)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let hex = |text: &[u8], len| text.len() == len && text.iter().all(u8::is_ascii_hexdigit);
    if hex(version, 2) && hex(trace, TRACE_ID_HEX) && hex(span, SPAN_ID_HEX) {
        out.text(Field::TraceId, trace);
        out.text(Field::SpanId, span);
    }
}

/// Looks for the trace in the comments of `sql`.
pub(super) fn write_comment_trace(out: &mut Out<'_>, sql: &[u8]) {
    // Most statements have no comment.
    if memchr::memchr(b'/', sql).is_none() {
        return;
    }
    if let Some(at) = memmem::find(sql, b"traceparent='")
        && let Some(value) = sql.get(at + b"traceparent='".len()..)
    {
        write_traceparent(out, value);
    }
}
