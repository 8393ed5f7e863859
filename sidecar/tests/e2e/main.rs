//! Real programs on this host's own sockets: exactly their sessions come out, with the processes that spoke.
//!
//! Needs root, a kernel that takes the programs, and what `scripts/setup` installs. What is missing is told, and the
//! tests are skipped; with `TAPIR_E2E=required` in the environment that is a failure, and with `TAPIR_E2E=skip` they
//! don't run at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that fails panics.

mod dns;
mod filters;
mod host;
#[path = "../../../tapir/tests/e2e/matching.rs"]
mod matching;
mod nginx;
mod older;
mod redis;
mod running;
mod tls;
