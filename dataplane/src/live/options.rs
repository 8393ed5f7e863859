//! What live traffic is read with.

use crate::pipeline::PipelineOptions;
use dpdk_bindings::{CpuId, EalConfig, LogLevel};

/// How flows come to workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// By the ports where all of them can, else by a receiving lcore.
    #[default]
    Auto,
    /// By the ports.
    Rss,
    /// By a receiving lcore.
    Software,
}

/// A port.
#[derive(Clone, Debug)]
pub struct PortOptions {
    /// PCI address, or a virtual device with its arguments.
    pub device: String,
    /// Whether `device` is a PCI address.
    pub is_pci: bool,
    /// Packets that can wait in each queue.
    pub descriptors: u16,
    /// Longest IP packet, bytes.
    pub mtu: u16,
    /// Receive frames for anyone.
    pub promiscuous: bool,
    /// Queues, where not one for each worker.
    pub queues: Option<u16>,
    /// How its flows come to workers.
    pub distribution: Distribution,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// The ports; at least one.
    pub ports: Vec<PortOptions>,
    /// A CPU for each worker; where an lcore must receive for all, the first is taken for that.
    pub lcores: Vec<CpuId>,
    /// Receives for all workers where the ports can't spread flows; the first of `lcores` unless given.
    pub receiver_lcore: Option<CpuId>,
    /// CPUs for DPDK's own thread; it sleeps.
    pub main_cpus: Vec<CpuId>,
    /// Run without hugepages: for tests and virtual devices only.
    pub no_huge: bool,
    /// Keep no files of hugepages, so that several instances don't meet.
    pub in_memory: bool,
    /// Name of this instance, for several on one machine.
    pub file_prefix: Option<String>,
    /// Memory that DPDK takes at the start, MiB.
    pub memory_mb: Option<u32>,
    /// How much DPDK says on stderr.
    pub log_level: LogLevel,
    /// Further EAL arguments.
    pub eal_args: Vec<String>,
    /// Packet buffers of each port; computed where not given.
    pub mbufs: Option<u32>,
    /// Packets that wait between the receiving lcore and a worker.
    pub distribution_ring: u32,
    /// Bytes of each worker's ring of records.
    pub ring_bytes: usize,
    /// Everything behind the queues.
    pub pipeline: PipelineOptions,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            ports: Vec::new(),
            lcores: Vec::new(),
            receiver_lcore: None,
            main_cpus: Vec::new(),
            no_huge: false,
            in_memory: false,
            file_prefix: None,
            memory_mb: None,
            log_level: LogLevel::default(),
            eal_args: Vec::new(),
            mbufs: None,
            distribution_ring: 8192,
            ring_bytes: 16 << 20,
            pipeline: PipelineOptions::default(),
        }
    }
}

impl PortOptions {
    /// The name under which DPDK knows the port: that of a virtual device ends at its first comma.
    pub(super) fn name(&self) -> &str {
        self.device.split(',').next().unwrap_or(&self.device)
    }
}

impl LiveOptions {
    /// Buffers of a port that may be in use at once: in descriptors, in bursts and caches, held by streams,
    /// in rings; as many as fit a pool best.
    pub(super) fn mbufs_of(&self, port: &PortOptions) -> u32 {
        let workers = self.lcores.len() as u32;
        let queues = port.queues.map_or(workers, u32::from);
        let held = workers * self.pipeline.held_segments as u32;
        let wanted = queues * u32::from(port.descriptors) + workers * (1024 + self.distribution_ring) + held;
        (self.mbufs.unwrap_or(wanted) + 1).next_power_of_two() - 1
    }

    /// What DPDK needs when it can't take hugepages as it goes: there an mbuf lies in a page of its own.
    fn memory_without_hugepages_mb(&self) -> u32 {
        const PAGE_KIB: u32 = 4;
        /// Rings, devices, and DPDK's own.
        const MORE_MB: u32 = 128;
        let mbufs: u32 = self.ports.iter().map(|port| self.mbufs_of(port)).sum();
        mbufs / 1024 * PAGE_KIB + MORE_MB
    }

    pub(super) fn eal_config(&self) -> EalConfig {
        let mut config = EalConfig::new().log_level(self.log_level);
        for port in &self.ports {
            config = if port.is_pci {
                config.allow(&port.device)
            } else {
                config.vdev(&port.device)
            };
        }
        if self.no_huge {
            config = config.no_huge();
        }
        if self.in_memory {
            config = config.in_memory();
        }
        if let Some(prefix) = &self.file_prefix {
            config = config.file_prefix(prefix);
        }
        match self.memory_mb {
            Some(mib) => config = config.memory_mb(mib),
            None if self.no_huge => config = config.memory_mb(self.memory_without_hugepages_mb()),
            None => {}
        }
        if !self.main_cpus.is_empty() {
            config = config.main_cpus(self.main_cpus.iter().copied());
        }
        self.eal_args
            .iter()
            .fold(config, |config, arg| config.option(arg))
    }
}
