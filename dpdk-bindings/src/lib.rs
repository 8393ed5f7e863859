//! Safe DPDK types for Tapir: the one crate that speaks to libdpdk.
//!
//! ```text
//! Eal ── Mempool ── Port ── RxQueue ──receive──► Burst ──get──► &Packet   (borrowed, freed with the burst)
//!   └─── Lcore                                     └─────take──► Mbuf      (owned, freed on drop)
//!   └─── Ring: Producer ◄── Burst … Consumer ──► Burst
//!   └─── HugeSlice
//! ```
//!
//! ```no_run
//! use dpdk_bindings::{Burst, CpuId, Eal, EalConfig, Lcore, Mempool, MempoolConfig, Port, PortConfig};
//!
//! # fn main() -> dpdk_bindings::Result<()> {
//! let eal = Eal::init(&EalConfig::new().in_memory().vdev("net_af_packet0,iface=eth1"))?;
//! let pool = Mempool::new(eal, "rx", MempoolConfig::default())?;
//! let mut port = Port::by_name(eal, "net_af_packet0")?;
//! let granted = port.configure(&PortConfig::default(), &[pool])?;
//! println!("{granted:?}");
//! for mut queue in port.start()?.rx {
//!     std::thread::spawn(move || -> dpdk_bindings::Result<()> {
//!         let _lcore = Lcore::enter(eal, CpuId(queue.index()))?;
//!         let mut burst = Burst::new();
//!         loop {
//!             queue.receive(&mut burst);
//!             burst.prefetch_data();
//!             burst.iter().for_each(|packet| println!("{} bytes", packet.len()));
//!         }
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What makes it sound, in one place:
//!
//! - EAL, once up, stays up, and a pool is never freed: an [`Mbuf`] needs no back reference to be valid.
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
pub use mbuf::{Checksum, Mbuf, Packet, Segments};
pub use mempool::{Mempool, MempoolConfig};
pub use port::{Link, Port, PortConfig, PortGrant, PortInfo, PortStats, Queues, RssGrant, RxOffloads};
pub use queue::{RxQueue, TxQueue};
pub use ring::{Consumer, Producer, ring};
