//! One process a port.
//!
//! DPDK does not always notice a second one: with net_af_xdp, the second one's failing start takes the
//! XDP program of the first away, which then receives nothing and says nothing. So a port is claimed
//! before DPDK is started, by a Unix socket in the abstract namespace: like interfaces these
//! belong to a network namespace, and the kernel takes them back when their process ends (unix(7)).

use super::LiveError;
use super::options::PortOptions;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Ports that no other Tapir may open.
pub(super) struct Claims {
    _sockets: Vec<UnixDatagram>,
}

impl Claims {
    pub(super) fn new(ports: &[PortOptions]) -> Result<Self, LiveError> {
        let sockets = ports.iter().filter_map(|port| Some((port, what(port)?)));
        let sockets = sockets
            .map(|(port, what)| claim(port, &what))
            .collect::<Result<_, _>>()?;
        Ok(Self { _sockets: sockets })
    }
}

/// What is claimed for a port: the NIC, or the interface below a virtual device. Other devices can be
/// shared, or take care of themselves.
fn what(port: &PortOptions) -> Option<String> {
    if port.is_pci {
        return Some(format!("pci:{}", port.device));
    }
    let interface = port
        .device
        .split(',')
        .find_map(|argument| argument.strip_prefix("iface="))?;
    Some(format!("interface:{interface}"))
}

fn claim(port: &PortOptions, what: &str) -> Result<UnixDatagram, LiveError> {
    let address = SocketAddr::from_abstract_name(format!("tapir/{what}"));
    let socket = address.and_then(|address| UnixDatagram::bind_addr(&address));
    socket.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => LiveError::Options(format!(
            "port {}: another tapir receives from it; stop it first",
            port.name()
        )),
        _ => LiveError::System(format!("claiming port {}", port.name()), error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Distribution;

    fn port(device: &str, is_pci: bool) -> PortOptions {
        PortOptions {
            device: device.to_owned(),
            is_pci,
            descriptors: 1024,
            mtu: 1500,
            promiscuous: true,
            queues: None,
            distribution: Distribution::Auto,
        }
    }

    #[test]
    fn a_port_has_one_claim_at_a_time() {
        // No machine has interfaces of such names: they are too long.
        let ports = [
            port("net_af_xdp0,iface=claimed-in-a-test", false),
            port("ffff:1f:1f.7", true),
        ];
        let claims = Claims::new(&ports).unwrap();
        let other = [port("net_af_packet1,qpairs=1,iface=claimed-in-a-test", false)];
        let refused = Claims::new(&other).err().unwrap().to_string();
        assert!(
            refused.starts_with("port net_af_packet1: another tapir"),
            "{refused}"
        );
        assert!(Claims::new(&ports[1..]).is_err());
        drop(claims);
        assert!(Claims::new(&other).is_ok());
    }

    #[test]
    fn devices_without_anything_below_are_free() {
        let null = [port("net_null0", false), port("net_null1", false)];
        let _first = Claims::new(&null).unwrap();
        assert!(Claims::new(&null).is_ok());
    }
}
