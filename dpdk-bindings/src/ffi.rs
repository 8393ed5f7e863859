//! The raw bindings, as bindgen wrote them. Nothing of this leaves the crate.
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
#![allow(
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unused_qualifications
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
