//! What a user can set about parsing; resolved once at start, read by every parser.

use crate::l7::Protocol;

/// What is replaced before anything leaves the lcore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Redaction {
    /// Literals in SQL text become `?`.
    pub sql_literals: bool,
    /// Arguments of Redis commands after the key become `?`.
    pub redis_values: bool,
    /// Values of URL query parameters become `?`.
    pub url_query: bool,
    /// Values of HTTP headers that are kept (user agent, referer, forwarded-for) become `?`.
    pub http_headers: bool,
}

/// Settings shared by all parsers of one lcore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What is replaced before it reaches a record.
    pub redaction: Redaction,
    /// How many path segments an HTTP `endpoint` keeps.
    pub path_segments: usize,
    /// Longest `resource`, in bytes; the rest is cut and the record says `truncated`.
    pub resource_bytes_max: usize,
    /// Longest other text field, in bytes.
    pub text_bytes_max: usize,
    /// Whether keep-alive messages (pings, heartbeats) become records too.
    pub keepalive_records: bool,
    /// Whether each message of a gRPC call that streams becomes a record too.
    pub grpc_stream_records: bool,
    /// How long requests wait for their responses where not as long as their protocol declares, ns.
    pub response_timeouts_ns: Vec<(Protocol, u64)>,
}

impl Settings {
    /// How long a request of `protocol` waits for its response, ns.
    pub fn response_timeout_ns(&self, protocol: Protocol) -> u64 {
        let set = self.response_timeouts_ns.iter().find(|(of, _)| *of == protocol);
        set.map_or(protocol.declaration().response_timeout_ns, |(_, timeout_ns)| {
            *timeout_ns
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            redaction: Redaction::default(),
            path_segments: 2,
            resource_bytes_max: 4096,
            text_bytes_max: 1024,
            keepalive_records: false,
            grpc_stream_records: false,
            response_timeouts_ns: Vec::new(),
        }
    }
}
