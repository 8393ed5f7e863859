//! `[protocols]`: which are read, and how.

use crate::problem::Conflict;
use crate::section::section;
use crate::values::{ProtocolName, ResponseTimeouts, Whole};

section! {
    /// Application protocols. `tapir protocols` lists their names.
    pub struct Protocols ["protocols"] {
        /// Protocols that are read. Empty: all.
        enabled: Vec<ProtocolName> = Vec::new(),

        /// Protocols that are not read, out of those enabled.
        disabled: Vec<ProtocolName> = Vec::new(),

        /// How long a request waits for its response, where a protocol's own timeout
        /// (`tapir protocols` shows it) does not suit.
        response_timeouts: ResponseTimeouts = ResponseTimeouts::default(),

        /// Segments of a path that make up the `endpoint` of an HTTP record: 2 makes /api/users of
        /// /api/users/17.
        path_segments: Whole<0, 16> = Whole::of::<2>(),

        /// Make records of keep-alive messages (pings, heartbeats) too.
        keepalive_records: bool = false,

        /// Make a `stream` record of each message of gRPC and Triple calls that stream, besides the record
        /// of the call. Messages of a direction that has only one are not told.
        grpc_stream_records: bool = false,
    }
}

impl Protocols {
    /// Whether a protocol is to be read.
    pub fn reads(&self, name: &str) -> bool {
        let listed = |list: &[ProtocolName]| list.iter().any(|protocol| protocol.as_str() == name);
        (self.enabled.is_empty() || listed(&self.enabled)) && !listed(&self.disabled)
    }

    pub(crate) fn conflicts(&self) -> Vec<Conflict> {
        (self.enabled.iter().filter(|name| self.disabled.contains(name)))
            .map(|name| {
                let message = format!(
                    "'{}' is both enabled and disabled; remove it from one",
                    name.as_str()
                );
                Conflict::new("protocols.disabled", message)
            })
            .collect()
    }
}
