//! Drains the record rings: JSON, table, FlatBuffers, sinks, metrics.
//!
//! ```text
//! ring (one an lcore) ─► drain ─► Session ─► encoder of each format ─► batches ─► sinks
//!                                    └─────► per-protocol counters and histograms ─► HTTP
//! ```
//!
//! * [`session`] is a record read: borrowed from a ring entry or from a FlatBuffers batch.
//! * [`json`] and [`table`] print it, [`flat`] encodes it as FlatBuffers and reads it back.
//! * [`ring`] takes whole entries out of a ring.
#![deny(unsafe_code)] // The generated code alone has some.

pub mod flat;
#[rustfmt::skip]
#[allow(warnings, unsafe_code, clippy::all, clippy::undocumented_unsafe_blocks)]
mod generated {
    mod session;
    pub(crate) use session::tapir;
}
pub mod json;
pub mod limits;
pub mod ring;
pub mod session;
pub mod table;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::panic, clippy::missing_panics_doc)] // A test that fails panics.
pub mod testing;
pub mod text;
mod utc;

pub use json::write_json;
pub use table::write_table;
