//! Lying lengths and broken messages.

use super::{complete, message, opening, query, ready, session};
use crate::testing::{Script, noise};

/// Replays, whole and byte by byte; what matters is that it ends.
fn survives(script: &Script) {
    for told in [
        script.replay(),
        script.run(|_, bytes| vec![1; bytes.len()], None, 0),
    ] {
        assert!(told.len() <= script.messages.len() + 1, "{told:#?}");
    }
}

#[test]
fn lengths_that_lie_end_in_nothing_worse() {
    let head = |kind: u8, len: u32| [&[kind][..], &len.to_be_bytes()].concat();
    let answers = [
        head(b'D', 0),
        head(b'D', 3),
        head(b'D', u32::MAX),
        head(b'D', 0x7FFF_FFFF),
        head(b'E', 4),
        head(b'Z', 4),
        head(b'C', 100_000),
        message(b'E', b"SERROR"),
        message(b'E', b"\0\0\0"),
        message(b'C', b"SELECT 99999999999999999999999\0"),
        message(b'C', b"SELECT 18446744073709551615\0"),
        message(b'T', b"\xFF\xFFx"),
        message(b'A', b"\0\0\0\x01no end"),
        message(b'W', b"\0\0\0"),
    ];
    for answer in answers {
        survives(
            &session()
                .client(query("SELECT 1"))
                .server(&answer)
                .server([complete("SELECT 1"), ready()].concat())
                .client(query("SELECT 1"))
                .server([complete("SELECT 1"), ready()].concat()),
        );
    }
}

#[test]
fn requests_that_lie_end_in_nothing_worse() {
    let requests = [
        message(b'P', b"name without end"),
        message(b'P', b"\0\0\0\0"),
        message(b'B', b"\0\0\xFF\xFF\xFF\xFF\0\0"),
        message(b'E', b"portal without end"),
        message(b'D', b"X\0"),
        message(b'F', b"\0\0\0\0\0\0\0\0\0\0"),
        message(b'S', b"x"),
        opening(196_608, b"user\0x\0\0"),
        opening(196_608, b"no user\0x\0\0"),
        opening(12_345, b""),
        vec![0, 0, 0, 0, 0, 0, 0, 0],
        vec![b'Q', 0xFF, 0xFF, 0xFF, 0xFF],
    ];
    for request in requests {
        survives(
            &session()
                .client(&request)
                .server(ready())
                .client(query("SELECT 1"))
                .server([complete("SELECT 1"), ready()].concat()),
        );
    }
}

#[test]
fn noise_is_no_postgresql() {
    for seed in 0..200 {
        let script = Script::tcp(40_001)
            .client(noise(seed, 300))
            .server(noise(seed + 1000, 300));
        assert_eq!(script.replay(), []);
    }
}
