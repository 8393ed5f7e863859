//! How a port is set up, and what it made of it.

use super::offloads::RxOffloads;
use super::rss::RssGrant;

/// What a port is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PortConfig {
    /// Receive queues, at least 1.
    pub rx_queues: u16,
    /// Descriptors of each: packets that can wait in it. Adjusted to what the port takes.
    pub rx_descriptors: u16,
    /// Transmit queues. Tapir needs none; a driver that does (net_af_xdp, net_memif) gets one a receive queue.
    pub tx_queues: u16,
    /// Descriptors of each.
    pub tx_descriptors: u16,
    /// Bytes of the longest IP packet; cut to what the port takes. Frames longer than a pool's buffers
    /// are scattered.
    pub mtu: u16,
    /// Receive frames for anyone.
    pub promiscuous: bool,
    /// What to ask for of what the port offers.
    pub offloads: RxOffloads,
    /// Spread flows over the queues by a hash that is the same for both directions, if the port can.
    pub rss: bool,
}

impl Default for PortConfig {
    /// One queue of 1024 packets, all frames up to 1500 bytes, checksums and hashes. Not timestamps
    /// and VLAN stripping: they cost some PMDs their fast path, and the decoder reads tags itself.
    fn default() -> Self {
        Self {
            rx_queues: 1,
            rx_descriptors: 1024,
            tx_queues: 0,
            tx_descriptors: 512,
            mtu: 1500,
            promiscuous: true,
            offloads: RxOffloads::CHECKSUM | RxOffloads::RSS_HASH,
            rss: true,
        }
    }
}

/// What the port granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortGrant {
    /// Receive queues.
    pub rx_queues: u16,
    /// Descriptors of each.
    pub rx_descriptors: u16,
    /// Bytes of the longest IP packet.
    pub mtu: u16,
    /// Offloads in use.
    pub offloads: RxOffloads,
    /// Frames of that MTU don't fit into one buffer, and the port does not say it can scatter them. Some
    /// PMDs do it all the same (net_pcap), others drop such frames: larger buffers are the way out.
    pub may_truncate: bool,
    /// RSS, if the port spreads flows.
    pub rss: Option<RssGrant>,
}
