//! The words of the session record: its kinds, endings, statuses and text fields.
//!
//! Names are those of the record format, version 1; whatever prints or encodes records takes them
//! from here.

/// Declares an enum of `u8` whose variants have a name in the record format.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// Every value, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in the record format.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The value of this number, if there is one.
            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.get(usize::from(number)).copied()
            }
        }
    };
}

named! {
    /// What a record is about.
    Kind {
        /// A request with its response.
        Matched = "matched",
        /// A request alone.
        NoResponse = "no_response",
        /// A response alone.
        Orphan = "orphan",
        /// A message that expects no answer.
        OneWay = "oneway",
        /// One message of a stream, or a server push.
        Stream = "stream",
    }
}

named! {
    /// What closed a record.
    Ended {
        /// The response (or the message itself, where none is expected) was complete.
        Response = "response",
        /// No answer within the protocol's time.
        Timeout = "timeout",
        /// The connection was closed in order.
        Fin = "fin",
        /// The connection was reset.
        Rst = "rst",
        /// A memory bound pushed it out.
        Evicted = "evicted",
        /// Tapir stopped, or the capture ended.
        Shutdown = "shutdown",
    }
}

named! {
    /// Where the bytes were seen.
    Source {
        /// In packets.
        Wire = "wire",
        /// At a host's sockets, by eBPF.
        Host = "host",
    }
}

named! {
    /// What showed that a record of the wire and one of a host are of the same exchange.
    Joined {
        /// Both have the same sequence numbers.
        Seq = "seq",
        /// Both have the same id, and began at about the same time.
        Time = "time",
    }
}

named! {
    /// How an exchange went.
    Status {
        /// Nothing said so, or it could not be read.
        Unknown = "unknown",
        /// It succeeded.
        Ok = "ok",
        /// The client asked wrongly.
        ClientError = "client_error",
        /// The server failed.
        ServerError = "server_error",
        /// No answer in time.
        Timeout = "timeout",
    }
}

named! {
    /// The text keys of a record.
    Field {
        /// What kind of request: method, command, API name.
        ReqType = "req_type",
        /// To whom: host, authority, database, client id.
        Domain = "domain",
        /// For what: path, SQL, whole command, topic.
        Resource = "resource",
        /// `resource` reduced to low cardinality.
        Endpoint = "endpoint",
        /// Protocol version as the protocol writes it.
        Version = "version",
        /// Error text.
        Exception = "exception",
        /// Short result.
        Result = "result",
        /// Distributed trace id.
        TraceId = "trace_id",
        /// Span id within the trace.
        SpanId = "span_id",
        /// Request id that proxies pass on.
        XRequestId = "x_request_id",
        /// HTTP `User-Agent`.
        UserAgent = "user_agent",
        /// HTTP `Referer`.
        Referer = "referer",
        /// HTTP `X-Forwarded-For`.
        ForwardedFor = "forwarded_for",
        /// Name of a protocol that a plugin brought.
        Proto = "proto",
        /// What only a host knows, no text: see [`host`](crate::host).
        Host = "host",
        /// One entry of `attrs`; its key stands before its value.
        Attr = "attrs",
    }
}
