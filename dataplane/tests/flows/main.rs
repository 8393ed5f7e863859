//! Flows from packets to records: what the order, the loss and the abuse of packets may and may not change.

mod endings;
mod faults;
mod handshakes;
mod streams;
mod talk;
