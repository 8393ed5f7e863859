//! Conversations as the manual and the specifications of drivers show them.

pub(super) mod build;
mod compressed;
mod hostile;
mod legacy;
mod repeated;

use crate::field::Field;
use build::*;

#[test]
fn commands_have_their_answers() {
    let script = session()
        .client(ask(1, &[text("find", "items"), inner("filter", &[int("a", 1)])]))
        .server(tell(
            1,
            &[
                inner(
                    "cursor",
                    &[
                        array("firstBatch", &[stored(1, 10), stored(2, 300)]),
                        long("id", 77),
                        text("ns", "shop.items"),
                    ],
                ),
                ok(),
            ],
        ))
        .client(ask(2, &[long("getMore", 77), text("collection", "items")]))
        .server(tell(
            2,
            &[
                inner(
                    "cursor",
                    &[array("nextBatch", &[]), long("id", 0), text("ns", "shop.items")],
                ),
                ok(),
            ],
        ))
        .client(ask(3, &[int("ping", 1)]))
        .server(tell(3, &[ok()]))
        .client(ask(4, &[text("getLog", "startupWarnings")]))
        .server(tell(4, &[int("totalLinesWritten", 3), ok()]))
        .client(ask(
            5,
            &[
                inner("explain", &[text("count", "items")]),
                text("verbosity", "x"),
            ],
        ))
        .server(tell(5, &[ok()]))
        .client(ask(6, &[int("aggregate", 1), array("pipeline", &[])]))
        .server(tell(6, &[inner("cursor", &[array("firstBatch", &[])]), ok()]));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "find", "shop", "find items", "ok", Some(2)),
            ("matched", "getMore", "shop", "getMore items", "ok", Some(0)),
            ("matched", "ping", "shop", "ping", "ok", None),
            ("matched", "getLog", "shop", "getLog", "ok", None),
            ("matched", "explain", "shop", "explain items", "ok", None),
            ("matched", "aggregate", "shop", "aggregate", "ok", Some(0)),
        ]
    );
    assert_eq!(told[0].text(Field::Resource), "items");
    assert_eq!((told[0].request_id, told[0].code), (Some(1), None));
    assert_eq!(told[3].text(Field::Resource), "");
    let lengths: Vec<_> = script
        .messages
        .iter()
        .map(|(_, bytes)| bytes.len() as u64)
        .collect();
    assert_eq!(
        (told[0].req_len, told[0].resp_len),
        (Some(lengths[0]), Some(lengths[1]))
    );
    script.check();
}

#[test]
fn failures_say_what_is_wrong() {
    let write_error = document(&[
        int("index", 0),
        int("code", 11000),
        text("errmsg", "E11000 duplicate key"),
    ]);
    let script = session()
        .client(ask(1, &[text("find", "items")]))
        .server(tell(
            1,
            &[
                double("ok", 0.0),
                text("errmsg", "command find requires authentication"),
                int("code", 13),
                text("codeName", "Unauthorized"),
            ],
        ))
        .client(ask(
            2,
            &[text("insert", "items"), array("documents", &[stored(1, 50)])],
        ))
        .server(tell(
            2,
            &[
                int("n", 0),
                array("writeErrors", &[write_error.clone(), write_error]),
                ok(),
            ],
        ))
        .client(ask(3, &[text("update", "items")]))
        .server(tell(
            3,
            &[
                int("n", 1),
                int("nModified", 1),
                inner(
                    "writeConcernError",
                    &[
                        int("code", 64),
                        text("codeName", "WriteConcernTimeout"),
                        text("errmsg", "timed out"),
                    ],
                ),
                ok(),
            ],
        ));
    let told = script.replay();
    let failed: Vec<_> = told
        .iter()
        .map(|t| {
            (
                t.status,
                t.code,
                t.text(Field::Exception),
                t.attr("code_name"),
                t.rows,
            )
        })
        .collect();
    assert_eq!(
        failed,
        [
            (
                "client_error",
                Some(13),
                "command find requires authentication",
                "Unauthorized",
                None
            ),
            ("ok", Some(11000), "E11000 duplicate key", "", Some(0)),
            ("ok", Some(64), "timed out", "WriteConcernTimeout", Some(1)),
        ]
    );
    script.check();
}

#[test]
fn documents_in_sequences_are_passed_before_or_behind_the_body() {
    let documents: Vec<_> = (0..40).map(|i| stored(i, 700)).collect();
    let ask = [
        text("insert", "items"),
        truth("ordered", true),
        text("$db", "shop"),
    ];
    let behind = [body(&ask), sequence("documents", &documents)].concat();
    let before = [sequence("documents", &documents), body(&ask)].concat();
    let checksum = [&before[..], &[1, 2, 3, 4]].concat();
    let answer = [int("n", 40), ok()];
    let script = session()
        .client(flagged(1, 0, 0, &behind))
        .server(tell(1, &answer))
        .client(flagged(2, 0, 0, &before))
        .server(tell(2, &answer))
        .client(flagged(3, 0, 1, &checksum))
        .server(flagged(1003, 3, 1, &[&body(&answer)[..], &[4, 3, 2, 1]].concat()));
    let told = script.replay();
    let each = ("matched", "insert", "shop", "insert items", "ok", Some(40));
    assert_eq!(brief(&told), [each; 3]);
    script.check();
}

#[test]
fn what_stands_behind_long_values_is_found() {
    let documents: Vec<_> = (0..60).map(|i| stored(i, 900)).collect();
    let script = session()
        .client(ask(
            1,
            &[
                text("insert", "items"),
                array("documents", &documents),
                truth("ordered", true),
            ],
        ))
        .server(tell(1, &[int("n", 60), ok()]))
        .client(ask(2, &[text("find", "items")]))
        .server(tell(
            2,
            &[
                inner("cursor", &[array("firstBatch", &documents), long("id", 0)]),
                double("ok", 0.0),
                text("errmsg", "late"),
            ],
        ));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "insert", "shop", "insert items", "ok", Some(60)),
            ("matched", "find", "shop", "find items", "client_error", Some(60)),
        ]
    );
    assert_eq!(told[1].text(Field::Exception), "late");
    script.check();
}

#[test]
fn logins_keep_their_secret() {
    let script = session()
        .client(ask(
            1,
            &[
                int("saslStart", 1),
                text("mechanism", "SCRAM-SHA-256"),
                binary("payload", b"n,,n=secret"),
            ],
        ))
        .server(tell(
            1,
            &[int("conversationId", 1), binary("payload", b"r=secret"), ok()],
        ))
        .client(ask(
            2,
            &[int("saslContinue", 1), binary("payload", b"c=biws,secret")],
        ))
        .server(tell(
            2,
            &[
                text("errmsg", "Authentication failed."),
                int("code", 18),
                text("codeName", "AuthenticationFailed"),
                double("ok", 0.0),
            ],
        ))
        .client(ask(3, &[text("createUser", "secret"), text("pwd", "secret")]))
        .server(tell(3, &[ok()]))
        .client(ask(
            4,
            &[
                int("hello", 1),
                inner("speculativeAuthenticate", &[binary("payload", b"n=secret")]),
            ],
        ))
        .server(tell(4, &[truth("isWritablePrimary", true), ok()]));
    let told = script.replay();
    assert_eq!(told[0].attr("mechanism"), "SCRAM-SHA-256");
    let names: Vec<_> = told.iter().map(|t| t.text(Field::ReqType)).collect();
    assert_eq!(names, ["saslStart", "saslContinue", "createUser", "hello"]);
    assert_eq!((told[1].status, told[1].code), ("client_error", Some(18)));
    assert!(!format!("{told:?}").contains("secret"));
    script.check();
}

#[test]
fn requests_of_one_flow_wait_for_their_own_answers() {
    let asks: Vec<u8> = (1..=30)
        .flat_map(|i| ask(i, &[text("count", &format!("c{i}"))]))
        .collect();
    let tells: Vec<u8> = (1..=30)
        .rev()
        .flat_map(|i| tell(i, &[int("n", i as i32), ok()]))
        .collect();
    let script = session().client(asks).server(tells);
    let told = script.replay();
    assert_eq!(told.len(), 30);
    for told in &told {
        let id = told.request_id.unwrap();
        assert_eq!((told.kind, told.rows), ("matched", Some(id)));
        assert_eq!(told.text(Field::Resource), format!("c{id}"));
    }
    script.check();
}

#[test]
fn answers_before_their_requests_are_theirs() {
    let script = session()
        .server(tell(7, &[ok()]))
        .client(ask(7, &[int("ping", 1)]))
        .server(tell(9, &[ok()]));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "ping", "shop", "ping", "ok", None),
            ("orphan", "", "", "", "ok", None),
        ]
    );
    script.check();
}

#[test]
fn who_asks_is_told_by_what_is_said() {
    // A flow joined before its second message, in which the server was taken for the client.
    let mut script = session()
        .client([])
        .client(tell(2, &[ok()]))
        .server(ask(3, &[int("ping", 1)]))
        .client(tell(3, &[ok()]));
    script.server_port = 50_000;
    let told = script.run(|_, bytes| vec![bytes.len()], None, 1);
    assert_eq!(
        told.last().map(|t| (t.kind, t.ports)),
        Some(("orphan", (50_000, 40_000)))
    );
    let pair = told.iter().find(|t| t.kind == "matched").unwrap();
    assert_eq!(
        (pair.ports, pair.text(Field::ReqType)),
        ((50_000, 40_000), "ping")
    );
}
