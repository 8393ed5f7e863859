//! What a message costs: `cargo test --profile quick -p tapir-parsers http1::speed -- --ignored --nocapture`.

use super::head::Fields;
use super::start_line::{request_line, status_line};
use crate::engine::{Begin, Chunk, Engine, SessionId, Standing};
use crate::field::Ended;
use crate::line_ends::LineEnds;
use crate::measure::{Count, best};
use crate::parser::Direction;
use crate::record::FlowFacts;
use crate::settings::Settings;
use std::hint::black_box;
use std::time::Instant;

const REQUEST: &[u8] = b"GET /api/v1/items/4711?view=full HTTP/1.1\r\nHost: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\
    Connection: keep-alive\r\nX-Request-ID: 7f3c2a9e-11\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 24\r\nConnection: keep-alive\r\n\r\n{\"id\":4711,\"name\":\"cup\"}";

fn behind_first_line(head: &[u8]) -> LineEnds<'_> {
    let mut ends = LineEnds::new(head);
    ends.next();
    ends
}

#[test]
#[ignore = "a measurement"]
fn heads() {
    best("request line", || {
        black_box(request_line(
            black_box(REQUEST),
            LineEnds::new(REQUEST).next(),
            false,
        ));
    });
    best("request fields", || {
        let mut fields = Fields::new();
        fields.read(black_box(REQUEST), 43, behind_first_line(REQUEST));
        black_box(fields);
    });
    best("status line", || {
        black_box(status_line(
            black_box(RESPONSE),
            LineEnds::new(RESPONSE).next(),
            false,
        ));
    });
    best("response fields", || {
        let mut fields = Fields::new();
        fields.read(black_box(RESPONSE), 17, behind_first_line(RESPONSE));
        black_box(fields);
    });
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    const FLOWS: u64 = 26_000;
    println!(
        "request {} bytes, response {} bytes",
        REQUEST.len(),
        RESPONSE.len()
    );
    let mut engine = Engine::new(Settings::default(), |_| true);
    let mut sink = Count::default();
    let chunk = |bytes: &'static [u8], round: u64| Chunk {
        bytes,
        time_ns: 1_000 * round,
        offset: round * bytes.len() as u64,
        peer_offset: None,
    };
    let sessions: Vec<SessionId> = (0..FLOWS)
        .map(|flow_id| {
            let facts = FlowFacts {
                flow_id,
                server_port: 80,
                ..FlowFacts::default()
            };
            let standing = Standing {
                direction_is_sure: true,
                at_stream_start: true,
                recognised_before: false,
                behind_loss: false,
                other_offset: None,
            };
            match engine.begin(
                &facts,
                Direction::ToServer,
                standing,
                &chunk(REQUEST, 0),
                &mut sink,
            ) {
                Begin::Session(id) => id,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    for id in &sessions {
        engine.data(*id, Direction::ToClient, &chunk(RESPONSE, 0), &mut sink);
    }
    let mut round = 0;
    for count in [64, sessions.len()] {
        let mut best = f64::MAX;
        for _ in 0..60 {
            let (before, started) = (sink.records, Instant::now());
            for _ in 0..26_000 / count {
                round += 1;
                for id in &sessions[..count] {
                    engine.data(*id, Direction::ToServer, &chunk(REQUEST, round), &mut sink);
                    engine.data(*id, Direction::ToClient, &chunk(RESPONSE, round), &mut sink);
                }
            }
            let records = (sink.records - before) as f64;
            best = best.min(started.elapsed().as_nanos() as f64 / records / 2.0);
        }
        println!("a message, {count} flows: {best:.1} ns");
    }
    for id in sessions {
        engine.close(id, Ended::Fin, 0, &mut sink);
    }
    println!("{} record bytes", sink.bytes / sink.records);
}
