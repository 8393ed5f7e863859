//! Messages of each quality of service, both ways.

use super::{acknowledge, brief, connected, connected_v5, packet, publish, text};
use crate::field::Field;
use crate::testing::STEP_NS;

/// First bytes of the packets that a delivery takes.
const PUBACK: u8 = 0x40;
const PUBREC: u8 = 0x50;
const PUBREL: u8 = 0x62;
const PUBCOMP: u8 = 0x70;
/// Flags of a PUBLISH.
const QOS_1: u8 = 2;
const QOS_2: u8 = 4;
const RETAIN: u8 = 1;
const DUPLICATE: u8 = 8;

#[test]
fn each_quality_of_service_is_one_record() {
    let script = connected()
        .client(packet(0x30 | RETAIN, &[&text("t/0"), b"zero"]))
        .client(publish(QOS_1, "t/1", 1, b"one"))
        .server(acknowledge(PUBACK, 1))
        .client(publish(QOS_2, "t/2", 2, b"two"))
        .server(acknowledge(PUBREC, 2))
        .client(acknowledge(PUBREL, 2))
        .server(acknowledge(PUBCOMP, 2));
    let mut told = script.replay();
    told.remove(0);
    assert_eq!(
        brief(&told),
        [
            ("oneway", "PUBLISH", "t/0", None),
            ("matched", "PUBLISH", "t/1", Some(1)),
            ("matched", "PUBLISH", "t/2", Some(2)),
        ]
    );
    assert_eq!((told[0].attr("qos"), told[0].attr("retain")), ("0", "true"));
    assert_eq!((told[1].attr("qos"), told[1].attr("retain")), ("1", ""));
    assert_eq!(
        (told[2].attr("qos"), told[2].status, told[2].code),
        ("2", "ok", None)
    );
    // From the PUBLISH to the PUBCOMP.
    assert_eq!((told[2].req_len, told[2].resp_len), (Some(12), Some(4)));
    assert_eq!(told[2].times.2, Some(3 * STEP_NS));
    assert_eq!(told[2].text(Field::Endpoint), "t/2");
    script.check();
}

#[test]
fn packet_ids_of_the_two_directions_are_apart() {
    let script = connected()
        .client(publish(QOS_1, "up", 1, b""))
        .server(publish(QOS_1, "down", 1, b""))
        .server(acknowledge(PUBACK, 1))
        .client(acknowledge(PUBACK, 1))
        .server(publish(QOS_2, "down/2", 2, b""))
        .client(publish(QOS_2, "up/2", 2, b""))
        .client(acknowledge(PUBREC, 2))
        .server(acknowledge(PUBREL, 2))
        .server(acknowledge(PUBREC, 2))
        .client(acknowledge(PUBREL, 2))
        .server(acknowledge(PUBCOMP, 2))
        .client(acknowledge(PUBCOMP, 2));
    let mut told = script.replay();
    told.remove(0);
    assert_eq!(
        brief(&told),
        [
            ("matched", "PUBLISH", "up", Some(1)),
            ("matched", "PUBLISH", "down", Some(1)),
            ("matched", "PUBLISH", "up/2", Some(2)),
            ("matched", "PUBLISH", "down/2", Some(2)),
        ]
    );
    for record in &told {
        assert_eq!(record.ports, (crate::testing::CLIENT_PORT, 1883));
        assert_eq!((record.status, record.text(Field::Domain)), ("ok", "probe-1"));
    }
    script.check();
}

#[test]
fn many_wait_at_once_and_are_answered_in_any_order() {
    let mut script = connected();
    let all: Vec<u8> = (1..=100)
        .flat_map(|id| publish(QOS_1, &format!("t/{id}"), id, b"payload"))
        .collect();
    script = script.client(all);
    let acknowledged: Vec<u8> = (1..=100).rev().flat_map(|id| acknowledge(PUBACK, id)).collect();
    let told = script.server(acknowledged).replay();
    assert_eq!(told.len(), 101);
    for (record, id) in told[1..].iter().zip((1..=100).rev()) {
        assert_eq!((record.kind, record.request_id), ("matched", Some(id)));
        assert_eq!(record.text(Field::Resource), format!("t/{id}"));
    }
}

#[test]
fn what_is_sent_again_is_no_second_message() {
    let script = connected()
        .client(publish(QOS_1, "t", 1, b"x"))
        .client(publish(QOS_1 | DUPLICATE, "t", 1, b"x"))
        .server(acknowledge(PUBACK, 1));
    let told = script.replay();
    assert_eq!(brief(&told)[1..], [("matched", "PUBLISH", "t", Some(1))]);
    assert_eq!(told[1].attr("duplicate"), "");
    assert_eq!(script.run(|_, bytes| vec![1; bytes.len()], None, 0), told);
    // What was sent first was lost, or on an earlier connection.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(2), 0);
    assert_eq!(brief(&told)[1..], [("matched", "PUBLISH", "t", Some(1))]);
    assert_eq!(told[1].attr("duplicate"), "true");

    let script = connected()
        .client(publish(QOS_2 | DUPLICATE, "old", 9, b"x"))
        .server(acknowledge(PUBREC, 9))
        .client(acknowledge(PUBREL, 9))
        .client(acknowledge(PUBREL, 9))
        .server(acknowledge(PUBCOMP, 9));
    let told = script.replay();
    assert_eq!(brief(&told)[1..], [("matched", "PUBLISH", "old", Some(9))]);
    script.check();
}

#[test]
fn an_id_that_is_used_again_does_not_take_the_answer_of_another() {
    // The first acknowledgement was never captured, and no gap tells of it.
    let script = connected()
        .client(publish(QOS_1, "lost", 1, b"x"))
        .client(publish(QOS_1, "next", 1, b"x"))
        .server(acknowledge(PUBACK, 1));
    let told = script.replay();
    assert_eq!(
        brief(&told)[1..],
        [
            ("no_response", "PUBLISH", "lost", Some(1)),
            ("matched", "PUBLISH", "next", Some(1)),
        ]
    );
    assert_eq!((told[1].ended, told[1].status), ("timeout", "timeout"));
    assert_eq!(script.run(|_, bytes| vec![1; bytes.len()], None, 0), told);
}

#[test]
fn a_release_without_its_message_is_told() {
    let script = connected()
        .server(acknowledge(PUBREC, 3))
        .client(acknowledge(PUBREL, 3))
        .server(acknowledge(PUBCOMP, 3))
        .server(acknowledge(PUBACK, 4));
    let told = script.replay();
    assert_eq!(
        brief(&told)[1..],
        [
            ("matched", "PUBREL", "", Some(3)),
            ("orphan", "PUBACK", "", Some(4))
        ]
    );
    // Half an exchange.
    assert!(told[1].truncated);
    script.check();
}

#[test]
fn reasons_of_mqtt_5_end_deliveries() {
    let publish = |qos: u8, id: u8| packet(0x30 | qos, &[&text("t"), &[0, id, 0], b"x"]);
    let script = connected_v5()
        .client(publish(QOS_1, 1))
        .server(packet(PUBACK, &[b"\x00\x01\x10"]))
        .client(publish(QOS_1, 2))
        .server(packet(PUBACK, &[b"\x00\x02\x97\x06\x1F\x00\x03no!"]))
        .client(publish(QOS_2, 3))
        .server(packet(PUBREC, &[b"\x00\x03\x87"]))
        .client(publish(QOS_2, 4))
        .server(packet(PUBREC, &[b"\x00\x04\x10"]))
        .client(packet(PUBREL, &[b"\x00\x04\x00"]))
        .server(acknowledge(PUBCOMP, 4))
        .server(publish(QOS_1, 1))
        .client(packet(PUBACK, &[b"\x00\x01\x99\x00"]));
    let told = script.replay();
    let brief: Vec<_> = told[1..]
        .iter()
        .map(|t| (t.code, t.status, t.text(Field::Exception)))
        .collect();
    assert!(told[1..].iter().all(|t| t.kind == "matched"));
    assert_eq!(
        brief,
        [
            (Some(16), "ok", ""),
            (Some(0x97), "client_error", "no!"),
            (Some(0x87), "client_error", "Not authorized"),
            (Some(16), "ok", ""),
            // The client refuses what the server has sent.
            (Some(0x99), "server_error", "Payload format invalid"),
        ]
    );
    assert_eq!(told[1].text(Field::Result), "No matching subscribers");
    script.check();
}

#[test]
fn large_payloads_are_passed() {
    let script = connected()
        .client(publish(QOS_1, "firmware", 1, &[7; 50_000]))
        .server(acknowledge(PUBACK, 1))
        .server(packet(0x30, &[&text("camera"), &[9; 30_000]]))
        .client(b"\xE0\x00");
    let told = script.replay();
    assert_eq!(
        brief(&told)[1..],
        [
            ("matched", "PUBLISH", "firmware", Some(1)),
            ("oneway", "PUBLISH", "camera", None),
            ("oneway", "DISCONNECT", "", None),
        ]
    );
    assert_eq!((told[1].req_len, told[2].req_len), (Some(50_016), Some(30_012)));
    script.check();
}

#[test]
fn a_topic_longer_than_anybody_reads_is_cut() {
    let topic = "x".repeat(60_000);
    let script = connected()
        .client(publish(QOS_1, &topic, 1, b"payload"))
        .server(acknowledge(PUBACK, 1))
        .client(publish(QOS_1, "next", 2, b"payload"))
        .server(acknowledge(PUBACK, 2));
    let told = script.replay();
    // Its packet id lies behind what is read.
    assert_eq!((told[1].kind, told[1].truncated), ("oneway", true));
    assert_eq!(told[1].text(Field::Resource).len(), 4096);
    assert_eq!(told[2].text(Field::Resource), "next");
}
