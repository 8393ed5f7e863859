//! Hosts to connect to.

use crate::value::{Value, quoted};
use toml::de::DeValue;

/// A host, by name or address, and a port: `"collector.lan:9466"`, `"[2001:db8::1]:9466"`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

impl HostPort {
    /// The host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl std::fmt::Display for HostPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Value for HostPort {
    fn expected() -> String {
        "a host and a port".to_owned()
    }

    fn example() -> String {
        quoted("collector.example:9466")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        let (host, port) = value.as_str()?.rsplit_once(':')?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let port = port.parse().ok().filter(|port| *port > 0)?;
        let host = match bare {
            Some(address) => address.parse::<std::net::Ipv6Addr>().ok().map(|_| address)?,
            None => Some(host).filter(|host| !host.is_empty() && !host.contains([':', ' ', '/']))?,
        };
        Some(Self {
            host: host.to_owned(),
            port,
        })
    }
}
