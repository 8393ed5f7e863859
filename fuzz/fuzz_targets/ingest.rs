//! Batches that sidecars send, on their way to the collector's ring entries.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| tapir_collector::ingest::fuzz::run(input));
