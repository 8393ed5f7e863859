//! The fields that every connection knows from the start. Source: RFC 7541 appendix A.

use crate::l7::http::header::Header;
use crate::l7::http2::name::Name;

/// A field of the static table.
#[derive(Clone, Copy, Debug)]
pub(in crate::l7::http2) struct StaticField {
    pub(in crate::l7::http2) name: Name,
    pub(in crate::l7::http2) name_len: u32,
    pub(in crate::l7::http2) value: &'static [u8],
}

/// Fields of the static table; indexes above are those of the dynamic one.
pub(super) const COUNT: usize = 61;

/// The field of this index, from 1 on.
#[inline]
pub(in crate::l7::http2) fn get(index: usize) -> Option<&'static StaticField> {
    TABLE.get(index.checked_sub(1)?)
}

const fn field(name: &str, value: &'static str, is: Name) -> StaticField {
    StaticField {
        name: is,
        name_len: name.len() as u32,
        value: value.as_bytes(),
    }
}

const fn other(name: &str, value: &'static str) -> StaticField {
    field(name, value, Name::Other)
}

static TABLE: [StaticField; COUNT] = [
    field(":authority", "", Name::Authority),
    field(":method", "GET", Name::Method),
    field(":method", "POST", Name::Method),
    field(":path", "/", Name::Path),
    field(":path", "/index.html", Name::Path),
    field(":scheme", "http", Name::Scheme),
    field(":scheme", "https", Name::Scheme),
    field(":status", "200", Name::Status),
    field(":status", "204", Name::Status),
    field(":status", "206", Name::Status),
    field(":status", "304", Name::Status),
    field(":status", "400", Name::Status),
    field(":status", "404", Name::Status),
    field(":status", "500", Name::Status),
    other("accept-charset", ""),
    other("accept-encoding", "gzip, deflate"),
    other("accept-language", ""),
    other("accept-ranges", ""),
    other("accept", ""),
    other("access-control-allow-origin", ""),
    other("age", ""),
    other("allow", ""),
    other("authorization", ""),
    other("cache-control", ""),
    other("content-disposition", ""),
    other("content-encoding", ""),
    other("content-language", ""),
    other("content-length", ""),
    other("content-location", ""),
    other("content-range", ""),
    field("content-type", "", Name::Http(Header::ContentType)),
    other("cookie", ""),
    other("date", ""),
    other("etag", ""),
    other("expect", ""),
    other("expires", ""),
    other("from", ""),
    field("host", "", Name::Http(Header::Host)),
    other("if-match", ""),
    other("if-modified-since", ""),
    other("if-none-match", ""),
    other("if-range", ""),
    other("if-unmodified-since", ""),
    other("last-modified", ""),
    other("link", ""),
    other("location", ""),
    other("max-forwards", ""),
    other("proxy-authenticate", ""),
    other("proxy-authorization", ""),
    other("range", ""),
    field("referer", "", Name::Http(Header::Referer)),
    other("refresh", ""),
    other("retry-after", ""),
    other("server", ""),
    other("set-cookie", ""),
    other("strict-transport-security", ""),
    other("transfer-encoding", ""),
    field("user-agent", "", Name::Http(Header::UserAgent)),
    other("vary", ""),
    other("via", ""),
    other("www-authenticate", ""),
];
