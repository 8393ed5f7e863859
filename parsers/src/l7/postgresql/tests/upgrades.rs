//! Encryption, replication and what else changes how a connection goes on.

use super::{
    authenticated, bind, columns, complete, error, essence, execute, message, opening, parse, query, ready,
    row, session, startup, sync,
};
use crate::field::Field;
use crate::testing::Script;

#[test]
fn tls_and_gssapi_take_over() {
    let hello = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00";
    let tls = Script::tcp(5432)
        .client(opening(80_877_103, b""))
        .server(b"S")
        .client(hello)
        .server(b"\x15\x03\x01\x00\x02\x02\x28");
    let told = tls.replay();
    assert_eq!(essence(&told[0]), ("matched", "SSLREQUEST", "", "ok", None));
    assert_eq!((told[0].text(Field::Result), told[0].resp_len), ("S", Some(1)));
    assert!(told.iter().skip(1).all(|t| t.proto == "tls"), "{told:#?}");
    tls.check();
    let gssapi = Script::tcp(5432)
        .client(opening(80_877_104, b""))
        .server(b"G")
        .client(message(b'Q', b"what can't be read\0"));
    let told = gssapi.replay();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].text(Field::Result), told[0].resp_len), ("G", Some(1)));
    gssapi.check();
}

#[test]
fn a_server_may_answer_a_wish_for_encryption_with_an_error() {
    let script = Script::tcp(5432).client(opening(80_877_103, b"")).server(error(
        "FATAL",
        "53300",
        "sorry, too many clients already",
    ));
    let told = script.replay();
    assert_eq!(
        essence(&told[0]),
        ("matched", "SSLREQUEST", "", "server_error", None)
    );
    script.check();
}

#[test]
fn a_login_that_stops_at_the_password_has_no_error() {
    let script = Script::tcp(5432)
        .client(startup())
        .server(message(b'R', &[0, 0, 0, 5, 1, 2, 3, 4]));
    let told = script.replay();
    assert_eq!(essence(&told[0]), ("matched", "STARTUP", "alice", "ok", None));
    script.check();
}

#[test]
fn a_replica_is_told_of_once() {
    let wal = message(b'd', &[b'w'; 200]);
    let script = session()
        .client(query("START_REPLICATION 0/2000000"))
        .server([message(b'W', &[0, 0, 0]), wal.clone()].concat())
        .client(message(b'd', &[b'r'; 34]))
        .server(&wal)
        .client(message(b'c', b""))
        .server([message(b'c', b""), complete("START_STREAMING"), ready()].concat())
        .client(query("IDENTIFY_SYSTEM"))
        .server([columns(), row("1"), complete("IDENTIFY_SYSTEM"), ready()].concat());
    let told = script.replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "QUERY", "START_REPLICATION 0/2000000", "ok", None),
            ("matched", "QUERY", "IDENTIFY_SYSTEM", "ok", None),
        ]
    );
    script.check();
}

#[test]
fn functions_are_called_by_number() {
    let call = message(b'F', &[0, 0, 0x04, 0xD2, 0, 0, 0, 0, 0, 0]);
    let script = session()
        .client(call)
        .server([message(b'V', &[0, 0, 0, 1, b'x']), ready()].concat());
    let told = script.replay();
    assert_eq!(
        essence(&told[1]),
        ("matched", "FUNCTION_CALL", "1234", "ok", None)
    );
    script.check();
}

#[test]
fn an_error_within_a_run_is_the_runs() {
    let script = session()
        .client(
            [
                parse("", "SELECT nosuch"),
                bind("", ""),
                message(b'D', b"P\0"),
                execute(""),
                sync(),
            ]
            .concat(),
        )
        .server(
            [
                error("ERROR", "42703", "column \"nosuch\" does not exist"),
                ready(),
            ]
            .concat(),
        )
        .client([bind("", ""), execute(""), message(b'H', b"")].concat())
        .server([message(b'2', b""), row("1")].concat())
        .client(sync())
        .server([complete("SELECT 1"), ready()].concat());
    let told = script.replay();
    assert_eq!(
        essence(&told[1]),
        ("matched", "EXECUTE", "SELECT nosuch", "client_error", None)
    );
    assert_eq!((told[2].kind, told[2].rows), ("matched", Some(1)));
    script.check();
}

#[test]
fn literals_are_redacted() {
    let mut script = session()
        .client(query(
            "SELECT \"a\" FROM t WHERE b = 'secret' AND c = E'sec\\'ret' AND d = $$secret$$ AND e = $1",
        ))
        .server([complete("SELECT 0"), ready()].concat());
    script.settings.redaction.sql_literals = true;
    assert_eq!(
        script.replay()[1].text(Field::Resource),
        "SELECT \"a\" FROM t WHERE b = ? AND c = E? AND d = ? AND e = $1"
    );
    script.check();
}

#[test]
fn long_texts_and_rows_are_passed() {
    let list = "a_rather_long_column_name, ".repeat(200);
    let sql = format!("SELECT {list} b FROM wide");
    let answer = [
        columns(),
        row(&"x".repeat(100_000)),
        complete("SELECT 1"),
        ready(),
    ]
    .concat();
    let script = session().client(query(&sql)).server(&answer);
    let told = script.replay();
    assert_eq!((told[1].rows, told[1].truncated), (Some(1), true));
    assert_eq!(told[1].resp_len, Some(answer.len() as u64));
    assert_eq!(told[1].text(Field::Resource).len(), 4096);
    assert_eq!(told[1].text(Field::Endpoint), "SELECT wide");
}

#[test]
fn a_session_without_a_database_is_in_that_of_its_user() {
    let script = Script::tcp(5432)
        .client(opening(196_610, b"user\0bob\0\0"))
        .server(authenticated());
    assert_eq!(script.replay()[0].text(Field::Domain), "bob");
    script.check();
}

#[test]
fn types_of_descended_servers_are_passed() {
    let script = session()
        .client(
            [
                parse("s1", "INSERT INTO t VALUES ($1)"),
                message(b'U', &[7; 40]),
                sync(),
            ]
            .concat(),
        )
        .server(
            [
                message(b'1', b""),
                message(b'2', b""),
                complete("INSERT 0 3"),
                ready(),
            ]
            .concat(),
        );
    let told = script.replay();
    assert_eq!(
        essence(&told[1]),
        ("matched", "PARSE", "INSERT INTO t VALUES ($1)", "ok", Some(3))
    );
    script.check();
}
