//! Whose fault an error is. Source: PostgreSQL 17 manual, appendix A (error codes).

use crate::field::Status;

/// Classes of what the server could not do: connection, resources, limits, operator intervention, system
/// and internal errors. All others say that the client asked wrongly.
const SERVER_CLASSES: &[&[u8; 2]] = &[b"08", b"53", b"54", b"55", b"57", b"58", b"XX"];

/// `status` of an SQLSTATE.
pub(super) fn of(sqlstate: &[u8]) -> Status {
    match sqlstate.first_chunk::<2>() {
        Some(class) if SERVER_CLASSES.contains(&class) => Status::ServerError,
        Some(_) => Status::ClientError,
        None => Status::Unknown,
    }
}
