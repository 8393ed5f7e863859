//! Traffic generator and benchmarks.
