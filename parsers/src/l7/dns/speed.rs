//! What a message costs: `cargo test --profile quick -p tapir-parsers dns::speed -- --ignored --nocapture`.

use super::*;
use crate::engine::{Begin, Chunk, Engine, Standing};
use crate::field::Ended;
use crate::measure::{Count, best};
use crate::record::FlowFacts;
use crate::settings::Settings;
use std::hint::black_box;

const QUERY_MESSAGE: &[u8] =
    b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x01\x05cdn07\x04shop\x07example\x03com\x00\
    \x00\x01\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";
const ANSWER_MESSAGE: &[u8] = b"\x12\x34\x81\x80\x00\x01\x00\x02\x00\x00\x00\x01\x05cdn07\x04shop\x07example\x03com\x00\
    \x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x07\
    \xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x2c\x00\x04\xc0\x00\x02\x08\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00";

/// What is known of a flow that begins.
const STANDING: Standing = Standing {
    direction_is_sure: false,
    at_stream_start: true,
    recognised_before: false,
    behind_loss: false,
    other_offset: None,
};

#[test]
#[ignore = "a measurement"]
fn parts() {
    let context = ProbeContext {
        transport: Transports::UDP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: true,
        behind_unknown: false,
        complete: true,
    };
    for message in [QUERY_MESSAGE, ANSWER_MESSAGE] {
        assert!(matches!(Dns::probe(message, &context), Probe::Match(_)));
        best("probe", || {
            black_box(Dns::probe(black_box(message), &context));
        });
    }
    let random = crate::testing::noise(1, 64);
    best("probe of noise", || {
        black_box(Dns::probe(black_box(&random), &context));
    });
    let question = Question::read(QUERY_MESSAGE, HEADER_BYTES).unwrap();
    best("question and tag", || {
        let question = Question::read(black_box(QUERY_MESSAGE), HEADER_BYTES).unwrap();
        black_box(question.tag());
    });
    best("name", || {
        let mut room = name::NO_TEXT;
        black_box(name::plain(black_box(question.name()), &mut room).is_some());
    });
    best("address", || {
        let mut room = [0; 64];
        black_box(rdata::address(black_box(ANSWER_MESSAGE), question.end, &mut room).is_some());
    });
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let mut engine = Engine::new(Settings::default(), |protocol| protocol.name() == "dns");
    let mut sink = Count::default();
    let chunk = |bytes: &'static [u8], offset: usize| Chunk {
        bytes,
        time_ns: 1_000,
        offset: offset as u64,
        peer_offset: None,
    };
    let facts = FlowFacts {
        server_port: 53,
        l4: 1,
        ..FlowFacts::default()
    };
    best("a flow with one exchange", || {
        let first = chunk(QUERY_MESSAGE, 0);
        let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink)
        else {
            panic!("not seen")
        };
        engine.data(id, Direction::ToClient, &chunk(ANSWER_MESSAGE, 0), &mut sink);
        engine.close(id, Ended::Timeout, 0, &mut sink);
    });
    let first = chunk(QUERY_MESSAGE, 0);
    let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink) else {
        panic!("not seen")
    };
    engine.data(id, Direction::ToClient, &chunk(ANSWER_MESSAGE, 0), &mut sink);
    best("an exchange on a flow", || {
        engine.data(id, Direction::ToServer, &chunk(QUERY_MESSAGE, 0), &mut sink);
        engine.data(id, Direction::ToClient, &chunk(ANSWER_MESSAGE, 0), &mut sink);
    });
    engine.close(id, Ended::Timeout, 0, &mut sink);
    println!("{} record bytes", sink.bytes / sink.records);
}
