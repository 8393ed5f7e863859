//! Lives of flows through inference, every protocol's parser, and pairing.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tapir_parsers::engine::fuzz::run(input));
