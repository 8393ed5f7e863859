//! The ports of a run.

use super::LiveError;
use super::distribution::Plan;
use super::options::{LiveOptions, PortOptions};
use dpdk_bindings::{
    Eal, Mempool, MempoolConfig, Port, PortConfig, PortGrant, PortStats, RxOffloads, RxQueue,
};

/// PMDs whose queues the kernel fills by a hash that is the same for both directions.
const KERNEL_FANOUT_DRIVERS: [&str; 1] = ["net_af_packet"];

/// PMDs that stamp packets with Unix ns.
const UNIX_TIME_DRIVERS: [&str; 1] = ["net_af_packet"];

/// What a port is and what it has counted.
#[derive(Clone, Debug)]
pub struct PortReport {
    /// Its name in DPDK.
    pub name: String,
    /// Its driver.
    pub driver: String,
    /// Whether its link is up; `None` where it can't tell.
    pub link_up: Option<bool>,
    /// Its basic statistics, by name.
    pub stats: Vec<(&'static str, u64)>,
    /// Its extended statistics, by the driver's names.
    pub extended: Vec<(String, u64)>,
}

struct Open {
    options: PortOptions,
    port: Port,
    grant: Option<PortGrant>,
}

pub(super) struct Ports(Vec<Open>);

impl Ports {
    pub(super) fn open(eal: Eal, options: &[PortOptions]) -> Result<Self, LiveError> {
        if options.is_empty() {
            return Err(LiveError::Options(
                "no port: name one with --pci or --vdev, or in [[ports]]".to_owned(),
            ));
        }
        let open = |options: &PortOptions| -> Result<Open, LiveError> {
            let port = Port::by_name(eal, options.name())?;
            Ok(Open {
                options: options.clone(),
                port,
                grant: None,
            })
        };
        Ok(Self(options.iter().map(open).collect::<Result<_, _>>()?))
    }

    /// Ports that can't spread flows symmetrically over `queues` queues.
    pub(super) fn names_that_cannot_spread(&self, queues: u16) -> Vec<String> {
        let cannot = |open: &&Open| {
            let info = open.port.info();
            let fanout = KERNEL_FANOUT_DRIVERS.contains(&info.driver.as_str());
            queues > 1 && (info.max_rx_queues < queues || !(info.can_rss() || fanout))
        };
        self.0
            .iter()
            .filter(cannot)
            .map(|open| open.options.name().to_owned())
            .collect()
    }

    /// Sets the ports up as planned; the pools that they receive into live as long as the run.
    pub(super) fn configure(
        &mut self,
        eal: Eal,
        options: &LiveOptions,
        plan: &Plan,
    ) -> Result<Vec<Mempool>, LiveError> {
        let mut pools = Vec::new();
        for (number, open) in self.0.iter_mut().enumerate() {
            let queues = plan.queues().min(open.options.queues.unwrap_or(u16::MAX));
            let config = MempoolConfig {
                mbufs: options.mbufs_of(&open.options),
                socket: open.port.info().socket,
                ..MempoolConfig::default()
            };
            let pool = Mempool::new(eal, &format!("port-{number}"), config)?;
            let config = PortConfig {
                rx_queues: queues,
                rx_descriptors: open.options.descriptors,
                mtu: open.options.mtu,
                promiscuous: open.options.promiscuous,
                rss: queues > 1,
                offloads: if stamps(open) {
                    PortConfig::default().offloads | RxOffloads::TIMESTAMP
                } else {
                    PortConfig::default().offloads
                },
                ..PortConfig::default()
            };
            open.grant = Some(open.port.configure(&config, std::slice::from_ref(&pool))?);
            pools.push(pool);
        }
        Ok(pools)
    }

    /// Whether all ports stamp packets with Unix ns.
    pub(super) fn are_stamped(&self) -> bool {
        let granted = |open: &Open| {
            open.grant
                .is_some_and(|g| g.offloads.contains(RxOffloads::TIMESTAMP))
        };
        self.0.iter().all(|open| stamps(open) && granted(open))
    }

    /// Starts all ports; their queues, port by port.
    pub(super) fn start(&mut self) -> Result<Vec<Vec<RxQueue>>, LiveError> {
        Ok(self
            .0
            .iter_mut()
            .map(|open| open.port.start().map(|q| q.rx))
            .collect::<Result<_, _>>()?)
    }

    /// Stops all ports; every queue must be dropped before.
    pub(super) fn stop(&mut self) -> Result<(), LiveError> {
        for open in &mut self.0 {
            open.port.stop()?;
        }
        Ok(())
    }

    pub(super) fn report(&self) -> Vec<PortReport> {
        let report = |open: &Open| PortReport {
            name: open.options.name().to_owned(),
            driver: open.port.info().driver.clone(),
            link_up: open.port.link().ok().map(|link| link.up),
            stats: open
                .port
                .stats()
                .map(|s: PortStats| s.named().to_vec())
                .unwrap_or_default(),
            extended: open.port.extended_stats().unwrap_or_default(),
        };
        self.0.iter().map(report).collect()
    }

    pub(super) fn describe(&self) -> String {
        let one = |open: &Open| {
            let queues = open.grant.map_or(0, |grant| grant.rx_queues);
            let mtu = open.grant.map_or(0, |grant| grant.mtu);
            format!(
                "{} ({}, {queues} queues, MTU {mtu})",
                open.options.name(),
                open.port.info().driver
            )
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

fn stamps(open: &Open) -> bool {
    UNIX_TIME_DRIVERS.contains(&open.port.info().driver.as_str())
}
