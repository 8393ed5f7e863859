//! What a message costs: `cargo test --profile quick -p tapir-parsers redis::speed -- --ignored --nocapture`.

use crate::engine::{Begin, Chunk, Engine, Standing};
use crate::field::Ended;
use crate::measure::{Count, best};
use crate::parser::Direction;
use crate::record::FlowFacts;
use crate::settings::Settings;

const COMMAND: &[u8] = b"*2\r\n$3\r\nGET\r\n$16\r\nuser:session:4711\r\n";
const REPLY: &[u8] = b"$11\r\nhello world\r\n";
/// Commands in one segment of a pipeline.
const PIPELINED: usize = 16;

/// What is known of a flow that begins.
const STANDING: Standing = Standing {
    direction_is_sure: true,
    at_stream_start: true,
    recognised_before: false,
    behind_loss: false,
    other_offset: None,
};

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let mut engine = Engine::new(Settings::default(), |protocol| protocol.name() == "redis");
    let mut sink = Count::default();
    let command = COMMAND.to_vec();
    let command = String::from_utf8(command)
        .unwrap()
        .replace("$16", "$17")
        .into_bytes();
    let asks = command.repeat(PIPELINED);
    let tells = REPLY.repeat(PIPELINED);
    let array = [&b"*100\r\n"[..], &REPLY.repeat(100)].concat();
    let facts = FlowFacts {
        server_port: 6379,
        ..FlowFacts::default()
    };
    let (mut asked, mut told) = (0, 0);
    let mut turn = |engine: &mut Engine, id, asks: &[u8], tells: &[u8], sink: &mut Count| {
        let chunk = |bytes, offset, peer| Chunk {
            bytes,
            time_ns: 1_000,
            offset,
            peer_offset: Some(peer),
        };
        engine.data(id, Direction::ToServer, &chunk(asks, asked, told), sink);
        asked += asks.len() as u64;
        engine.data(id, Direction::ToClient, &chunk(tells, told, asked), sink);
        told += tells.len() as u64;
    };
    let first = Chunk {
        bytes: b"\r\n",
        time_ns: 0,
        offset: 0,
        peer_offset: Some(0),
    };
    let first = Chunk {
        bytes: &command,
        ..first
    };
    let Begin::Session(id) = engine.begin(&facts, Direction::ToServer, STANDING, &first, &mut sink) else {
        panic!("not seen")
    };
    engine.data(
        id,
        Direction::ToClient,
        &Chunk {
            bytes: REPLY,
            ..first
        },
        &mut sink,
    );
    best("an exchange", || {
        turn(&mut engine, id, &command, REPLY, &mut sink);
    });
    best("a pipeline of 16 exchanges", || {
        turn(&mut engine, id, &asks, &tells, &mut sink);
    });
    best("an exchange of an array of 100", || {
        turn(&mut engine, id, &command, &array, &mut sink);
    });
    engine.close(id, Ended::Fin, 0, &mut sink);
    println!("{} record bytes", sink.bytes / sink.records);
}
