//! What can be wrong with a capture file, said in one line.

use std::fmt;

/// Why a capture file can't be read, or not to its end.
#[derive(Debug)]
pub enum CaptureError {
    /// The system could not read it.
    Io(std::io::Error),
    /// It is none of the known formats.
    UnknownFormat([u8; 4]),
    /// Its packets begin with headers that Tapir does not read.
    LinkType(u32),
    /// It ends within its own header.
    NoHeader,
    /// A block or record says something that can't be.
    Broken {
        /// Where in the file, bytes.
        offset: u64,
        /// What.
        what: &'static str,
    },
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::UnknownFormat(magic) => {
                write!(
                    f,
                    "not a pcap or pcapng file (it begins with {magic:02x?}); convert it with editcap"
                )
            }
            Self::LinkType(number) => write!(
                f,
                "link type {number} is not supported (Ethernet, Linux cooked v1/v2, raw IP and BSD loopback are)"
            ),
            Self::NoHeader => write!(f, "the file ends within its header"),
            Self::Broken { offset, what } => write!(f, "broken at byte {offset}: {what}"),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<std::io::Error> for CaptureError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}
