//! How exchanges went, in DeepFlow's numbers.

use crate::field::Status;

/// DeepFlow's number of a status.
pub const fn status_number(status: Status) -> u8 {
    match status {
        Status::Ok => 0,
        Status::Timeout => 2,
        Status::ServerError => 3,
        Status::ClientError => 4,
        Status::Unknown => 5,
    }
}

/// The status of DeepFlow's number, if there is one.
pub const fn status_of(number: u8) -> Option<Status> {
    Some(match number {
        0 => Status::Ok,
        2 => Status::Timeout,
        3 => Status::ServerError,
        4 => Status::ClientError,
        5 => Status::Unknown,
        _ => return None,
    })
}
