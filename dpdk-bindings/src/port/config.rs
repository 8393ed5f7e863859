//! How a port is set up, and what it made of it.

use crate::ffi;
use crate::limits::MAX_RSS_KEY;

use super::info::PortInfo;
use super::offloads::RxOffloads;

/// What a port is asked for.
#[derive(Clone, Copy, Debug)]
pub struct PortConfig {
    /// Receive queues, at least 1.
    pub rx_queues: u16,
    /// Descriptors of each: packets that can wait in it. Adjusted to what the port takes.
    pub rx_descriptors: u16,
    /// Transmit queues. Tapir needs none; a driver that does (net_af_xdp) gets one for each receive queue.
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

/// How a port spreads flows over its queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RssGrant {
    /// Hash functions in use (`RTE_ETH_RSS_*`).
    pub functions: u64,
    /// Bytes of the symmetric key it was given.
    pub key_size: u8,
}

/// The hash functions wanted: addresses and ports where there are ports.
const WANTED_FUNCTIONS: u64 = ffi::HASH_IP | ffi::HASH_TCP | ffi::HASH_UDP | ffi::HASH_SCTP;

impl RssGrant {
    /// What a port can give of what is wanted.
    pub(super) fn cut_to(info: &PortInfo) -> Option<Self> {
        let functions = WANTED_FUNCTIONS & info.rss_functions;
        (functions != 0).then_some(Self {
            functions,
            key_size: info.rss_key_size,
        })
    }
}

/// A Toeplitz key under which a packet and its answer hash alike: a repeated 16-bit pattern, so that
/// swapping addresses (32 and 128 bits apart) or ports (16) changes nothing. The pattern 0x6d5a spreads
/// well (S. Woo, K. Park: Scalable TCP Session Monitoring with Symmetric Receive-side Scaling, 2012).
pub(super) const SYMMETRIC_KEY: [u8; MAX_RSS_KEY] = {
    let mut key = [0x6d; MAX_RSS_KEY];
    let mut index = 1;
    while index < MAX_RSS_KEY {
        key[index] = 0x5a;
        index += 2;
    }
    key
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Toeplitz: for every set bit of the input, the 32 bits of the key from there on.
    fn toeplitz(input: &[u8]) -> u32 {
        let mut hash = 0;
        for (index, byte) in input.iter().enumerate() {
            for bit in 0..8 {
                if byte & (0x80 >> bit) != 0 {
                    let window = u64::from_be_bytes(SYMMETRIC_KEY[index..index + 8].try_into().unwrap());
                    hash ^= (window << bit >> 32) as u32;
                }
            }
        }
        hash
    }

    #[test]
    fn both_directions_hash_alike() {
        let (client, server) = ([10, 1, 2, 3], [192, 0, 2, 77]);
        let (client_port, server_port) = ([0xc0, 0x11], [0, 80]);
        let to_server = [&client[..], &server, &client_port, &server_port].concat();
        let to_client = [&server[..], &client, &server_port, &client_port].concat();
        assert_eq!(toeplitz(&to_server), toeplitz(&to_client));
        let other = [&client[..], &server, &[0xc0, 0x12], &server_port].concat();
        assert_ne!(toeplitz(&to_server), toeplitz(&other));
    }
}
