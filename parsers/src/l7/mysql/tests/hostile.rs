//! Lying lengths and broken packets.

use super::{BASE, column, command, eof, ok, packet, query, session};
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
    let answers: &[&[u8]] = &[
        // A column count of 2^64 - 1, and ones that don't fit their packet.
        &[0xFE, 255, 255, 255, 255, 255, 255, 255, 255],
        &[0xFC, 1],
        &[1, 1, 1],
        &[],
        &[0],
        &[0xFF],
        &[0xFF, 1],
        // OK packets that end too early, or whose texts are longer than they are.
        &[0, 0xFE, 1],
        &[0, 0, 0, 0, 0x40, 0, 0, 0xFC, 255, 255],
        &[0, 0, 0, 0, 0x40, 0, 0, 0, 3, 1, 200, 200],
        // A statement with 65535 parameters and columns.
        &[0, 1, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0],
    ];
    for answer in answers {
        for request in [query("SELECT 1"), command(0x16, b"SELECT 1"), command(2, b"x")] {
            survives(
                &session(BASE)
                    .client(&request)
                    .server(packet(1, answer))
                    .client(query("SELECT 1"))
                    .server(ok(1, 0)),
            );
        }
    }
}

#[test]
fn requests_that_lie_end_in_nothing_worse() {
    let requests: &[(u8, &[u8])] = &[
        (0x17, &[1, 0, 0, 0, 0, 1, 0, 0, 0]),
        (0x17, &[7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0xFD]),
        (
            0x17,
            &[
                7, 0, 0, 0, 8, 1, 0, 0, 0, 0xFE, 255, 255, 255, 255, 255, 255, 255, 255,
            ],
        ),
        (0x03, &[0xFE, 1]),
        (0x03, &[9, 1, 0, 0, 0]),
        (0x11, &[b'u', 0, 255, 1]),
        (0x1E, &[0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0]),
        (0x04, b"t"),
        (0x20, &[]),
        (0x99, b"x"),
    ];
    for (kind, body) in requests {
        survives(
            &session(BASE)
                .client(command(0x16, b"SELECT ?"))
                .server(
                    [
                        packet(1, &[0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
                        column(2, "?"),
                        eof(3, 2),
                    ]
                    .concat(),
                )
                .client(command(*kind, body))
                .server(ok(1, 0)),
        );
    }
}

#[test]
fn noise_is_no_mysql() {
    for seed in 0..200 {
        let script = Script::tcp(40_001)
            .client(noise(seed, 300))
            .server(noise(seed + 1000, 300));
        assert_eq!(script.replay(), []);
    }
}

#[test]
fn definitions_without_end_cost_nothing() {
    let endless: Vec<u8> = (0..5000).flat_map(|_| column(2, "a")).collect();
    survives(
        &session(BASE)
            .client(query("SELECT 1"))
            .server([packet(1, &[0xFC, 255, 255]), endless].concat()),
    );
}
