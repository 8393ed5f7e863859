//! Drains the record rings: JSON, table, FlatBuffers, sinks, metrics.
//!
//! ```text
//! ring (one an lcore) ─► drain ─► join ─► Session ─► encoder of each format ─► batches ─► sinks
//! sidecars ─► ingest ─────────────┘           └─────► per-protocol counters and histograms ─► HTTP
//! ```
//!
//! * [`session`] is a record read: borrowed from a ring entry or from a FlatBuffers batch.
//! * [`json`] and [`table`] print it, [`flat`] encodes it as FlatBuffers and reads it back.
//! * [`ring`] takes whole entries out of a ring, [`ingest`] takes records of sidecars over, and [`join`] makes
//!   one of those that are of one exchange.
//! * [`batch`] collects encoded records, [`sink`] carries them away.
//! * [`metrics`] counts records by protocol and gathers what others count; `/metrics` and `/healthz` tell.
//!
//! [`Collector::start`] puts it all together.
#![deny(unsafe_code)] // The generated code alone has some.

mod affinity;
pub mod batch;
mod collector;
mod error;
pub mod flat;
#[rustfmt::skip]
#[allow(warnings, unsafe_code, clippy::all, clippy::undocumented_unsafe_blocks)]
mod generated {
    mod session;
    pub(crate) use session::tapir;
}
mod health;
mod http;
pub mod ingest;
pub mod join;
pub mod json;
pub mod limits;
pub mod metrics;
pub mod nap;
pub mod options;
pub mod ring;
pub mod session;
mod shared;
pub mod sink;
pub mod table;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::panic, clippy::missing_panics_doc)] // A test that fails panics.
pub mod testing;
pub mod text;
pub mod tls;
mod utc;
mod worker;

pub use affinity::Affinity;
pub use batch::Format;
pub use collector::{Collector, CollectorHandle, CollectorReport};
pub use error::CollectorError;
pub use json::write_json;
pub use options::{CollectorOptions, ConnectorOptions, FileOptions, ListenerOptions, SinkOptions, Target};
pub use table::write_table;
