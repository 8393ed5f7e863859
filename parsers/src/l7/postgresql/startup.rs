//! Messages without a type, which begin a connection. Source: PostgreSQL 17 manual, section 53.7:
//! StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.

use super::wire::Reader;

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSSENC: u32 = 80_877_104;
/// Major version in the upper half.
const MAJOR_3: u32 = 3;
/// What servers accept at most.
const LEN_MAX: u32 = 10_000;
/// Length and code.
pub(super) const HEAD_BYTES: usize = 8;

/// What a message without a type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// The client asks for encryption (by TLS, or GSSAPI).
    Encryption { tls: bool },
    /// Asks to cancel what this backend process does.
    Cancel { process: u32 },
    /// Names user and database; protocol 3.x.
    Startup,
}

impl Opening {
    /// The kind and length of the message that `bytes` (at least eight) begin with.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut reader = Reader(bytes);
        let (len, code) = (reader.u32()?, reader.u32()?);
        let opening = match code {
            SSL if len == 8 => Self::Encryption { tls: true },
            GSSENC if len == 8 => Self::Encryption { tls: false },
            CANCEL if (16..=268).contains(&len) => Self::Cancel {
                process: reader.u32().unwrap_or(0),
            },
            _ if code >> 16 == MAJOR_3 && code & 0xFFFF < 10_000 && (9..=LEN_MAX).contains(&len) => {
                Self::Startup
            }
            _ => return None,
        };
        Some((opening, len as usize))
    }
}

/// What a StartupMessage says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Startup<'a> {
    pub(super) user: &'a [u8],
    pub(super) database: &'a [u8],
    pub(super) application: &'a [u8],
    /// Set by replicas: commands are those of the replication protocol.
    pub(super) replication: &'a [u8],
}

impl<'a> Startup<'a> {
    /// Reads the parameters, which stand behind length and version.
    pub(super) fn read(parameters: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(parameters);
        let mut startup = Self::default();
        while let Some(key) = reader.text().filter(|key| !key.is_empty()) {
            let value = reader.text()?;
            match key {
                b"user" => startup.user = value,
                b"database" => startup.database = value,
                b"application_name" => startup.application = value,
                b"replication" => startup.replication = value,
                _ => {}
            }
        }
        if startup.user.is_empty() {
            return None;
        }
        if startup.database.is_empty() {
            startup.database = startup.user;
        }
        Some(startup)
    }
}
