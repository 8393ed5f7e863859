//! How names are written, as far as records show it.

use super::tests::{answer, header, name, one, query, record};
use super::*;
use crate::testing::Script;

#[test]
fn names_are_written_as_dig_does() {
    let odd = [&[4][..], b"a.b\\", &[5], b"c d\xC3\x7F", &[2], b"@$", &[0]].concat();
    let asked = [header(3, 0, [1, 0, 0, 0]), odd, vec![0, 1, 0, 1]].concat();
    let told = one(&Script::udp(53).client(asked));
    assert_eq!(told.text(Field::Domain), r"a\.b\\.c\032d\195\127.@$");
    assert_eq!(told.text(Field::Endpoint), told.text(Field::Domain));
    let told = one(&Script::udp(53).client(query(3, "", 2)));
    assert_eq!((told.text(Field::Domain), told.text(Field::ReqType)), (".", "NS"));
    let told = one(&Script::udp(53).client(query(3, "x", 12345)));
    assert_eq!(told.text(Field::ReqType), "TYPE12345");
    // 255 octets are a name, one more is none.
    let long = [
        [b"?".repeat(62).as_slice(), b"."].concat().repeat(4),
        b"x".to_vec(),
    ]
    .concat();
    let long = String::from_utf8(long).unwrap().replace('?', "y");
    assert_eq!(name(&long).len(), 255);
    assert_eq!(
        one(&Script::udp(53).client(query(3, &long, 1))).text(Field::Domain),
        long
    );
    assert!(
        Script::udp(53)
            .client(query(3, &format!("{long}x"), 1))
            .replay()
            .is_empty()
    );
}

#[test]
fn names_of_any_bytes_and_lengths_are_quoted_alike() {
    for byte in 0..=255u8 {
        for length in [1, 15, 16, 17, 46, 63] {
            let at = usize::from(byte) % length;
            let mut label = vec![b'x'; length];
            label[at] = byte;
            let octets = [&[length as u8], &label[..], &[3], b"org", &[0]].concat();
            let asked = [header(3, 0, [1, 0, 0, 0]), octets, vec![0, 1, 0, 1]].concat();
            let quoted = match byte {
                b'"' | b'(' | b')' | b'.' | b';' | b'\\' => format!("\\{}", char::from(byte)),
                0x21..=0x7E => char::from(byte).to_string(),
                _ => format!("\\{byte:03}"),
            };
            let wanted = format!("{}{quoted}{}.org", "x".repeat(at), "x".repeat(length - at - 1));
            assert_eq!(one(&Script::udp(53).client(asked)).text(Field::Domain), wanted);
        }
    }
}

#[test]
fn pointers_that_loop_end_the_name() {
    for pointer in [[0xC0, 12], [0xC0, 41], [0xC0, 43], [0xFF, 0xFF]] {
        let response = answer(
            7,
            "example.com",
            5,
            &[record(5, &[&[1, b'x'][..], &pointer].concat())],
        );
        let script = Script::udp(53)
            .client(query(7, "example.com", 5))
            .server(response);
        let told = one(&script);
        let whole = pointer == [0xC0, 12];
        assert_eq!(told.truncated, !whole, "{pointer:?}");
        assert_eq!(
            told.text(Field::Result),
            if whole { "CNAME=x.example.com" } else { "CNAME=x" }
        );
        script.check();
    }
}
