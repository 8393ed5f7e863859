//! Places that records go to, as the command line spells them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

/// `PATH`, `unix:PATH` or `tcp:ADDRESS:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A Unix socket that a collector listens on.
    Unix(PathBuf),
    /// A TCP address that a collector listens on.
    Tcp(SocketAddr),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("unix", "")) => Err("expected a path after 'unix:', as in unix:/run/tapir.sock".to_owned()),
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("tcp", address)) => address.parse().map(Self::Tcp).map_err(|_| {
                "expected an address and a port after 'tcp:', as in tcp:127.0.0.1:9465".to_owned()
            }),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "tcp:{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!("a.fb".parse(), Ok(Place::File("a.fb".into())));
        assert_eq!("unix:/run/t.sock".parse(), Ok(Place::Unix("/run/t.sock".into())));
        assert_eq!(
            "tcp:[::1]:9465".parse(),
            Ok(Place::Tcp("[::1]:9465".parse().unwrap()))
        );
        assert!("tcp:nowhere".parse::<Place>().is_err());
        assert!("unix:".parse::<Place>().is_err());
    }
}
