//! Header blocks that are long, lost, or of tables that change their size.

use super::PREFACE;
use super::hpack::encoder::Write::{Added, AddedAt, Indexed, NeverAt, Plain};
use super::hpack::encoder::{Write, block};
use super::tests::*;
use crate::field::Field;
use crate::limits::STITCH_BYTES_MAX;
use crate::testing::{Script, Told};

/// truncated, domain, user agent
fn known(told: &[Told]) -> Vec<(bool, &str, &str)> {
    told.iter()
        .map(|t| (t.truncated, t.text(Field::Domain), t.text(Field::UserAgent)))
        .collect()
}

/// SETTINGS of one value.
fn setting(id: u8, value: u32) -> Vec<u8> {
    frame(4, 0, 0, &[&[0, id][..], &value.to_be_bytes()].concat())
}

/// A request for `/` whose host and agent are these.
fn asks<'a>(host: Write<'a>, agent: Write<'a>) -> [Write<'a>; 5] {
    [Indexed(2), Indexed(6), Indexed(4), host, agent]
}

fn ok(stream: u32) -> Vec<u8> {
    headers(stream, END_STREAM, &[Indexed(8)])
}

#[test]
fn what_exceeds_the_bound_of_a_block_is_counted_and_not_read() {
    // 39 KiB of cookies in frames of 1 KiB, between what is worth reading.
    let cookie = "c".repeat(1013);
    let mut fields = asks(AddedAt(1, "a.example"), Added("user-agent", "first")).to_vec();
    fields.extend(std::iter::repeat_n(Plain("cookie", &cookie), 39));
    fields.push(Plain("x-request-id", "too far"));
    let whole = block(&fields, false);
    assert!(whole.len() > STITCH_BYTES_MAX);
    let mut parts = whole.chunks(1024).enumerate().peekable();
    let mut request = Vec::new();
    while let Some((at, part)) = parts.next() {
        let flags = if parts.peek().is_none() { END_HEADERS } else { 0 };
        request.extend(match at {
            0 => frame(1, END_STREAM | flags, 1, part),
            _ => frame(9, flags, 1, part),
        });
    }
    let script = connected()
        .client(&request)
        .server(ok(1))
        // Where its table stands is not known, but what is added to it is.
        .client(headers(3, END_STREAM, &asks(Indexed(62), AddedAt(58, "second"))))
        .server(ok(3))
        .client(headers(
            5,
            END_STREAM,
            &asks(AddedAt(1, "b.example"), Indexed(63)),
        ))
        .server(ok(5))
        .client(headers(7, END_STREAM, &asks(Indexed(62), Indexed(63))))
        .server(ok(7));
    let told = script.replay();
    assert_eq!(
        known(&told),
        [
            (true, "a.example", "first"),
            (true, "", "second"),
            (false, "b.example", "second"),
            (false, "b.example", "second"),
        ]
    );
    assert_eq!(told[0].req_len, Some(request.len() as u64));
    assert_eq!(told[0].text(Field::XRequestId), "");
    script.check();
}

#[test]
fn a_frame_above_the_bound_is_read_as_far_as_it() {
    let cookie = "c".repeat(30_000);
    let mut fields = asks(NeverAt(1, "a.example"), Plain("user-agent", "x")).to_vec();
    fields.push(Plain("cookie", &cookie));
    let request = headers(1, 0, &[]);
    assert_eq!(request.len(), 9);
    let request = frame(1, END_HEADERS, 1, &block(&fields, false));
    let script = connected()
        .server(setting(5, 65_536))
        .client([&request[..], &data(1, END_STREAM, 5)].concat())
        .server(ok(1));
    let told = script.replay();
    assert_eq!(known(&told), [(true, "a.example", "x")]);
    assert_eq!(told[0].req_len, Some(request.len() as u64 + 14));
    script.check();
}

#[test]
fn after_a_lost_block_the_table_is_known_again_entry_by_entry() {
    let lost = headers(
        3,
        END_STREAM,
        &asks(AddedAt(1, "old"), Added("user-agent", "old")),
    );
    let script = connected()
        .client(headers(1, END_STREAM, &asks(AddedAt(1, "first"), Indexed(2))))
        .server(ok(1))
        .client(&lost)
        .client(headers(5, END_STREAM, &asks(Indexed(62), Indexed(63))))
        .server(ok(5))
        .client(headers(7, END_STREAM, &asks(AddedAt(1, "new"), Indexed(63))))
        .server(ok(7))
        .client(headers(9, END_STREAM, &asks(Indexed(62), Indexed(64))))
        .server(ok(9))
        .client(headers(11, END_STREAM, &asks(Indexed(62), AddedAt(58, "new"))))
        .server(ok(11))
        .client(headers(13, END_STREAM, &asks(Indexed(63), Indexed(62))))
        .server(ok(13));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(5), 0);
    assert_eq!(
        known(&told),
        [
            (false, "first", ""),
            (true, "", ""),
            (true, "new", ""),
            (true, "new", ""),
            (false, "new", "new"),
            (false, "new", "new"),
        ]
    );
    script.check();
}

#[test]
fn tables_change_their_size() {
    // A table of 0, then of 100 bytes, which holds one field, then one above the default.
    let resized = |stream, sizes: &[u8], fields: &[Write<'_>]| {
        frame(
            1,
            END_STREAM | END_HEADERS,
            stream,
            &[sizes, &block(fields, true)].concat(),
        )
    };
    let script = connected()
        .server(setting(1, 0))
        .client(headers(
            1,
            END_STREAM,
            &asks(AddedAt(1, "first"), Added("user-agent", "first")),
        ))
        .server(ok(1))
        .server(setting(1, 8192))
        // Down to nothing and up to 69, both told at once (RFC 7541 section 4.2).
        .client(resized(
            3,
            &[0x20, 0x3F, 69 - 31],
            &asks(AddedAt(1, "second"), AddedAt(58, "agent")),
        ))
        .server(ok(3))
        .client(headers(5, END_STREAM, &asks(NeverAt(1, "third"), Indexed(62))))
        .server(ok(5))
        .client(resized(
            7,
            &[0x3F, 0xE1, 0x3F],
            &asks(
                AddedAt(1, &"h".repeat(1000)),
                Added("x-filler", &"f".repeat(4000)),
            ),
        ))
        .server(ok(7))
        .client(headers(9, END_STREAM, &asks(Indexed(63), Indexed(64))))
        .server(ok(9));
    let told = script.replay();
    let long = "h".repeat(1000);
    assert_eq!(
        known(&told),
        [
            (false, "first", "first"),
            (false, "second", "agent"),
            (false, "third", "agent"),
            (false, long.as_str(), ""),
            (false, long.as_str(), "agent"),
        ]
    );
    script.check();
}

#[test]
fn frames_are_as_long_as_their_receiver_allows() {
    let settings = |value| [&PREFACE[..], &setting(5, value)].concat();
    let script = |value| {
        Script::tcp(8080)
            .client(settings(value))
            .server(frame(4, 0, 0, &[]))
            .client(headers(1, END_STREAM, &asks(AddedAt(1, "a"), Indexed(2))))
            .server([headers(1, 0, &[Indexed(8)]), data(1, 0, 20_000)].concat())
            .server(data(1, END_STREAM, 1))
    };
    let told = script(20_000).replay();
    assert_eq!(
        (told[0].kind, told[0].resp_len),
        ("matched", Some(10 + 20_009 + 10))
    );
    script(20_000).check();
    // Above what is allowed it is no frame.
    let told = script(19_999).replay();
    assert!(told[0].truncated && told[0].resp_len < Some(20_000), "{told:#?}");
    // The smallest size there may be is the default: smaller ones mean nothing (RFC 9113 section 6.5.2).
    let told = Script::tcp(8080)
        .client(settings(100))
        .server(frame(4, 0, 0, &[]))
        .client(headers(1, END_STREAM, &asks(AddedAt(1, "a"), Indexed(2))))
        .server([headers(1, 0, &[Indexed(8)]), data(1, END_STREAM, 16_384)].concat())
        .replay();
    assert_eq!(told[0].resp_len, Some(10 + 16_384 + 9));
}
