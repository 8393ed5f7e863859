//! Known requests to real servers, across veth and DPDK's ports: exactly their sessions come out.
//!
//! Needs root and what `scripts/setup` installs. What is missing is told, and the tests are skipped;
//! with `TAPIR_E2E=required` in the environment that is a failure, and with `TAPIR_E2E=skip` they don't
//! run at all.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test that fails panics.
#![cfg(feature = "dpdk")]

mod drain;
mod dubbo;
mod grpc;
mod http2;
mod kafka;
mod lab;
mod matching;
mod mongodb;
mod mqtt;
mod peers;
#[cfg(feature = "plugins")]
mod plugins;
mod ports;
mod refusals;
mod running;
mod sidecar;
mod traffic;
mod websocket;
