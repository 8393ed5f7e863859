//! Safe DPDK types for Tapir: the one crate that speaks to libdpdk.
//!
//! ```text
//! Eal ── Mempool ── Port ── RxQueue ──receive──► Burst ──get──► &Packet   (borrowed, freed with the burst)
//!   └─── Lcore                                     └─────take──► Mbuf      (owned, freed on drop)
//!   └─── Ring: Producer ◄── Burst … Consumer ──► Burst
//!   └─── HugeSlice
//! ```
//!
//! What makes it sound, in one place:
//!
//! - [`Eal`] is a counted handle. Ports, rings, pools, lcores and huge slices hold one, so EAL is
//!   cleaned up after all of them, and only if every mbuf is back in its pool.
//! - A pool's memory lives as long as EAL, so an [`Mbuf`] needs no back reference to stay valid.
//! - A queue is handed out once, its methods take `&mut self`, and its port stays started until the
//!   queue is dropped: no two threads poll one queue, none polls a closed one.
//! - An [`Mbuf`] has no `Clone`; [`Mbuf::share`] adds a holder on purpose. Packet bytes are read-only.

mod affinity;
mod burst;
mod eal;
mod eal_config;
mod error;
mod ffi;
mod huge;
mod id;
mod lcore;
mod limits;
mod mbuf;
mod mempool;
mod port;
mod queue;
mod ring;
pub mod tsc;

pub use burst::Burst;
pub use eal::Eal;
pub use eal_config::{EalConfig, LogLevel};
pub use error::{Errno, Error, Result};
pub use huge::HugeSlice;
pub use id::{CpuId, LcoreId, PortId, SocketId};
pub use lcore::Lcore;
pub use limits::BURST_SIZE;
pub use mbuf::{Checksum, Mbuf, Packet};
pub use mempool::{Mempool, MempoolConfig};
pub use port::{Link, Port, PortConfig, PortGrant, PortInfo, PortStats, Queues, RssGrant, RxOffloads};
pub use queue::{RxQueue, TxQueue};
pub use ring::{Consumer, Producer, ring};
