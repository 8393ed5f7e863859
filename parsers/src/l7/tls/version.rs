//! Protocol versions. Sources: RFC 8446 section 4.2.1, RFC 6101, GB/T 38636-2020 (TLCP 1.1).

use arrayvec::ArrayString;
use std::fmt::Write;

/// SSL 2.0 in a ClientHello of its own format.
pub const SSL_2_0: u16 = 0x0002;
/// SSL 3.0.
pub const SSL_3_0: u16 = 0x0300;
/// TLCP 1.1, the TLS 1.1 relative of the Chinese standard.
pub const TLCP_1_1: u16 = 0x0101;
/// TLS 1.2.
pub const TLS_1_2: u16 = 0x0303;
/// TLS 1.3.
pub const TLS_1_3: u16 = 0x0304;

/// Whether a hello may carry this version in its fixed part: anything known, or a draft of TLS 1.3.
pub(super) fn is_plausible(version: u16) -> bool {
    matches!(version, SSL_3_0..=TLS_1_3 | TLCP_1_1) || is_draft(version)
}

/// Drafts of TLS 1.3, which fixed their version number only at the end.
pub(super) fn is_draft(version: u16) -> bool {
    matches!(version >> 8, 0x7F | 0xFB)
}

/// Whether everything behind the ServerHello is encrypted.
pub(super) fn is_1_3(version: u16) -> bool {
    version == TLS_1_3 || is_draft(version)
}

/// `version` of the record: `1.2`, `1.3`, `1.3-draft18`, `SSL 3.0`, `TLCP 1.1`, else the number.
pub fn name(version: u16) -> ArrayString<16> {
    let mut name = ArrayString::new();
    let draft = version & 0xFF;
    let written = match version {
        SSL_2_0 => name.write_str("SSL 2.0"),
        SSL_3_0 => name.write_str("SSL 3.0"),
        TLCP_1_1 => name.write_str("TLCP 1.1"),
        0x0301..=TLS_1_3 => write!(name, "1.{}", draft - 1),
        0x7F00..=0x7FFF => write!(name, "1.3-draft{draft}"),
        0xFB00..=0xFBFF => write!(name, "1.3-fb{draft}"),
        _ => return number(version),
    };
    debug_assert!(written.is_ok());
    name
}

/// A number that has no name.
pub(super) fn number(number: u16) -> ArrayString<16> {
    let mut text = ArrayString::new();
    let written = write!(text, "{number:#06x}");
    debug_assert!(written.is_ok());
    text
}
