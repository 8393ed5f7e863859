//! Each form of each value (section 7 of the specification), whole and in pieces.

use super::encoder::{binary, map, object, string_in_pieces};
use super::{Stop, Walk, Walker, encoder, int, string, string_start};
use crate::limits::{HESSIAN2_CLASSES_MAX, HESSIAN2_DEPTH_MAX};
use crate::testing::noise;

/// Values of every form, each with how many values it is.
fn every_form() -> Vec<Vec<u8>> {
    let plain: [&[u8]; 40] = [
        b"N",
        b"T",
        b"F",
        b"\x00",
        b"\x05hello",
        b"\x01\xC3\x83",
        b"\x30\x05hello",
        b"S\x00\x05hello",
        b"R\x00\x02he\x03llo",
        b"R\x00\x01hR\x00\x01eS\x00\x00",
        b"\x20",
        b"\x23\x01\x02\x03",
        b"\x34\x02ab",
        b"B\x00\x01x",
        b"A\x00\x01xA\x00\x01y\x21z",
        b"\x90",
        b"\x80",
        b"\xBF",
        b"\xC8\x00",
        b"\xCF\xFF",
        b"\xD4\x00\x00",
        b"I\x80\x00\x00\x00",
        b"\xE0",
        b"\xF8\x00",
        b"\x3C\x00\x00",
        b"\x59\x00\x00\x00\x01",
        b"L\x01\x02\x03\x04\x05\x06\x07\x08",
        b"\x5B",
        b"\x5C",
        b"\x5D\x80",
        b"\x5E\x80\x00",
        b"\x5F\x00\x00\x00\x01",
        b"D\x40\x28\x80\x00\x00\x00\x00\x00",
        b"J\x00\x00\x00\xD0\x4B\x92\x84\xB8",
        b"K\x00\xE3\x83\x8F",
        b"\x78",
        b"\x7A\x90\x91",
        b"X\x92\x90N",
        b"W\x90\x91Z",
        b"WZ",
    ];
    let mut all: Vec<Vec<u8>> = plain.iter().map(|value| value.to_vec()).collect();
    all.extend([
        b"\x72\x04[int\x90\x91".to_vec(),
        b"\x70\x04list".to_vec(),
        b"V\x04[int\x92\x90\x91".to_vec(),
        b"V\x90\x91\x90".to_vec(),
        b"U\x04list\x90\x91Z".to_vec(),
        b"M\x04typeZ".to_vec(),
        b"M\x90\x01aTZ".to_vec(),
        b"HZ".to_vec(),
        b"H\x91\x03fee\xA0\x03fieZ".to_vec(),
        b"Q\x90".to_vec(),
        map(&[("key", "value"), ("list", "\u{1F600}")]),
        object(
            0,
            "a.Class",
            &[("one", b"\x90".to_vec()), ("two", object(1, "b", &[]))],
        ),
        // A class that is defined within a list, and used behind it by number.
        b"\x7AC\x01A\x91\x01x\x60NO\x90T".to_vec(),
        binary(&noise(7, 70_000)),
        string_in_pieces(&"x".repeat(100_000), 0x8000),
    ]);
    all
}

/// Passes one value out of pieces of `len` bytes; `None`: it was refused.
fn walk_in_pieces(bytes: &[u8], values: u32, len: usize) -> Option<usize> {
    let mut walker = Walker::default();
    walker.expect(values);
    let (mut at, mut end) = (0, 0);
    loop {
        end = (end + len).min(bytes.len());
        loop {
            match walker.walk(&bytes[at..end]) {
                Walk::Over(count) => return Some(at + count),
                Walk::Broken => return None,
                Walk::On(0) => break,
                Walk::On(count) => at += count,
            }
        }
        assert!(end < bytes.len(), "it wants more than there is");
    }
}

#[test]
fn every_form_passes_in_pieces_of_any_size() {
    for value in every_form() {
        let behind = [&value[..], b"\x90\x90N"].concat();
        for len in [1, 2, 3, 7, 100, 40_000, 200_000] {
            assert_eq!(
                walk_in_pieces(&behind, 1, len),
                Some(value.len()),
                "{value:02x?} by {len}"
            );
        }
    }
}

#[test]
fn values_pass_one_after_another() {
    let all = every_form();
    // Objects with numbers of classes stand alone.
    let bytes: Vec<u8> = all
        .iter()
        .filter(|value| !value.contains(&b'C'))
        .flatten()
        .copied()
        .collect();
    let count = all.iter().filter(|value| !value.contains(&b'C')).count() as u32;
    assert_eq!(walk_in_pieces(&bytes, count, 1000), Some(bytes.len()));
}

#[test]
fn what_is_passed_unseen_needs_not_be_there() {
    let mut walker = Walker::default();
    walker.expect(2);
    assert_eq!(walker.walk(b"B\x80\x00"), Walk::On(3));
    assert_eq!(walker.unseen(), 0x8000);
    walker.pass_unseen();
    assert_eq!(walker.walk(b"N"), Walk::Over(1));
}

#[test]
fn bounds_hold() {
    let deep = |depth: usize| [vec![b'W'; depth], vec![b'N'], vec![b'Z'; depth]].concat();
    assert!(walk_in_pieces(&deep(HESSIAN2_DEPTH_MAX), 1, 100).is_some());
    assert_eq!(walk_in_pieces(&deep(HESSIAN2_DEPTH_MAX + 1), 1, 100), None);
    // A chain in which each object is the last field of the one before is not deep.
    let chain = [&b"C\x01A\x91\x01x\x60"[..], &[0x60; 10_000], b"N"].concat();
    assert_eq!(walk_in_pieces(&chain, 1, 100), Some(chain.len()));

    let classes = |count: usize| [b"C\x01A\x90".repeat(count), b"\x60".to_vec()].concat();
    assert!(walk_in_pieces(&classes(HESSIAN2_CLASSES_MAX), 1, 100).is_some());
    assert_eq!(walk_in_pieces(&classes(HESSIAN2_CLASSES_MAX + 1), 1, 100), None);
}

#[test]
fn what_is_no_value_is_refused() {
    for bytes in [
        &b"@"[..],
        b"E",
        b"G",
        b"P",
        b"Z",
        b"\x60",
        b"O\x90",
        b"O\x8F",
        b"X\x8F",
        b"XN",
        b"R\x00\x01aN",
        b"A\x00\x01a\x01b",
        b"C\x01AN",
        b"V\x01tN",
        b"C\x01A\xD7\xFF\xFF",
    ] {
        assert_eq!(walk_in_pieces(bytes, 1, 100), None, "{bytes:02x?}");
    }
    let mut walker = Walker::default();
    for seed in 0..2000 {
        walker.clear();
        walker.expect(3);
        let _ = walker.walk(&noise(seed, 300));
    }
}

#[test]
fn strings_end_where_their_last_character_does() {
    for text in [
        "",
        "a",
        "añb",
        "€",
        "\u{1F600}",
        "x\u{1F600}y",
        &"é".repeat(600),
        &"𝄞".repeat(40),
        &"z".repeat(5000),
    ] {
        // What follows looks as if it went on with a character.
        let bytes = [&encoder::string(text)[..], b"\x90\x80"].concat();
        let mut rest = &bytes[..];
        assert_eq!(string(&mut rest), Ok(text.as_bytes()));
        assert_eq!(rest, b"\x90\x80");
        for len in 0..bytes.len() - 2 {
            let mut rest = &bytes[..len];
            assert!(matches!(string(&mut rest), Err(Stop::More(count)) if len + count <= bytes.len() - 2));
            assert_eq!(rest.len(), len, "nothing is taken of what is not whole");
        }
    }
    // Two units of three bytes each, as Java writes a character beyond the Basic Multilingual Plane.
    let mut surrogates = &b"\x02\xED\xA0\xBD\xED\xB8\x80N"[..];
    assert_eq!(string(&mut surrogates).map(<[u8]>::len), Ok(6));
    assert_eq!(string(&mut &b"R\x00\x01a\x00"[..]), Err(Stop::Broken));
    assert_eq!(string_start(b"R\x00\x01a\x00"), Ok(&b"a"[..]));
    assert_eq!(string_start(b"S\x10\x00abc"), Ok(&b"abc"[..]));
    assert_eq!(string_start(b"N"), Err(Stop::Broken));
}

#[test]
fn ints_have_four_forms() {
    for (bytes, number) in [
        (&b"\x90"[..], 0),
        (b"\x80", -16),
        (b"\xBF", 47),
        (b"\xC8\x00", 0),
        (b"\xC0\x00", -2048),
        (b"\xC7\x00", -256),
        (b"\xCF\xFF", 2047),
        (b"\xD4\x00\x00", 0),
        (b"\xD0\x00\x00", -262_144),
        (b"\xD7\xFF\xFF", 262_143),
        (b"I\x00\x00\x00\x00", 0),
        (b"I\xFF\xFF\xFF\xFF", -1),
    ] {
        assert_eq!(int(&mut &bytes[..]), Ok(number), "{bytes:02x?}");
    }
    assert_eq!(int(&mut &b"N"[..]), Err(Stop::Broken));
    assert_eq!(int(&mut &b"I\x00"[..]), Err(Stop::More(3)));
    assert_eq!(int(&mut &encoder::int(4711)[..]), Ok(4711));
}
