//! What plugins hand over, read by the host. Its reader is taken in by itself: the engine that runs plugins would
//! be built for fuzzing with it, and does not read this.
#![no_main]
#![allow(dead_code)]

#[path = "../../plugins/src/abi/mod.rs"]
mod abi;
#[path = "../../plugins/src/limits.rs"]
mod limits;

libfuzzer_sys::fuzz_target!(|input: &[u8]| abi::fuzz::run(input));
