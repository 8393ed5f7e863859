//! Places that records go to, as the command line spells them.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use tapir_collector::sink::Remote;

/// `PATH`, `unix:PATH` or `tcp:HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// A collector that takes records of sidecars.
    Collector(Remote),
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("unix:") || text.starts_with("tcp:") {
            text.parse().map(Self::Collector)
        } else {
            Ok(Self::File(text.into()))
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Collector(remote) => write!(f, "{remote}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        assert_eq!("a.fb".parse(), Ok(Place::File("a.fb".into())));
        for text in ["unix:/run/t.sock", "tcp:[::1]:9465", "tcp:collector.lan:9465"] {
            let place: Place = text.parse().unwrap();
            assert!(matches!(place, Place::Collector(_)));
            assert_eq!(place.to_string(), text);
        }
        assert!("tcp:nowhere".parse::<Place>().is_err());
        assert!("unix:".parse::<Place>().is_err());
    }
}
