//! The packets before the first command. Source: MySQL 8 source documentation, "Connection Phase
//! Packets"; MariaDB "Connection".

use super::capability::{
    CONNECT_ATTRS, CONNECT_WITH_DB, Capabilities, LONG_PASSWORD, PLUGIN_AUTH, PLUGIN_AUTH_LENENC,
    PROTOCOL_41, SECURE_CONNECTION, SSL,
};
use super::wire::Reader;

/// The first byte of a greeting: protocol version 10, the only one since MySQL 3.21.22.
const PROTOCOL_VERSION: u8 = 10;
/// Bytes of a greeting that are looked at.
pub(super) const GREETING_BYTES_MAX: usize = 256;
/// Bytes of a login that are looked at; its connection attributes may go on for 64 KiB.
pub(super) const LOGIN_BYTES_MAX: usize = 4096;
/// An SSLRequest is a login that stops before the user name.
const LOGIN_HEAD_BYTES: usize = 32;

/// What the server says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Greeting<'a> {
    /// Its version as text.
    pub(super) server_version: &'a [u8],
    /// What it can do.
    pub(super) capabilities: Capabilities,
}

impl<'a> Greeting<'a> {
    /// Reads a payload; strict, because it is also what tells the protocol.
    pub(super) fn read(payload: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        if reader.u8()? != PROTOCOL_VERSION {
            return None;
        }
        let server_version = reader.nul_text();
        let printable = server_version.iter().all(|b| (0x20..0x7F).contains(b));
        if !printable || !(1..=128).contains(&server_version.len()) {
            return None;
        }
        reader.take(4 + 8)?; // thread id, first part of the challenge
        if reader.u8()? != 0 {
            return None;
        }
        let low = reader.u16()?;
        let (Some(_charset), Some(_status), Some(high)) = (reader.u8(), reader.u16(), reader.u16()) else {
            // Before MySQL 4.1 a greeting ended here.
            return Some(Self {
                server_version,
                capabilities: u64::from(low),
            });
        };
        let mut capabilities = u64::from(low) | u64::from(high) << 16;
        reader.u8()?;
        let reserved = reader.array::<10>()?;
        let [zeros @ .., a, b, c, d] = reserved;
        if zeros != [0; 6] {
            return None;
        }
        if capabilities & LONG_PASSWORD == 0 {
            capabilities |= u64::from(u32::from_le_bytes([a, b, c, d])) << 32;
        }
        Some(Self {
            server_version,
            capabilities,
        })
    }
}

/// What the client says first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Login<'a> {
    /// What it can do.
    pub(super) capabilities: Capabilities,
    /// It goes on in TLS; nothing else is known.
    pub(super) is_ssl_request: bool,
    /// Who logs in.
    pub(super) user: &'a [u8],
    /// The database to begin with; empty where none is asked for.
    pub(super) database: &'a [u8],
    /// `program_name` of the connection attributes.
    pub(super) program: &'a [u8],
}

impl<'a> Login<'a> {
    /// Reads a payload of `len` bytes, of which `payload` is the head; strict, because it is also what
    /// tells the protocol.
    pub(super) fn read(payload: &'a [u8], len: usize) -> Option<Self> {
        let mut reader = Reader(payload);
        let low = reader.u16()?;
        if u64::from(low) & PROTOCOL_41 == 0 {
            return Self::read_320(u64::from(low), reader);
        }
        let high = reader.u16()?;
        let mut capabilities = u64::from(low) | u64::from(high) << 16;
        let (_packet_max, _charset) = (reader.u32()?, reader.u8()?);
        let [zeros @ .., a, b, c, d] = reader.array::<23>()?;
        if zeros != [0; 19] {
            return None;
        }
        let upper = u32::from_le_bytes([a, b, c, d]);
        if capabilities & LONG_PASSWORD == 0 {
            capabilities |= u64::from(upper) << 32;
        } else if upper != 0 {
            return None;
        }
        let mut login = Self {
            capabilities,
            ..Self::default()
        };
        if len == LOGIN_HEAD_BYTES {
            login.is_ssl_request = capabilities & SSL != 0;
            return login.is_ssl_request.then_some(login);
        }
        login.user = reader.nul_text();
        if login.user.iter().any(|b| *b < 0x20) {
            return None;
        }
        // From here on a payload that ends early leaves out what it has not.
        let _ = login.read_rest(&mut reader);
        Some(login)
    }

    fn read_rest(&mut self, reader: &mut Reader<'a>) -> Option<()> {
        let has = |flag| self.capabilities & flag != 0;
        if has(PLUGIN_AUTH_LENENC) {
            reader.lenenc_text()?;
        } else if has(SECURE_CONNECTION) {
            let len = reader.u8()?;
            reader.take(usize::from(len))?;
        } else {
            reader.nul_text();
        }
        if has(CONNECT_WITH_DB) {
            self.database = reader.nul_text();
        }
        if has(PLUGIN_AUTH) {
            reader.nul_text();
        }
        if self.capabilities & CONNECT_ATTRS != 0 {
            let _all = reader.lenenc()?;
            loop {
                let (key, value) = (reader.lenenc_text()?, reader.lenenc_text()?);
                if key == b"program_name" {
                    self.program = value;
                    break;
                }
            }
        }
        Some(())
    }

    /// The login of clients before MySQL 4.1 ("HandshakeResponse320").
    fn read_320(capabilities: Capabilities, mut reader: Reader<'a>) -> Option<Self> {
        reader.array::<3>()?;
        let user = reader.nul_text();
        let database = if capabilities & CONNECT_WITH_DB != 0 {
            reader.nul_text();
            reader.nul_text()
        } else {
            &[]
        };
        let text = |bytes: &[u8]| bytes.iter().all(|b| *b >= 0x20);
        (!user.is_empty() && text(user) && text(database)).then_some(Self {
            capabilities,
            user,
            database,
            ..Self::default()
        })
    }
}

/// COM_CHANGE_USER: user and database. `payload` begins behind the command's byte.
pub(super) fn read_change_user(payload: &[u8], capabilities: Capabilities) -> (&[u8], &[u8]) {
    let mut reader = Reader(payload);
    let user = reader.nul_text();
    // Not known mid-stream; every client since 4.1 sends the length.
    if capabilities == 0 || capabilities & SECURE_CONNECTION != 0 {
        let len = reader.u8().unwrap_or(0);
        if reader.take(usize::from(len)).is_none() {
            return (user, &[]);
        }
    } else {
        reader.nul_text();
    }
    (user, reader.nul_text())
}
