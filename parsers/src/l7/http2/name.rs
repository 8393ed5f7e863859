//! The header fields worth reading.

use crate::l7::http::header::Header;

/// Names that HTTP/1 has too.
pub(super) const CONTENT_TYPE: Name = Name::Http(Header::ContentType);
pub(super) const GRPC_STATUS: Name = Name::Http(Header::GrpcStatus);
pub(super) const GRPC_MESSAGE: Name = Name::Http(Header::GrpcMessage);

/// What a field's name is to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Of no use: neither kept nor decoded.
    Other,
    /// Stood in a part of the dynamic table that was never seen.
    Unknown,
    Method,
    Path,
    Authority,
    Scheme,
    Status,
    GrpcTimeout,
    TripleVersion,
    /// Any other field of Triple: it tells the protocol.
    Triple,
    /// One that HTTP/1 has too.
    Http(Header),
}

impl Name {
    /// What this name is, in lower case as HTTP/2 has it (RFC 9113 section 8.2).
    pub(super) fn of(name: &[u8]) -> Self {
        match name {
            b":method" => Self::Method,
            b":path" => Self::Path,
            b":authority" => Self::Authority,
            b":scheme" => Self::Scheme,
            b":status" => Self::Status,
            b"grpc-timeout" => Self::GrpcTimeout,
            b"tri-service-version" => Self::TripleVersion,
            [b't', b'r', b'i', b'-', ..] => Self::Triple,
            _ => Header::of_name(name).map_or(Self::Other, Self::http),
        }
    }

    /// Framing of HTTP/1 means nothing here.
    fn http(header: Header) -> Self {
        match header {
            Header::ContentLength | Header::TransferEncoding | Header::Upgrade => Self::Other,
            header => Self::Http(header),
        }
    }

    /// Whether the field's value goes into a record or decides what goes there.
    #[inline]
    pub(super) fn is_wanted(self) -> bool {
        !matches!(self, Self::Other | Self::Unknown | Self::Scheme)
    }

    /// A bit of its own. They are numbered as they are declared, so that no table is needed to find it.
    #[inline]
    pub(super) const fn bit(self) -> u64 {
        1 << match self {
            Self::Other => 0,
            Self::Unknown => 1,
            Self::Method => 2,
            Self::Path => 3,
            Self::Authority => 4,
            Self::Scheme => 5,
            Self::Status => 6,
            Self::GrpcTimeout => 7,
            Self::TripleVersion => 8,
            Self::Triple => 9,
            Self::Http(header) => 16 + header as u32,
        }
    }
}
