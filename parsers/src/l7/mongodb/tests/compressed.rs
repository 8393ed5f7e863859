//! OP_COMPRESSED.

use super::build::*;
use crate::field::Field;
use crate::testing::Script;

const METHODS: [(Method, &str); 4] = [
    (Method::Noop, "noop"),
    (Method::Snappy, "snappy"),
    (Method::Zlib, "zlib"),
    (Method::Zstd, "zstd"),
];

/// A conversation, every message of which is packed.
fn all_packed(method: Method, script: &Script) -> Script {
    let mut packed_script = script.clone();
    for (_, bytes) in &mut packed_script.messages {
        *bytes = packed(method, bytes);
    }
    packed_script
}

#[test]
fn packed_messages_say_what_plain_ones_say() {
    let documents: Vec<_> = (0..3).map(|i| stored(i, 20)).collect();
    let plain = session()
        .client(ask(1, &[text("find", "items"), inner("filter", &[])]))
        .server(tell(
            1,
            &[
                inner("cursor", &[array("firstBatch", &documents), long("id", 0)]),
                ok(),
            ],
        ))
        .client(ask(2, &[text("insert", "items"), array("documents", &documents)]))
        .server(tell(
            2,
            &[
                double("ok", 0.0),
                text("errmsg", "no"),
                int("code", 13),
                text("codeName", "Unauthorized"),
            ],
        ))
        .client(flagged(
            3,
            0,
            2,
            &body(&[text("insert", "log"), text("$db", "shop")]),
        ))
        .client(query(4, 0, "shop.items", &[]))
        .server(reply(4, 0, 0, &documents));
    let want = plain.replay();
    assert_eq!(want.len(), 4);
    for (method, name) in METHODS {
        let script = all_packed(method, &plain);
        let mut told = script.replay();
        for told in &mut told {
            assert_eq!(told.attrs.remove("compressor").as_deref(), Some(name));
        }
        assert_eq!(brief(&told), brief(&want), "{name}");
        for (told, want) in told.iter().zip(&want) {
            assert_eq!(
                (&told.texts, &told.attrs, told.code),
                (&want.texts, &want.attrs, want.code)
            );
            assert!(!told.truncated, "{name}");
        }
        assert_eq!(told[0].req_len, Some(script.messages[0].1.len() as u64));
        script.check();
    }
}

#[test]
fn of_long_ones_the_head_is_read() {
    // Neither the batch nor the documents become shorter.
    let documents: Vec<_> = (0..30).map(|i| stored(i, 700)).collect();
    let ask = [
        body(&[text("insert", "items"), text("$db", "shop")]),
        sequence("documents", &documents),
    ];
    for (method, name) in [
        (Method::Noop, "noop"),
        (Method::Snappy, "snappy"),
        (Method::Zlib, "zlib"),
    ] {
        let script = session()
            .client(packed(method, &flagged(1, 0, 0, &ask.concat())))
            .server(packed(method, &tell(1, &[int("n", 30), ok()])))
            .client(packed(method, &super::build::ask(2, &[text("find", "items")])))
            .server(packed(
                method,
                &tell(2, &[inner("cursor", &[array("firstBatch", &documents)]), ok()]),
            ));
        let told = script.replay();
        assert_eq!(
            brief(&told),
            [
                ("matched", "insert", "shop", "insert items", "ok", Some(30)),
                ("matched", "find", "shop", "find items", "ok", None),
            ],
            "{name}"
        );
        assert_eq!((told[0].truncated, told[1].truncated), (false, true), "{name}");
        if name == "zlib" {
            script.check();
        }
    }
}

#[test]
fn the_first_block_of_a_long_frame_is_enough() {
    let letters = |i: usize| -> String { (0..5000).map(|j| char::from(b'a' + (i * j % 23) as u8)).collect() };
    let documents: Vec<_> = (0..800).map(|i| document(&[text("text", &letters(i))])).collect();
    let ask = [
        body(&[text("insert", "items"), text("$db", "shop")]),
        sequence("documents", &documents),
    ];
    let request = packed(Method::Zstd, &flagged(1, 0, 0, &ask.concat()));
    assert!(request.len() > 20_000, "{}", request.len());
    let script = session()
        .client(request)
        .server(packed(Method::Zstd, &tell(1, &[int("n", 800), ok()])));
    let told = script.replay();
    let insert = ("matched", "insert", "shop", "insert items", "ok", Some(800));
    assert_eq!(brief(&told), [insert]);
    assert!(!told[0].truncated);
}

#[test]
fn what_cannot_be_unpacked_keeps_its_place() {
    let documents: Vec<_> = (0..30).map(|i| stored(i, 700)).collect();
    let long = ask(1, &[text("insert", "items"), array("documents", &documents)]);
    let mut broken = packed(Method::Zlib, &ask(3, &[int("ping", 1)]));
    for byte in broken.iter_mut().skip(27) {
        *byte = 0xFF;
    }
    let script = session()
        .client(packed(Method::Zstd, &long))
        .server(packed(Method::Zstd, &tell(1, &[int("n", 30), ok()])))
        .client(ask(2, &[int("ping", 1)]))
        .server(tell(2, &[ok()]))
        .client(broken)
        .server(tell(3, &[ok()]));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "", "", "", "ok", Some(30)),
            ("matched", "ping", "shop", "ping", "ok", None),
            ("matched", "", "", "", "ok", None),
        ]
    );
    assert_eq!(
        (told[0].truncated, told[1].truncated, told[2].truncated),
        (true, false, true)
    );
    script.check();
}

#[test]
fn little_that_would_become_much_is_not_unpacked_to_its_end() {
    let much = binary("data", &vec![0; 5_000_000]);
    for (method, _) in METHODS.into_iter().skip(1) {
        let bomb = packed(method, &ask(1, &[text("insert", "items"), much.clone()]));
        let script = session()
            .client(ask(9, &[int("ping", 1)]))
            .server(tell(9, &[ok()]))
            .client(bomb)
            .server(tell(1, &[ok()]));
        let told = script.replay();
        assert_eq!((told[1].kind, told[1].truncated), ("matched", true), "{method:?}");
        let name = told[1].text(Field::ReqType);
        assert!(
            matches!((method, name), (Method::Zstd, "") | (_, "insert")),
            "{method:?}: {name}"
        );
    }
}
