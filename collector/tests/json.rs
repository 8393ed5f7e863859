//! The JSON form of records, against the record format.

#![allow(clippy::unwrap_used)] // A test that fails panics.

use serde_json::{Value, json};
use tapir_collector::session::Session;
use tapir_collector::testing::Entry;
use tapir_collector::text::TextLimits;
use tapir_collector::{json::write_session_json, write_json, write_table};
use tapir_parsers::field::{Ended, Field, Kind, Status};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::record::{RecordView, flag};

fn text_of(entry: &Entry) -> String {
    let bytes = entry.bytes();
    let mut out = Vec::new();
    write_json(&RecordView::new(&bytes).unwrap(), &mut out);
    String::from_utf8(out).unwrap()
}

fn json_of(entry: &Entry) -> Value {
    serde_json::from_str(&text_of(entry)).unwrap()
}

fn full() -> Entry {
    Entry::default()
        .between("2001:db8::1", 40_000, "2001:db8::2", 8080)
        .with(|header| {
            header.flags = flag::REQUEST_ID | flag::CODE | flag::ROWS | flag::REQUEST;
            header.flags |= flag::RESPONSE | flag::RRT | flag::TRUNCATED | flag::TUNNEL_ID;
            header.flow.vlan = [100, 20, 0, 0];
            header.flow.vlan_count = 2;
            header.flow.tunnel_kind = 1;
            header.flow.tunnel_id = 42;
            header.kind = Kind::Matched as u8;
            header.ended = Ended::Response as u8;
            header.status = Status::ClientError as u8;
            (header.rrt_ns, header.request_id, header.code) = (1000, 9, -404);
            (header.request_len, header.response_len, header.rows) = (10, 20, 3);
            header.gap_bytes = 5;
            header.flags |= flag::REQUEST_SEQ | flag::RESPONSE_SEQ;
            (header.request_seq, header.response_seq) = (u32::MAX, 1);
        })
        .text(Field::Resource, b"/a?b=\"c\"")
        .text(Field::Domain, b"example.com")
        .text(Field::Resource, b"a second one does not count")
        .text(Field::Version, b"1.1")
        .attr(b"one", b"1")
        .attr(b"two", b"2\n")
        .attr(b"one", b"again")
        .host(&HostFacts {
            process: Some(Process {
                pid: 17,
                comm: "nginx",
                executable: "/usr/sbin/nginx",
                container: "c0ffee",
                pod: "shop/web-1",
            }),
            client_process: Some(Process {
                pid: 18,
                comm: "cu\"rl",
                ..Process::default()
            }),
            queue_ns: Some(0),
            app_ns: Some(12),
        })
}

#[test]
fn every_key_in_the_order_of_the_format() {
    let want = concat!(
        r#"{"schema":1,"kind":"matched","ended":"response","source":"wire","proto":"ping","version":"1.1","#,
        r#""l4":"tcp","client_ip":"2001:db8::1","client_port":40000,"server_ip":"2001:db8::2","#,
        r#""server_port":8080,"vlan":[100,20],"tunnel":{"type":"vxlan","id":42},"flow_id":7,"#,
        r#""start_ns":1700000000123456789,"end_ns":1700000000124956789,"rrt_ns":1000,"#,
        r#""queue_ns":0,"app_ns":12,"#,
        r#""domain":"example.com","resource":"/a?b=\"c\"","request_id":9,"status":"client_error","#,
        r#""code":-404,"req_len":10,"resp_len":20,"req_seq":4294967295,"resp_seq":1,"rows":3,"attrs":{"one":"1","two":"2\n"},"#,
        r#""truncated":true,"gap_bytes":5,"process":{"pid":17,"comm":"nginx","executable":"/usr/sbin/nginx","#,
        r#""container":"c0ffee","pod":"shop/web-1"},"client_process":{"pid":18,"comm":"cu\"rl"}}"#,
        "\n"
    );
    let got = text_of(&full().with(|header| {
        header.protocol = tapir_parsers::l7::Protocol::Ping as u8;
    }));
    assert_eq!(got, want);
}

#[test]
fn what_is_unknown_is_left_out() {
    let entry = Entry::default().with(|header| header.flow.l4 = 2);
    let json = json_of(&entry);
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    let mut want = [
        "schema",
        "kind",
        "ended",
        "source",
        "proto",
        "l4",
        "client_ip",
        "server_ip",
        "flow_id",
        "start_ns",
        "end_ns",
        "status",
    ];
    want.sort_unstable();
    assert_eq!(keys, want);
    assert_eq!(json["client_ip"], "10.0.0.1");
    assert_eq!(json["l4"], "icmp");
}

#[test]
fn every_byte_survives_as_json() {
    let ascii: Vec<u8> = (0..128).collect();
    let json = json_of(&Entry::default().text(Field::Resource, &ascii));
    assert_eq!(json["resource"], json!(String::from_utf8(ascii).unwrap()));
    let json = json_of(&Entry::default().text(Field::Exception, b"bad \xFF\xFE end"));
    assert_eq!(json["exception"], "bad \u{FFFD}\u{FFFD} end");
    assert_eq!(json.get("truncated"), None);
}

#[test]
fn limits_hold_after_replacement() {
    let json = json_of(&Entry::default().text(Field::Resource, &[0xFF; 4096]));
    let text = json["resource"].as_str().unwrap();
    assert_eq!(text.len(), 4095);
    assert_eq!(json["truncated"], true);
    let json = json_of(&Entry::default().attr(b"k", &[b'x'; 1025]));
    assert_eq!(json["attrs"]["k"].as_str().unwrap().len(), 1024);
    assert_eq!(json["truncated"], true);
}

#[test]
fn limits_can_be_set() {
    let entry = Entry::default().text(Field::Resource, &[b'x'; 9000]).bytes();
    let limits = TextLimits {
        resource: 8192,
        other: 0,
    };
    let mut out = Vec::new();
    write_session_json(&Session::new(&RecordView::new(&entry).unwrap(), limits), &mut out);
    let json: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(json["resource"].as_str().unwrap().len(), 8192);
}

#[test]
fn whatever_stands_in_a_record_is_one_line_of_json_and_of_the_table() {
    for seed in 0..500 {
        let entry = Entry::synthetic(seed);
        let text = text_of(&entry);
        assert_eq!(text.find('\n'), Some(text.len() - 1));
        let json: Value = serde_json::from_str(&text).unwrap();
        assert!(
            json.as_object()
                .unwrap()
                .values()
                .all(|v| *v != json!("") && *v != Value::Null)
        );
        let bytes = entry.bytes();
        let mut table = Vec::new();
        write_table(&RecordView::new(&bytes).unwrap(), &mut table);
        let table = String::from_utf8(table).unwrap();
        assert_eq!(table.find('\n'), Some(table.len() - 1));
        assert!(!table.trim_end().contains(char::is_control));
    }
}

#[test]
fn a_line_of_the_table() {
    let entry = full().between("10.0.0.1", 40_000, "10.0.0.2", 80).with(|header| {
        header.flow.bits = 0;
        header.protocol = 0;
    });
    let bytes = entry.bytes();
    let mut out = Vec::new();
    write_table(&RecordView::new(&bytes).unwrap(), &mut out);
    let line = String::from_utf8(out).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    let proto = tapir_parsers::l7::DECLARATIONS[0].name;
    let want = [
        "22:13:20.123456",
        proto,
        "10.0.0.1:40000",
        "10.0.0.2:80",
        "/a?b=\"c\"",
        "client_error",
        "-404",
        "1.00µs",
        "matched",
    ];
    assert_eq!(words, want);
}
