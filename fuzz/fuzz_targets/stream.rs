//! Connections as packets, out of order and repeated, through everything behind a source.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tapir_dataplane::testing::fuzz::run(input));
