//! An Ethernet port: found, configured, started, stopped, closed.

mod config;
mod info;
mod offloads;
mod rss;
mod stats;

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::eal::{self, Eal};
use crate::error::{Error, Result, check};
use crate::ffi;
use crate::id::{PortId, SocketId};
use crate::limits::MAX_RSS_KEY;
use crate::mempool::Mempool;
use crate::queue::{RxQueue, TxQueue};

pub use config::{PortConfig, PortGrant};
pub use info::PortInfo;
pub use offloads::RxOffloads;
pub use rss::RssGrant;
pub use stats::{Link, PortStats};

/// Drivers that don't work with receive queues alone, and get as many transmit queues: net_af_xdp, whose
/// sockets have both directions, refuses; net_memif never connects to a peer that also receives.
const PAIRED_DRIVERS: [&str; 2] = ["net_af_xdp", "net_memif"];

/// An open port, the only handle to it. Dropping it stops and closes it, once its queues are dropped too;
/// a closed port can't be opened again in this process.
#[derive(Debug)]
pub struct Port {
    device: Arc<Device>,
    state: State,
    // Drivers don't expect two threads to ask at once.
    _not_sync: PhantomData<Cell<()>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Opened,
    Configured(Shape),
    Started(Shape),
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    rx_queues: u16,
    tx_queues: u16,
    promiscuous: bool,
    rss: Option<RssGrant>,
}

/// The queues of a port that was started.
#[derive(Debug)]
pub struct Queues {
    /// Receive queues, by number.
    pub rx: Vec<RxQueue>,
    /// Transmit queues, by number.
    pub tx: Vec<TxQueue>,
}

/// What the port and its queues share: closes the port when the last of them is dropped.
#[derive(Debug)]
pub(crate) struct Device {
    info: PortInfo,
    started: bool,
}

impl Device {
    pub(crate) fn id(&self) -> PortId {
        self.info.id
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: no queue handle is left, so no thread polls; errors leave the port as it is.
        unsafe {
            if self.started {
                ffi::rte_eth_dev_stop(self.info.id.0);
            }
            ffi::rte_eth_dev_close(self.info.id.0);
        }
        eal::release_port(self.info.id);
    }
}

impl Port {
    /// All ports of the process, open or not, in probe order.
    ///
    /// # Errors
    /// DPDK's, if a driver can't describe a port.
    pub fn list(_eal: Eal) -> Result<Vec<PortInfo>> {
        info::all().into_iter().map(PortInfo::read).collect()
    }

    /// Opens a port by the name of its virtual device (`net_pcap0`) or its PCI address (`0000:01:00.0`, or
    /// `01:00.0`).
    ///
    /// # Errors
    /// [`Error::NoSuchPort`] with the names there are, [`Error::PortInUse`].
    pub fn by_name(eal: Eal, name: &str) -> Result<Self> {
        let found = Self::list(eal)?
            .into_iter()
            .find(|port| port.name == name || port.name == format!("0000:{name}"));
        Self::open(eal, found.ok_or_else(|| info::no_such_port(name))?.id)
    }

    /// Opens a port by its number.
    ///
    /// # Errors
    /// [`Error::NoSuchPort`] with the names there are, [`Error::PortInUse`].
    pub fn open(_eal: Eal, id: PortId) -> Result<Self> {
        if !info::all().contains(&id) {
            return Err(info::no_such_port(id.to_string()));
        }
        let info = PortInfo::read(id)?;
        eal::claim_port(id)?;
        let device = Arc::new(Device { info, started: false });
        Ok(Self {
            device,
            state: State::Opened,
            _not_sync: PhantomData,
        })
    }

    /// What it is and can do.
    #[must_use]
    pub fn info(&self) -> &PortInfo {
        &self.device.info
    }

    /// Sets the port up, as far as it can what is asked, and says what it granted. Queue `n` receives into
    /// `pools[n]`, or all into the only one.
    ///
    /// # Errors
    /// [`Error::QueuesHeld`] and [`Error::Invalid`] if the port runs, for more queues than it can have
    /// and for a wrong number of pools; DPDK's for what the driver refuses.
    pub fn configure(&mut self, config: &PortConfig, pools: &[Mempool]) -> Result<PortGrant> {
        let info = &self.device.info;
        let (id, name) = (info.id, &info.name);
        let doing = || format!("configure port {id} ({name}) with {} RX queues", config.rx_queues);
        let invalid = |reason: String| Err(Error::invalid(doing(), reason));
        if matches!(self.state, State::Started(_)) {
            return invalid("it runs".to_owned());
        }
        if config.rx_queues == 0 || config.rx_queues > info.max_rx_queues {
            return invalid(format!("it can have 1 to {}", info.max_rx_queues));
        }
        let tx_queues = if PAIRED_DRIVERS.contains(&info.driver.as_str()) {
            config.tx_queues.max(config.rx_queues)
        } else {
            config.tx_queues
        };
        if tx_queues > info.max_tx_queues {
            return invalid(format!("it can have at most {} TX queues", info.max_tx_queues));
        }
        if pools.len() != 1 && pools.len() != usize::from(config.rx_queues) {
            return invalid(format!("{} pools, needed is one, or one a queue", pools.len()));
        }

        let raw_info = info::read_raw(id)?;
        let (least, most) = info.mtu;
        let mtu = config.mtu.min(most).max(least);
        let room = pools
            .iter()
            .map(|pool| usize::from(pool.config().data_room))
            .min()
            .unwrap_or(0);
        let is_tight = longest_frame(&raw_info, mtu) > room;
        let wanted = if is_tight {
            config.offloads | RxOffloads::SCATTER
        } else {
            config.offloads
        };
        let offloads = wanted & info.offloads;
        let rss = if config.rss { RssGrant::cut_to(info) } else { None };

        let mut conf = ffi::rte_eth_conf::default();
        conf.rxmode.mtu = mtu.into();
        conf.rxmode.offloads = offloads.to_raw();
        let mut key = [0; MAX_RSS_KEY];
        if let Some(rss) = rss {
            conf.rxmode.mq_mode = ffi::RTE_ETH_MQ_RX_RSS;
            conf.rx_adv_conf.rss_conf = rss.to_raw(&mut key);
        }
        // SAFETY: a complete configuration, copied; the key is longer than any length that fits its field.
        let returned =
            unsafe { ffi::rte_eth_dev_configure(id.0, config.rx_queues, tx_queues, &raw const conf) };
        check(returned, doing)?;
        // Until all queues are set up, starting is refused by DPDK; the state need not tell.
        let (mut rx_descriptors, mut tx_descriptors) = (config.rx_descriptors, config.tx_descriptors);
        // SAFETY: both point to locals of the right type.
        let returned = unsafe {
            ffi::rte_eth_dev_adjust_nb_rx_tx_desc(id.0, &raw mut rx_descriptors, &raw mut tx_descriptors)
        };
        check(returned, || format!("choose descriptors of port {id} ({name})"))?;

        let socket = SocketId::to_raw(info.socket).cast_unsigned();
        for queue in 0..config.rx_queues {
            let pool = pools.get(usize::from(queue)).or(pools.first());
            let pool = pool.map_or(std::ptr::null_mut(), Mempool::as_ptr);
            let mut queue_conf = raw_info.default_rxconf;
            queue_conf.offloads = offloads.to_raw();
            // A worker that is late must lose its own packets, not hold up the other queues' packets.
            queue_conf.rx_drop_en = 1;
            // SAFETY: pools are never freed; the configuration is copied.
            let returned = unsafe {
                ffi::rte_eth_rx_queue_setup(id.0, queue, rx_descriptors, socket, &raw const queue_conf, pool)
            };
            check(returned, || {
                format!("set up RX queue {queue} of port {id} ({name}) with {rx_descriptors} descriptors")
            })?;
        }
        for queue in 0..tx_queues {
            // SAFETY: a null configuration is the default one.
            let returned =
                unsafe { ffi::rte_eth_tx_queue_setup(id.0, queue, tx_descriptors, socket, std::ptr::null()) };
            check(returned, || {
                format!("set up TX queue {queue} of port {id} ({name}) with {tx_descriptors} descriptors")
            })?;
        }
        self.state = State::Configured(Shape {
            rx_queues: config.rx_queues,
            tx_queues,
            promiscuous: config.promiscuous,
            rss,
        });
        Ok(PortGrant {
            rx_queues: config.rx_queues,
            rx_descriptors,
            mtu,
            offloads,
            may_truncate: is_tight && !offloads.contains(RxOffloads::SCATTER),
            rss,
        })
    }

    /// Starts the port and hands its queues out.
    ///
    /// # Errors
    /// [`Error::Invalid`] if it is not configured or runs, DPDK's if the driver refuses.
    pub fn start(&mut self) -> Result<Queues> {
        let id = self.device.id();
        let doing = || format!("start port {id} ({})", self.device.info.name);
        let State::Configured(shape) = self.state else {
            let reason = if matches!(self.state, State::Opened) {
                "it is not configured"
            } else {
                "it runs"
            };
            return Err(Error::invalid(doing(), reason));
        };
        // SAFETY: configured, and not running.
        check(unsafe { ffi::rte_eth_dev_start(id.0) }, doing)?;
        // A port that is not running has no queues out, so nobody else shares the device.
        self.exclusive()?.started = true;
        self.state = State::Started(shape);
        if shape.promiscuous {
            // SAFETY: takes a port number.
            let returned = unsafe { ffi::rte_eth_promiscuous_enable(id.0) };
            // Virtual devices without an address filter don't have the switch.
            if returned != -libc::ENOTSUP {
                check(returned, || format!("make port {id} promiscuous"))?;
            }
        }
        if let Some(rss) = shape.rss
            && let Ok(false) = rss.is_in_place(id)
        {
            // Nothing is lost if this fails too: `has_symmetric_rss` tells.
            _ = rss.put_in_place(id);
        }
        Ok(Queues {
            rx: (0..shape.rx_queues)
                .map(|queue| RxQueue::new(&self.device, queue))
                .collect(),
            tx: (0..shape.tx_queues)
                .map(|queue| TxQueue::new(&self.device, queue))
                .collect(),
        })
    }

    /// Stops the port, which can then be started again. No effect if it does not run.
    ///
    /// # Errors
    /// [`Error::QueuesHeld`] while queue handles live, DPDK's if the driver refuses.
    pub fn stop(&mut self) -> Result<()> {
        let State::Started(shape) = self.state else {
            return Ok(());
        };
        let id = self.device.id();
        let device = self.exclusive()?;
        // SAFETY: no queue handle is left, so no thread polls.
        check(unsafe { ffi::rte_eth_dev_stop(id.0) }, || {
            format!("stop port {id}")
        })?;
        device.started = false;
        self.state = State::Configured(shape);
        Ok(())
    }

    /// Whether it takes frames for anyone.
    #[must_use]
    pub fn is_promiscuous(&self) -> bool {
        // SAFETY: takes a port number.
        unsafe { ffi::rte_eth_promiscuous_get(self.device.id().0) == 1 }
    }

    /// Whether the port runs with the symmetric key, read back from it. Some drivers can't say: no.
    #[must_use]
    pub fn has_symmetric_rss(&self) -> bool {
        let State::Started(Shape { rss: Some(rss), .. }) = self.state else {
            return false;
        };
        rss.is_in_place(self.device.id()).unwrap_or(false)
    }

    /// The state of its link, without waiting for it to settle.
    ///
    /// # Errors
    /// DPDK's.
    pub fn link(&self) -> Result<Link> {
        Link::read(self.device.id())
    }

    /// What it counted since it was started.
    ///
    /// # Errors
    /// DPDK's.
    pub fn stats(&self) -> Result<PortStats> {
        PortStats::read(self.device.id())
    }

    /// All its counters under its driver's names.
    ///
    /// # Errors
    /// DPDK's.
    pub fn extended_stats(&self) -> Result<Vec<(String, u64)>> {
        stats::extended(self.device.id())
    }

    /// The clock its timestamps are taken from, now, in its own unit. Two readings with a known time between
    /// them tell the unit; one with the time of day tells the offset.
    ///
    /// # Errors
    /// ENOTSUP from drivers without such a clock.
    pub fn clock(&self) -> Result<u64> {
        let id = self.device.id();
        let mut clock = 0;
        // SAFETY: a local of the right type.
        let returned = unsafe { ffi::rte_eth_read_clock(id.0, &raw mut clock) };
        check(returned, || format!("read the clock of port {id}"))?;
        Ok(clock)
    }

    /// The device, if no queue shares it.
    fn exclusive(&mut self) -> Result<&mut Device> {
        let (port, held) = (self.device.id(), Arc::strong_count(&self.device) - 1);
        Arc::get_mut(&mut self.device).ok_or(Error::QueuesHeld { port, held })
    }
}

/// Bytes of the longest frame at an MTU: the driver's own overhead (Ethernet header and FCS if it does not
/// say) and two VLAN tags, which a tap sees whatever the MTU was meant for.
fn longest_frame(info: &ffi::rte_eth_dev_info, mtu: u16) -> usize {
    const ETHERNET: u32 = 14 + 4;
    const TWO_TAGS: usize = 8;
    let overhead = match info.max_rx_pktlen.checked_sub(info.max_mtu.into()) {
        Some(overhead) if info.max_mtu != u16::MAX && overhead < 256 => overhead,
        _ => ETHERNET,
    };
    usize::from(mtu) + overhead as usize + TWO_TAGS
}
