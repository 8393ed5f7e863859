//! Every packet type, in each version.

use super::{acknowledge, brief, connect, connected, connected_v5, packet, publish, text};
use crate::field::Field;
use crate::settings::Settings;
use crate::testing::Script;

#[test]
fn connections_of_each_version_name_their_client() {
    for (name, level, version, accepted) in [
        ("MQIsdp", 3, "3.1", &b"\x20\x02\x00\x00"[..]),
        ("MQTT", 4, "3.1.1", b"\x20\x02\x01\x00"),
        ("MQTT", 0x84, "3.1.1", b"\x20\x02\x00\x00"),
        ("MQTT", 5, "5", b"\x20\x03\x00\x00\x00"),
    ] {
        let payload: &[u8] = if level == 5 { b"\0hello" } else { b"hello" };
        let script = Script::tcp(1883)
            .client(connect(name, level, "probe-1"))
            .server(accepted)
            .client(packet(0x30, &[&text("a/b"), payload]))
            .client(b"\xE0\x00");
        let told = script.replay();
        assert_eq!(
            brief(&told),
            [
                ("matched", "CONNECT", "", None),
                ("oneway", "PUBLISH", "a/b", None),
                ("oneway", "DISCONNECT", "", None),
            ]
        );
        for record in &told {
            assert_eq!(record.text(Field::Domain), "probe-1");
            assert_eq!(record.text(Field::Version), version);
        }
        assert_eq!((told[0].code, told[0].status), (Some(0), "ok"));
        assert_eq!(told[0].attr("keep_alive"), "60");
        assert_eq!(told[0].attr("clean_start"), "true");
        assert_eq!(told[0].attr("session_present") == "true", level == 4);
        assert_eq!((told[2].code, told[2].status), ((level == 5).then_some(0), "ok"));
        script.check();
    }
}

#[test]
fn a_connect_tells_of_user_and_will_but_never_of_secrets() {
    let body = [
        &text("MQTT")[..],
        &[4, 0xC6, 0, 10],
        &text("sensor-7"),
        &text("status/sensor-7"),
        &text("last words"),
        &text("ada"),
        &text("secret"),
    ];
    let script = Script::tcp(1883)
        .client(packet(0x10, &body))
        .server(b"\x20\x02\x00\x05");
    let told = script.replay();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].code, told[0].status), (Some(5), "client_error"));
    assert_eq!(told[0].text(Field::Exception), "not authorized");
    assert_eq!(told[0].attr("user"), "ada");
    assert_eq!(told[0].attr("will_topic"), "status/sensor-7");
    assert_eq!((told[0].req_len, told[0].resp_len), (Some(64), Some(4)));
    assert!(!format!("{told:?}").contains("secret") && !format!("{told:?}").contains("last words"));
    script.check();
}

#[test]
fn refusals_are_somebodys_fault() {
    for (answer, code, status, exception) in [
        (
            &b"\x20\x02\x00\x01"[..],
            1,
            "client_error",
            "unacceptable protocol version",
        ),
        (b"\x20\x02\x00\x03", 3, "server_error", "Server unavailable"),
    ] {
        let script = Script::tcp(1883).client(connect("MQIsdp", 3, "x")).server(answer);
        let told = script.replay();
        assert_eq!((told[0].code, told[0].status), (Some(code), status));
        assert_eq!(told[0].text(Field::Exception), exception);
        script.check();
    }
    // A server that does not know MQTT 5 answers as MQTT 3 does; one that does gives its reasons.
    let told = Script::tcp(1883)
        .client(connect("MQTT", 5, "x"))
        .server(b"\x20\x02\x00\x01")
        .replay();
    assert_eq!((told[0].code, told[0].status), (Some(1), "client_error"));
    let busy = packet(0x20, &[b"\x00\x89\x0A\x1F\x00\x07come by"]);
    let told = Script::tcp(1883)
        .client(connect("MQTT", 5, "x"))
        .server(busy)
        .replay();
    assert_eq!((told[0].code, told[0].status), (Some(0x89), "server_error"));
    assert_eq!(told[0].text(Field::Exception), "come by");
}

#[test]
fn subscriptions_pair_by_packet_id() {
    let script = connected()
        .client(packet(
            0x82,
            &[b"\x00\x0A", &text("a/+"), b"\x01", &text("b/#"), b"\x00"],
        ))
        .client(packet(0xA2, &[b"\x00\x0B", &text("c")]))
        .client(packet(0x82, &[b"\x00\x0C", &text("d"), b"\x02"]))
        .server(b"\xB0\x02\x00\x0B")
        .server(packet(0x90, &[b"\x00\x0C\x80"]))
        .server(packet(0x90, &[b"\x00\x0A\x01\x00"]));
    let mut told = script.replay();
    told.remove(0);
    assert_eq!(
        brief(&told),
        [
            ("matched", "UNSUBSCRIBE", "c", Some(11)),
            ("matched", "SUBSCRIBE", "d", Some(12)),
            ("matched", "SUBSCRIBE", "a/+,b/#", Some(10)),
        ]
    );
    assert_eq!((told[0].code, told[0].status), (None, "ok"));
    assert_eq!((told[1].code, told[1].status), (Some(0x80), "server_error"));
    assert_eq!((told[2].code, told[2].status), (Some(1), "ok"));
    assert_eq!(told[2].text(Field::Endpoint), "a/+");
    assert_eq!(
        (told[2].attr("qos"), told[2].attr("reason_codes")),
        ("1,0", "1,0")
    );
    script.check();
}

#[test]
fn subscriptions_of_mqtt_5_have_options_and_reasons() {
    let script = connected_v5()
        .client(packet(0x82, &[b"\x00\x01\x02\x0B\x07", &text("a"), b"\x2E"]))
        .server(packet(0x90, &[b"\x00\x01\x00\x87"]))
        .client(packet(0xA2, &[b"\x00\x02\x00", &text("a"), &text("b")]))
        .server(packet(0xB0, &[b"\x00\x02\x00\x00\x11"]));
    let mut told = script.replay();
    told.remove(0);
    assert_eq!(
        brief(&told),
        [
            ("matched", "SUBSCRIBE", "a", Some(1)),
            ("matched", "UNSUBSCRIBE", "a,b", Some(2)),
        ]
    );
    assert_eq!((told[0].code, told[0].status), (Some(0x87), "client_error"));
    assert_eq!(told[0].text(Field::Exception), "Not authorized");
    assert_eq!((told[1].code, told[1].status), (Some(0), "ok"));
    assert_eq!(told[1].attr("reason_codes"), "0,17");
    script.check();
}

#[test]
fn keep_alive_is_counted_and_told_on_request() {
    let mut script = connected()
        .client(b"\xC0\x00")
        .server(b"\xD0\x00")
        .client(publish(2, "a/b", 1, b"x"))
        .server(acknowledge(0x40, 1));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("matched", "CONNECT", "", None),
            ("matched", "PUBLISH", "a/b", Some(1))
        ]
    );
    script.check();
    script.settings = Settings {
        keepalive_records: true,
        ..Settings::default()
    };
    let told = script.replay();
    assert_eq!(brief(&told)[1], ("matched", "PINGREQ", "", None));
    assert_eq!((told[1].req_len, told[1].resp_len), (Some(2), Some(2)));
    script.check();
}

#[test]
fn both_sides_may_disconnect_with_a_reason() {
    let script = connected_v5()
        .client(b"\xE0\x01\x04")
        .server(packet(0xE0, &[b"\x8E\x00"]));
    let mut told = script.replay();
    told.remove(0);
    assert_eq!(
        brief(&told),
        [
            ("oneway", "DISCONNECT", "", None),
            ("oneway", "DISCONNECT", "", None)
        ]
    );
    assert_eq!((told[0].code, told[0].status), (Some(4), "ok"));
    assert_eq!(told[0].text(Field::Result), "Disconnect with Will Message");
    assert_eq!((told[1].code, told[1].status), (Some(0x8E), "client_error"));
    assert_eq!(told[1].text(Field::Exception), "Session taken over");
    script.check();
}

#[test]
fn clients_authenticate_while_they_connect_and_again() {
    let method = b"\x15\x00\x0BSCRAM-SHA-1\x16\x00\x02xy";
    let properties = [&[method.len() as u8], &method[..]].concat();
    let auth = |code: u8| packet(0xF0, &[&[code], &properties]);
    let script = Script::tcp(1883)
        .client(packet(
            0x10,
            &[&text("MQTT"), &[5, 2, 0, 60], &properties, &text("x")],
        ))
        .server(auth(0x18))
        .client(auth(0x18))
        .server(packet(0x20, &[b"\x00\x00", &properties]))
        .client(auth(0x19))
        .server(auth(0x18))
        .client(auth(0x18))
        .server(auth(0));
    let told = script.replay();
    assert_eq!(
        brief(&told),
        [
            ("oneway", "AUTH", "", None),
            ("oneway", "AUTH", "", None),
            ("matched", "CONNECT", "", None),
            ("oneway", "AUTH", "", None),
            ("oneway", "AUTH", "", None),
            ("matched", "AUTH", "", None),
        ]
    );
    assert_eq!(told[0].code, Some(0x18));
    assert_eq!(told[2].attr("auth_method"), "SCRAM-SHA-1");
    assert_eq!((told[5].code, told[5].status), (Some(0), "ok"));
    script.check();
}
