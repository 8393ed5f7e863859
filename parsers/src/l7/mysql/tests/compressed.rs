//! The compressed protocol.

use super::{BASE, column, eof, essence, greeting, login, ok, packet, query, row};
use crate::testing::{Script, noise};
use flate2::{Compress, Compression, FlushCompress};

const COMPRESS: u32 = 1 << 5;
const ZSTD: u32 = 1 << 26;

fn header(len: usize, sequence: u8, plain_len: usize) -> [u8; 7] {
    let [a, b, c, _] = (len as u32).to_le_bytes();
    let [d, e, f, _] = (plain_len as u32).to_le_bytes();
    [a, b, c, sequence, d, e, f]
}

fn stored(sequence: u8, plain: &[u8]) -> Vec<u8> {
    [&header(plain.len(), sequence, 0)[..], plain].concat()
}

fn zlib(sequence: u8, plain: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(plain.len() + 100);
    let compressed =
        Compress::new(Compression::default(), true).compress_vec(plain, &mut packed, FlushCompress::Finish);
    assert!(compressed.is_ok());
    [&header(packed.len(), sequence, plain.len())[..], &packed].concat()
}

fn zstd(sequence: u8, plain: &[u8]) -> Vec<u8> {
    let packed = ruzstd::encoding::compress_to_vec(plain, ruzstd::encoding::CompressionLevel::Fastest);
    [&header(packed.len(), sequence, plain.len())[..], &packed].concat()
}

fn session(capability: u32) -> Script {
    Script::tcp(3306)
        .server(greeting())
        .client(login(BASE | capability, "root", "shop"))
        .server(ok(2, 0))
}

fn result(rows: usize) -> Vec<u8> {
    let mut packets = vec![packet(1, &[1]), column(2, "id"), eof(3, 2)];
    packets.extend((0..rows).map(|i| row(4, &format!("row number {i}"))));
    packets.push(eof(5, 2));
    packets.concat()
}

/// A statement that does not become shorter.
fn long_query(len: usize) -> Vec<u8> {
    let noise: String = noise(7, len).iter().map(|b| char::from(b'a' + b % 26)).collect();
    query(&format!("INSERT INTO t VALUES ('{noise}')"))
}

#[test]
fn both_ways_of_packing_are_read() {
    for (capability, pack) in [(COMPRESS, zlib as fn(u8, &[u8]) -> Vec<u8>), (ZSTD, zstd)] {
        let answer = result(300);
        let (first, rest) = answer.split_at(1000);
        let (second, third) = rest.split_at(2001);
        let packed = [pack(1, first), pack(2, second), pack(3, third)].concat();
        let request = pack(
            0,
            &query("SELECT id FROM t WHERE a = 'something that is rather long'"),
        );
        let script = session(capability)
            .client(&request)
            .server(&packed)
            .client(stored(0, &query("UPDATE t SET a = 1")))
            .server(stored(1, &ok(1, 3)))
            .client(stored(0, &super::command(1, b"")));
        let told = script.replay();
        let seen: Vec<_> = told.iter().map(essence).collect();
        let sql = "SELECT id FROM t WHERE a = 'something that is rather long'";
        assert_eq!(
            seen,
            [
                ("matched", "LOGIN", "root", "ok", None),
                ("matched", "COM_QUERY", sql, "ok", Some(300)),
                ("matched", "COM_QUERY", "UPDATE t SET a = 1", "ok", Some(3)),
                ("oneway", "COM_QUIT", "", "unknown", None),
            ]
        );
        assert_eq!(
            (told[1].req_len, told[1].resp_len),
            (Some(request.len() as u64), Some(packed.len() as u64))
        );
        script.check();
    }
}

#[test]
fn several_messages_may_share_a_packet() {
    let close = super::command(0x19, &[1, 0, 0, 0]);
    let queries = [
        query("SELECT 1 FROM a"),
        close.clone(),
        close,
        query("SELECT 2 FROM b"),
    ]
    .concat();
    for pack in [stored as fn(u8, &[u8]) -> Vec<u8>, zlib, zstd] {
        let request = pack(0, &queries);
        let script = session(COMPRESS)
            .client(&request)
            .server(pack(1, &[result(2), result(3)].concat()));
        let told = script.replay();
        let rows: Vec<_> = told.iter().map(|t| (t.kind, t.rows)).collect();
        assert_eq!(
            rows,
            [
                ("matched", None),
                ("oneway", None),
                ("oneway", None),
                ("matched", Some(2)),
                ("matched", Some(3)),
            ]
        );
        let sent: u64 = told.iter().skip(1).filter_map(|t| t.req_len).sum();
        assert_eq!(sent, request.len() as u64);
        script.check();
    }
}

#[test]
fn what_nobody_needs_is_passed() {
    let statement = long_query(60_000);
    let mut packed = Vec::new();
    for (sequence, piece) in statement.chunks(16_384).enumerate() {
        packed.extend_from_slice(&zlib(sequence as u8, piece));
    }
    let script = session(COMPRESS)
        .client(&packed)
        .server(stored(5, &ok(1, 1)))
        .client(stored(0, &query("COMMIT")))
        .server(stored(1, &ok(1, 0)));
    let told = script.replay();
    assert_eq!(
        (told[1].status, told[1].rows, told[1].req_len),
        ("ok", Some(1), Some(packed.len() as u64))
    );
    assert!(told[1].truncated);
    assert_eq!((told[2].kind, told[2].truncated), ("matched", false));
}

#[test]
fn bombs_cost_little_and_what_follows_is_read() {
    // Four million rows in 8 KiB.
    let rows = packet(4, &[1, b'x']).repeat(2_000_000);
    let bomb = zlib(1, &[packet(1, &[1]), column(2, "id"), eof(3, 2), rows].concat());
    assert!(bomb.len() < 60_000);
    let script = session(COMPRESS)
        .client(stored(0, &query("SELECT id FROM t")))
        .server(&bomb)
        .client(stored(0, &query("SELECT 1")))
        .server(stored(1, &result(1)));
    let told = script.replay();
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.truncated, t.rows)).collect();
    assert_eq!(
        seen,
        [
            ("matched", false, None),
            ("matched", true, None),
            ("matched", false, Some(1))
        ]
    );
}

#[test]
fn lying_packets_end_in_nothing_worse() {
    let sql = query("SELECT 1 FROM t WHERE a = 'some text to make it worth packing'");
    let mut too_long = zlib(0, &sql);
    too_long[4] += 1;
    let mut too_short = zlib(0, &sql);
    too_short[4] -= 1;
    let mut broken = zlib(0, &sql);
    broken[12] ^= 0xFF;
    for lie in [
        too_long,
        too_short,
        broken,
        stored(0, &[]),
        zstd(0, &sql)[..30].to_vec(),
    ] {
        let script = session(COMPRESS)
            .client(&lie)
            .server(stored(1, &result(1)))
            .client(stored(0, &query("SELECT 1")))
            .server(stored(1, &result(1)));
        for told in [
            script.replay(),
            script.run(|_, bytes| vec![1; bytes.len()], None, 0),
        ] {
            assert!(told.iter().all(|t| t.proto == "mysql"), "{told:#?}");
        }
    }
}

#[test]
fn joined_mid_stream_it_is_recognised() {
    let script = Script::tcp(3306)
        .client(stored(0, &query("use `test`")))
        .server(stored(1, &ok(1, 0)))
        .client(zlib(
            0,
            &query("SELECT id FROM t WHERE a = 'something that is rather long'"),
        ))
        .server(zlib(1, &result(20)));
    for start in 0..3 {
        let told = script.run(|_, bytes| vec![bytes.len()], None, start);
        let last = told.last().map(|t| (t.kind, t.status, t.rows));
        assert_eq!(last, Some(("matched", "ok", Some(20))), "from {start}");
    }
}
