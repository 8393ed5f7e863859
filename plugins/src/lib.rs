//! The host of Wasm plugins: protocols that are added, and messages that are enriched, at run time.
//!
//! The interface is DeepFlow's, so its plugins run unchanged. A plugin is compiled once and has one instance
//! an lcore, which shares nothing with the others:
//!
//! ```text
//! Host ── compiles ─► Plugin ── instantiates, once an lcore ─► Instance
//!   │                                                              ▲
//!   └ for_lcore() ─► LcorePlugins (what the engine of parsers asks) ┘ walks them in order
//! ```
//!
//! * [`Host`] loads, reloads and lets time pass: deadlines count its ticks.
//! * [`LcorePlugins`](lcore::LcorePlugins) walks the instances of one lcore, and keeps within its time.
//! * [`abi`] is the form of what crosses the border, in both directions.
//! * `cache` keeps compiled modules for the next start.
//! * [`limits`] has every bound that a plugin can press against, with its reason.
//!
//! A plugin can't do harm: a call ends at its deadline, its memory and stack are bounded, it has no files,
//! sockets or environment, and whatever it hands over is checked. A plugin that fails again and again is
//! set aside, and tried again later.
// Loading compiled modules is the one exception.
#![deny(unsafe_code)]

pub mod abi;
mod budget;
mod cache;
mod compile;
mod error;
mod guest;
mod host;
mod imports;
mod instance;
pub mod lcore;
pub mod limits;
pub mod metrics;
mod spec;
mod ticker;
mod trace;
mod wasi;

pub use compile::{Hooks, Plugin, Shape};
pub use error::LoadError;
pub use host::Host;
pub use spec::{L4, PluginSpec};
pub use trace::{Answer, CallReport, Trace};
