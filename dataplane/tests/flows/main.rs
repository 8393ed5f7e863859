//! Flows from packets to records: what the order, the loss and the abuse of packets may and may not change.

mod faults;
mod streams;
mod talk;
