//! Where records go: standard output, a file, or a collector that takes records of sidecars.

mod place;

pub use place::Place;
