//! What a port counted, and the state of its link.

use crate::error::{Result, check};
use crate::ffi;
use crate::id::PortId;

use super::info::text;

/// Counters every port has, since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStats {
    /// Packets received.
    pub rx_packets: u64,
    /// Their bytes.
    pub rx_bytes: u64,
    /// Packets dropped because a queue was full: the lcore was too slow.
    pub rx_missed: u64,
    /// Packets the NIC found broken.
    pub rx_errors: u64,
    /// Packets dropped because the pool was empty.
    pub rx_no_mbuf: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Their bytes.
    pub tx_bytes: u64,
    /// Packets that could not be sent.
    pub tx_errors: u64,
}

impl PortStats {
    /// The counters under their names.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("rx_packets", self.rx_packets),
            ("rx_bytes", self.rx_bytes),
            ("rx_missed", self.rx_missed),
            ("rx_errors", self.rx_errors),
            ("rx_no_mbuf", self.rx_no_mbuf),
            ("tx_packets", self.tx_packets),
            ("tx_bytes", self.tx_bytes),
            ("tx_errors", self.tx_errors),
        ]
    }

    pub(super) fn read(id: PortId) -> Result<Self> {
        let mut raw = ffi::rte_eth_stats::default();
        // SAFETY: a local of the right type.
        let returned = unsafe { ffi::rte_eth_stats_get(id.0, &raw mut raw) };
        check(returned, || format!("read counters of port {id}"))?;
        Ok(Self {
            rx_packets: raw.ipackets,
            rx_bytes: raw.ibytes,
            rx_missed: raw.imissed,
            rx_errors: raw.ierrors,
            rx_no_mbuf: raw.rx_nombuf,
            tx_packets: raw.opackets,
            tx_bytes: raw.obytes,
            tx_errors: raw.oerrors,
        })
    }
}

/// All counters of a port under its driver's names, per queue and per cause.
pub(super) fn extended(id: PortId) -> Result<Vec<(String, u64)>> {
    let doing = || format!("read extended counters of port {id}");
    // SAFETY: with no room, both functions say how much they want.
    let wanted = check(
        unsafe { ffi::rte_eth_xstats_get(id.0, std::ptr::null_mut(), 0) },
        doing,
    )?;
    let wanted = wanted.unsigned_abs();
    let mut names = vec![ffi::rte_eth_xstat_name::default(); wanted as usize];
    let mut values = vec![ffi::rte_eth_xstat::default(); wanted as usize];
    // SAFETY: as many entries as they are told.
    let (named, counted) = unsafe {
        (
            ffi::rte_eth_xstats_get_names(id.0, names.as_mut_ptr(), wanted),
            ffi::rte_eth_xstats_get(id.0, values.as_mut_ptr(), wanted),
        )
    };
    check(named, doing)?;
    values.truncate(check(counted, doing)?.unsigned_abs() as usize);
    // A value's id is its name's index.
    let named = |value: &ffi::rte_eth_xstat| {
        let name = names.get(usize::try_from(value.id).ok()?)?;
        // SAFETY: DPDK ends every name with a zero.
        Some((unsafe { text(name.name.as_ptr()) }, value.value))
    };
    Ok(values.iter().filter_map(named).collect())
}

/// The state of a port's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whether there is one.
    pub up: bool,
    /// Its speed in Mbit/s, if known.
    pub speed_mbps: Option<u32>,
    /// Whether both sides can send at once.
    pub full_duplex: bool,
    /// Whether the speed was agreed on with the other side.
    pub autonegotiated: bool,
}

impl Link {
    pub(super) fn read(id: PortId) -> Result<Self> {
        let mut raw = ffi::rte_eth_link::default();
        // SAFETY: a local of the right type.
        let returned = unsafe { ffi::rte_eth_link_get_nowait(id.0, &raw mut raw) };
        check(returned, || format!("read link state of port {id}"))?;
        Ok(Self {
            up: raw.link_status() == ffi::LINK_UP,
            speed_mbps: (raw.link_speed != 0 && raw.link_speed != ffi::SPEED_UNKNOWN)
                .then_some(raw.link_speed),
            full_duplex: raw.link_duplex() == ffi::LINK_FULL_DUPLEX,
            autonegotiated: raw.link_autoneg() == ffi::LINK_AUTONEG,
        })
    }
}
