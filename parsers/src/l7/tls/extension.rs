//! Extensions of both hellos. Source: RFC 8446 section 4.2, and the RFCs named at each code.

use crate::l7::cursor::Cursor;

/// server_name, RFC 6066 section 3.
pub const SERVER_NAME: u16 = 0x0000;
/// supported_groups, RFC 8422 section 5.1.1.
pub const SUPPORTED_GROUPS: u16 = 0x000A;
/// ec_point_formats, RFC 8422 section 5.1.2.
pub const EC_POINT_FORMATS: u16 = 0x000B;
/// signature_algorithms, RFC 8446 section 4.2.3.
pub const SIGNATURE_ALGORITHMS: u16 = 0x000D;
/// application_layer_protocol_negotiation, RFC 7301 section 3.1.
pub const ALPN: u16 = 0x0010;
/// pre_shared_key, RFC 8446 section 4.2.11.
pub const PRE_SHARED_KEY: u16 = 0x0029;
/// supported_versions, RFC 8446 section 4.2.1.
pub const SUPPORTED_VERSIONS: u16 = 0x002B;

/// The whole extensions of a block: code, body. Ends before one that was cut.
#[derive(Clone, Debug)]
pub struct Extensions<'a> {
    block: Cursor<'a>,
}

impl<'a> Extensions<'a> {
    /// The extensions of `block`, which begins behind its length.
    pub fn new(block: &'a [u8]) -> Self {
        Self {
            block: Cursor::new(block),
        }
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.block.u16()?, self.block.vector16()?))
    }
}

/// Values reserved for no use other than to be ignored (RFC 8701): 0x0A0A, 0x1A1A … 0xFAFA.
pub fn is_grease(value: u16) -> bool {
    value & 0x0F0F == 0x0A0A && value >> 8 == value & 0xFF
}

/// The host name of a server_name extension: the first of type host_name.
pub fn host_name(body: &[u8]) -> Option<&[u8]> {
    const HOST_NAME: u8 = 0;
    let mut list = Cursor::new(Cursor::new(body).vector16()?);
    loop {
        let kind = list.u8()?;
        let name = list.vector16()?;
        if kind == HOST_NAME && !name.is_empty() {
            return Some(name);
        }
    }
}

/// The protocols of an ALPN extension, in the sender's order.
pub fn alpn_protocols(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut list = Cursor::new(Cursor::new(body).vector16().unwrap_or(&[]));
    std::iter::from_fn(move || list.vector8())
}
