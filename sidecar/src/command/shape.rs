//! What becomes of messages on their way to records: what `[protocols]`, `[records]` and `[redaction]` of a Tapir's
//! configuration say, as options of the command line.

use super::options::protocol;
use tapir_collector::text::TextLimits;
use tapir_config::ResponseTimeout;
use tapir_parsers::l7::Protocol;
use tapir_parsers::settings::{Redaction, Settings};

/// Bytes of texts, as `[records]` bounds them.
const TEXT_BYTES: std::ops::RangeInclusive<u64> = 64..=16 << 10;

#[derive(Debug, clap::Args)]
pub(super) struct Shape {
    /// Replace this by `?` before it gets into a record, as [redaction] of a Tapir's configuration does; may be repeated.
    #[arg(long, value_enum, value_name = "WHAT")]
    redact: Vec<Secret>,

    /// How long a request of this protocol waits for its response, as in mysql=5m; may be repeated.
    #[arg(long = "response-timeout", value_name = "P=TIME", value_parser = response_timeout)]
    response_timeouts: Vec<(Protocol, u64)>,

    /// Make records of keep-alive messages (pings, heartbeats) too.
    #[arg(long)]
    keepalive_records: bool,

    /// Make a record of each message of gRPC and Triple calls that stream, besides the record of the call.
    #[arg(long)]
    grpc_stream_records: bool,

    /// Segments of a path that make up the endpoint of an HTTP record.
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=16))]
    path_segments: u8,

    /// Bytes of the longest resource (a path, a statement, a key); the rest is cut.
    #[arg(long, value_name = "BYTES", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(TEXT_BYTES))]
    resource_bytes: u64,

    /// Bytes of the longest of any other text.
    #[arg(long, value_name = "BYTES", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(TEXT_BYTES))]
    text_bytes: u64,
}

/// What may be kept out of records. Bodies always are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Secret {
    /// Literals in SQL statements.
    SqlLiterals,
    /// Arguments of Redis commands, after the key.
    RedisValues,
    /// Values in the query of a URL.
    UrlQuery,
    /// Values of HTTP headers that are kept: user agent, referer, forwarded-for.
    HttpHeaders,
}

impl Shape {
    pub(super) fn settings(&self) -> Settings {
        Settings {
            redaction: self.redaction(),
            path_segments: self.path_segments.into(),
            resource_bytes_max: self.resource_bytes as usize,
            text_bytes_max: self.text_bytes as usize,
            keepalive_records: self.keepalive_records,
            grpc_stream_records: self.grpc_stream_records,
            response_timeouts_ns: self.response_timeouts.clone(),
        }
    }

    pub(super) fn text_limits(&self) -> TextLimits {
        TextLimits {
            resource: self.resource_bytes as usize,
            other: self.text_bytes as usize,
        }
    }

    fn redaction(&self) -> Redaction {
        let is = |secret| self.redact.contains(&secret);
        Redaction {
            sql_literals: is(Secret::SqlLiterals),
            redis_values: is(Secret::RedisValues),
            url_query: is(Secret::UrlQuery),
            http_headers: is(Secret::HttpHeaders),
        }
    }
}

fn response_timeout(text: &str) -> Result<(Protocol, u64), String> {
    let (name, time) = text
        .split_once('=')
        .ok_or("expected a protocol and a time, as in mysql=5m")?;
    let timeout: ResponseTimeout = time.parse()?;
    Ok((protocol(name)?, timeout.as_ns()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_name_a_protocol_and_a_time() {
        let seconds = |text| response_timeout(text).map(|(of, ns)| (of.name(), ns / 1_000_000_000));
        assert_eq!(seconds("mysql=5m"), Ok(("mysql", 300)));
        for wrong in [
            "",
            "mysql",
            "mysql=",
            "mysql=5",
            "nothing=5s",
            "mysql=1ms",
            "mysql=2h",
        ] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
