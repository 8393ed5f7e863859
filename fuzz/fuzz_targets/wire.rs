//! Runs of frames through the wire decoder and the reassembler.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tapir_parsers::wire::fuzz::run(input));
