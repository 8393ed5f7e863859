//! What the programs are told before they are loaded.

use super::{Backend, CgroupFilters};
use crate::event::Role;
use crate::limits::{CAPTURE_BYTES_MAX, EVENT_RING_BYTES};
use bytemuck::{Pod, Zeroable};
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;
use tapir_parsers::inference::Candidates;
use tapir_parsers::limits::PROBE_TRIES_MAX;

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

impl Side {
    /// The end that is not watched, if one is.
    pub fn left_out(self) -> Option<Role> {
        match self {
            Self::Client => Some(Role::Server),
            Self::Server => Some(Role::Client),
            Self::Both => None,
        }
    }
}

/// What is watched, and how much of it.
#[derive(Clone, Debug)]
pub struct KernelOptions {
    /// How the kernel tells of data; the first way that works unless given.
    pub backend: Option<Backend>,
    /// A file with the kernel's types, where the kernel itself does not tell them.
    pub btf: Option<PathBuf>,
    /// Bytes of the ring of events; a power of two.
    pub ring_bytes: u32,
    /// Bytes that one call gives at most.
    pub capture_bytes: u32,
    /// Which end is watched of a connection that has both on this host.
    pub side: Side,
    /// Which connections are watched.
    pub filters: Filters,
}

/// Which connections are watched: of each list that is not empty, one must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// Process ids.
    pub pids: Vec<u32>,
    /// Names of commands.
    pub comms: Vec<String>,
    /// Cgroups, with those that are made later.
    pub cgroups: CgroupFilters,
    /// Ports, of either end.
    pub ports: Vec<u16>,
    /// Networks, of either end.
    pub networks: Vec<Network>,
}

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    ip: Ipv6Addr,
    bits: u8,
}

impl FromStr for Network {
    type Err = String;

    /// `ADDRESS` or `ADDRESS/BITS`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("expected an address or a network, as in 10.0.0.0/8, not '{text}'");
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let ip: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits_max = if ip.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), str::parse).map_err(|_| wrong())?;
        if bits > bits_max {
            return Err(wrong());
        }
        Ok(match ip {
            IpAddr::V4(v4) => Self {
                ip: v4.to_ipv6_mapped(),
                bits: bits + 96,
            },
            IpAddr::V6(ip) => Self { ip, bits },
        })
    }
}

impl Filters {
    /// Which kinds there are: `enum filter` of bpf/events.h.
    fn kinds(&self) -> u32 {
        let empty = [
            self.pids.is_empty(),
            self.comms.is_empty(),
            self.cgroups.is_empty(),
            self.ports.is_empty(),
            self.networks.is_empty(),
        ];
        let kinds = (0u32..).zip(empty);
        kinds.filter(|(_, empty)| !empty).map(|(kind, _)| 1 << kind).sum()
    }

    /// The keys of every map of filters but that of cgroups, by its name.
    pub(super) fn keys(&self) -> Vec<(&'static str, Vec<u8>)> {
        let pids = self
            .pids
            .iter()
            .map(|pid| ("filter_pids", pid.to_ne_bytes().to_vec()));
        let comms = self.comms.iter().map(|comm| ("filter_comms", comm_key(comm)));
        let ports = self
            .ports
            .iter()
            .map(|port| ("filter_ports", port.to_ne_bytes().to_vec()));
        let networks = self.networks.iter().map(|network| {
            let bits = u32::from(network.bits).to_ne_bytes();
            ("filter_addresses", [&bits[..], &network.ip.octets()[..]].concat())
        });
        pids.chain(comms).chain(ports).chain(networks).collect()
    }
}

/// As the kernel keeps it: 15 bytes and zeros.
fn comm_key(comm: &str) -> Vec<u8> {
    let mut key = vec![0; 16];
    for (to, from) in key.iter_mut().zip(comm.bytes().take(15)) {
        *to = from;
    }
    key
}

impl Default for KernelOptions {
    fn default() -> Self {
        Self {
            backend: None,
            btf: None,
            ring_bytes: EVENT_RING_BYTES,
            capture_bytes: CAPTURE_BYTES_MAX,
            side: Side::default(),
            filters: Filters::default(),
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
    filters: u32,
    tries_max: u32,
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
            filters: options.filters.kinds(),
            tries_max: u32::from(PROBE_TRIES_MAX),
            reserved: 0,
        }
    }
}

/// `struct candidates` of bpf/events.h.
pub(super) fn candidates(table: &Candidates) -> Vec<u8> {
    let [tcp, udp, _] = table.by_transport();
    let tables = [table.by_byte(), table.by_byte_elsewhere()];
    let all = [tcp, udp]
        .into_iter()
        .chain(tables.into_iter().flat_map(|table| table.as_flattened()))
        .chain(table.known_ports());
    all.flat_map(|word| word.to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let network = |text: &str| text.parse::<Network>();
        assert_eq!(network("10.1.0.0/16").unwrap().bits, 112);
        assert_eq!(network("127.0.0.1").unwrap().bits, 128);
        assert_eq!(network("fd00::/8").unwrap().bits, 8);
        for wrong in [
            "",
            "10.0.0.0/33",
            "::/129",
            "localhost",
            "10.0.0.0/",
            "10.0.0.0/-1",
        ] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_cut_as_the_kernel_cuts_them() {
        assert_eq!(comm_key("redis-server"), b"redis-server\0\0\0\0");
        assert_eq!(comm_key("a-very-long-command"), b"a-very-long-com\0");
    }
}
