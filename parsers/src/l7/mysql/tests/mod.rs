//! Whole conversations, packet by packet.

mod commands;
mod compressed;
mod hostile;

use crate::field::Field;
use crate::testing::{Script, Told};

/// A packet.
pub(super) fn packet(sequence: u8, payload: &[u8]) -> Vec<u8> {
    let [a, b, c, _] = (payload.len() as u32).to_le_bytes();
    [&[a, b, c, sequence][..], payload].concat()
}

/// A command.
pub(super) fn command(command: u8, body: &[u8]) -> Vec<u8> {
    packet(0, &[&[command][..], body].concat())
}

fn query(sql: &str) -> Vec<u8> {
    command(3, sql.as_bytes())
}

pub(super) fn ok(sequence: u8, rows: u8) -> Vec<u8> {
    packet(sequence, &[0, rows, 0, 2, 0, 0, 0])
}

fn eof(sequence: u8, status: u16) -> Vec<u8> {
    let [low, high] = status.to_le_bytes();
    packet(sequence, &[0xFE, 0, 0, low, high])
}

fn err(sequence: u8, code: u16, text: &str) -> Vec<u8> {
    packet(
        sequence,
        &[&[0xFF][..], &code.to_le_bytes(), b"#42000", text.as_bytes()].concat(),
    )
}

pub(super) fn greeting() -> Vec<u8> {
    let mut payload = vec![10];
    payload.extend_from_slice(b"8.0.36\0\x01\0\0\0abcdefgh\0");
    payload.extend_from_slice(&[0xFF, 0xFF, 0xFF, 2, 0, 0xFF, 0xDF, 21]);
    payload.extend_from_slice(&[0; 10]);
    payload.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
    packet(0, &payload)
}

pub(super) fn login(capabilities: u32, user: &str, database: &str) -> Vec<u8> {
    let mut payload = capabilities.to_le_bytes().to_vec();
    payload.extend_from_slice(&[0, 0, 0, 1, 45]);
    payload.extend_from_slice(&[0; 23]);
    payload.extend_from_slice(user.as_bytes());
    payload.extend_from_slice(b"\0\x04pass");
    if capabilities & 8 != 0 {
        payload.extend_from_slice(database.as_bytes());
        payload.push(0);
    }
    payload.extend_from_slice(b"caching_sha2_password\0");
    packet(1, &payload)
}

/// LONG_PASSWORD, CONNECT_WITH_DB, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH.
pub(super) const BASE: u32 = 1 | 8 | 0x200 | 0x8000 | 0x8_0000;
const DEPRECATE_EOF: u32 = 1 << 24;

fn column(sequence: u8, name: &str) -> Vec<u8> {
    let mut payload = b"\x03def\x01d\x01t\x01t".to_vec();
    for _ in 0..2 {
        payload.push(name.len() as u8);
        payload.extend_from_slice(name.as_bytes());
    }
    payload.extend_from_slice(&[0x0C, 0x3F, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
    packet(sequence, &payload)
}

fn row(sequence: u8, text: &str) -> Vec<u8> {
    packet(sequence, &[&[text.len() as u8][..], text.as_bytes()].concat())
}

fn session(capabilities: u32) -> Script {
    Script::tcp(3306)
        .server(greeting())
        .client(login(capabilities, "root", "shop"))
        .server(ok(2, 0))
}

fn essence(told: &Told) -> (&str, &str, &str, &str, Option<u64>) {
    (
        told.kind,
        told.text(Field::ReqType),
        told.text(Field::Resource),
        told.status,
        told.rows,
    )
}

#[test]
fn a_session_from_greeting_to_quit() {
    let result = [
        packet(1, &[1]),
        column(2, "id"),
        eof(3, 2),
        row(4, "1"),
        row(5, "22"),
        eof(6, 2),
    ]
    .concat();
    let script = session(BASE)
        .client(query("SELECT id FROM t"))
        .server(&result)
        .client(query("UPDATE t SET a = 1"))
        .server(ok(1, 3))
        .client(query("SELEC 1"))
        .server(err(1, 1064, "You have an error"))
        .client(command(2, b"other"))
        .server(ok(1, 0))
        .client(command(14, b""))
        .server(ok(1, 0))
        .client(command(1, b""));
    let told = script.replay();
    let seen: Vec<_> = told.iter().map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "LOGIN", "root", "ok", None),
            ("matched", "COM_QUERY", "SELECT id FROM t", "ok", Some(2)),
            ("matched", "COM_QUERY", "UPDATE t SET a = 1", "ok", Some(3)),
            ("matched", "COM_QUERY", "SELEC 1", "client_error", None),
            ("matched", "COM_INIT_DB", "other", "ok", None),
            ("matched", "COM_PING", "", "ok", None),
            ("oneway", "COM_QUIT", "", "unknown", None),
        ]
    );
    assert_eq!(told[1].text(Field::Endpoint), "SELECT t");
    assert_eq!(told[1].resp_len, Some(result.len() as u64));
    assert_eq!((told[3].code, told[3].attr("sqlstate")), (Some(1064), "42000"));
    assert_eq!(told[3].text(Field::Exception), "You have an error");
    let domains: Vec<_> = told.iter().map(|t| t.text(Field::Domain)).collect();
    assert_eq!(
        domains,
        ["shop", "shop", "shop", "shop", "shop", "other", "other"]
    );
    script.check();
}

#[test]
fn results_without_eof_packets() {
    let end = packet(4, &[0xFE, 0, 0, 2, 0, 0, 0]);
    let script = session(BASE | DEPRECATE_EOF)
        .client(query("SELECT 1"))
        .server([packet(1, &[1]), column(2, "1"), row(3, "1"), end].concat())
        .client(query("SELECT 2"))
        .server(
            [
                packet(1, &[1]),
                column(2, "1"),
                packet(3, &[0xFE, 0, 0, 2, 0, 0, 0]),
            ]
            .concat(),
        );
    let rows: Vec<_> = script.replay().iter().map(|t| (t.kind, t.rows)).collect();
    assert_eq!(
        rows,
        [("matched", None), ("matched", Some(1)), ("matched", Some(0))]
    );
    script.check();
}

#[test]
fn prepared_statements_keep_their_text() {
    let prepare_ok = |eof_packets: bool| {
        let mut packets = vec![
            packet(1, &[0, 7, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0]),
            column(2, "?"),
            column(3, "?"),
        ];
        if eof_packets {
            packets.push(eof(4, 2));
        }
        packets.push(column(5, "id"));
        if eof_packets {
            packets.push(eof(6, 2));
        }
        packets.concat()
    };
    let mut execute = vec![7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0, 0xFD, 0];
    execute.extend_from_slice(&[0xD6, 0xFF, 0xFF, 0xFF, 3]);
    execute.extend_from_slice(b"abc");
    let mut again = vec![7, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0];
    again.extend_from_slice(&[5, 0, 0, 0]);
    let result = [
        packet(1, &[1]),
        column(2, "id"),
        eof(3, 2),
        packet(4, &[0, 0, 1, 0, 0, 0]),
        eof(5, 2),
    ]
    .concat();
    for eof_packets in [true, false] {
        let script = session(if eof_packets { BASE } else { BASE | DEPRECATE_EOF })
            .client(command(0x16, b"SELECT id FROM t WHERE a = ? AND b = ?"))
            .server(prepare_ok(eof_packets))
            .client(command(0x17, &execute))
            .server(&result)
            .client(command(0x17, &again))
            .server(&result)
            .client([command(0x19, &[7, 0, 0, 0]), query("SELECT 1 FROM u")].concat())
            .server(ok(1, 0));
        let told = script.replay();
        let kinds: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::ReqType))).collect();
        assert_eq!(
            kinds,
            [
                ("matched", "LOGIN"),
                ("matched", "COM_STMT_PREPARE"),
                ("matched", "COM_STMT_EXECUTE"),
                ("matched", "COM_STMT_EXECUTE"),
                ("oneway", "COM_STMT_CLOSE"),
                ("matched", "COM_QUERY"),
            ]
        );
        assert!(told[1..5].iter().all(|t| t.attr("statement_id") == "7"));
        assert_eq!(
            told[2].text(Field::Resource),
            "SELECT id FROM t WHERE a = ? AND b = ?"
        );
        assert_eq!(told[2].text(Field::Endpoint), "SELECT t");
        assert_eq!(told[2].attr("parameters"), "-42,'abc'");
        assert_eq!(told[3].attr("parameters"), "5,NULL");
        assert_eq!(told[2].rows, Some(1));
        script.check();
    }
}

#[test]
fn after_a_loss_in_a_long_result_the_next_answer_finds_its_request() {
    let rows: Vec<u8> = (0..8000)
        .flat_map(|i| row(4, &format!("row number {i}")))
        .collect();
    let script = session(BASE)
        .client(query("SELECT id FROM t"))
        .server([packet(1, &[1]), column(2, "id"), eof(3, 2)].concat())
        .server(&rows[..1000])
        // What is searched for the next answer, in segments longer than a stitch buffer.
        .server(&rows[1000..60_000])
        .server(&rows[60_000..])
        .server(eof(5, 2))
        .client(query("SELECT id FROM u"))
        .server(ok(1, 0));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(5), 0);
    let last = told.last().map(essence);
    assert_eq!(
        last,
        Some(("matched", "COM_QUERY", "SELECT id FROM u", "ok", Some(0))),
        "{told:#?}"
    );
}

#[test]
fn joined_in_the_middle_requests_are_recognised_on_any_port() {
    let close_and_prepare = [
        command(0x19, &[7, 0, 0, 0]),
        command(0x16, b"SELECT a FROM t WHERE b = ?"),
    ];
    let execute = command(0x17, &[7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0, 5, 0, 0, 0]);
    let prepared = packet(1, &[0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    for (first, kind) in [
        (query("/* app */ select 1"), "COM_QUERY"),
        (query("begin"), "COM_QUERY"),
        (close_and_prepare.concat(), "COM_STMT_PREPARE"),
        (execute, "COM_STMT_EXECUTE"),
    ] {
        let answer = match kind {
            "COM_STMT_PREPARE" => prepared.clone(),
            _ => ok(1, 0),
        };
        let script = Script::tcp(40_001)
            .client(b"not seen")
            .client(&first)
            .server(answer);
        let told = script.run(|_, bytes| vec![bytes.len()], None, 1);
        let last = told.last().map(|t| (t.kind, t.text(Field::ReqType), t.status));
        assert_eq!(last, Some(("matched", kind, "ok")), "{told:#?}");
    }
}
