//! The operations before OP_MSG.

use super::build::*;
use crate::field::Field;

/// `int32` zero, namespace, and what follows.
fn named(id: u32, op: u32, namespace: &str, rest: &[u8]) -> Vec<u8> {
    message(id, 0, op, &[&[0; 4], namespace.as_bytes(), &[0], rest].concat())
}

#[test]
fn commands_travel_in_queries() {
    let script = session()
        .client(query(
            0,
            4,
            "admin.$cmd",
            &[int("isMaster", 1), inner("client", &[])],
        ))
        .server(reply(0, 8, 0, &[document(&[truth("ismaster", true), ok()])]))
        .client(query(
            1,
            0,
            "shop.$cmd",
            &[
                inner("$query", &[text("count", "items"), inner("query", &[])]),
                inner("$readPreference", &[]),
            ],
        ))
        .server(reply(1, 8, 0, &[document(&[int("n", 5), ok()])]))
        .client(query(2, 0, "shop.$cmd", &[int("getlasterror", 1), int("w", 1)]))
        .server(reply(
            2,
            8,
            0,
            &[document(&[
                int("n", 0),
                text("err", "E11000 duplicate key"),
                int("code", 11000),
                ok(),
            ])],
        ))
        .client(query(3, 0, "shop.$cmd", &[int("getlasterror", 1)]))
        .server(reply(3, 8, 0, &[document(&[int("n", 1), null("err"), ok()])]))
        .client(query(4, 0, "admin.$cmd", &[int("replSetGetStatus", 1)]))
        .server(reply(
            4,
            8,
            0,
            &[document(&[
                double("ok", 0.0),
                text("errmsg", "not running with --replSet"),
                int("code", 76),
            ])],
        ));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "isMaster", "admin", "isMaster", "ok", None),
            ("matched", "count", "shop", "count items", "ok", Some(5)),
            ("matched", "getlasterror", "shop", "getlasterror", "ok", Some(0)),
            ("matched", "getlasterror", "shop", "getlasterror", "ok", Some(1)),
            (
                "matched",
                "replSetGetStatus",
                "admin",
                "replSetGetStatus",
                "client_error",
                None
            ),
        ]
    );
    assert_eq!(told[2].text(Field::Exception), "E11000 duplicate key");
    assert_eq!((told[3].text(Field::Exception), told[3].code), ("", None));
    assert_eq!(told[4].code, Some(76));
    script.check();
}

#[test]
fn operations_have_their_names() {
    let item = stored(1, 100);
    let selector = document(&[int("_id", 1)]);
    let flags = 0u32.to_le_bytes();
    let more = [&100u32.to_le_bytes()[..], &77u64.to_le_bytes()].concat();
    let kill = [&[0; 4][..], &1u32.to_le_bytes(), &77u64.to_le_bytes()].concat();
    let script = session()
        .client(query(1, 0, "shop.items.sold", &[int("_id", 1)]))
        .server(reply(1, 8, 77, &[item.clone(), item.clone()]))
        .client(named(2, 2005, "shop.items.sold", &more))
        .server(reply(2, 8, 77, &[stored(2, 30_000)]))
        .client(named(
            3,
            2002,
            "shop.items",
            &[item.clone(), item.clone()].concat(),
        ))
        .client(named(
            4,
            2001,
            "shop.items",
            &[&flags[..], &selector, &item].concat(),
        ))
        .client(named(5, 2006, "shop.items", &[&flags[..], &selector].concat()))
        .client(message(6, 0, 2007, &kill))
        .client(query(7, 0, "shop.items", &[inner("$where", &[])]))
        .server(reply(
            7,
            2,
            0,
            &[document(&[text("$err", "bad query"), int("code", 17287)])],
        ))
        .client(named(8, 2005, "shop.items", &more))
        .server(reply(8, 1, 0, &[]))
        .client(query(9, 0, "admin.$cmd.sys.inprog", &[]))
        .server(reply(9, 8, 0, &[document(&[array("inprog", &[])])]));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            (
                "matched",
                "OP_QUERY",
                "shop",
                "OP_QUERY items.sold",
                "ok",
                Some(2)
            ),
            (
                "matched",
                "OP_GET_MORE",
                "shop",
                "OP_GET_MORE items.sold",
                "ok",
                Some(1)
            ),
            ("oneway", "OP_INSERT", "shop", "OP_INSERT items", "unknown", None),
            ("oneway", "OP_UPDATE", "shop", "OP_UPDATE items", "unknown", None),
            ("oneway", "OP_DELETE", "shop", "OP_DELETE items", "unknown", None),
            (
                "oneway",
                "OP_KILL_CURSORS",
                "",
                "OP_KILL_CURSORS",
                "unknown",
                None
            ),
            (
                "matched",
                "OP_QUERY",
                "shop",
                "OP_QUERY items",
                "client_error",
                None
            ),
            (
                "matched",
                "OP_GET_MORE",
                "shop",
                "OP_GET_MORE items",
                "client_error",
                None
            ),
            (
                "matched",
                "OP_QUERY",
                "admin",
                "OP_QUERY $cmd.sys.inprog",
                "ok",
                Some(1)
            ),
        ]
    );
    assert_eq!(told[0].text(Field::Resource), "items.sold");
    assert_eq!(
        (told[6].text(Field::Exception), told[6].code),
        ("bad query", Some(17287))
    );
    assert_eq!(told[7].text(Field::Exception), "CursorNotFound");
    script.check();
}

#[test]
fn commands_between_servers_are_read() {
    let command = |id, elements: &[Vec<u8>]| {
        let head = b"local\0find\0";
        let empty = document(&[]);
        message(id, 0, 2010, &[&head[..], &empty, &document(elements)].concat())
    };
    let answer = |id, elements: &[Vec<u8>]| {
        message(1000 + id, id, 2011, &[document(&[]), document(elements)].concat())
    };
    let script = session()
        .client(command(1, &[text("find", "oplog.rs"), inner("filter", &[])]))
        .server(answer(
            1,
            &[inner("cursor", &[array("firstBatch", &[stored(1, 99)])]), ok()],
        ))
        .client(command(2, &[truth("tailable", true), text("find", "oplog.rs")]))
        .server(answer(
            2,
            &[double("ok", 0.0), text("errmsg", "no"), int("code", 59)],
        ));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "find", "local", "find oplog.rs", "ok", Some(1)),
            ("matched", "find", "local", "find oplog.rs", "client_error", None),
        ]
    );
    assert_eq!(told[0].text(Field::Resource), "oplog.rs");
    assert_eq!(told[1].code, Some(59));
    script.check();
}

#[test]
fn documents_of_collections_are_not_taken_for_answers() {
    let stored = document(&[
        int("_id", 1),
        double("ok", 0.0),
        text("errmsg", "private"),
        int("code", 3),
    ]);
    let failed = document(&[text("errmsg", "no"), int("code", 13), double("ok", 0.0)]);
    let script = session()
        .client(query(1, 0, "shop.items", &[]))
        .server(reply(1, 8, 0, std::slice::from_ref(&stored)))
        .server(reply(5, 8, 0, std::slice::from_ref(&stored)))
        .server(reply(6, 8, 0, &[failed]))
        .server(reply(7, 8, 0, &[stored.clone(), stored]));
    let told = script.replay();
    let seen: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.status, t.code, t.text(Field::Exception), t.rows))
        .collect();
    assert_eq!(
        seen,
        [
            ("matched", "ok", None, "", Some(1)),
            ("orphan", "ok", None, "", None),
            ("orphan", "client_error", Some(13), "no", None),
            ("orphan", "ok", None, "", Some(2)),
        ]
    );
    script.check();
}
