//! The address that this host speaks to another one by: who sends from a socket that is bound to no address leaves the
//! choice to the kernel.

use hashbrown::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// Addresses that are remembered.
const REMEMBERED_MAX: usize = 4096;

/// Any port will do: nothing is sent.
const PORT: u16 = 9;

/// What the kernel chose, by the other host. Of this process's own network namespace.
#[derive(Default)]
pub struct LocalAddresses {
    known: HashMap<IpAddr, Option<IpAddr>>,
}

impl LocalAddresses {
    /// The address that datagrams to `remote` leave by.
    pub fn towards(&mut self, remote: IpAddr) -> Option<IpAddr> {
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
        *self.known.entry(remote).or_insert_with(|| ask(remote))
    }
}

/// Connecting a datagram socket only looks the route up.
fn ask(remote: IpAddr) -> Option<IpAddr> {
    let any: IpAddr = match remote {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect((remote, PORT)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::LocalAddresses;

    #[test]
    fn who_speaks_to_itself() {
        let loopback = [127, 0, 0, 1].into();
        assert_eq!(LocalAddresses::default().towards(loopback), Some(loopback));
    }
}
