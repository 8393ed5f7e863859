//! A reader of classic pcap files, as small as tests need it: either byte order, micro- and nanoseconds,
//! and the "modified" kind with longer record headers.

use std::path::Path;

/// A capture file in memory.
pub(crate) struct Capture {
    pub(crate) link_type: u32,
    pub(crate) frames: Vec<Frame>,
}

/// One frame as captured.
pub(crate) struct Frame {
    pub(crate) time_ns: u64,
    pub(crate) bytes: Vec<u8>,
}

impl Capture {
    /// Reads a file; a record cut off at its end is left out. Panics on what is no capture file.
    pub(crate) fn read(path: &Path) -> Self {
        let file = std::fs::read(path).expect("a readable file");
        let (head, mut rest) = file.split_at(24);
        let (big_endian, fraction_ns, record_header) = match head[..4] {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000, 16),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000, 16),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1, 16),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1, 16),
            [0x34, 0xcd, 0xb2, 0xa1] => (false, 1000, 24),
            [0xa1, 0xb2, 0xcd, 0x34] => (true, 1000, 24),
            _ => panic!("{} is no pcap file", path.display()),
        };
        let number = |bytes: &[u8], at: usize| {
            let word = bytes[at..at + 4].try_into().expect("four bytes");
            if big_endian {
                u32::from_be_bytes(word)
            } else {
                u32::from_le_bytes(word)
            }
        };
        let mut frames = Vec::new();
        while let Some((header, body)) = rest.split_at_checked(record_header) {
            let Some((bytes, next)) = body.split_at_checked(number(header, 8) as usize) else {
                break;
            };
            let time_ns =
                u64::from(number(header, 0)) * 1_000_000_000 + u64::from(number(header, 4)) * fraction_ns;
            frames.push(Frame {
                time_ns,
                bytes: bytes.to_vec(),
            });
            rest = next;
        }
        // The upper bits of the link type say how long the frame check sequence is.
        Self {
            link_type: number(head, 20) & 0xffff,
            frames,
        }
    }
}
