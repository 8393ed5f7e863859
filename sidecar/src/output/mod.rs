//! Where records go: standard output, a file, or a collector that listens.

mod place;
mod remote;

pub use place::Place;
pub use remote::RemoteSink;
