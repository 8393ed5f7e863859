//! ClientHello: what a client offers. Sources: RFC 8446 section 4.1.2, RFC 5246 section 7.4.1.2 and, for
//! the SSL 2.0 format, its appendix E.2.
//!
//! Takes the bytes of the message wherever they came from: TLS records, or CRYPTO frames of QUIC.

use super::extension::{self, Extensions, is_grease};
use crate::l7::cursor::{Cursor, numbers};

/// A ClientHello; every slice borrows from its bytes. What is not there is empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClientHello<'a> {
    /// The version in the fixed part, 1.2 where a newer one is offered by extension.
    pub legacy_version: u16,
    /// Two bytes a suite.
    pub cipher_suites: &'a [u8],
    /// The block of extensions behind its length, as far as it is there.
    pub extensions: &'a [u8],
    /// Whether nothing was cut.
    pub is_whole: bool,
    /// The server_name extension is there, with or without a name.
    pub has_server_name: bool,
    /// The host name of the server_name extension (of the outer hello, where it is encrypted).
    pub server_name: Option<&'a [u8]>,
    /// Body of the ALPN extension: see [`extension::alpn_protocols`].
    pub alpn: &'a [u8],
    /// supported_versions, two bytes each.
    pub supported_versions: &'a [u8],
    /// supported_groups, two bytes each.
    pub groups: &'a [u8],
    /// ec_point_formats, one byte each.
    pub point_formats: &'a [u8],
    /// signature_algorithms, two bytes each.
    pub signature_algorithms: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Reads the body of the message (behind type and length). A body that was cut is read as far as it
    /// goes; `None` where not even the list of cipher suites begins.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut body = Cursor::new(body);
        let legacy_version = body.u16()?;
        let _random = body.take(32)?;
        let _session_id = body.vector8()?;
        let (cipher_suites, suites_whole) = body.vector16_or_part()?;
        let mut hello = Self {
            legacy_version,
            cipher_suites,
            ..Self::default()
        };
        if !suites_whole {
            return Some(hello);
        }
        let Some(_compression_methods) = body.vector8() else {
            return Some(hello);
        };
        // TLS before 1.2 could end here, without extensions.
        let (block, block_whole) = match body.rest() {
            [] => (&[][..], true),
            _ => body.vector16_or_part().unwrap_or((&[], false)),
        };
        hello.extensions = block;
        hello.is_whole = block_whole;
        for (code, body) in Extensions::new(block) {
            hello.take_extension(code, body);
        }
        Some(hello)
    }

    fn take_extension(&mut self, code: u16, body: &'a [u8]) {
        let mut list = Cursor::new(body);
        match code {
            extension::SERVER_NAME => {
                self.has_server_name = true;
                self.server_name = extension::host_name(body);
            }
            extension::ALPN => self.alpn = body,
            extension::SUPPORTED_VERSIONS => self.supported_versions = list.vector8().unwrap_or(&[]),
            extension::SUPPORTED_GROUPS => self.groups = list.vector16().unwrap_or(&[]),
            extension::EC_POINT_FORMATS => self.point_formats = list.vector8().unwrap_or(&[]),
            extension::SIGNATURE_ALGORITHMS => self.signature_algorithms = list.vector16().unwrap_or(&[]),
            _ => {}
        }
    }

    /// The newest version offered.
    pub fn newest_version(&self) -> u16 {
        numbers(self.supported_versions)
            .filter(|version| !is_grease(*version))
            .max()
            .unwrap_or(self.legacy_version)
    }
}

/// A ClientHello in the format of SSL 2.0, as clients sent it that could speak newer versions too.
/// It has no extensions, so nothing of it goes into a record but that it was there.
pub mod ssl2 {
    use super::Cursor;
    use crate::l7::tls::version;

    /// Length with its high bit set, type, version, three lengths.
    pub const HEAD_BYTES: usize = 11;

    /// Bytes of the whole message, when `head` begins one. Needs [`HEAD_BYTES`].
    pub fn message_len(head: &[u8]) -> Option<usize> {
        const CLIENT_HELLO: u8 = 1;
        const SUITE_BYTES: usize = 3;
        let mut head = Cursor::new(head);
        let length = head.u16()?;
        let kind = head.u8()?;
        let version = head.u16()?;
        let suites_len = usize::from(head.u16()?);
        let session_id_len = usize::from(head.u16()?);
        let challenge_len = usize::from(head.u16()?);
        let len = usize::from(length & 0x7FFF);
        let known =
            kind == CLIENT_HELLO && matches!(version, version::SSL_2_0 | version::SSL_3_0..=version::TLS_1_2);
        let consistent = length & 0x8000 != 0
            && suites_len > 0
            && suites_len.is_multiple_of(SUITE_BYTES)
            && matches!(session_id_len, 0 | 16)
            && (16..=32).contains(&challenge_len)
            && len == 9 + suites_len + session_id_len + challenge_len;
        (known && consistent).then_some(2 + len)
    }
}
