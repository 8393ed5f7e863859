//! What plugins cost, in processor time: run with `cargo test --profile quick -p tapir-plugins --test speed -- --ignored --nocapture`.
#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{DEMO, PARSE, demo, host_of, plugin, spec};
use std::hint::black_box;
use tapir_parsers::parser::Direction;
use tapir_parsers::plugin::{Call, Parsed, PluginHost};
use tapir_parsers::record::FlowFacts;

const CALLS: u32 = 200_000;

/// Time that this thread had a processor, ns: other processes don't count.
fn processor_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

/// Median of nine laps, ns a call.
fn measure(name: &str, mut call: impl FnMut()) {
    let mut laps: Vec<f64> = (0..9)
        .map(|_| {
            let began = processor_ns();
            (0..CALLS).for_each(|_| call());
            (processor_ns() - began) as f64 / f64::from(CALLS)
        })
        .collect();
    laps.sort_by(f64::total_cmp);
    println!("{name}: {:.0} ns ({:.0} to {:.0})", laps[4], laps[0], laps[8]);
}

#[test]
#[ignore = "a measurement"]
fn calls() {
    let facts = FlowFacts {
        server_port: 7700,
        client_port: 40_000,
        ..FlowFacts::default()
    };
    let call = |payload| Call {
        facts: &facts,
        direction: Direction::ToServer,
        time_ns: 1_700_000_000_000_000_000,
        payload,
    };
    let reads = plugin(
        PARSE,
        "(func (export \"check_payload\") (result i32)
           (drop (call $context (i32.const 1024) (i32.const 1024)))
           (drop (call $payload (i32.const 4096) (i32.const 8192))) (i32.const 0))",
    );
    let payload = [b'x'; 64];
    let mut plugins = host_of(&[(spec("check"), &reads)]).for_lcore();
    measure("check that reads the context and 64 bytes", || {
        assert!(plugins.check(&call(black_box(&payload))).is_none());
    });
    let mut plugins = host_of(&[(spec("empty"), &plugin(PARSE, ""))]).for_lcore();
    measure("check that does nothing", || {
        assert!(plugins.check(&call(black_box(&payload))).is_none());
    });
    let message = demo(1, 1, "a question of some thirty bytes");
    let mut plugins = host_of(&[(spec("parse"), DEMO)]).for_lcore();
    measure("parse that returns one record", || {
        let parsed = plugins.parse(&call(black_box(&message)), 7, &mut |info| {
            black_box(info);
        });
        assert_eq!(parsed, Parsed::Read(None));
    });
}
