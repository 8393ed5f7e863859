//! What a message costs: `cargo test --profile quick -p tapir-parsers http2::speed -- --ignored --nocapture`.

use super::PREFACE;
use super::fields::Fields;
use super::hpack::encoder::{Write, block};
use super::hpack::{Table, decode};
use super::tests::{call, data, headers};
use crate::engine::{Begin, Chunk, Engine, SessionId, Standing};
use crate::field::Ended;
use crate::measure::{Count, best};
use crate::parser::Direction;
use crate::record::FlowFacts;
use crate::settings::Settings;
use Write::{Added, AddedAt, Indexed, NeverAt, Plain};
use std::hint::black_box;

const END_STREAM: u8 = 0x1;

/// What is known of a flow that begins.
const STANDING: Standing = Standing {
    direction_is_sure: true,
    at_stream_start: true,
    recognised_before: false,
    behind_loss: false,
    other_offset: None,
};

/// A connection under way.
struct Connection {
    engine: Engine,
    id: SessionId,
    said: [u64; 2],
    sink: Count,
}

impl Connection {
    fn new() -> Self {
        let mut engine = Engine::new(Settings::default(), |_| true);
        let mut sink = Count::default();
        let facts = FlowFacts {
            server_port: 50051,
            ..FlowFacts::default()
        };
        let first = Chunk {
            bytes: PREFACE,
            time_ns: 0,
            offset: 0,
            peer_offset: Some(0),
        };
        let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink)
        else {
            panic!("not seen")
        };
        Self {
            engine,
            id,
            said: [PREFACE.len() as u64, 0],
            sink,
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        let chunk = Chunk {
            bytes,
            time_ns: 1_000,
            offset: self.said[direction.index()],
            peer_offset: Some(self.said[direction.opposite().index()]),
        };
        self.engine.data(self.id, direction, &chunk, &mut self.sink);
        self.said[direction.index()] += bytes.len() as u64;
    }

    /// Says `request` and `response` again and again, each time on the next stream.
    fn measure(&mut self, what: &str, mut request: Vec<u8>, mut response: Vec<u8>) {
        let mut stream = 1u32;
        let before = self.sink.records;
        let mut rounds = 0;
        let (asks, tells) = (streams_of(&request), streams_of(&response));
        best(what, || {
            stream += 2;
            rounds += 1;
            for (bytes, places) in [(&mut request, &asks), (&mut response, &tells)] {
                for at in places {
                    bytes[*at..*at + 4].copy_from_slice(&stream.to_be_bytes());
                }
            }
            self.say(Direction::ToServer, &request);
            self.say(Direction::ToClient, &response);
        });
        assert_eq!(self.sink.records - before, rounds);
        println!(
            "  {} bytes of request, {} of response",
            request.len(),
            response.len()
        );
    }
}

/// Where the stream ids of frames stand.
fn streams_of(bytes: &[u8]) -> Vec<usize> {
    let (mut at, mut places) = (0, Vec::new());
    while let Some(frame) = bytes.get(at..).and_then(super::frame::Frame::read) {
        places.push(at + 5);
        at += frame.len();
    }
    places
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    // As a proxy sends it: everything but the path stands in the table after the first request.
    let mut first = call("/shop.v1.CartService/GetCart");
    for field in &mut first {
        if let Plain(name, value) = *field {
            *field = Added(name, value);
        }
    }
    let answered = [Indexed(8), Added("content-type", "application/grpc")];
    let trailers = [Added("grpc-status", "0"), Added("grpc-message", "")];
    let mut connection = Connection::new();
    connection.say(Direction::ToServer, &headers(1, END_STREAM, &first));
    let all = [headers(1, 0, &answered), headers(1, END_STREAM, &trailers)].concat();
    connection.say(Direction::ToClient, &all);

    let known: Vec<_> = [Indexed(3), Indexed(6)]
        .into_iter()
        .chain((62..=65).rev().map(Indexed))
        .collect();
    let request = [headers(3, 0, &known), data(3, END_STREAM, 30)].concat();
    let response = [
        headers(3, 0, &[Indexed(8), Indexed(64)]),
        data(3, 0, 30),
        headers(3, END_STREAM, &[Indexed(63), Indexed(62)]),
    ];
    connection.measure("a unary call", request, response.concat());

    let mut connection = Connection::new();
    let browser = [
        Indexed(2),
        Indexed(7),
        AddedAt(1, "shop.example.com"),
        Added(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/107.0 Safari/537.36",
        ),
        Added("accept-encoding", "gzip, deflate, br"),
        Added("cookie", "session=0123456789abcdef0123456789abcdef"),
    ];
    connection.say(Direction::ToServer, &headers(1, END_STREAM, &browser));
    let answer = [
        Indexed(8),
        Added("server", "nginx"),
        Added("content-type", "application/json"),
    ];
    connection.say(Direction::ToClient, &headers(1, END_STREAM, &answer));
    let request = [
        Indexed(2),
        Indexed(7),
        Indexed(65),
        NeverAt(4, "/api/v1/items/4711?view=full"),
        Indexed(64),
        Indexed(63),
        Indexed(62),
        Plain("x-request-id", "7f3c2a9e-11"),
    ];
    let response = [
        headers(
            3,
            0,
            &[
                Indexed(8),
                Indexed(63),
                NeverAt(33, "Mon, 01 Jan 2024 00:00:00 GMT"),
                Indexed(62),
                NeverAt(28, "24"),
            ],
        ),
        data(3, END_STREAM, 24),
    ];
    connection.measure(
        "a request and its response",
        headers(3, END_STREAM, &request),
        response.concat(),
    );
    connection
        .engine
        .close(connection.id, Ended::Fin, 0, &mut connection.sink);
    println!("{} record bytes", connection.sink.bytes / connection.sink.records);
}

#[test]
#[ignore = "a measurement"]
fn blocks() {
    let mut table = Table::unknown();
    table.begin();
    let path = NeverAt(4, "/api/v1/items/4711?view=full");
    for (what, fields) in [
        ("one static field", vec![Indexed(8)]),
        ("a literal path", vec![path]),
        ("an added path", vec![AddedAt(4, "/api/v1/items/4711?view=full")]),
        ("a field of the table", vec![Indexed(62)]),
        (
            "an unread literal",
            vec![NeverAt(33, "Mon, 01 Jan 2024 00:00:00 GMT")],
        ),
    ] {
        for huffman in [false, true] {
            let block = block(&fields, huffman);
            best(
                &format!("{what}, huffman {huffman}, {} bytes", block.len()),
                || {
                    let mut fields = Fields::new();
                    decode(black_box(&block), &mut table, &mut fields).unwrap();
                    black_box(&fields);
                },
            );
        }
    }
}
