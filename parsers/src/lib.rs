//! Wire and application protocols, inference and pairing: bytes in, facts out.
//!
//! Nothing here does I/O, reads a clock or knows where packets come from. Callers hand in bytes in
//! stream order together with the time they were captured, and get session records back:
//!
//! ```text
//! frame ─► wire ─► (the caller's flows and streams) ─► engine ─► inference ─► l7 parser ─► conversation ─► record
//! ```
//!
//! * [`wire`] decodes frames down to the application payload.
//! * [`engine`] feeds in-order bytes of one flow to its parser: it stitches message heads that span
//!   segments, passes bodies by arithmetic, and recovers after gaps.
//! * [`inference`] finds out which protocol a flow speaks.
//! * [`l7`] holds the protocols, one file or folder each, and the one ordered list of them.
//! * [`conversation`] pairs requests with responses and makes [`record`]s, which leave through a [`ring`].
#![forbid(unsafe_code)]

pub mod byte_set;
pub mod conversation;
pub mod counters;
pub mod engine;
pub mod field;
pub mod host;
pub mod inference;
pub mod l7;
pub mod limits;
mod line_ends;
#[cfg(test)]
mod measure;
pub mod parser;
pub mod plugin;
pub mod record;
pub mod ring;
pub mod settings;
mod slab;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::panic, clippy::missing_panics_doc)] // A test that fails panics.
pub mod testing;
pub mod wire;
