//! Remembers which protocol a server address has spoken: a hint for the order of probes.

use crate::l7::Protocol;
use crate::limits::{SERVER_CACHE_ENTRIES, SERVER_CACHE_TTL_NS};

#[derive(Clone, Copy)]
struct Entry {
    ip: [u8; 16],
    port: u16,
    l4: u8,
    protocol: Option<Protocol>,
    seen_ns: u64,
}

/// A direct-mapped table: a newer server takes the place of an older one that maps to the same entry.
pub struct ServerCache {
    entries: Vec<Entry>,
}

impl Default for ServerCache {
    fn default() -> Self {
        let vacant = Entry {
            ip: [0; 16],
            port: 0,
            l4: 0,
            protocol: None,
            seen_ns: 0,
        };
        Self {
            entries: vec![vacant; SERVER_CACHE_ENTRIES],
        }
    }
}

impl ServerCache {
    fn place(ip: &[u8; 16], port: u16) -> usize {
        let low = u64::from_le_bytes([ip[8], ip[9], ip[10], ip[11], ip[12], ip[13], ip[14], ip[15]]);
        let mixed = (low ^ u64::from(port)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 32) as usize % SERVER_CACHE_ENTRIES
    }

    /// The protocol that this server spoke, not too long ago.
    pub fn get(&self, ip: &[u8; 16], port: u16, l4: u8, now_ns: u64) -> Option<Protocol> {
        let entry = self.entries.get(Self::place(ip, port))?;
        let fresh = now_ns.saturating_sub(entry.seen_ns) <= SERVER_CACHE_TTL_NS;
        if fresh && entry.ip == *ip && entry.port == port && entry.l4 == l4 {
            entry.protocol
        } else {
            None
        }
    }

    /// Remembers it.
    pub fn put(&mut self, ip: &[u8; 16], port: u16, l4: u8, protocol: Protocol, now_ns: u64) {
        if let Some(entry) = self.entries.get_mut(Self::place(ip, port)) {
            *entry = Entry {
                ip: *ip,
                port,
                l4,
                protocol: Some(protocol),
                seen_ns: now_ns,
            };
        }
    }
}
