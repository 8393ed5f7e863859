//! Messages written down by hand, as the RFCs show them.

use super::*;
use crate::testing::{Script, Told};

/// A name on the wire.
pub(super) fn name(text: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in text.split('.').filter(|label| !label.is_empty()) {
        wire.push(label.len() as u8);
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    wire
}

pub(super) fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    [id, flags]
        .into_iter()
        .chain(counts)
        .flat_map(u16::to_be_bytes)
        .collect()
}

fn question(text: &str, kind: u16) -> Vec<u8> {
    [name(text), kind.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

pub(super) fn query(id: u16, text: &str, kind: u16) -> Vec<u8> {
    [header(id, 0x0100, [1, 0, 0, 0]), question(text, kind)].concat()
}

/// A record whose owner is the question's name.
pub(super) fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [
        &[0xC0, 12][..],
        &kind.to_be_bytes(),
        &[0, 1, 0, 0, 1, 44],
        &(data.len() as u16).to_be_bytes(),
        data,
    ]
    .concat()
}

pub(super) fn answer(id: u16, text: &str, kind: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let counts = [1, records.len() as u16, 0, 0];
    [header(id, 0x8180, counts), question(text, kind), records.concat()].concat()
}

/// Behind its length, as over TCP.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

pub(super) fn one(script: &Script) -> Told {
    let told = script.replay();
    assert_eq!(told.len(), 1, "{told:#?}");
    told.into_iter().next().unwrap()
}

/// The `result` of a response with one record.
fn result(kind: u16, data: &[u8]) -> String {
    let response = answer(7, "example.com", kind, &[record(kind, data)]);
    let script = Script::udp(53)
        .client(query(7, "example.com", kind))
        .server(response);
    let told = one(&script);
    assert!(!told.truncated, "{told:#?}");
    told.text(Field::Result).to_string()
}

#[test]
fn a_client_may_ask_for_a_cookie_alone() {
    let cookie = |len: u8| {
        let option = [&[0, 10, 0, len][..], &vec![7; usize::from(len)]].concat();
        let head = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, option.len() as u8];
        [&head[..], &option].concat()
    };
    let script = Script::udp(53)
        .client([header(7, 0x0100, [0, 0, 0, 1]), cookie(8)].concat())
        .server([header(7, 0x8180, [0, 0, 0, 1]), cookie(16)].concat());
    let told = one(&script);
    assert_eq!(
        (told.kind, told.request_id, told.code),
        ("matched", Some(7), Some(0))
    );
    script.check();
}

#[test]
fn a_query_finds_its_answer() {
    let a = record(1, &[192, 0, 2, 1]);
    let b = record(1, &[192, 0, 2, 20]);
    let script = Script::udp(53)
        .client(query(0xABCD, "www.Example.com", 1))
        .client(query(0x0102, "www.example.com", 28))
        .server(answer(0x0102, "www.example.com", 28, &[]))
        .server(answer(0xABCD, "www.example.com", 1, &[a, b]));
    let told = script.replay();
    let [aaaa, a] = told.as_slice() else {
        panic!("{told:#?}")
    };
    assert_eq!(
        (a.kind, a.request_id, a.status, a.code),
        ("matched", Some(0xABCD), "ok", Some(0))
    );
    assert_eq!(
        (a.text(Field::ReqType), a.text(Field::Domain)),
        ("A", "www.Example.com")
    );
    assert_eq!(
        (a.text(Field::Resource), a.text(Field::Endpoint)),
        ("www.Example.com", "www.Example.com")
    );
    assert_eq!(a.text(Field::Result), "A=192.0.2.1;A=192.0.2.20");
    assert_eq!((a.req_len, a.resp_len), (Some(33), Some(65)));
    assert_eq!(
        (aaaa.kind, aaaa.text(Field::ReqType), aaaa.text(Field::Result)),
        ("matched", "AAAA", "")
    );
    script.check();
}

#[test]
fn the_same_id_with_another_question_is_no_answer() {
    let script = Script::udp(53)
        .client(query(5, "a.example", 1))
        .server(answer(5, "b.example", 1, &[]));
    let told = script.replay();
    let kinds: Vec<_> = told.iter().map(|t| (t.kind, t.text(Field::Domain))).collect();
    assert_eq!(kinds, [("no_response", "a.example"), ("orphan", "b.example")]);
    script.check();
}

#[test]
fn any_byte_of_a_question_makes_it_another_but_for_case() {
    for length in 0..40 {
        let name = "x".repeat(length);
        let asked = query(5, &name, 28);
        let same = answer(5, &name.to_uppercase(), 28, &[]);
        assert_eq!(one(&Script::udp(53).client(&asked).server(same)).kind, "matched");
        let type_at = asked.len() - 4;
        for at in (13..13 + length).chain([type_at, type_at + 1]) {
            let mut other = answer(5, &name, 28, &[]);
            other[at] ^= 2;
            let told = Script::udp(53).client(&asked).server(other).replay();
            assert_eq!(told.len(), 2, "{length} {at}");
        }
        // The bit that tells letters' case is part of a type like any other.
        let other = answer(5, &name, 28 ^ 0x20, &[]);
        let told = Script::udp(53).client(&asked).server(other).replay();
        assert_eq!(told.len(), 2, "{length}");
    }
}

#[test]
fn response_codes_and_their_extension() {
    let opt = |extended: u8| [&[0, 0, 41, 4, 208, extended, 0, 0, 0, 0, 0][..]].concat();
    let refused = |flags: u16, extended: u8| {
        [
            header(9, flags, [1, 0, 0, 1]),
            question("x.example", 1),
            opt(extended),
        ]
        .concat()
    };
    for (flags, extended, code, status, text) in [
        (0x8183, 0, 3, "client_error", "NXDOMAIN"),
        (0x8182, 0, 2, "server_error", "SERVFAIL"),
        (0x8180, 1, 16, "server_error", "BADVERS"),
        (0x8187, 1, 23, "server_error", "BADCOOKIE"),
        (0x8180, 0, 0, "ok", ""),
    ] {
        let script = Script::udp(53)
            .client(query(9, "x.example", 1))
            .server(refused(flags, extended));
        let told = one(&script);
        assert_eq!(
            (told.kind, told.code, told.status),
            ("matched", Some(code), status)
        );
        assert_eq!(told.text(Field::Exception), text);
        script.check();
    }
}

#[test]
fn a_truncated_answer_says_so() {
    let response = [header(9, 0x8380, [1, 0, 0, 0]), question("x.example", 16)].concat();
    let told = one(&Script::udp(53).client(query(9, "x.example", 16)).server(response));
    assert_eq!((told.attr("tc"), told.truncated), ("true", false));
}

#[test]
fn data_of_each_type() {
    let host = name("mail.example.com");
    let cases: &[(u16, Vec<u8>, &str)] = &[
        (
            28,
            [0x20, 1, 0xd, 0xb8]
                .iter()
                .copied()
                .chain([0; 11])
                .chain([1])
                .collect(),
            "AAAA=2001:db8::1",
        ),
        (2, host.clone(), "NS=mail.example.com"),
        (15, [&[0, 10][..], &host].concat(), "MX=10 mail.example.com"),
        (15, vec![0, 0, 0], "MX=0 ."),
        (16, b"\x05v=spf\x03a\"b\x00".to_vec(), r#"TXT="v=spf" "a\"b" """#),
        (
            33,
            [&[0, 1, 0, 2, 0x13, 0xC4][..], &host].concat(),
            "SRV=1 2 5060 mail.example.com",
        ),
        (
            35,
            [&[0, 100, 0, 10][..], b"\x01u\x07E2U+sip\x03!^!", &[0]].concat(),
            r#"NAPTR=100 10 "u" "E2U+sip" "!^!" ."#,
        ),
        (
            6,
            [
                &host[..],
                &name("root.example.com")[..],
                &[1u32, 2, 3, 4, 5].map(u32::to_be_bytes).concat(),
            ]
            .concat(),
            "SOA=mail.example.com root.example.com 1 2 3 4 5",
        ),
        (43, vec![0x30, 0x39, 8, 2, 0xAB, 0xCD], "DS=12345 8 2 ABCD"),
        (44, vec![1, 2, 0x0F, 0xF0], "SSHFP=1 2 0FF0"),
        (48, vec![1, 1, 3, 13, b'f', b'o', b'o'], "DNSKEY=257 3 13 Zm9v"),
        (
            46,
            [
                &[0, 1, 8, 2, 0, 0, 1, 44, 0, 0, 0, 9, 0, 0, 0, 8, 0x30, 0x39][..],
                &host,
                b"signature",
            ]
            .concat(),
            "RRSIG=A 8 2 300 9 8 12345 mail.example.com",
        ),
        // The bitmap of RFC 4034 section 4.3.
        (
            47,
            [
                &host[..],
                &[0, 6, 0x40, 1, 0, 0, 0, 3, 4, 0x1B],
                &[0; 26],
                &[0x20],
            ]
            .concat(),
            "NSEC=mail.example.com A MX RRSIG NSEC TYPE1234",
        ),
        (
            50,
            [&[1, 0, 0, 12, 2, 0xAA, 0xBB, 3][..], b"foo", &[0, 1, 0x40]].concat(),
            "NSEC3=1 0 12 AABB CPNMU A",
        ),
        (51, vec![1, 0, 0, 0, 0], "NSEC3PARAM=1 0 0 -"),
        (52, vec![3, 1, 1, 0xAB], "TLSA=3 1 1 AB"),
        (
            257,
            b"\x00\x05issueca.example".to_vec(),
            r#"CAA=0 issue "ca.example""#,
        ),
        (
            256,
            b"\x00\x0a\x00\x01https://x/".to_vec(),
            r#"URI=10 1 "https://x/""#,
        ),
        (
            65,
            [
                &[0, 1, 0][..],
                b"\x00\x01\x00\x06\x02h2\x02h3",
                b"\x00\x03\x00\x02\x20\xfb",
                b"\x00\x04\x00\x04\xc0\x00\x02\x01",
                b"\x02\x9a\x00\x02hi",
            ]
            .concat(),
            r#"HTTPS=1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1 key666="hi""#,
        ),
        // RFC 1876 section 4: 42 21 54 N 71 06 18 W -24m 30m.
        (
            29,
            [
                &[0, 0x33, 0x16, 0x13][..],
                &(0x8000_0000u32 + 152_514_000).to_be_bytes(),
                &(0x8000_0000u32 - 255_978_000).to_be_bytes(),
                &(10_000_000u32 - 2400).to_be_bytes(),
            ]
            .concat(),
            "LOC=42 21 54.000 N 71 6 18.000 W -24m 30m 10000m 10m",
        ),
        (10, vec![1, 2], r"NULL=\# 2 0102"),
        (4711, vec![], r"TYPE4711=\# 0"),
        (108, vec![0, 0x1B, 0x2C, 3, 4, 5], "EUI48=00-1B-2C-03-04-05"),
    ];
    for (kind, data, want) in cases {
        assert_eq!(result(*kind, data), *want);
        let response = answer(7, "example.com", *kind, &[record(*kind, data)]);
        Script::udp(53)
            .client(query(7, "example.com", *kind))
            .server(response)
            .check();
    }
}

#[test]
fn many_answers_are_cut_at_the_fields_limit() {
    let records = vec![record(16, &[&[200][..], &[b'x'; 200]].concat()); 20];
    let script =
        Script::udp(53)
            .client(query(1, "t.example", 16))
            .server(answer(1, "t.example", 16, &records));
    let told = one(&script);
    assert_eq!((told.truncated, told.text(Field::Result).len()), (true, 1024));
    script.check();
}

#[test]
fn a_datagram_that_was_cut_tells_what_it_has() {
    let response = answer(
        4,
        "www.example.com",
        1,
        &[record(1, &[192, 0, 2, 1]), record(1, &[192, 0, 2, 2])],
    );
    for (length, result) in [(response.len() - 2, "A=192.0.2.1;A=192.0.2."), (40, "")] {
        let script = Script::udp(53)
            .client(query(4, "www.example.com", 1))
            .server(&response[..length]);
        let told = one(&script);
        assert_eq!((told.kind, told.code, told.truncated), ("matched", Some(0), true));
        assert!(result.starts_with(told.text(Field::Result)), "{told:#?}");
    }
    let asked = query(4, "www.example.com", 1);
    let root_at = asked.len() - 5;
    for (lengths, domain) in [(20..21, "www"), (root_at..asked.len(), "www.example.com")] {
        for length in lengths {
            let told = one(&Script::udp(53).client(&asked[..length]));
            assert_eq!((told.text(Field::Domain), told.truncated), (domain, true));
        }
    }
}

#[test]
fn other_opcodes() {
    let soa = |flags| [header(2, flags, [1, 0, 0, 0]), question("zone.example", 6)].concat();
    for (flags, opcode) in [
        (0x2400, "NOTIFY"),
        (0x2800, "UPDATE"),
        (0x1000, "STATUS"),
        (0x3800, "7"),
        (0x7800, "15"),
    ] {
        let script = Script::udp(53).client(soa(flags)).server(soa(flags | 0x8000));
        let told = one(&script);
        assert_eq!(
            (told.kind, told.attr("opcode"), told.text(Field::ReqType)),
            ("matched", opcode, "SOA")
        );
        script.check();
    }
    let refused = header(2, 0x8884, [0; 4]);
    let inverse = [
        header(2, 0x0900, [0, 1, 0, 0]),
        vec![0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4],
    ]
    .concat();
    let told = one(&Script::udp(53).client(inverse).server(refused));
    assert_eq!((told.kind, told.code), ("matched", Some(4)));
}

#[test]
fn messages_to_a_group_stand_alone() {
    let mut asks = [header(0, 0, [2, 0, 0, 0]), question("_ipp._tcp.local", 12)].concat();
    asks.extend([name("_http._tcp.local"), vec![0, 12, 0x80, 1]].concat());
    let mut tells = header(0, 0x8400, [0, 1, 0, 0]);
    tells.extend(
        [
            name("_ipp._tcp.local"),
            vec![0, 12, 0x80, 1, 0, 0, 0, 9, 0, 2, 0xC0, 12],
        ]
        .concat(),
    );
    let mut script = Script::udp(5353).client(asks).client(tells);
    script.server_ip = "224.0.0.251".parse().unwrap();
    let told = script.replay();
    let kinds: Vec<_> = told
        .iter()
        .map(|t| {
            (
                t.kind,
                t.text(Field::ReqType),
                t.text(Field::Domain),
                t.text(Field::Result),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("oneway", "PTR", "_ipp._tcp.local", ""),
            ("stream", "PTR", "_ipp._tcp.local", "PTR=_ipp._tcp.local"),
        ]
    );
    script.check();
}

#[test]
fn a_stream_carries_messages_behind_their_lengths() {
    let ask = |id| framed(&query(id, "www.example.com", 1));
    let tell = |id| framed(&answer(id, "www.example.com", 1, &[record(1, &[192, 0, 2, 1])]));
    let script = Script::tcp(53)
        .client([ask(1), ask(2), ask(3)].concat())
        .server([tell(2), tell(1)].concat())
        .client(ask(4))
        .server(tell(4))
        .server(tell(3));
    let told = script.replay();
    let ids: Vec<_> = told.iter().map(|t| (t.kind, t.request_id.unwrap())).collect();
    assert_eq!(
        ids,
        [("matched", 2), ("matched", 1), ("matched", 4), ("matched", 3)]
    );
    assert_eq!((told[0].req_len, told[0].resp_len), (Some(35), Some(51)));
    script.check();
}

#[test]
fn the_stream_is_found_again_after_a_gap() {
    let ask = |id| framed(&query(id, "www.example.com", 1));
    let tell = |id| framed(&answer(id, "www.example.com", 1, &[record(1, &[192, 0, 2, 1])]));
    let mut script = Script::tcp(53);
    for id in 0..10 {
        // A gap takes the first half of a message, and what follows begins with the other half.
        let (first, second) = (tell(id)[..20].to_vec(), tell(id)[20..].to_vec());
        script = script.client(ask(id)).server(first).server(second);
    }
    for lost in 0..script.messages.len() {
        let told = script.run(|_, bytes| vec![bytes.len()], Some(lost), 0);
        let whole = told
            .iter()
            .filter(|t| t.kind == "matched" && !t.truncated)
            .count();
        assert!(whole >= 8, "message {lost} lost: {told:#?}");
    }
}

#[test]
fn a_long_message_is_passed_unread() {
    let records = vec![record(16, &[&[200][..], &[b'x'; 200]].concat()); 250];
    let response = framed(&answer(1, "t.example", 16, &records));
    let length = response.len() as u64;
    assert!(length > 50_000);
    let script = Script::tcp(53)
        .client(framed(&query(1, "t.example", 16)))
        .server(response)
        .client(framed(&query(2, "t.example", 1)))
        .server(framed(&answer(2, "t.example", 1, &[])));
    let told = script.replay();
    assert_eq!(
        (told[0].resp_len, told[0].kind, told[0].truncated),
        (Some(length), "matched", true)
    );
    assert_eq!((told[1].request_id, told[1].kind), (Some(2), "matched"));
    script.check();
}

fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 1, 1, 1, 1].map(u32::to_be_bytes).concat();
    record(6, &[&name("ns")[..], &name("root"), &numbers].concat())
}

/// A message of a transfer that doesn't repeat the question; owners are the root.
fn continued(id: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|r| [&[0], &r[2..]].concat()).collect();
    framed(&[header(id, 0x8400, [0, 1, 0, 0]), records].concat()[..])
}

#[test]
fn a_zone_transfer_is_one_exchange() {
    let a = record(1, &[192, 0, 2, 1]);
    let last = framed(&[header(8, 0x8400, [0, 1, 0, 0]), [&[0], &soa(5)[2..]].concat()].concat());
    let long = record(16, &vec![9; 40_000]);
    let script = Script::tcp(53)
        .client(framed(&query(8, "zone.example", 252)))
        .server(framed(&answer(
            8,
            "zone.example",
            252,
            &[soa(5), a.clone(), a.clone()],
        )))
        .server(continued(8, std::slice::from_ref(&a)))
        .server(framed(&answer(8, "zone.example", 252, &[a.clone(), long, a])))
        .server(last)
        .client(framed(&query(9, "zone.example", 1)))
        .server(framed(&answer(9, "zone.example", 1, &[])));
    let told = script.replay();
    let total: usize = script.messages[1..5].iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!(
        (told[0].kind, told[0].rows, told[0].resp_len),
        ("matched", Some(8), Some(total as u64))
    );
    assert_eq!((told[0].text(Field::ReqType), told[0].status), ("AXFR", "ok"));
    assert_eq!(told[1].kind, "matched");
    script.check();
}

#[test]
fn an_incremental_transfer_ends_with_its_third_mark() {
    let a = record(1, &[192, 0, 2, 1]);
    let records = [
        soa(7),
        soa(5),
        a.clone(),
        soa(6),
        a.clone(),
        soa(6),
        a.clone(),
        soa(7),
        a,
    ];
    let script = Script::tcp(53)
        .client(framed(&query(8, "zone.example", 251)))
        .server(framed(&answer(8, "zone.example", 251, &records)))
        .server(framed(&answer(8, "zone.example", 251, &[soa(7)])));
    let told = one(&script);
    assert_eq!(
        (told.kind, told.rows, told.truncated),
        ("matched", Some(10), false)
    );
    script.check();
    // Nothing to transfer: one record.
    let script = Script::tcp(53)
        .client(framed(&query(8, "zone.example", 251)))
        .server(framed(&answer(8, "zone.example", 251, &[soa(7)])));
    assert_eq!((one(&script).kind, one(&script).truncated), ("matched", false));
    script.check();
}
