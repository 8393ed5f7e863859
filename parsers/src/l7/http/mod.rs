//! What HTTP/1, HTTP/2, gRPC, WebSocket and FastCGI share: methods, targets, headers worth keeping,
//! statuses, outcomes of calls. Source: RFC 9110 (semantics), RFC 3986 (targets).

pub(crate) mod base64;
pub(crate) mod enrich;
pub(crate) mod grpc;
pub(crate) mod grpc_web;
pub(crate) mod header;
pub(crate) mod method;
pub(crate) mod target;
pub(crate) mod trace;

use crate::field::Status;

/// How an exchange of this status code went (RFC 9110 section 15).
#[inline]
pub(crate) const fn status(code: u16) -> Status {
    match code {
        400..=499 => Status::ClientError,
        500..=599 => Status::ServerError,
        _ => Status::Ok,
    }
}

/// Which bytes may stand in a token (RFC 9110 section 5.6.2).
static TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0;
    while byte < token.len() {
        token[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let marks = b"!#$%&'*+-.^_`|~";
    let mut i = 0;
    while i < marks.len() {
        token[marks[i] as usize] = true;
        i += 1;
    }
    token
};

/// Whether `byte` may stand in a token: a method or a header name.
#[inline]
pub(crate) fn is_token(byte: u8) -> bool {
    TOKEN[usize::from(byte)]
}
