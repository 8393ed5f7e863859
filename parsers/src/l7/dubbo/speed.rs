//! What a message costs: `cargo test --profile quick -p tapir-parsers dubbo::speed -- --ignored --nocapture`.

use super::samples::{answer, call, call_body, message};
use crate::engine::{Begin, Chunk, Engine, Standing};
use crate::l7::hessian2::encoder::{map, object, string};
use crate::measure::{Count, best};
use crate::parser::Direction;
use crate::record::FlowFacts;
use crate::settings::Settings;

const STANDING: Standing = Standing {
    direction_is_sure: true,
    at_stream_start: true,
    recognised_before: false,
};

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let mut engine = Engine::new(Settings::default(), |protocol| protocol.name() == "dubbo");
    let mut sink = Count::default();
    let facts = FlowFacts {
        server_port: 20880,
        ..FlowFacts::default()
    };
    let first = Chunk {
        bytes: &call(1),
        time_ns: 0,
        offset: 0,
        peer_offset: Some(0),
    };
    let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink) else {
        panic!("not seen")
    };
    let (mut asked, mut told) = (first.bytes.len() as u64, 0);
    let mut turn = |request: &[u8], response: &[u8]| {
        for (direction, bytes) in [(Direction::ToServer, request), (Direction::ToClient, response)] {
            let (said, heard) = match direction {
                Direction::ToServer => (&mut asked, told),
                Direction::ToClient => (&mut told, asked),
            };
            let chunk = Chunk {
                bytes,
                time_ns: 1_000,
                offset: *said,
                peer_offset: Some(heard),
            };
            *said += bytes.len() as u64;
            engine.data(id, direction, &chunk, &mut sink);
        }
    };
    let (request, response) = (call(1), answer(1));
    best("an exchange", || turn(&request, &response));
    let fields = [
        ("name", string("anna")),
        ("age", vec![0xA0]),
        ("tags", map(&[("a", "b"), ("c", "d")])),
    ];
    let user = object(0, "org.example.User", &fields);
    let mut list = vec![b'X', 0xC8, 101];
    list.extend(&user);
    for _ in 0..100 {
        list.extend(&user[user.iter().position(|byte| *byte == 0x60).unwrap_or(0)..]);
    }
    let request = message(
        0xC2,
        0,
        1,
        &call_body("Ljava/util/List;", &list, &map(&[("b3", "0")])),
    );
    best(
        &format!("an exchange of {} bytes of objects", request.len()),
        || {
            turn(&request, &response);
        },
    );
    let text = string(&"x".repeat(30_000));
    let request = message(0xC2, 0, 1, &call_body("Ljava/lang/String;", &text, &map(&[])));
    best("an exchange of a text of 30 000 bytes", || {
        turn(&request, &response);
    });
}
