//! What the fields of a header block say of a request or a response.

use super::fields::Fields;
use super::name::{CONTENT_TYPE, GRPC_MESSAGE, GRPC_STATUS, Name};
use super::siblings::SERVICE_VERSION;
use super::usual::Usual;
use crate::conversation::Out;
use crate::field::{Field, Status};
use crate::l7::Protocol;
use crate::l7::http::header::{self, Header};
use crate::l7::http::{enrich, grpc, target};

/// `version` of every record.
pub(super) const VERSION: &[u8] = b"2";

/// Which protocol the fields of a request or response tell; `None`: plain HTTP/2, as far as is known.
fn protocol(fields: &Fields, usual: Usual) -> Option<Protocol> {
    if fields.has(Name::Triple) || fields.has(Name::TripleVersion) {
        return Some(Protocol::Triple);
    }
    let told = match fields.get(CONTENT_TYPE) {
        Some(content_type) => grpc::is_grpc(content_type),
        // The type was in a part of the table that is not known. No other protocol has these.
        None if fields.unknown => {
            let agent = fields.get(Name::Http(Header::UserAgent));
            let is_told =
                fields.has(Name::GrpcTimeout) || agent.is_some_and(|agent| agent.starts_with(b"grpc-"));
            if !is_told && let Some(calls) = usual.calls(fields) {
                return Some(calls);
            }
            is_told
        }
        None => false,
    };
    (told || fields.has(GRPC_STATUS)).then_some(Protocol::Grpc)
}

/// Writes what the fields say of the request that was just opened, and which protocol they tell.
pub(super) fn request(fields: &Fields, usual: Usual, out: &mut Out<'_>) -> Option<Protocol> {
    let protocol = protocol(fields, usual);
    if let Some(protocol) = protocol {
        out.proto(protocol);
    }
    let method = fields.get(Name::Method).unwrap_or(&[]);
    let authority = fields.get(Name::Authority);
    let path = fields.get(Name::Path).unwrap_or(&[]);
    let proto = protocol.unwrap_or(Protocol::Http2);
    enrich::request(out, proto, path, authority, headers(fields));
    out.text(Field::Version, VERSION);
    out.text(Field::ReqType, method);
    if let Some(authority) = authority {
        out.text(Field::Domain, authority);
    }
    match (fields.get(Name::Path), protocol) {
        (Some(path), Some(_)) => grpc::describe_path(path, out),
        (Some(path), None) => target::write(out, path),
        // CONNECT has no path (RFC 9113 section 8.5).
        (None, _) if method == b"CONNECT" => target::write(out, authority.unwrap_or(&[])),
        (None, _) => {}
    }
    for (name, value) in fields.iter() {
        match name {
            Name::Http(header) => header::write(out, header, value),
            Name::GrpcTimeout if protocol.is_some() => out.attr(grpc::TIMEOUT, value),
            Name::TripleVersion => out.attr(SERVICE_VERSION, value),
            _ => {}
        }
    }
    mark(fields, out);
    protocol
}

/// Writes what the fields say of the response that was just opened.
pub(super) fn response(fields: &Fields, usual: Usual, out: &mut Out<'_>) {
    let status = fields.get(Name::Status).and_then(status_code);
    let proto = name_protocol(fields, usual, out).unwrap_or(Protocol::Http2);
    let went = status.map_or(Status::Unknown, crate::l7::http::status);
    enrich::response(out, proto, status.unwrap_or(0), went);
    if !out.has_request() {
        out.text(Field::Version, VERSION);
    }
    for (name, value) in fields.iter() {
        if let Name::Http(header) = name {
            header::write(out, header, value);
        }
    }
    match (out.named_proto(), status) {
        (Some(_), Some(status)) => grpc::http_outcome(status, out),
        (None, Some(status)) => {
            out.code(i64::from(status));
            out.status(crate::l7::http::status(status));
        }
        (_, None) => {}
    }
    outcome(fields, out);
    mark(fields, out);
}

/// Writes what trailers say of the response that they end.
pub(super) fn trailers(fields: &Fields, usual: Usual, out: &mut Out<'_>) {
    name_protocol(fields, usual, out);
    outcome(fields, out);
    mark(fields, out);
}

fn headers(fields: &Fields) -> impl Iterator<Item = (Header, &[u8])> {
    fields.iter().filter_map(|(name, value)| match name {
        Name::Http(header) => Some((header, value)),
        _ => None,
    })
}

/// What the exchange is, when the response has had its say: its request may not have been seen, or only in
/// parts.
fn name_protocol(fields: &Fields, usual: Usual, out: &mut Out<'_>) -> Option<Protocol> {
    let named = out.named_proto();
    if named.is_some() {
        return named;
    }
    let protocol = protocol(fields, usual)?;
    out.proto(protocol);
    if out.has_request() {
        grpc::redescribe_path(out);
    }
    Some(protocol)
}

/// The result of a call; it stands in the trailers, or in the only fields there are.
fn outcome(fields: &Fields, out: &mut Out<'_>) {
    if let Some(status) = fields.get(GRPC_STATUS) {
        grpc::outcome(status, fields.get(GRPC_MESSAGE), out);
    }
}

/// Says so when fields are missing or cut.
fn mark(fields: &Fields, out: &mut Out<'_>) {
    if fields.unknown || fields.cut {
        out.truncated();
    }
}

/// A `:status`: three digits.
pub(super) fn status_code(value: &[u8]) -> Option<u16> {
    match value {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9'] => Some(
            [a, b, c]
                .iter()
                .fold(0, |code, digit| code * 10 + u16::from(*digit - b'0')),
        ),
        _ => None,
    }
}
