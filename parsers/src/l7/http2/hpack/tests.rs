//! The examples of RFC 7541, appendix C, and what must not be believed.

use super::encoder::{Write, block};
use super::{Broken, Table, decode};
use crate::l7::http2::fields::Fields;
use crate::l7::http2::name::Name;
use crate::limits::HPACK_TABLE_BYTES_MAX;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn new_table() -> Table {
    let mut table = Table::unknown();
    table.begin();
    table
}

fn read(table: &mut Table, block: &[u8]) -> Vec<(Name, String)> {
    let mut fields = Fields::new();
    decode(block, table, &mut fields).unwrap();
    assert!(!fields.unknown && !fields.cut);
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    fields.iter().map(|(name, value)| (name, text(value))).collect()
}

fn want(fields: &[(Name, &str)]) -> Vec<(Name, String)> {
    fields
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn requests(blocks: [&str; 3]) {
    let mut table = new_table();
    let request = |path| {
        want(&[
            (Name::Method, "GET"),
            (Name::Path, path),
            (Name::Authority, "www.example.com"),
        ])
    };
    assert_eq!(read(&mut table, &bytes(blocks[0])), request("/"));
    assert_eq!(table.size(), 57);
    assert_eq!(read(&mut table, &bytes(blocks[1])), request("/"));
    assert_eq!(table.size(), 110);
    assert_eq!(read(&mut table, &bytes(blocks[2])), request("/index.html"));
    assert_eq!(table.size(), 164);
}

/// Appendix C.3.
#[test]
fn requests_without_huffman() {
    requests([
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ]);
}

/// Appendix C.4.
#[test]
fn requests_with_huffman() {
    requests([
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ]);
}

/// Appendices C.5 and C.6: a table of 256 bytes, so fields are evicted.
#[test]
fn responses_with_eviction() {
    for blocks in [
        [
            "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54\
             6e1768747470733a2f2f7777772e6578616d706c652e636f6d",
            "4803333037c1c0bf",
            "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d\
             4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572\
             73696f6e3d31",
        ],
        [
            "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b\
             97c8e9ae82ae43d3",
            "4883640effc1c0bf",
            "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdf\
             cd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        ],
    ] {
        let mut table = new_table();
        table.resize(256);
        assert_eq!(
            read(&mut table, &bytes(blocks[0])),
            want(&[(Name::Status, "302")])
        );
        assert_eq!(table.size(), 222);
        assert_eq!(
            read(&mut table, &bytes(blocks[1])),
            want(&[(Name::Status, "307")])
        );
        assert_eq!(table.size(), 222);
        assert_eq!(
            read(&mut table, &bytes(blocks[2])),
            want(&[(Name::Status, "200")])
        );
        assert_eq!(table.size(), 215);
    }
}

#[test]
fn wanted_text_survives_a_ring_that_turns_round() {
    let mut table = new_table();
    for round in 0..500 {
        let agent = format!("agent-{round}-{}", "x".repeat(round % 90));
        let path = format!("/{}", "y".repeat(round % 70));
        let fields = [
            Write::Added("user-agent", &agent),
            Write::Added("x-unused", &path),
            Write::Added(":path", &path),
        ];
        let first = read(&mut table, &block(&fields, round % 2 == 0));
        let again = read(
            &mut table,
            &block(&[Write::Indexed(64), Write::Indexed(62)], false),
        );
        assert_eq!(again, first);
        assert!(table.size() <= 4096);
    }
}

#[test]
fn joined_in_the_middle_new_fields_are_known_and_old_ones_are_not() {
    let mut table = Table::unknown();
    let mut fields = Fields::new();
    let first = block(
        &[
            Write::Indexed(62),
            Write::AddedAt(70, "v"),
            Write::Added(":path", "/new"),
        ],
        false,
    );
    decode(&first, &mut table, &mut fields).unwrap();
    assert!(fields.unknown);
    assert_eq!(fields.get(Name::Path), Some(&b"/new"[..]));
    // The newest is known; that of the unknown name stays unknown; so do older ones.
    for (index, unknown) in [(62, false), (63, true), (64, true)] {
        let mut fields = Fields::new();
        decode(&block(&[Write::Indexed(index)], false), &mut table, &mut fields).unwrap();
        assert_eq!(fields.unknown, unknown, "{index}");
        assert_eq!(fields.get(Name::Path).is_some(), !unknown);
    }
    // An emptied table is known again.
    let mut fields = Fields::new();
    let emptied = block(
        &[Write::Resize(0), Write::Resize(4096), Write::Indexed(62)],
        false,
    );
    assert_eq!(decode(&emptied, &mut table, &mut fields), Err(Broken));
}

#[test]
fn tables_larger_than_the_limit_forget_their_end() {
    let mut table = new_table();
    let size = HPACK_TABLE_BYTES_MAX as usize;
    decode(
        &block(&[Write::Resize(4 * size)], false),
        &mut table,
        &mut Fields::new(),
    )
    .unwrap();
    let value = "v".repeat(1000);
    for _ in 0..200 {
        decode(
            &block(&[Write::Added("user-agent", &value)], false),
            &mut table,
            &mut Fields::new(),
        )
        .unwrap();
    }
    assert!(table.size() <= size);
    assert!(table.bytes() <= 3 * size, "{}", table.bytes());
    let mut fields = Fields::new();
    decode(
        &block(&[Write::Indexed(62 + 150)], false),
        &mut table,
        &mut fields,
    )
    .unwrap();
    assert!(fields.unknown);
}

#[test]
fn a_long_field_asked_for_thousands_of_times_costs_one_copy() {
    let mut table = new_table();
    let bomb = "b".repeat(4000);
    decode(
        &block(&[Write::Added("user-agent", &bomb)], false),
        &mut table,
        &mut Fields::new(),
    )
    .unwrap();
    let mut fields = Fields::new();
    decode(&[0xBE; 16_000], &mut table, &mut fields).unwrap();
    assert_eq!(fields.iter().count(), 1);
    assert_eq!(fields.mark(), 4000);
}

#[test]
fn what_is_no_block_is_refused() {
    for (what, block) in [
        ("index 0", &[0x80][..]),
        ("an index beyond the table", &[0xBE]),
        ("a name beyond the table", &[0x7E, 0x01, b'a']),
        ("a length beyond the block", &[0x40, 0x05, b'a']),
        (
            "an integer without end",
            &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00],
        ),
        ("a value without Huffman padding", &[0x44, 0x81, 0x00]),
        ("half a field", &[0x44]),
    ] {
        assert_eq!(
            decode(block, &mut new_table(), &mut Fields::new()),
            Err(Broken),
            "{what}"
        );
    }
}

#[test]
fn what_fits_no_table_empties_it() {
    let mut table = new_table();
    read(&mut table, &block(&[Write::Added("user-agent", "short")], false));
    assert!(table.size() > 0);
    read(
        &mut table,
        &block(&[Write::Added("user-agent", &"long".repeat(1100))], false),
    );
    assert_eq!(table.size(), 0);
}

#[test]
fn static_names_are_what_names_are() {
    for index in 1..=61 {
        let field = super::static_table::get(index).unwrap();
        let mut table = new_table();
        let known = read(&mut table, &block(&[Write::NeverAt(index, "1")], false));
        assert_eq!(known.is_empty(), !field.name.is_wanted(), "{index}");
    }
    assert!(super::static_table::get(62).is_none() && super::static_table::get(0).is_none());
}
