//! What a DPDK port is made of.

use crate::value::{Value, quoted};
use std::fmt;
use std::str::FromStr;
use toml::de::DeValue;

/// Address of a PCI device: domain, bus, device and function, as `lspci -D` shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PciAddress {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04x}:{:02x}:{:02x}.{}",
            self.domain, self.bus, self.device, self.function
        )
    }
}

impl FromStr for PciAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).ok_or_else(|| format!("expected {}", Self::expected()))
    }
}

fn parse(text: &str) -> Option<PciAddress> {
    // A sign or a blank is no hex digit, but `from_str_radix` takes a plus.
    let hex = |text: &str, digits: usize| {
        let right = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        right.then(|| u32::from_str_radix(text, 16).ok()).flatten()
    };
    let (rest, function) = text.rsplit_once('.')?;
    let (rest, device) = rest.rsplit_once(':')?;
    let (domain, bus) = rest.rsplit_once(':').unwrap_or(("0", rest));
    // PCI Local Bus 3.0 section 3.2.2.3.2: 5 bits of device, 3 of function.
    let device = hex(device, 2).filter(|device| *device < 32)?;
    let function = hex(function, 1).filter(|function| *function < 8)?;
    Some(PciAddress {
        domain: hex(domain, 8)?,
        bus: hex(bus, 2)? as u8,
        device: device as u8,
        function: function as u8,
    })
}

impl Value for PciAddress {
    fn expected() -> String {
        "a PCI address such as \"0000:01:00.0\" (`tapir doctor` lists NICs)".to_owned()
    }

    fn example() -> String {
        quoted("0000:01:00.0")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        parse(value.as_str()?)
    }
}

/// A virtual device of DPDK: driver name with a number, then arguments after commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vdev(String);

impl Vdev {
    /// As DPDK takes it (`net_af_packet0,iface=veth0`).
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The device's name: what stands before the first comma.
    pub fn name(&self) -> &str {
        self.0.split(',').next().unwrap_or_default()
    }
}

impl FromStr for Vdev {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.split(',').next().unwrap_or_default();
        // DPDK takes several drivers for a name: all network drivers begin with one of these.
        let network = ["net_", "eth_", "virtio_user"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if network && plain {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("expected {}", Self::expected()))
        }
    }
}

impl Value for Vdev {
    fn expected() -> String {
        "a network device of DPDK with its arguments, without blanks".to_owned()
    }

    fn example() -> String {
        quoted("net_af_packet0,iface=veth0,qpairs=2")
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }

    fn parse(value: &DeValue<'_>) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_addresses() {
        let shown = |text: &str| text.parse().map(|address: PciAddress| address.to_string()).ok();
        assert_eq!(shown("0000:3b:00.1").as_deref(), Some("0000:3b:00.1"));
        assert_eq!(shown("3b:00.1").as_deref(), Some("0000:3b:00.1"));
        assert_eq!(shown("10000:3B:1f.7").as_deref(), Some("10000:3b:1f.7"));
        for wrong in [
            "",
            "eth0",
            "3b:00",
            "3b:20.0",
            "3b:00.8",
            "+3b:00.0",
            "0000:3b:00.1 ",
            "1:2:3:00.0",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn vdevs() {
        let vdev: Vdev = "net_af_packet0,iface=veth0".parse().unwrap();
        assert_eq!(vdev.name(), "net_af_packet0");
        for wrong in ["", "veth0", "crypto_null", "net_null0, size=64"] {
            assert!(wrong.parse::<Vdev>().is_err(), "{wrong}");
        }
    }
}
