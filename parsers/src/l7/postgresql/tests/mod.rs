//! Whole conversations, message by message.

mod hostile;
mod upgrades;

use crate::field::Field;
use crate::testing::{Script, Told};

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

fn opening(code: u32, body: &[u8]) -> Vec<u8> {
    [
        &(body.len() as u32 + 8).to_be_bytes()[..],
        &code.to_be_bytes(),
        body,
    ]
    .concat()
}

fn startup() -> Vec<u8> {
    opening(
        196_608,
        b"user\0alice\0database\0shop\0application_name\0psql\0\0",
    )
}

fn authenticated() -> Vec<u8> {
    [
        message(b'R', &[0, 0, 0, 0]),
        message(b'S', b"server_version\x0016.2\0"),
        message(b'K', &[0, 0, 1, 2, 3, 4, 5, 6]),
        ready(),
    ]
    .concat()
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &[sql.as_bytes(), b"\0"].concat())
}

fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &[tag.as_bytes(), b"\0"].concat())
}

fn columns() -> Vec<u8> {
    message(
        b'T',
        b"\0\x01id\0\0\0\x40\0\0\x01\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0",
    )
}

fn row(text: &str) -> Vec<u8> {
    let len = (text.len() as u32).to_be_bytes();
    message(b'D', &[&[0, 1][..], &len, text.as_bytes()].concat())
}

fn error(severity: &str, code: &str, text: &str) -> Vec<u8> {
    let body = format!("S{severity}\0V{severity}\0C{code}\0M{text}\0Fx.c\0\0");
    message(b'E', body.as_bytes())
}

fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{sql}\0\0\0").as_bytes())
}

fn bind(portal: &str, name: &str) -> Vec<u8> {
    message(
        b'B',
        format!("{portal}\0{name}\0\0\0\0\x01\0\0\0\x01x\0\0").as_bytes(),
    )
}

fn execute(portal: &str) -> Vec<u8> {
    message(b'E', format!("{portal}\0\0\0\0\0").as_bytes())
}

fn sync() -> Vec<u8> {
    message(b'S', b"")
}

fn session() -> Script {
    Script::tcp(5432)
        .client(startup())
        .server(message(b'R', &[0, 0, 0, 5, 1, 2, 3, 4]))
        .client(message(b'p', b"md5secret\0"))
        .server(authenticated())
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
fn a_session_of_simple_queries() {
    let script = session()
        .client(query("SELECT id FROM t"))
        .server([columns(), row("1"), row("22"), complete("SELECT 2"), ready()].concat())
        .client(query("INSERT INTO t VALUES (1); DELETE FROM u"))
        .server([complete("INSERT 0 1"), complete("DELETE 4"), ready()].concat())
        .client(query("SELEKT"))
        .server([error("ERROR", "42601", "syntax error"), ready()].concat())
        .client(query("SELECT 1/0"))
        .server([error("ERROR", "53200", "out of memory"), ready()].concat())
        .client(query("BEGIN"))
        .server([complete("BEGIN"), ready()].concat())
        .client(message(b'X', b""));
    let told = script.replay();
    let seen: Vec<_> = told.iter().map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "STARTUP", "alice", "ok", None),
            ("matched", "QUERY", "SELECT id FROM t", "ok", Some(2)),
            (
                "matched",
                "QUERY",
                "INSERT INTO t VALUES (1); DELETE FROM u",
                "ok",
                Some(5)
            ),
            ("matched", "QUERY", "SELEKT", "client_error", None),
            ("matched", "QUERY", "SELECT 1/0", "server_error", None),
            ("matched", "QUERY", "BEGIN", "ok", None),
        ]
    );
    assert!(told.iter().all(|t| t.text(Field::Domain) == "shop"));
    assert_eq!(told[1].text(Field::Endpoint), "SELECT t");
    assert_eq!(
        (told[3].attr("sqlstate"), told[3].text(Field::Exception)),
        ("42601", "syntax error")
    );
    assert_eq!(told[0].req_len, Some(startup().len() as u64));
    script.check();
}

#[test]
fn a_run_up_to_sync_is_one_record() {
    let answer = |tag: &str| [message(b'2', b""), complete(tag), ready()].concat();
    let script = session()
        .client([parse("s1", "SELECT id FROM t WHERE a = $1"), sync()].concat())
        .server([message(b'1', b""), ready()].concat())
        .client([bind("", "s1"), execute(""), sync()].concat())
        .server(answer("SELECT 1"))
        .client(
            [
                parse("", "BEGIN"),
                bind("", ""),
                execute(""),
                parse("", "UPDATE u SET a = 1"),
                bind("", ""),
                execute(""),
                sync(),
            ]
            .concat(),
        )
        .server(
            [
                message(b'1', b""),
                message(b'2', b""),
                complete("BEGIN"),
                message(b'1', b""),
                answer("UPDATE 3"),
            ]
            .concat(),
        )
        // Two runs in flight.
        .client(
            [
                bind("", "s1"),
                execute(""),
                sync(),
                parse("", "COMMIT"),
                bind("", ""),
                execute(""),
                sync(),
            ]
            .concat(),
        )
        .server([answer("SELECT 7"), message(b'1', b""), answer("COMMIT")].concat())
        // A named portal that is fetched from in pieces.
        .client([bind("c1", "s1"), execute("c1"), sync()].concat())
        .server(
            [
                message(b'2', b""),
                row("1"),
                row("2"),
                message(b's', b""),
                ready(),
            ]
            .concat(),
        )
        .client([execute("c1"), sync()].concat())
        .server([row("3"), complete("SELECT 1"), ready()].concat())
        .client([message(b'C', b"Ss1\0"), sync()].concat())
        .server([message(b'3', b""), ready()].concat());
    // A loss of Close leaves a text that is not true any more, so this is no part of the check.
    let told = script
        .clone()
        .client([bind("", "s1"), execute(""), sync()].concat())
        .server([error("ERROR", "26000", "no such statement"), ready()].concat())
        .replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    let sql = "SELECT id FROM t WHERE a = $1";
    assert_eq!(
        seen,
        [
            ("matched", "PARSE", sql, "ok", None),
            ("matched", "EXECUTE", sql, "ok", Some(1)),
            ("matched", "EXECUTE", "UPDATE u SET a = 1", "ok", Some(3)),
            ("matched", "EXECUTE", sql, "ok", Some(7)),
            ("matched", "EXECUTE", "COMMIT", "ok", None),
            ("matched", "EXECUTE", sql, "ok", Some(2)),
            ("matched", "EXECUTE", sql, "ok", Some(1)),
            ("matched", "CLOSE", "", "ok", None),
            ("matched", "EXECUTE", "", "client_error", None),
        ]
    );
    script.check();
}

/// What asyncpg does: it prepares with a Flush, and sends Sync only when it executes.
#[test]
fn a_simple_query_behind_a_flush_is_a_request_of_its_own() {
    let described = [message(b'1', b""), message(b't', b"\0\0"), columns()].concat();
    let prepared = [parse("s1", "SELECT id FROM t"), message(b'D', b"Ss1\0")].concat();
    let flush = message(b'H', b"");
    let answer = |tag: &str| [columns(), row("1"), complete(tag), ready()].concat();
    let script = session()
        .client([&prepared[..], &flush].concat())
        .server(&described)
        .client(query("COPY t FROM STDIN"))
        .server(message(b'G', &[0, 0, 1, 0, 0]))
        .client([message(b'd', b"1\n"), message(b'c', b"")].concat())
        .server([complete("COPY 1"), ready()].concat())
        // Without waiting.
        .client([&prepared[..], &flush, &query("SELECT 2")].concat())
        .server([&described[..], &answer("SELECT 1")].concat())
        // The run goes on behind its Flush.
        .client([&prepared[..], &flush].concat())
        .server(&described)
        .client([bind("", "s1"), execute(""), sync()].concat())
        .server([message(b'2', b""), row("1"), complete("SELECT 1"), ready()].concat());
    let told = script.replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    let sql = "SELECT id FROM t";
    assert_eq!(
        seen,
        [
            ("matched", "PARSE", sql, "ok", None),
            ("matched", "QUERY", "COPY t FROM STDIN", "ok", Some(1)),
            ("matched", "PARSE", sql, "ok", None),
            ("matched", "QUERY", "SELECT 2", "ok", Some(1)),
            ("matched", "EXECUTE", sql, "ok", Some(1)),
        ]
    );
    let lengths = (told[1].req_len, told[1].resp_len);
    let expected = (prepared.len() + flush.len(), described.len());
    assert_eq!(lengths, (Some(expected.0 as u64), Some(expected.1 as u64)));
    assert!(told[1].times.2.is_some_and(|ns| ns > 0), "{:?}", told[1]);
    script.check();
}

#[test]
fn copies_and_notifications() {
    let copy_in = message(b'G', &[0, 0, 1, 0, 0]);
    let script = session()
        .client(query("COPY t FROM STDIN"))
        .server(&copy_in)
        .client([message(b'd', b"1\n"), message(b'd', b"2\n"), message(b'c', b"")].concat())
        .server([complete("COPY 2"), ready()].concat())
        .client([parse("", "COPY u FROM STDIN"), bind("", ""), execute(""), sync()].concat())
        .server([message(b'1', b""), message(b'2', b""), copy_in].concat())
        .client([message(b'd', b"1\n"), message(b'c', b""), sync()].concat())
        .server([complete("COPY 1"), ready()].concat())
        .client(query("COPY t TO STDOUT"))
        .server([message(b'H', &[0, 0, 1, 0, 0]), message(b'd', b"1\n")].concat())
        .server(message(b'A', b"\0\0\0\x07news\0hello\0"))
        .server([message(b'c', b""), complete("COPY 1"), ready()].concat())
        .server(message(b'A', b"\0\0\0\x07news\0hello\0"))
        .server(error("FATAL", "57P01", "terminating connection"));
    let told = script.replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "QUERY", "COPY t FROM STDIN", "ok", Some(2)),
            ("matched", "EXECUTE", "COPY u FROM STDIN", "ok", Some(1)),
            ("stream", "NOTIFICATION", "news", "unknown", None),
            ("matched", "QUERY", "COPY t TO STDOUT", "ok", Some(1)),
            ("stream", "NOTIFICATION", "news", "unknown", None),
            ("stream", "ERROR", "", "server_error", None),
        ]
    );
    script.check();
}

#[test]
fn encryption_is_asked_for_first() {
    let refused = Script::tcp(5432)
        .client(opening(80_877_104, b""))
        .server(b"N")
        .client(opening(80_877_103, b""))
        .server(b"N")
        .client(startup())
        .server(error("FATAL", "28P01", "password authentication failed"));
    let told = refused.replay();
    let seen: Vec<_> = told.iter().map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "GSSENCREQUEST", "", "ok", None),
            ("matched", "SSLREQUEST", "", "ok", None),
            ("matched", "STARTUP", "alice", "client_error", None),
        ]
    );
    assert_eq!(told[1].text(Field::Result), "N");
    refused.check();
    let cancel = Script::tcp(5432).client(opening(80_877_102, &[0, 0, 0, 9, 1, 2, 3, 4]));
    assert_eq!(
        essence(&cancel.replay()[0]),
        ("oneway", "CANCEL", "9", "unknown", None)
    );
    cancel.check();
}

#[test]
fn joined_in_the_middle_either_side_is_recognised() {
    let script = session()
        .client(query("SELECT id FROM t"))
        .server([columns(), row("1"), complete("SELECT 1"), ready()].concat())
        .client([parse("", "SELECT 2"), bind("", ""), execute(""), sync()].concat())
        .server(
            [
                message(b'1', b""),
                message(b'2', b""),
                complete("SELECT 1"),
                ready(),
            ]
            .concat(),
        );
    for start in 3..script.messages.len() {
        let told = script.run(|_, bytes| vec![bytes.len()], None, start);
        let last = told.last().map(essence).unwrap_or_default();
        let expected = if start < 7 { "matched" } else { "orphan" };
        assert_eq!((last.0, last.3), (expected, "ok"), "from {start}: {told:#?}");
    }
}
