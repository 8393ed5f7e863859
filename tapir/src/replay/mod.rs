//! Capture files through workers: what `decode` and `bench` share.
//!
//! One thread reads and spreads frames over the workers, each worker owns its flows, and the caller
//! drains the workers' rings.

mod reader;
mod workers;

pub(crate) use reader::{ReadReport, load, read_files};
pub(crate) use workers::{Input, WorkerReport, Workers};
