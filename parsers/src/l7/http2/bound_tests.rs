//! Connections that are closing, too large, or lossy.

use super::hpack::encoder::Write::{Indexed, Plain};
use super::hpack::encoder::block;
use super::tests::*;
use crate::field::Field;

fn go_away(last: u32, code: u32) -> Vec<u8> {
    frame(
        7,
        0,
        0,
        &[&last.to_be_bytes()[..], &code.to_be_bytes(), b"bye"].concat(),
    )
}

#[test]
fn streams_above_the_last_of_a_goaway_end() {
    let requests: Vec<_> = [1, 3, 5, 7]
        .iter()
        .map(|id| headers(*id, END_STREAM, &get("/")))
        .collect();
    let script = connected()
        .client(requests.concat())
        .server(headers(5, 0, &[Indexed(8)]))
        .server([go_away(0x7FFF_FFFF, 0), go_away(3, 0xb)].concat())
        .server(
            [
                headers(3, END_STREAM, &[Indexed(8)]),
                headers(1, END_STREAM, &[Indexed(8)]),
            ]
            .concat(),
        )
        .server(data(5, END_STREAM, 1));
    let told = script.replay();
    let seen: Vec<_> = told
        .iter()
        .map(|t| (t.request_id, t.kind, t.ended, t.text(Field::Exception)))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(7), "no_response", "rst", "ENHANCE_YOUR_CALM"),
            (Some(3), "matched", "response", ""),
            (Some(1), "matched", "response", ""),
            (Some(5), "matched", "response", ""),
        ]
    );
    script.check();
}

#[test]
fn thousands_of_streams_stay_within_their_bound() {
    const STREAMS: u32 = 5_000;
    let ids = || (0..STREAMS).map(|n| 2 * n + 1);
    let mut script = connected();
    for id in ids() {
        script = script.client(headers(id, END_STREAM, &get("/")));
    }
    // Answered from the last to the first, each in two parts.
    for id in ids().rev() {
        script = script.server(headers(id, 0, &[Indexed(8)]));
    }
    for id in ids().rev() {
        script = script.server(data(id, END_STREAM, 1));
    }
    let told = script.replay();
    let count = |kind, ended| told.iter().filter(|t| (t.kind, t.ended) == (kind, ended)).count();
    let bound = crate::limits::PENDING_PER_FLOW_MAX;
    assert_eq!(count("matched", "response"), bound);
    assert_eq!(count("no_response", "evicted"), STREAMS as usize - bound);
    let orphans: Vec<_> = told
        .iter()
        .filter(|t| t.kind == "orphan")
        .map(|t| t.code)
        .collect();
    assert_eq!(orphans, vec![Some(200); STREAMS as usize - bound]);
}

#[test]
fn endless_blocks_are_cut() {
    let flood: Vec<u8> = (0..40).flat_map(|_| frame(9, 0, 1, &[0x82; 1000])).collect();
    let begin = frame(1, END_STREAM, 1, &block(&get("/flood"), true));
    let script = connected()
        .client([begin, flood, frame(9, END_HEADERS, 1, &[])].concat())
        .server(headers(1, END_STREAM, &[Indexed(8)]))
        .client(headers(3, END_STREAM, &[Indexed(2), Indexed(4)]))
        .server(headers(3, END_STREAM, &[Indexed(8)]));
    let told = script.replay();
    assert_eq!(
        outline(&told),
        [
            ("http2", "matched", Some(1), "/flood", Some(200), "ok"),
            ("http2", "matched", Some(3), "/", Some(200), "ok"),
        ]
    );
    assert!(told[0].truncated);
}

#[test]
fn lost_parts_end_no_stream_but_their_own() {
    let upload = [headers(1, 0, &get("/upload")), data(1, 0, 100)].concat();
    let mut script = connected()
        .client(upload)
        .client(data(1, END_STREAM, 1_000))
        .client(headers(
            3,
            END_STREAM,
            &[Indexed(2), Indexed(4), Plain("user-agent", "x")],
        ))
        .server(
            [
                headers(3, END_STREAM, &[Indexed(8)]),
                headers(1, 0, &[Indexed(8)]),
            ]
            .concat(),
        )
        .server(data(1, 0, 500))
        .server(data(1, END_STREAM, 10));
    // The end of the request: its response is the end of both.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(4), 0);
    let ends: Vec<_> = told
        .iter()
        .map(|t| (t.request_id, t.kind, t.ended, t.truncated, t.gap_bytes))
        .collect();
    assert_eq!(
        ends,
        [
            (Some(3), "matched", "response", false, 0),
            (Some(1), "matched", "response", true, 1_009)
        ]
    );
    // A piece of the response's body.
    let told = script.run(|_, bytes| vec![bytes.len()], Some(7), 0);
    assert_eq!(
        told.iter().map(|t| t.kind).collect::<Vec<_>>(),
        ["matched", "matched"]
    );
    // The fields of a response.
    script.messages[6].1 = headers(3, END_STREAM, &[Indexed(8)]);
    script = script.server(data(1, END_STREAM, 10));
    script.messages.insert(
        7,
        (crate::parser::Direction::ToClient, headers(1, 0, &[Indexed(8)])),
    );
    let told = script.run(|_, bytes| vec![bytes.len()], Some(7), 0);
    let ends: Vec<_> = told
        .iter()
        .map(|t| (t.request_id, t.kind, t.code, t.truncated))
        .collect();
    assert_eq!(
        ends,
        [
            (Some(3), "matched", Some(200), false),
            (Some(1), "matched", None, true)
        ]
    );
    script.check();
}
