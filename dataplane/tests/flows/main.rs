//! Flows from packets to records: what the order, the loss and the abuse of packets may and may not change.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that can't go on has failed"
)]

mod endings;
mod faults;
mod handshakes;
mod losses;
mod sequences;
mod streams;
mod talk;
