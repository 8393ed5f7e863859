//! The sections, one file each.

mod eal;
mod flows;
mod log;
mod metrics;
mod plugin;
mod plugin_limits;
mod port;
mod protocols;
mod records;
mod redaction;
mod sidecar;
mod sink;
mod tcp;
mod wire;
mod workers;

pub use eal::Eal;
pub use flows::Flows;
pub use log::Log;
pub use metrics::Metrics;
pub use plugin::{Plugin, PluginPort};
pub use plugin_limits::PluginLimits;
pub use port::{Device, Port};
pub use protocols::Protocols;
pub use records::Records;
pub use redaction::Redaction;
pub use sidecar::{Join, Sidecar, SidecarSocket, Tls};
pub use sink::{CollectorSocket, Destination, Rotation, Sink};
pub use tcp::Tcp;
pub use wire::{UdpPort, Wire};
pub use workers::Workers;

pub(crate) use plugin::PluginKeys;
pub(crate) use port::PortKeys;
pub(crate) use sidecar::SidecarKeys;
pub(crate) use sink::SinkKeys;
