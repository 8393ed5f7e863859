//! What a message costs: `cargo test --profile quick -p tapir-parsers mongodb::speed -- --ignored --nocapture`.

use super::tests::build::*;
use crate::measure::{Flow, best};
use crate::parser::Direction;

/// Measures an exchange over and over; every one must become a record.
fn measure(what: &str, asks: &[u8], tells: &[u8]) {
    let mut flow = Flow::begin(27017, asks);
    flow.say_in_segments(Direction::ToClient, tells);
    let mut turns = 1;
    best(what, || {
        turns += 1;
        flow.say_in_segments(Direction::ToServer, asks);
        flow.say_in_segments(Direction::ToClient, tells);
    });
    assert_eq!(flow.end().records, turns, "{what}");
    println!("  of {} and {} bytes", asks.len(), tells.len());
}

#[test]
#[ignore = "a measurement"]
fn exchanges() {
    let session = inner("lsid", &[binary("id", &[7; 16])]);
    let filter = inner("filter", &[long("user", 4711)]);
    let asks = ask(1, &[text("find", "sessions"), filter, int("limit", 1), session]);
    let answer = |documents: &[Vec<u8>]| {
        let cursor = [
            array("firstBatch", documents),
            long("id", 0),
            text("ns", "shop.sessions"),
        ];
        tell(1, &[inner("cursor", &cursor), ok()])
    };
    let tells = answer(&[stored(1, 200)]);
    measure("an exchange", &asks, &tells);
    let batch: Vec<_> = (0..101).map(|i| stored(i, 400)).collect();
    measure("an exchange with a batch of 101", &asks, &answer(&batch));
    let image = [stored(1, 1_000_000)];
    measure(
        "an exchange with one document of a megabyte",
        &asks,
        &answer(&image),
    );
    for method in [Method::Snappy, Method::Zlib, Method::Zstd] {
        let (asks, tells) = (packed(method, &asks), packed(method, &tells));
        measure(&format!("an exchange packed by {method:?}"), &asks, &tells);
    }
    for method in [Method::Snappy, Method::Zlib] {
        let long = packed(method, &answer(&batch));
        measure(&format!("a batch of 101 packed by {method:?}"), &asks, &long);
    }
}
