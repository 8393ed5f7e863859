//! gRPC, and Triple, which is gRPC with fields of its own.
//!
//! Sources: gRPC over HTTP2 (grpc/grpc, doc/PROTOCOL-HTTP2.md), Triple (apache/dubbo, Triple protocol
//! specification).

use crate::l7::Protocol;
use crate::l7::http::grpc::{HTTP_STATUS, TIMEOUT};
use crate::parser::Sibling;

/// gRPC calls.
#[derive(Debug)]
pub struct Grpc;

/// gRPC calls of Dubbo 3.
#[derive(Debug)]
pub struct Triple;

/// Attribute: version of a Triple service.
pub(super) const SERVICE_VERSION: &str = "service_version";
/// Attribute: who reset the stream, `client` or `server`.
pub(super) const RESET_BY: &str = "reset_by";

impl Sibling for Grpc {
    const NAME: &'static str = "grpc";
    const ABOUT: &'static str =
        "gRPC calls over HTTP/2, and gRPC-Web over both (grpc/grpc, PROTOCOL-HTTP2.md)";
    const ATTRS: &'static [&'static str] = &[TIMEOUT, HTTP_STATUS, RESET_BY];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http2, Protocol::Http1];
}

impl Sibling for Triple {
    const NAME: &'static str = "triple";
    const ABOUT: &'static str = "Dubbo 3 Triple calls over HTTP/2 (apache/dubbo, Triple specification)";
    const ATTRS: &'static [&'static str] = &[SERVICE_VERSION, TIMEOUT, HTTP_STATUS, RESET_BY];
    const FOUND_BY: &'static [Protocol] = &[Protocol::Http2];
}
