//! ServerHello: what a server chose. Sources: RFC 8446 section 4.1.3 and 4.1.4 (HelloRetryRequest),
//! RFC 5246 section 7.4.1.3, draft-ietf-tls-tls13-18 for the drafts before 22.

use super::extension::{self, Extensions};
use super::version;
use crate::l7::cursor::Cursor;

/// The random of a HelloRetryRequest: SHA-256 of "HelloRetryRequest".
const RETRY_RANDOM: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];
/// First draft of TLS 1.3 whose ServerHello looks like that of 1.2.
const DRAFT_22: u16 = 0x7F16;

/// A ServerHello; the slice borrows from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct ServerHello<'a> {
    /// The negotiated version; `None` where it may stand in a part that was cut.
    pub version: Option<u16>,
    /// The chosen suite.
    pub cipher_suite: u16,
    /// The chosen protocol, where the ServerHello shows it (TLS 1.3 encrypts it).
    pub alpn: Option<&'a [u8]>,
    /// A pre-shared key was accepted: in TLS 1.3, a resumed session.
    pub has_pre_shared_key: bool,
    /// It asks for another ClientHello.
    pub is_retry: bool,
    /// Whether nothing was cut.
    pub is_whole: bool,
}

impl<'a> ServerHello<'a> {
    /// Reads the body of the message (behind type and length). A body that was cut is read as far as it
    /// goes; `None` where not even the cipher suite is there.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let mut body = Cursor::new(body);
        let legacy_version = body.u16()?;
        let random = body.take(RETRY_RANDOM.len())?;
        let early_draft = version::is_draft(legacy_version) && legacy_version < DRAFT_22;
        if !early_draft {
            let _session_id = body.vector8()?;
        }
        let cipher_suite = body.u16()?;
        let compression = if early_draft { Some(0) } else { body.u8() };
        let (block, is_whole) = match (compression, body.rest()) {
            (None, _) => (&[][..], false),
            (Some(_), []) => (&[][..], true),
            (Some(_), _) => body.vector16_or_part().unwrap_or((&[], false)),
        };
        let mut hello = Self {
            version: is_whole.then_some(legacy_version),
            cipher_suite,
            alpn: None,
            has_pre_shared_key: false,
            is_retry: random == RETRY_RANDOM,
            is_whole,
        };
        for (code, body) in Extensions::new(block) {
            match code {
                extension::SUPPORTED_VERSIONS => hello.version = Cursor::new(body).u16(),
                extension::ALPN => hello.alpn = extension::alpn_protocols(body).next(),
                extension::PRE_SHARED_KEY => hello.has_pre_shared_key = true,
                _ => {}
            }
        }
        Some(hello)
    }
}
