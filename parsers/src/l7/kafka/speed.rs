//! What a message costs: `cargo test --profile quick -p tapir-parsers kafka::speed -- --ignored --nocapture`.

use super::tests::{batch, request, response};
use crate::measure::{Flow, best};
use crate::parser::Direction;

fn produce(records: &[u8]) -> Vec<u8> {
    request(0, 7, 1)
        .int16(-1)
        .int16(-1)
        .int32(30_000)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int32(records.len() as i32)
        .bytes(records)
        .message()
}

fn produced() -> Vec<u8> {
    response(1)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int16(0)
        .int64(4711)
        .int64(-1)
        .int64(0)
        .int32(0)
        .message()
}

fn fetch(correlation: i32) -> Vec<u8> {
    request(1, 7, correlation)
        .int32(-1)
        .int32(500)
        .int32(1)
        .int32(1 << 20)
        .int8(0)
        .int32(0)
        .int32(0)
        .int32(1)
        .text("orders")
        .int32(1)
        .int32(3)
        .int64(4711)
        .int64(0)
        .int32(1 << 20)
        .int32(0)
        .message()
}

fn fetched(partitions: i32) -> Vec<u8> {
    let mut wire = response(1)
        .int32(0)
        .int16(0)
        .int32(0)
        .int32(1)
        .text("orders")
        .int32(partitions);
    for partition in 0..partitions {
        wire = wire
            .int32(partition)
            .int16(0)
            .int64(9)
            .int64(9)
            .int64(0)
            .int32(-1)
            .int32(0);
    }
    wire.message()
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let trace = [(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )];
    let small = produce(&batch(0, &[b'x'; 200], &trace));
    let long = produce(&batch(0, &vec![b'x'; 1 << 20], &trace));
    let (ask, tell) = (fetch(1), fetched(1));
    let (wide, produced) = (fetched(100), produced());
    let mut flow = Flow::begin(9092, &ask);
    flow.say(Direction::ToClient, &tell);
    best("Produce, with a trace", || flow.turn(&small, &produced));
    best("Fetch", || flow.turn(&ask, &tell));
    best("Fetch of 100 partitions", || flow.turn(&ask, &wide));
    best("Produce of 1 MiB in segments", || {
        flow.say_in_segments(Direction::ToServer, &long);
        flow.say(Direction::ToClient, &produced);
    });
    let told = flow.end();
    println!("{} record bytes", told.bytes / told.records);
}

#[test]
#[ignore = "a measurement"]
fn probes() {
    use super::probe::probe;
    use crate::parser::{ProbeContext, Transports};
    use std::hint::black_box;
    let context = ProbeContext {
        transport: Transports::TCP,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port: false,
        at_stream_start: true,
        behind_unknown: false,
        complete: false,
    };
    let noise = [&[0, 0, 0, 60][..], &crate::testing::noise(1, 60)].concat();
    for (what, head) in [
        ("a request", fetch(1)),
        ("a response", fetched(1)),
        ("noise as long as it says", noise),
    ] {
        best(&format!("probe of {what}"), || {
            black_box(probe(black_box(&head), &context));
        });
    }
}
