//! Records of what the applications of a host say on their sockets, with the process that spoke.
//!
//! ```text
//! socket ─► kernel (BPF programs) ─ring─► …
//! ```
//!
//! * [`kernel`] loads the programs, attaches them and reads what they count.
//! * [`command`] is `tapir-sidecar`.
#![forbid(unsafe_code)]

pub mod command;
pub mod kernel;
