//! A protocol of a plugin's own, from bytes to records.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{DEMO, demo, host_of, replay, spec, with};
use tapir_parsers::field::Field;
use tapir_parsers::testing::Script;
use tapir_plugins::{L4, PluginSpec};

fn framed() -> PluginSpec {
    PluginSpec {
        framed: true,
        ..spec("demo")
    }
}

fn conversation() -> Script {
    Script::tcp(7700)
        .client(demo(1, 1, "first question"))
        .client(demo(1, 2, "second"))
        .server(demo(2, 2, "two"))
        .server(demo(2, 1, "one"))
        .client(demo(1, 3, "third"))
        .server(demo(2, 3, "three"))
}

#[test]
fn requests_and_responses_pair_by_id() {
    let told = replay(conversation(), &host_of(&[(framed(), DEMO)]));
    let all: Vec<_> = told
        .iter()
        .map(|t| {
            (
                t.kind,
                t.request_id,
                t.text(Field::Proto),
                t.text(Field::Resource),
                t.text(Field::Result),
            )
        })
        .collect();
    assert_eq!(
        all,
        [
            ("matched", Some(2), "Demo", "second", "two"),
            ("matched", Some(1), "Demo", "first question", "one"),
            ("matched", Some(3), "Demo", "third", "three"),
        ]
    );
    assert!(told.iter().all(|t| t.status == "ok" && t.proto == "custom"));
    assert_eq!((told[0].req_len, told[0].resp_len), (Some(12), Some(9)));
}

#[test]
fn with_its_own_framing_segments_do_not_matter() {
    with(conversation(), &host_of(&[(framed(), DEMO)])).check();
}

#[test]
fn without_framing_a_message_over_three_segments_is_whole() {
    let host = host_of(&[(spec("demo"), DEMO)]);
    let whole = replay(conversation(), &host);
    let cut = with(conversation(), &host).run(
        |_, bytes| {
            let third = bytes.len() / 3;
            vec![third, third, bytes.len() - 2 * third]
        },
        None,
        0,
    );
    let texts = |told: &[tapir_parsers::testing::Told]| -> Vec<_> {
        told.iter().map(|t| (t.request_id, t.texts.clone())).collect()
    };
    assert_eq!(texts(&whole), texts(&cut));
}

#[test]
fn what_a_plugin_does_not_know_stands_in_nobodys_way() {
    let script = Script::tcp(7700)
        .client(demo(1, 1, "a"))
        .server(demo(2, 1, "b"))
        .client("heartbeat")
        .client(demo(1, 2, "c"))
        .server("heartbeat")
        .server(demo(2, 2, "d"));
    let told = replay(script, &host_of(&[(spec("demo"), DEMO)]));
    let ids: Vec<_> = told.iter().map(|t| (t.kind, t.request_id, t.req_len)).collect();
    assert_eq!(
        ids,
        [("matched", Some(1), Some(7)), ("matched", Some(2), Some(7))]
    );
}

#[test]
fn a_response_seen_first_tells_who_serves() {
    // No handshake, and the port looks like a client's.
    let mut script = Script::tcp(50_000).client(demo(2, 1, "answer"));
    script.server_port = 50_001;
    let told = with(script, &host_of(&[(framed(), DEMO)])).run(|_, bytes| vec![bytes.len()], None, 0);
    assert_eq!((told.len(), told[0].kind), (1, "orphan"));
    assert_eq!(told[0].ports, (50_001, tapir_parsers::testing::CLIENT_PORT));
}

#[test]
fn datagrams_are_read_too() {
    let script = Script::udp(7700)
        .client(demo(1, 1, "question"))
        .server(demo(2, 1, "answer"))
        .client("noise")
        .client(demo(1, 2, "question"));
    let told = replay(script, &host_of(&[(spec("demo"), DEMO)]));
    let ids: Vec<_> = told
        .iter()
        .map(|t| (t.kind, t.request_id, t.text(Field::Proto)))
        .collect();
    assert_eq!(
        ids,
        [("matched", Some(1), "Demo"), ("no_response", Some(2), "Demo")]
    );
}

#[test]
fn ports_and_transport_keep_a_plugin_out() {
    let elsewhere = PluginSpec {
        ports: vec![1, 2],
        ..framed()
    };
    let datagrams = PluginSpec {
        l4: L4::Udp,
        ..framed()
    };
    for spec in [elsewhere, datagrams] {
        let host = host_of(&[(spec, DEMO)]);
        assert!(replay(conversation(), &host).is_empty());
        assert_eq!(host.metrics()[0].exports[0].calls, 0);
    }
    let here = PluginSpec {
        ports: vec![1, 7700],
        l4: L4::Tcp,
        ..framed()
    };
    assert_eq!(replay(conversation(), &host_of(&[(here, DEMO)])).len(), 3);
}

#[test]
fn calls_are_counted() {
    let host = host_of(&[(framed(), DEMO)]);
    replay(conversation(), &host);
    let metrics = host.metrics();
    let [check, parse, ..] = metrics[0].exports;
    assert_eq!((check.calls, check.taken), (1, 1));
    assert_eq!((parse.calls, parse.taken), (6, 6));
    assert_eq!(metrics[0].memory_bytes, 65_536);
    assert_eq!(check.failures.iter().chain(&parse.failures).sum::<u64>(), 0);
}
