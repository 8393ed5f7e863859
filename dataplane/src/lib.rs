//! Packets in, records out: sources, flow table, TCP streams and the worker loop.
//!
//! ```text
//! source ─► worker: decode a burst ─► flow table ─► stream (TCP order, gaps) ─► engine (parsers) ─► ring
//! ```
//!
//! `source`, `flow` and `stream` don't know each other; [`pipeline`] joins them and
//! [`worker`] drives it. One worker owns everything behind its queue: no locks, no allocation per
//! packet, no clock read per packet.
#![deny(unsafe_code)]

pub mod allocator;
pub mod counters;
pub mod flow;
pub mod limits;
#[cfg(feature = "dpdk")]
pub mod live;
pub mod pipeline;
mod prefetch;
pub mod publish;
pub mod source;
pub mod stream;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
pub mod testing;
pub mod worker;

/// A flow's place in the table of its lcore.
pub type FlowIndex = u32;
