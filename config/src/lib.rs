//! Tapir's configuration: TOML in, typed and checked values out.
//!
//! Every key is described once, in its section's file under `sections/`: name, type with bounds, default
//! and documentation. Reading, the printed example and docs/configuration.md come from there. Reading
//! goes on after a problem, so that all are told at once; serde would stop at the first.
#![forbid(unsafe_code)]

mod config;
mod document;
mod finding;
mod problem;
mod reader;
mod section;
mod sections;
mod value;
mod values;

pub use config::Config;
pub use document::{example, reference};
pub use finding::Finding;
pub use problem::{Problem, Problems};
pub use sections::*;
pub use values::*;
