//! What the programs are told before they are loaded.

use crate::limits::{CAPTURE_BYTES_MAX, EVENT_RING_BYTES};
use bytemuck::{Pod, Zeroable};
use std::path::PathBuf;

/// Which end is watched of a connection that has both on this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Side {
    /// The client's.
    Client,
    /// The server's.
    #[default]
    Server,
    /// Both: what they say comes out twice.
    Both,
}

/// What is watched, and how much of it.
#[derive(Clone, Debug)]
pub struct KernelOptions {
    /// A file with the kernel's types, where the kernel itself does not tell them.
    pub btf: Option<PathBuf>,
    /// Bytes of the ring of events; a power of two.
    pub ring_bytes: u32,
    /// Bytes that one call gives at most.
    pub capture_bytes: u32,
    /// Which end is watched of a connection that has both on this host.
    pub side: Side,
}

impl Default for KernelOptions {
    fn default() -> Self {
        Self {
            btf: None,
            ring_bytes: EVENT_RING_BYTES,
            capture_bytes: CAPTURE_BYTES_MAX,
            side: Side::default(),
        }
    }
}

/// `struct settings` of bpf/events.h.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Settings {
    capture_max: u32,
    own_pid: u32,
    sides: u32,
    reserved: u32,
}

impl Settings {
    pub(super) fn of(options: &KernelOptions) -> Self {
        let (client, server) = (1 << 1, 1 << 2);
        Self {
            capture_max: options.capture_bytes.min(CAPTURE_BYTES_MAX),
            own_pid: std::process::id(),
            sides: match options.side {
                Side::Client => client,
                Side::Server => server,
                Side::Both => client | server,
            },
            reserved: 0,
        }
    }
}
