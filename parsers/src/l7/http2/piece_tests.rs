//! Streams told piece by piece.

use super::hpack::encoder::Write::{Indexed, Plain};
use super::tests::*;
use crate::field::Field;
use crate::testing::{START_NS, STEP_NS, Script, Told};

/// A connection whose pieces are told.
fn told_in_pieces() -> Script {
    let mut script = connected();
    script.settings.grpc_stream_records = true;
    script
}

/// A message of `len` bytes, its prefix not counted.
fn message(len: u32) -> Vec<u8> {
    [&[0][..], &len.to_be_bytes(), &vec![b'm'; len as usize]].concat()
}

fn piece(stream: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, payload)
}

fn ended(stream: u32) -> Vec<u8> {
    headers(stream, END_STREAM, &[Plain("grpc-status", "0")])
}

/// kind, request_id, req_len, resp_len
type Lengths<'a> = (&'a str, Option<u64>, Option<u64>, Option<u64>);

fn lengths(told: &[Told]) -> Vec<Lengths<'_>> {
    told.iter()
        .map(|t| (t.kind, t.request_id, t.req_len, t.resp_len))
        .collect()
}

#[test]
fn each_message_of_a_stream_is_a_record_beside_the_call() {
    let request = headers(1, 0, &call("/shop.Cart/List"));
    let script = told_in_pieces()
        .client([&request[..], &piece(1, END_STREAM, &message(7))].concat())
        .server([headers(1, 0, &CALL_ANSWERED), piece(1, 0, &message(10))].concat())
        .server(piece(1, 0, &message(0)))
        .server([piece(1, 0, &message(300)), ended(1)].concat());
    let told = script.replay();
    // The request's only message is none of a stream.
    let of_server = |len| ("stream", Some(1), None, Some(len));
    assert_eq!(lengths(&told)[..3], [of_server(15), of_server(5), of_server(305)]);
    assert_eq!(told.len(), 4);
    assert_eq!((told[3].kind, told[3].code), ("matched", Some(0)));
    for (at, record) in told[..3].iter().enumerate() {
        assert_eq!((record.proto, record.status, record.code), ("grpc", "ok", None));
        assert_eq!(record.text(Field::Resource), "shop.Cart");
        assert_eq!(record.text(Field::Endpoint), "/shop.Cart/List");
        assert_eq!(record.text(Field::Domain), "svc:50051");
        let passed = START_NS + (5 + at as u64) * STEP_NS;
        assert_eq!(record.times, (passed, passed, None));
    }
    script.check();
}

#[test]
fn calls_that_do_not_stream_are_one_record() {
    let script = told_in_pieces()
        .client(
            [
                headers(1, 0, &call("/s/Get")),
                piece(1, 0, &message(100)),
                data(1, END_STREAM, 0),
                headers(3, 0, &get("/page")),
                data(3, END_STREAM, 50),
            ]
            .concat(),
        )
        .server(
            [
                headers(1, 0, &CALL_ANSWERED),
                piece(1, 0, &message(9)),
                ended(1),
                headers(3, 0, &[Indexed(8)]),
                data(3, 0, 50),
                data(3, END_STREAM, 50),
            ]
            .concat(),
        );
    let told = script.replay();
    assert_eq!(
        told.iter().map(|t| t.kind).collect::<Vec<_>>(),
        ["matched", "matched"]
    );
    script.check();
}

#[test]
fn messages_do_not_care_where_frames_begin() {
    // Three messages of 20 bytes each, in frames of 13, padded; another call goes on between them.
    let bytes = [message(20), message(20), message(20)].concat();
    let mut client = headers(1, 0, &call("/s/Put"));
    client.extend(headers(3, 0, &call("/s/Chat")));
    for part in bytes.chunks(13) {
        client.extend(piece(1, PADDED, &[&[4][..], part, &[0; 4]].concat()));
        client.extend(piece(3, 0, &message(1)));
    }
    client.extend(piece(1, END_STREAM | PADDED, &[1, 0]));
    client.extend(data(3, END_STREAM, 0));
    let script = told_in_pieces()
        .client(client)
        .server([headers(1, 0, &CALL_ANSWERED), ended(1)].concat())
        .server([headers(3, 0, &CALL_ANSWERED), ended(3)].concat());
    let told = script.replay();
    let count = |kind, id, len| {
        let wanted = (kind, Some(id), Some(len), None);
        lengths(&told).iter().filter(|found| **found == wanted).count()
    };
    assert_eq!((count("stream", 1, 25), count("stream", 3, 6)), (3, 6));
    assert_eq!(told.len(), 3 + 6 + 2);
    script.check();
}

#[test]
fn after_a_loss_a_message_that_fills_its_frame_is_found() {
    let mut script = told_in_pieces()
        .client(
            [
                headers(1, 0, &call("/s/Watch")),
                piece(1, END_STREAM, &message(7)),
            ]
            .concat(),
        )
        .server([headers(1, 0, &CALL_ANSWERED), piece(1, 0, &message(10))].concat());
    for len in [20, 30, 40] {
        script = script.server(piece(1, 0, &message(len)));
    }
    script = script.server(ended(1));
    let told = script.run(|_, bytes| vec![bytes.len()], Some(5), 0);
    let seen: Vec<_> = told.iter().map(|t| (t.kind, t.resp_len)).collect();
    assert_eq!(
        seen,
        [
            ("stream", Some(15)),
            ("stream", Some(35)),
            ("stream", Some(45)),
            ("matched", told[3].resp_len)
        ]
    );
    assert_eq!(told[3].gap_bytes, 34);
}

#[test]
fn what_is_framed_otherwise_is_passed() {
    let script = told_in_pieces()
        .client([headers(1, 0, &call("/s/Put")), piece(1, 0, b"{\"json\": 1}{}")].concat())
        .client([piece(1, 0, b"{}"), piece(1, END_STREAM, &message(4)[..6])].concat())
        .server([headers(1, 0, &CALL_ANSWERED), ended(1)].concat());
    let told = script.replay();
    assert_eq!((told.len(), told[0].kind), (1, "matched"));
    script.check();
}
