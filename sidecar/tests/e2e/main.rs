//! Real programs on this host's own sockets: exactly their sessions come out, with the processes that spoke.
//!
//! Needs root, a kernel that takes the programs, and what `scripts/setup` installs. What is missing is told, and the
//! tests are skipped; with `TAPIR_E2E=required` in the environment that is a failure, and with `TAPIR_E2E=skip` they
//! don't run at all. `TAPIR_BACKEND=NAME` has them run by that backend instead of the first that works.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that fails panics.

mod containers;
mod dns;
mod filters;
mod first_bytes;
mod forks;
mod host;
#[allow(dead_code)] // Not all that the tap's tests want of it is wanted here.
#[path = "../../../tapir/tests/e2e/lab.rs"]
mod lab;
mod load;
#[path = "../../../tapir/tests/e2e/matching.rs"]
mod matching;
mod nginx;
mod older;
mod privileges;
mod redis;
mod running;
mod shop;
mod system_calls;
mod tls;
#[allow(dead_code)] // As above.
#[path = "../../../tapir/tests/e2e/traffic/mod.rs"]
mod traffic;
mod types;
mod unix;
