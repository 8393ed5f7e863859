//! Receive side scaling: the NIC keeps each flow, in both directions, on one of its queues.

use crate::error::{Result, check};
use crate::ffi;
use crate::id::PortId;
use crate::limits::{DEFAULT_RSS_KEY, MAX_RSS_KEY};

use super::info::PortInfo;

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
        let key_size = if info.rss_key_size == 0 {
            DEFAULT_RSS_KEY
        } else {
            info.rss_key_size
        };
        (functions != 0).then_some(Self { functions, key_size })
    }

    /// The request, with the symmetric key in the caller's `key`.
    pub(super) fn to_raw(self, key: &mut [u8; MAX_RSS_KEY]) -> ffi::rte_eth_rss_conf {
        *key = SYMMETRIC_KEY;
        ffi::rte_eth_rss_conf {
            rss_key: key.as_mut_ptr(),
            rss_key_len: self.key_size,
            rss_hf: self.functions,
        }
    }

    /// Whether a running port uses the symmetric key; an error if its driver can't say.
    pub(super) fn is_in_place(self, port: PortId) -> Result<bool> {
        let mut key = [0; MAX_RSS_KEY];
        let mut conf = ffi::rte_eth_rss_conf {
            rss_key: key.as_mut_ptr(),
            rss_key_len: self.key_size,
            rss_hf: 0,
        };
        // SAFETY: a local of the right type, with room for any key.
        let returned = unsafe { ffi::rte_eth_dev_rss_hash_conf_get(port.0, &raw mut conf) };
        check(returned, || format!("read back the RSS key of port {port}"))?;
        let wanted = SYMMETRIC_KEY
            .get(..usize::from(self.key_size))
            .unwrap_or(&SYMMETRIC_KEY);
        Ok(key.starts_with(wanted))
    }

    /// Gives a running port the key again. Some drivers take no notice of it when configured.
    pub(super) fn put_in_place(self, port: PortId) -> Result<()> {
        let mut key = [0; MAX_RSS_KEY];
        let mut conf = self.to_raw(&mut key);
        // SAFETY: the request and its key are copied.
        let returned = unsafe { ffi::rte_eth_dev_rss_hash_update(port.0, &raw mut conf) };
        check(returned, || format!("set the RSS key of port {port}"))?;
        Ok(())
    }
}

/// A Toeplitz key under which a packet and its answer hash alike: a repeated 16-bit pattern, so that
/// swapping addresses (32 and 128 bits apart) or ports (16) changes nothing. The pattern 0x6d5a spreads
/// well (S. Woo, K. Park: Scalable TCP Session Monitoring with Symmetric Receive-side Scaling, 2012).
const SYMMETRIC_KEY: [u8; MAX_RSS_KEY] = {
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
