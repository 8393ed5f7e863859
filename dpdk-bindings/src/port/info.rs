//! What a port is and can do.

use std::ffi::CStr;

use crate::error::{Error, Result, check};
use crate::ffi;
use crate::id::{PortId, SocketId};

use super::offloads::RxOffloads;

/// A port and its abilities, as its driver states them.
#[derive(Clone, Debug)]
pub struct PortInfo {
    /// Its number.
    pub id: PortId,
    /// Its name: of a virtual device (`net_af_packet0`) or a PCI address (`0000:01:00.0`).
    pub name: String,
    /// Its driver (`net_af_packet`, `net_ice`, `mlx5_pci` …). Two things it tells that no ability does:
    /// net_af_packet with several queues spreads flows by the kernel's fanout hash, without RSS; and the
    /// unit of timestamps.
    pub driver: String,
    /// The device on its bus.
    pub device: String,
    /// The NUMA node the device is attached to, if it has one.
    pub socket: Option<SocketId>,
    /// Its own MAC address.
    pub mac: [u8; 6],
    /// The network interface it sits on, for drivers that share one with the kernel.
    pub interface_index: Option<u32>,
    /// Most receive queues it can have.
    pub max_rx_queues: u16,
    /// Most transmit queues it can have.
    pub max_tx_queues: u16,
    /// Smallest and largest MTU it takes.
    pub mtu: (u16, u16),
    /// What it can do on receive.
    pub offloads: RxOffloads,
    /// Hash functions (`RTE_ETH_RSS_*`) it can spread packets by; 0 for none.
    pub rss_functions: u64,
    /// Bytes in its hash key.
    pub rss_key_size: u8,
}

impl PortInfo {
    /// Whether the NIC can keep each flow on one of several queues.
    #[must_use]
    pub fn can_rss(&self) -> bool {
        self.rss_functions != 0 && self.max_rx_queues > 1
    }

    /// Reads what DPDK knows of a port that exists.
    pub(super) fn read(id: PortId) -> Result<Self> {
        let (raw, name) = (read_raw(id)?, name_of(id)?);
        let mut mac = ffi::rte_ether_addr::default();
        // SAFETY: a local of the right type. A port without an address leaves zeros.
        unsafe { ffi::rte_eth_macaddr_get(id.0, &raw mut mac) };
        // SAFETY: the driver and its device live as long as the port; their names are C strings.
        let (driver, device) = unsafe { (text(raw.driver_name), text(ffi::rte_dev_name(raw.device))) };
        Ok(Self {
            id,
            name,
            driver,
            device,
            // SAFETY: reads a number.
            socket: SocketId::from_raw(unsafe { ffi::rte_eth_dev_socket_id(id.0) }),
            mac: mac.addr_bytes,
            interface_index: (raw.if_index != 0).then_some(raw.if_index),
            max_rx_queues: raw.max_rx_queues,
            max_tx_queues: raw.max_tx_queues,
            mtu: (raw.min_mtu, raw.max_mtu),
            offloads: RxOffloads::from_raw(raw.rx_offload_capa),
            rss_functions: raw.flow_type_rss_offloads,
            rss_key_size: raw.hash_key_size,
        })
    }
}

/// All ports of the process.
pub(super) fn all() -> Vec<PortId> {
    let mut ports = Vec::new();
    let mut next = 0;
    loop {
        // SAFETY: looks for the first port from a number on; MAX_PORTS when there is none.
        next = unsafe { ffi::rte_eth_find_next(next) };
        if u32::from(next) >= ffi::MAX_PORTS {
            return ports;
        }
        ports.push(PortId(next));
        next += 1;
    }
}

/// The error for a port that is not there.
pub(super) fn no_such_port(wanted: impl Into<String>) -> Error {
    let known = all()
        .into_iter()
        .filter_map(|id| name_of(id).ok())
        .collect::<Vec<_>>()
        .join(", ");
    Error::NoSuchPort {
        wanted: wanted.into(),
        known,
    }
}

pub(super) fn read_raw(id: PortId) -> Result<ffi::rte_eth_dev_info> {
    let mut raw = ffi::rte_eth_dev_info::default();
    // SAFETY: a local of the right type.
    let returned = unsafe { ffi::rte_eth_dev_info_get(id.0, &raw mut raw) };
    check(returned, || format!("ask what port {id} can do"))?;
    Ok(raw)
}

fn name_of(id: PortId) -> Result<String> {
    let mut name = [0; ffi::RTE_ETH_NAME_MAX_LEN as usize];
    // SAFETY: the buffer is as long as DPDK's names get, their final zero included.
    let returned = unsafe { ffi::rte_eth_dev_get_name_by_port(id.0, name.as_mut_ptr()) };
    check(returned, || format!("ask for the name of port {id}"))?;
    // SAFETY: filled with a C string.
    Ok(unsafe { text(name.as_ptr()) })
}

/// # Safety
/// Null, or a C string.
pub(super) unsafe fn text(string: *const std::ffi::c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}
