//! What a message costs: `cargo test --profile quick -p tapir-parsers http1::speed -- --ignored --nocapture`.

use super::head::Fields;
use super::start_line::{request_line, status_line};
use crate::engine::{Begin, Chunk, Engine, SessionId};
use crate::field::Ended;
use crate::parser::Direction;
use crate::record::{FlowFacts, RecordSink};
use crate::settings::Settings;
use std::hint::black_box;
use std::time::Instant;

const REQUEST: &[u8] = b"GET /api/v1/items/4711?view=full HTTP/1.1\r\nHost: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\
    Connection: keep-alive\r\nX-Request-ID: 7f3c2a9e-11\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 24\r\nConnection: keep-alive\r\n\r\n{\"id\":4711,\"name\":\"cup\"}";

#[derive(Default)]
struct Count {
    records: u64,
    bytes: u64,
}

impl RecordSink for Count {
    fn record(&mut self, entry: &[u8]) {
        self.records += 1;
        self.bytes += entry.len() as u64;
    }
}

fn report(what: &str, started: Instant, count: u64) {
    println!("{what}: {:.1} ns", started.elapsed().as_nanos() as f64 / count as f64);
}

#[test]
#[ignore = "a measurement"]
fn heads() {
    const ROUNDS: u64 = 3_000_000;
    for _ in 0..2 {
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(request_line(black_box(REQUEST)));
        }
        report("request line", started, ROUNDS);
        let fields = &REQUEST[43..];
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(Fields::read(black_box(fields)));
        }
        report("request fields", started, ROUNDS);
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(status_line(black_box(RESPONSE)));
        }
        report("status line", started, ROUNDS);
        let started = Instant::now();
        for _ in 0..ROUNDS {
            black_box(Fields::read(black_box(&RESPONSE[17..])));
        }
        report("response fields", started, ROUNDS);
    }
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    const FLOWS: u64 = 26_000;
    const ROUNDS: u64 = 40;
    println!("request {} bytes, response {} bytes", REQUEST.len(), RESPONSE.len());
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
            match engine.begin(&facts, Direction::ToServer, true, true, &chunk(REQUEST, 0), &mut sink) {
                Begin::Session(id) => id,
                other => panic!("{other:?}"),
            }
        })
        .collect();
    for id in &sessions {
        engine.data(*id, Direction::ToClient, &chunk(RESPONSE, 0), &mut sink);
    }
    for near in [true, false] {
        let before = sink.records;
        let started = Instant::now();
        let mut count = 0;
        let chosen = if near { &sessions[..64] } else { &sessions[..] };
        for round in 1..=ROUNDS * FLOWS / chosen.len() as u64 {
            for id in chosen {
                engine.data(*id, Direction::ToServer, &chunk(REQUEST, round), &mut sink);
                engine.data(*id, Direction::ToClient, &chunk(RESPONSE, round), &mut sink);
                count += 2;
            }
        }
        report(if near { "message, 64 flows" } else { "message, all flows" }, started, count);
        assert_eq!(sink.records - before, count / 2);
    }
    for id in sessions {
        engine.close(id, Ended::Fin, 0, &mut sink);
    }
    println!("{} record bytes", sink.bytes / sink.records);
}
