//! `[[ports]]`: where packets come in.

use crate::reader::TableReader;
use crate::section::{Section, section};
use crate::values::{Distribution, PciAddress, Rss, Vdev, Whole};

section! {
    /// A port that receives mirrored packets; one [[ports]] each. Nothing is ever sent.
    pub(crate) struct PortKeys ["ports"] {
        /// Address of a NIC that `scripts/bind` gave to DPDK. Either this or vdev.
        pci: Option<PciAddress> = None,

        /// A virtual device of DPDK with its arguments: net_af_packet and net_af_xdp take a network
        /// interface of Linux, net_pcap a capture file, net_memif the packets of another process.
        vdev: Option<Vdev> = None,

        /// Receive queues. Left out, one for each worker, as far as the port has them.
        queues: Option<Queues> = None,

        /// Packets that can wait in each queue while its worker is busy.
        rx_descriptors: Descriptors = Descriptors::of::<4096>(),

        /// Longest IP packet in bytes; raise it where mirrored frames are jumbo or carry a tunnel.
        mtu: Mtu = Mtu::of::<1500>(),

        /// Take frames that are addressed to others. A mirror port sees no other ones.
        promiscuous: bool = true,

        /// Whether the port spreads flows over its queues: by a hash that is the same for both
        /// directions of a flow, or not at all.
        rss: Rss = Rss::Symmetric,

        /// Who gives each worker its flows: the port by RSS, software (a core of its own receives and
        /// hands packets on), or whichever of the two the port can do.
        distribution: Distribution = Distribution::Auto,
    }
}

/// Receive queues of a port: DPDK counts them in 16 bits, no NIC has more than 1024.
type Queues = Whole<1, 1024>;
/// Descriptors of a queue; ports round them to what they can.
type Descriptors = Whole<64, 32_768>;
/// From the least that IPv4 allows (RFC 791) to the most that common NICs take.
type Mtu = Whole<68, 16_110>;

/// What a port is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// A NIC.
    Pci(PciAddress),
    /// A virtual device.
    Vdev(Vdev),
}

/// A port that receives mirrored packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// What it is made of.
    pub device: Device,
    /// Receive queues; one for each worker unless given.
    pub queues: Option<Queues>,
    /// Packets that can wait in each queue.
    pub rx_descriptors: Descriptors,
    /// Longest IP packet, bytes.
    pub mtu: Mtu,
    /// Whether frames for others are taken.
    pub promiscuous: bool,
    /// How the port spreads flows over its queues.
    pub rss: Rss,
    /// Who gives each worker its flows.
    pub distribution: Distribution,
}

impl Port {
    /// A port with the defaults for everything else.
    pub fn new(device: Device) -> Self {
        Self::with(device, &PortKeys::default())
    }

    /// Reads one `[[ports]]`; nothing, and a problem noted, where there is no device.
    pub(crate) fn read(reader: &mut TableReader<'_, '_, '_>) -> Option<Self> {
        let keys = PortKeys::read(reader);
        if keys.rss == Rss::Off && keys.distribution == Distribution::Rss {
            reader.conflict(
                "distribution",
                "\"rss\" needs the port to hash; remove rss = \"off\" or write \"auto\"",
            );
        }
        let device = match (&keys.pci, &keys.vdev) {
            (Some(pci), None) => Device::Pci(*pci),
            (None, Some(vdev)) => Device::Vdev(vdev.clone()),
            (Some(_), Some(_)) => {
                reader.conflict(
                    "vdev",
                    "a port is either pci or vdev; remove one, or give it a [[ports]] of its own",
                );
                return None;
            }
            (None, None) => {
                // A device that is there and wrong has been told already.
                if !reader.has("pci") && !reader.has("vdev") {
                    reader.conflict(
                        "",
                        "expected a device; add pci = \"0000:01:00.0\" or vdev = \"net_…\"",
                    );
                }
                return None;
            }
        };
        Some(Self::with(device, &keys))
    }

    /// As the file has it, for documentation.
    pub(crate) fn keys(&self) -> PortKeys {
        let (pci, vdev) = match &self.device {
            Device::Pci(pci) => (Some(*pci), None),
            Device::Vdev(vdev) => (None, Some(vdev.clone())),
        };
        PortKeys {
            pci,
            vdev,
            queues: self.queues,
            rx_descriptors: self.rx_descriptors,
            mtu: self.mtu,
            promiscuous: self.promiscuous,
            rss: self.rss,
            distribution: self.distribution,
        }
    }

    fn with(device: Device, keys: &PortKeys) -> Self {
        let PortKeys {
            queues,
            rx_descriptors,
            mtu,
            promiscuous,
            rss,
            distribution,
            ..
        } = *keys;
        Self {
            device,
            queues,
            rx_descriptors,
            mtu,
            promiscuous,
            rss,
            distribution,
        }
    }
}
