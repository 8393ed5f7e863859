//! Records of what the applications of a host say on their sockets, with the process that spoke.
//!
//! ```text
//! socket ─► kernel (BPF programs) ─ring─► event ─► streams ─► engine ─► sink (process facts) ═► collector
//! ```
//!
//! * [`kernel`] loads the programs, attaches them and reads what they tell and count.
//! * [`event`] is what they tell.
//! * [`streams`] puts the bytes of connections in order and feeds them to the parsers' engine.
//! * [`tls`] finds TLS libraries and puts probes into them.
//! * [`process`] knows executables and containers.
//! * [`privileges`] are given up but for those needed; [`doctor`] tells which are missing, and what else.
//! * [`sidecar`] joins all that with a collector; [`command`] is `tapir-sidecar`.
#![forbid(unsafe_code)]

pub mod clock;
pub mod command;
pub mod doctor;
pub mod event;
pub mod kernel;
pub mod limits;
pub mod metrics;
pub mod output;
pub mod overload;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod page;
pub mod privileges;
pub mod process;
pub mod sidecar;
pub mod sink;
pub mod streams;
pub mod tls;
