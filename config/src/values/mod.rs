//! Types of values with their bounds.

mod bytes;
mod choice;
mod cores;
mod device;
mod host_port;
mod pem_file;
mod protocol;
mod time;
mod whole;

pub use bytes::Bytes;
pub use choice::{Distribution, EalLog, LogLevel, PluginL4, RecordFormat, Rss, SinkType, TunnelName};
pub use cores::{Core, Cores};
pub use device::{PciAddress, Vdev};
pub use host_port::HostPort;
pub use pem_file::PemFile;
pub use protocol::{ProtocolName, ResponseTimeout, ResponseTimeouts};
pub use time::Time;
pub use whole::Whole;
