//! Error codes of RST_STREAM and GOAWAY. Source: RFC 9113 section 7.

use crate::field::Status;
use crate::parser::Direction;

/// What an error code is called.
pub(super) const fn name(code: u32) -> &'static str {
    match code {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        // Unknown codes are treated as internal errors (section 7).
        _ => "UNKNOWN",
    }
}

/// Nothing went wrong.
pub(super) const NO_ERROR: u32 = 0;

/// How an exchange went that the sender of `direction` ended with this code. `None`: it does not say; a
/// client may lose interest at any time, and one that blames the server knows best itself.
pub(super) const fn status(code: u32, direction: Direction) -> Option<Status> {
    match (code, direction) {
        (NO_ERROR, _) | (_, Direction::ToServer) => None,
        // What the client is blamed for.
        (0x1 | 0x3 | 0x5 | 0x6 | 0x9 | 0xb | 0xc | 0xd, _) => Some(Status::ClientError),
        _ => Some(Status::ServerError),
    }
}
