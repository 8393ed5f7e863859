//! The head of a call in each serialization.

use super::only;
use crate::field::Field;
use crate::l7::dubbo::coding::Coding;
use crate::l7::dubbo::header;
use crate::l7::dubbo::samples::*;
use crate::l7::hessian2::encoder::{map, string};
use crate::testing::Script;

/// Head and answer of a call of `org.example.Users.find`, in each serialization.
fn other_codings() -> Vec<(u8, &'static str, Vec<u8>, Vec<u8>)> {
    const HEAD: [&str; 5] = [
        "2.0.2",
        "org.example.Users",
        "1.2.0",
        "find",
        "Ljava/lang/String;",
    ];
    let lines = |texts: &[&str]| {
        texts
            .iter()
            .map(|t| format!("\"{t}\"\n"))
            .collect::<String>()
            .into_bytes()
    };
    let each =
        |write: &dyn Fn(&str) -> Vec<u8>| HEAD.iter().flat_map(|text| write(text)).collect::<Vec<u8>>();
    let sized = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let jsonb = |text: &str| sized(&[&[73 + text.len() as u8][..], text.as_bytes()].concat());
    let kryo = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        *bytes.last_mut().unwrap() |= 0x80;
        bytes
    };
    let kryo_utf8 = |text: &str| [&[0x81 + text.len() as u8][..], text.as_bytes()].concat();
    let fst = |text: &str| [&[text.len() as u8][..], text.as_bytes()].concat();
    let utf = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes()].concat();
    let counted = |text: &str| [&(text.len() as u32).to_be_bytes()[..], &utf(text)].concat();
    let stream = |bytes: Vec<u8>| {
        // In blocks that cut texts.
        let blocks = bytes
            .chunks(20)
            .flat_map(|piece| [&[0x77, piece.len() as u8][..], piece].concat());
        [&[0xAC, 0xED, 0, 5][..], &blocks.collect::<Vec<u8>>()].concat()
    };
    vec![
        (3, "java", stream(each(&counted)), stream(vec![1])),
        (4, "compactedjava", stream(each(&counted)), stream(vec![2])),
        (6, "fastjson", lines(&HEAD), b"1\n\"Anna\"\n".to_vec()),
        (7, "nativejava", stream(each(&utf)), stream(vec![1])),
        (8, "kryo", each(&kryo), b"\x01".to_vec()),
        (8, "kryo", each(&kryo_utf8), b"\x01".to_vec()),
        (9, "fst", each(&fst), b"\x02".to_vec()),
        (
            12,
            "protostuff",
            each(&|text| sized(text.as_bytes())),
            b"\x01".to_vec(),
        ),
        (23, "fastjson2", each(&jsonb), sized(b"\x04")),
        (25, "kryo2", each(&kryo), b"\x01".to_vec()),
    ]
}

#[test]
fn every_serialization_names_service_and_method() {
    for (number, name, head, value) in other_codings() {
        let body = [&head[..], b"whatever the arguments are"].concat();
        let script = Script::tcp(20880)
            .client(message(REQUEST | number, 0, 3, &body))
            .server(message(number, OK, 3, &value));
        let told = only(&script);
        assert_eq!((told.kind, told.status), ("matched", "ok"));
        assert_eq!(told.attr("serialization"), name);
        assert_eq!(told.text(Field::Version), "2.0.2", "{name}");
        assert_eq!(told.text(Field::Endpoint), "org.example.Users/find", "{name}");
        assert_eq!(told.attr("service_version"), "1.2.0", "{name}");
        assert_eq!(told.attr("parameter_types"), "Ljava/lang/String;", "{name}");
        assert!(!told.truncated);
        script.check();
    }
}

#[test]
fn texts_that_need_more_than_ascii_are_put_together() {
    let names = |body: &[u8], number: u8| {
        let told = only(&Script::tcp(20880).client(message(REQUEST | number, 0, 3, body)));
        (
            told.text(Field::Resource).to_owned(),
            told.text(Field::ReqType).to_owned(),
        )
    };
    let json = "\"2.0.2\"\r\n\"a.\\u00e9\\\"\"\r\nnull\r\n\"m\\n\"\r\n\"\"\r\n";
    assert_eq!(names(json.as_bytes(), 6), ("a.é\"".to_owned(), "m\n".to_owned()));
    let fst = b"\x032.0\x02\xE9\xFF\xAC\x20\x80\x05\x00hello\x81\x01\x00\x00\x00m\x00";
    assert_eq!(names(fst, 9), ("é€".to_owned(), "m".to_owned()));
    let kryo = [
        &b"2.0.\xB2\x82\xC3\xA9\x80"[..],
        &[0xC0 | 9, 1],
        "é".repeat(72).as_bytes(),
        b"\x81",
    ]
    .concat();
    assert_eq!(names(&kryo, 8), ("é".to_owned(), "é".repeat(72)));
}

#[test]
fn dubbox_counts_its_arguments_before_their_types() {
    let kryo = b"2.8.\xB4com.example.\xD5 1.0.\xB0fin\xE4\x00\x00\x00\x02rest";
    let kryo: Vec<u8> = kryo.iter().copied().filter(|byte| *byte != b' ').collect();
    let told = only(&Script::tcp(20880).client(message(REQUEST | 8, 0, 3, &kryo)));
    assert_eq!(told.text(Field::Endpoint), "com.example.U/find");
    let head = ["2.8.4", "org.example.Users", "1.0", "find"].map(string).concat();
    let typed = [
        &head[..],
        b"\x8F",
        &string("I"),
        b"\x90",
        &map(&[("b3", "ab-cd")]),
    ]
    .concat();
    let counted = [&head[..], b"\x91", b"\x90", &map(&[("b3", "ab-cd")])].concat();
    for body in [typed, counted] {
        let told = only(&Script::tcp(20880).client(message(REQUEST | HESSIAN2, 0, 3, &body)));
        assert_eq!((told.text(Field::SpanId), told.truncated), ("cd", false));
    }
}

#[test]
fn a_serialization_that_is_not_read_still_pairs() {
    let told = only(
        &Script::tcp(20880)
            .client(message(REQUEST | 15, 0, 3, b"??"))
            .server(message(15, 40, 3, b"??")),
    );
    assert_eq!(
        (told.kind, told.status, told.attr("serialization")),
        ("matched", "client_error", "15")
    );
    assert_eq!(Coding::of(15), None);
    assert_eq!(header::serialization_name(22), Some("protobuf"));
}
