//! Why nobody can say what a TLS connection carries.

use crate::limits::WHY_BYTES_MAX;
use std::fs::File;
use std::io::Read;

/// Why the plain bytes of a connection are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// The process's files were not looked at yet, or can't be any more.
    NotExamined,
    /// Its TLS library is none that is known.
    Unknown,
    /// OpenSSL or BoringSSL is linked into its program, whose symbols were stripped.
    Stripped,
    /// rustls, which is compiled into its program.
    Rustls,
    /// Java's own.
    Jsse,
    /// Mozilla's NSS.
    Nss,
    /// Mbed TLS.
    MbedTls,
    /// wolfSSL.
    WolfSsl,
    /// crypto/tls of a Go before 1.18 or of a format that is not known.
    GoUnsupported,
    /// The kernel refused a probe, or there are too many.
    Refused,
    /// The process has a library that is watched, whose calls used no socket: the application carries the ciphertext
    /// itself, or its probes came too late, or other code speaks.
    Indirect,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self::NotExamined,
        Self::Unknown,
        Self::Stripped,
        Self::Rustls,
        Self::Jsse,
        Self::Nss,
        Self::MbedTls,
        Self::WolfSsl,
        Self::GoUnsupported,
        Self::Refused,
        Self::Indirect,
    ];

    /// As records and metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotExamined => "not_examined",
            Self::Unknown => "unknown_library",
            Self::Stripped => "no_symbols",
            Self::Rustls => "rustls",
            Self::Jsse => "jsse",
            Self::Nss => "nss",
            Self::MbedTls => "mbedtls",
            Self::WolfSsl => "wolfssl",
            Self::GoUnsupported => "go_unsupported",
            Self::Refused => "refused",
            Self::Indirect => "indirect",
        }
    }
}

/// Libraries that are known by the names of their files only.
const NAMES: [(&str, Reason); 5] = [
    ("libjvm.so", Reason::Jsse),
    ("libnspr4.so", Reason::Nss),
    ("libssl3.so", Reason::Nss),
    ("libmbedtls.so", Reason::MbedTls),
    ("libwolfssl.so", Reason::WolfSsl),
];

/// What a file's name tells.
pub(super) fn by_name(name: &str) -> Option<Reason> {
    let known = NAMES.iter().find(|(start, _)| name.starts_with(start));
    known.map(|(_, reason)| *reason)
}

/// Text that stays in a program when its symbols go: names of source files in messages.
const TRACES: [(&[u8], Reason); 3] = [
    (b"ssl_lib.c", Reason::Stripped),
    (b"/rustls-", Reason::Rustls),
    (b"library/ssl_tls.c", Reason::MbedTls),
];
const TRACE_BYTES_MAX: usize = 32;

/// What a file's contents tell: looks through all of it, so it is asked once a file and only when nothing else has told.
pub(super) fn by_contents(file: &mut File) -> Option<Reason> {
    let mut window = vec![0; 1 << 20];
    let mut kept = 0;
    let mut seen = 0;
    while seen < WHY_BYTES_MAX {
        let count = file.read(window.get_mut(kept..)?).ok()?;
        if count == 0 {
            return None;
        }
        seen += count as u64;
        let filled = window.get(..kept + count)?;
        if let Some((_, reason)) = TRACES
            .iter()
            .find(|(text, _)| memchr::memmem::find(filled, text).is_some())
        {
            return Some(*reason);
        }
        // A trace may lie across two pieces.
        let keep = filled.len().min(TRACE_BYTES_MAX);
        let from = filled.len() - keep;
        window.copy_within(from..from + keep, 0);
        kept = keep;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn told(before: usize, text: &[u8]) -> Option<Reason> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&vec![b'x'; before]).unwrap();
        file.write_all(text).unwrap();
        file.write_all(&vec![b'y'; 3 << 20]).unwrap();
        file.rewind().unwrap();
        by_contents(&mut file)
    }

    #[test]
    fn traces_are_found_wherever_they_lie() {
        for before in [0, 1, (1 << 20) - 33, (1 << 20) - 5, 1 << 20, (2 << 20) - 40] {
            assert_eq!(
                told(before, b"/src/rustls-0.23.5/src/x.rs"),
                Some(Reason::Rustls),
                "{before}"
            );
            assert_eq!(told(before, b"ssl/ssl_lib.c"), Some(Reason::Stripped), "{before}");
            assert_eq!(told(before, b"ssl/ssl_li"), None, "{before}");
        }
    }

    #[test]
    fn numbers_are_places() {
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, place);
        }
    }
}
