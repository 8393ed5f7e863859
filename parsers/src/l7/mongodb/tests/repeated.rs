//! Answers that more follow: exhaust cursors, monitors, and requests that nobody answers.

use super::build::*;
use crate::field::Field;

const MORE_TO_COME: u32 = 1 << 1;
const EXHAUST_ALLOWED: u32 = 1 << 16;

/// A batch of two, numbered `id`, that follows the message `to`.
fn batch(id: u32, to: u32, more: bool) -> Vec<u8> {
    let flags = if more { MORE_TO_COME } else { 0 };
    let cursor = [
        array("nextBatch", &[stored(1, 20), stored(2, 20)]),
        long("id", i64::from(more)),
    ];
    flagged(id, to, flags, &body(&[inner("cursor", &cursor), ok()]))
}

#[test]
fn each_further_answer_follows_the_one_before_it() {
    let ask_all = |id, flags| {
        let elements = [
            long("getMore", 7),
            text("collection", "items"),
            text("$db", "shop"),
        ];
        flagged(id, 0, flags, &body(&elements))
    };
    let script = session()
        .client(ask_all(1, EXHAUST_ALLOWED))
        .server(batch(501, 1, true))
        .server(batch(502, 501, true))
        .server(batch(503, 502, false))
        .client(ask(2, &[int("ping", 1)]))
        .server(tell(2, &[ok()]));
    let told = script.replay();
    let further = ("stream", "getMore", "shop", "getMore items", "ok", Some(2));
    assert_eq!(
        brief(&told),
        [
            ("matched", "getMore", "shop", "getMore items", "ok", Some(2)),
            further,
            further,
            ("matched", "ping", "shop", "ping", "ok", None),
        ]
    );
    assert!(told[..3].iter().all(|t| t.request_id == Some(1)));
    script.check();
}

#[test]
fn monitors_are_told_of_changes() {
    let hello = body(&[
        int("hello", 1),
        long("maxAwaitTimeMS", 10_000),
        text("$db", "admin"),
    ]);
    let script = session()
        .client(flagged(1, 0, EXHAUST_ALLOWED, &hello))
        .server(flagged(
            11,
            1,
            MORE_TO_COME,
            &body(&[truth("isWritablePrimary", true), ok()]),
        ))
        .server(flagged(
            12,
            11,
            MORE_TO_COME,
            &body(&[truth("isWritablePrimary", true), ok()]),
        ))
        .server(flagged(
            13,
            12,
            0,
            &body(&[double("ok", 0.0), text("errmsg", "shutdown"), int("code", 91)]),
        ));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "hello", "admin", "hello", "ok", None),
            ("stream", "hello", "admin", "hello", "ok", None),
            ("stream", "hello", "admin", "hello", "client_error", None),
        ]
    );
    assert_eq!(
        (told[2].code, told[2].text(Field::Exception)),
        (Some(91), "shutdown")
    );
    script.check();
}

#[test]
fn joined_in_the_middle_the_rest_is_a_stream() {
    let script = session()
        .server(batch(502, 501, true))
        .server(batch(503, 502, true))
        .server(batch(504, 503, false))
        .server(batch(505, 17, false));
    let told = script.replay();
    let kinds: Vec<_> = told.iter().map(|t| (t.kind, t.request_id, t.rows)).collect();
    assert_eq!(
        kinds,
        [
            ("stream", Some(501), Some(2)),
            ("stream", Some(501), Some(2)),
            ("orphan", Some(501), Some(2)),
            ("orphan", Some(17), Some(2)),
        ]
    );
    script.check();
}

#[test]
fn queries_may_be_answered_more_than_once() {
    const EXHAUST: u32 = 1 << 6;
    let two = [stored(1, 20), stored(2, 20)];
    let script = session()
        .client(query(1, EXHAUST, "shop.items", &[]))
        .server(answer(11, 1, 8, 77, &two))
        .server(answer(12, 11, 8, 77, &two))
        .server(answer(13, 12, 8, 0, &two[..1]))
        .client(query(2, 0, "shop.items", &[]))
        .server(answer(14, 2, 8, 77, &two));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "OP_QUERY", "shop", "OP_QUERY items", "ok", Some(2)),
            ("stream", "OP_QUERY", "shop", "OP_QUERY items", "ok", Some(2)),
            ("stream", "OP_QUERY", "shop", "OP_QUERY items", "ok", Some(1)),
            ("matched", "OP_QUERY", "shop", "OP_QUERY items", "ok", Some(2)),
        ]
    );
    script.check();
}

#[test]
fn unacknowledged_writes_are_one_way() {
    let write = [
        body(&[
            text("insert", "log"),
            inner("writeConcern", &[int("w", 0)]),
            text("$db", "shop"),
        ]),
        sequence("documents", &[stored(1, 300)]),
    ]
    .concat();
    let script = session()
        .client(flagged(1, 0, MORE_TO_COME, &write))
        .client(flagged(2, 0, MORE_TO_COME, &write))
        .client(ask(3, &[int("ping", 1)]))
        .server(tell(3, &[ok()]));
    let told = script.replay();
    let write = ("oneway", "insert", "shop", "insert log", "unknown", None);
    assert_eq!(
        brief(&told),
        [write, write, ("matched", "ping", "shop", "ping", "ok", None)]
    );
    script.check();
}
