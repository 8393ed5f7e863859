//! One conversation for each feature of the protocol.

use super::{BASE, column, command, eof, err, essence, greeting, login, ok, packet, query, row, session};
use crate::field::Field;
use crate::testing::{Script, Told};

const SSL: u32 = 1 << 11;
const SESSION_TRACK: u32 = 1 << 23;
const OPTIONAL_METADATA: u32 = 1 << 25;
const QUERY_ATTRIBUTES: u32 = 1 << 27;
const MORE_RESULTS: u16 = 8;
const CURSOR: u16 = 0x40;

fn last(script: &Script) -> Told {
    let told = script.replay();
    script.check();
    told.last().cloned().unwrap_or_else(|| panic!("no record"))
}

#[test]
fn logins_of_every_kind_are_one_exchange() {
    let switch = packet(2, b"\xFEmysql_native_password\0abcdefghijklmnopqrst\0");
    let switched = Script::tcp(3306)
        .server(greeting())
        .client(login(BASE, "root", "shop"))
        .server(&switch)
        .client(packet(3, b"01234567890123456789"))
        .server(ok(4, 0));
    let full = Script::tcp(3306)
        .server(greeting())
        .client(login(BASE, "root", "shop"))
        .server(packet(2, &[1, 4]))
        .client(packet(3, &[2]))
        .server(packet(4, b"\x01-----BEGIN PUBLIC KEY-----"))
        .client(packet(5, &[7; 256]))
        .server(ok(6, 0));
    let refused = Script::tcp(3306)
        .server(greeting())
        .client(login(BASE, "root", "shop"))
        .server(err(2, 1045, "Access denied"));
    for (script, status, code) in [
        (switched, "ok", 0),
        (full, "ok", 0),
        (refused, "client_error", 1045),
    ] {
        let told = script.replay();
        assert_eq!(told.len(), 1);
        assert_eq!(essence(&told[0]), ("matched", "LOGIN", "root", status, None));
        assert_eq!((told[0].code, told[0].text(Field::Domain)), (Some(code), "shop"));
        script.check();
    }
}

#[test]
fn logins_of_old_clients_are_read() {
    // LONG_PASSWORD, CONNECT_WITH_DB; no PROTOCOL_41.
    let old = packet(1, b"\x09\x00\x00\x00\x40root\0password\0shop\0");
    let told = last(
        &Script::tcp(3306)
            .server(greeting())
            .client(old)
            .server(packet(2, &[0, 0, 0])),
    );
    assert_eq!(essence(&told), ("matched", "LOGIN", "root", "ok", None));
    assert_eq!(told.text(Field::Domain), "shop");
}

#[test]
fn a_server_that_has_no_room_says_so_before_it_greets() {
    let full = packet(0, b"\xFF\x10\x04Too many connections");
    let told = last(&Script::tcp(3306).server(full));
    assert_eq!(
        (told.kind, told.status, told.code),
        ("orphan", "server_error", Some(1040))
    );
    assert_eq!(told.text(Field::Exception), "Too many connections");
}

#[test]
fn tls_takes_over() {
    let mut request = (BASE | SSL).to_le_bytes().to_vec();
    request.extend_from_slice(&[0, 0, 0, 1, 45]);
    request.extend_from_slice(&[0; 23]);
    let script = Script::tcp(3306)
        .server(greeting())
        .client(packet(1, &request))
        .client(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    assert!(script.replay().iter().all(|told| told.proto != "mysql"));
    script.check();
}

#[test]
fn the_database_is_followed() {
    let script = session(BASE)
        .client(query("USE `first`"))
        .server(ok(1, 0))
        .client(query("SELECT 1"))
        .server(ok(1, 0))
        .client(command(2, b"nosuch"))
        .server(err(1, 1049, "Unknown database"))
        .client(query("SELECT 2"))
        .server(ok(1, 0))
        .client(command(
            0x11,
            b"other\0\x04passthird\0\x21\0mysql_native_password\0",
        ))
        .server(ok(1, 0))
        .client(query("SELECT 4"))
        .server(ok(1, 0));
    let told = script.replay();
    let domains: Vec<_> = told.iter().map(|t| t.text(Field::Domain)).collect();
    assert_eq!(
        domains,
        ["shop", "shop", "first", "first", "first", "first", "third"]
    );
    assert_eq!(
        essence(&told[5]),
        ("matched", "COM_CHANGE_USER", "other", "ok", None)
    );
    script.check();
}

#[test]
fn the_server_may_name_the_database() {
    let change = b"\x01\x07\x06second";
    let mut changed = vec![0, 0, 0, 0x02, 0x40, 0, 0, 0, change.len() as u8];
    changed.extend_from_slice(change);
    let told = session(BASE | SESSION_TRACK)
        .client(query("SELECT 1; USE second"))
        .server(packet(1, &changed))
        .client(query("SELECT 2"))
        .server(ok(1, 0))
        .replay();
    let domains: Vec<_> = told.iter().map(|t| t.text(Field::Domain)).collect();
    assert_eq!(domains, ["shop", "shop", "second"]);
}

#[test]
fn a_file_that_the_client_sends_is_part_of_nothing() {
    let script = session(BASE)
        .client(query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"))
        .server(packet(1, b"\xFBf"))
        .client([packet(2, b"one\n"), packet(3, b"two\n")].concat())
        .client(packet(4, b""))
        .server(ok(5, 2))
        .client(query("SELECT 1"))
        .server(ok(1, 0));
    let told = script.replay();
    assert_eq!(told[1].rows, Some(2));
    assert_eq!(told[1].text(Field::Endpoint), "LOAD t");
    assert_eq!(
        essence(&told[2]),
        ("matched", "COM_QUERY", "SELECT 1", "ok", Some(0))
    );
    script.check();
}

#[test]
fn several_results_are_one_answer() {
    let first = [
        packet(1, &[1]),
        column(2, "a"),
        eof(3, MORE_RESULTS),
        row(4, "x"),
        eof(5, MORE_RESULTS),
    ];
    let second = [
        packet(6, &[1]),
        column(7, "b"),
        eof(8, MORE_RESULTS),
        row(9, "y"),
        row(10, "z"),
        eof(11, MORE_RESULTS),
    ];
    let told = last(
        &session(BASE)
            .client(query("CALL p()"))
            .server([first.concat(), second.concat(), ok(12, 4)].concat()),
    );
    assert_eq!(
        essence(&told),
        ("matched", "COM_QUERY", "CALL p()", "ok", Some(7))
    );
}

#[test]
fn an_error_may_end_rows() {
    let broken = [
        packet(1, &[1]),
        column(2, "a"),
        eof(3, 2),
        row(4, "x"),
        err(5, 1317, "Query execution was interrupted"),
    ];
    let told = last(
        &session(BASE)
            .client(query("SELECT a FROM t"))
            .server(broken.concat()),
    );
    assert_eq!(
        (told.status, told.code, told.rows),
        ("server_error", Some(1317), None)
    );
}

#[test]
fn reports_of_progress_are_passed() {
    let progress = packet(1, b"\xFF\xFF\xFF\x01\x01\x03\x10\x00\x00\x04copy");
    let told = last(
        &session(BASE)
            .client(query("ALTER TABLE t ADD b INT"))
            .server([progress.clone(), progress, ok(3, 0)].concat()),
    );
    assert_eq!(told.status, "ok");
    assert!(!told.texts.contains_key("exception"));
}

#[test]
fn a_cursor_is_fetched_from() {
    let opened = [packet(1, &[1]), column(2, "a"), eof(3, CURSOR)].concat();
    let fetched = [packet(1, &[0, 0, 1]), packet(2, &[0, 0, 2]), eof(3, 0x80)].concat();
    let script = session(BASE)
        .client(command(0x16, b"SELECT a FROM t"))
        .server(
            [
                packet(1, &[0, 5, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
                column(2, "a"),
                eof(3, 2),
            ]
            .concat(),
        )
        .client(command(0x17, &[5, 0, 0, 0, 1, 1, 0, 0, 0]))
        .server(opened)
        .client(command(0x1C, &[5, 0, 0, 0, 2, 0, 0, 0]))
        .server(fetched)
        .client(command(0x1A, &[5, 0, 0, 0]))
        .server(ok(1, 0));
    let told = script.replay();
    let seen: Vec<_> = told
        .iter()
        .skip(2)
        .map(|t| (t.text(Field::ReqType), t.rows, t.attr("statement_id")))
        .collect();
    assert_eq!(
        seen,
        [
            ("COM_STMT_EXECUTE", Some(0), "5"),
            ("COM_STMT_FETCH", Some(2), "5"),
            ("COM_STMT_RESET", None, "5"),
        ]
    );
    script.check();
}

#[test]
fn commands_with_answers_of_their_own() {
    let fields = [column(1, "a"), column(2, "b"), eof(3, 2)].concat();
    let script = session(BASE)
        .client(command(9, b""))
        .server(packet(1, b"Uptime: 77  Threads: 1"))
        .client(command(4, b"t\0%"))
        .server(fields)
        .client(command(0x1B, &[0, 0]))
        .server(eof(1, 2))
        .client(command(0x0C, &[9, 1, 0, 0]))
        .server(err(1, 1094, "Unknown thread id: 265"))
        .client(command(0x1F, b""))
        .server(ok(1, 0))
        .client(command(0x18, &[1, 0, 0, 0, 2, 0, b'x']));
    let told = script.replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "COM_STATISTICS", "", "ok", None),
            ("matched", "COM_FIELD_LIST", "t", "ok", None),
            ("matched", "COM_SET_OPTION", "", "ok", None),
            ("matched", "COM_PROCESS_KILL", "265", "client_error", None),
            ("matched", "COM_RESET_CONNECTION", "", "ok", None),
            ("oneway", "COM_STMT_SEND_LONG_DATA", "", "unknown", None),
        ]
    );
    assert_eq!(told[1].text(Field::Result), "Uptime: 77  Threads: 1");
    script.check();
}

#[test]
fn a_replica_is_told_of_once() {
    let script = session(BASE)
        .client(command(0x15, b"\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"))
        .server(ok(1, 0))
        .client(command(0x12, b"\x04\0\0\0\0\0\x01\0\0\0b.000001"))
        .server([packet(1, &[0; 40]), packet(2, &[0; 90])].concat())
        .server(packet(3, &[0; 50]))
        .client(packet(0, b"\xEF\0\0\0\0\0\0\0\0b.000001"));
    let told = script.replay();
    let seen: Vec<_> = told.iter().skip(1).map(essence).collect();
    assert_eq!(
        seen,
        [
            ("matched", "COM_REGISTER_SLAVE", "", "ok", None),
            ("matched", "COM_BINLOG_DUMP", "b.000001", "ok", None),
        ]
    );
    script.check();
}

#[test]
fn query_attributes_stand_before_the_text() {
    let trace = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut attributes = vec![2, 1, 0, 1];
    attributes.extend_from_slice(&[0xFD, 0, 11]);
    attributes.extend_from_slice(b"traceparent");
    attributes.extend_from_slice(&[8, 0, 1, b'n', 55]);
    attributes.extend_from_slice(trace);
    attributes.extend_from_slice(&42u64.to_le_bytes());
    attributes.extend_from_slice(b"SELECT a FROM t");
    let script = session(BASE | QUERY_ATTRIBUTES)
        .client(command(3, &attributes))
        .server(ok(1, 0))
        .client(command(3, b"\0\x01SELECT b FROM u"))
        .server(ok(1, 0));
    let told = script.replay();
    assert_eq!(told[1].text(Field::Resource), "SELECT a FROM t");
    assert_eq!(told[1].text(Field::TraceId), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(told[1].text(Field::SpanId), "00f067aa0ba902b7");
    assert!(told[1].attr("query_attributes").ends_with("',n=42"));
    assert_eq!(told[2].text(Field::Resource), "SELECT b FROM u");
    script.check();
}

#[test]
fn definitions_may_be_left_out() {
    let without = [packet(1, &[0, 2]), eof(2, 2), row(3, "x"), eof(4, 2)].concat();
    let with = [
        packet(1, &[1, 1]),
        column(2, "a"),
        eof(3, 2),
        row(4, "x"),
        eof(5, 2),
    ]
    .concat();
    let script = session(BASE | OPTIONAL_METADATA)
        .client(query("SELECT a FROM t"))
        .server(without)
        .client(query("SELECT a FROM t"))
        .server(with);
    let rows: Vec<_> = script.replay().iter().skip(1).map(|t| t.rows).collect();
    assert_eq!(rows, [Some(1), Some(1)]);
    script.check();
}

#[test]
fn payloads_of_more_than_a_packet_are_one_message() {
    let mut long = query("INSERT INTO t VALUES ('");
    long.resize(4 + 0xFF_FFFF, b'x');
    long[..3].copy_from_slice(&[0xFF; 3]);
    let request = [long, packet(1, b"')")].concat();
    let mut big_row = packet(4, &[0xFD, 0xFB, 0xFF, 0xFF]);
    big_row.resize(4 + 0xFF_FFFF, b'y');
    big_row[..3].copy_from_slice(&[0xFF; 3]);
    let answer = [
        packet(1, &[1]),
        column(2, "a"),
        eof(3, 2),
        big_row,
        packet(5, &[0xFE, 1, 2, 3]),
        eof(6, 2),
    ]
    .concat();
    let script = session(BASE)
        .client(&request)
        .server(ok(2, 1))
        .client(query("SELECT a FROM t"))
        .server(&answer);
    let told = script.replay();
    assert_eq!(
        (told[1].req_len, told[1].rows, told[1].truncated),
        (Some(request.len() as u64), Some(1), true)
    );
    assert_eq!(
        (told[2].resp_len, told[2].rows),
        (Some(answer.len() as u64), Some(1))
    );
}

#[test]
fn literals_are_redacted() {
    let mut script = session(BASE)
        .client(query(
            "SELECT a FROM t1 WHERE b = 'secret' AND c IN (1, 2.5) /* secret */ AND d = \"secret\"",
        ))
        .server(ok(1, 0))
        .client(command(0x16, b"SELECT a FROM t WHERE b = 'secret' AND c = ?"))
        .server(
            [
                packet(1, &[0, 5, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
                column(2, "?"),
                eof(3, 2),
            ]
            .concat(),
        )
        .client(command(
            0x17,
            &[5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0, 42, 0, 0, 0],
        ))
        .server(ok(1, 0));
    script.settings.redaction.sql_literals = true;
    let told = script.replay();
    assert_eq!(
        told[1].text(Field::Resource),
        "SELECT a FROM t1 WHERE b = ? AND c IN (?, ?) AND d = ?"
    );
    assert_eq!(
        told[3].text(Field::Resource),
        "SELECT a FROM t WHERE b = ? AND c = ?"
    );
    assert_eq!(told[3].attr("parameters"), "?");
    script.check();
}

#[test]
fn values_of_every_type_are_spelled_out() {
    let types: &[[u8; 2]] = &[
        [1, 0],
        [1, 0x80],
        [2, 0],
        [3, 0x80],
        [8, 0],
        [4, 0],
        [5, 0],
        [10, 0],
        [12, 0],
        [11, 0],
        [6, 0],
        [0xF6, 0],
    ];
    let mut values = vec![0xFF, 0xFF, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    values.extend_from_slice(&(-5i64).to_le_bytes());
    values.extend_from_slice(&1.5f32.to_le_bytes());
    values.extend_from_slice(&1e300f64.to_le_bytes());
    values.extend_from_slice(&[4, 0xE8, 7, 2, 29]);
    values.extend_from_slice(&[11, 0xE8, 7, 1, 2, 3, 4, 5, 6, 0, 0, 0]);
    values.extend_from_slice(&[8, 1, 1, 0, 0, 0, 2, 3, 4]);
    values.extend_from_slice(&[4]);
    values.extend_from_slice(b"9.99");
    let mut execute = vec![5, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    types.iter().for_each(|kind| execute.extend_from_slice(kind));
    execute.extend_from_slice(&values);
    let prepared = packet(1, &[0, 5, 0, 0, 0, 0, 0, types.len() as u8, 0, 0, 0, 0]);
    let definitions: Vec<u8> = (0..types.len()).flat_map(|_| column(2, "?")).collect();
    let told = last(
        &session(BASE)
            .client(command(0x16, b"INSERT INTO t VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"))
            .server([prepared, definitions, eof(3, 2)].concat())
            .client(command(0x17, &execute))
            .server(ok(1, 1)),
    );
    assert_eq!(
        told.attr("parameters"),
        "-1,255,-2,4294967295,-5,1.5,1e300,2024-02-29,2024-01-02 03:04:05.000006,-26:03:04,NULL,'9.99'"
    );
}
