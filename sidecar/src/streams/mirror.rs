//! Connections with both ends on this host: which events are two views of one connection.

use crate::event::{Open, Role};
use hashbrown::HashMap;
use std::net::IpAddr;

/// The ends of a connection, the client's first, and the network namespace, where each has such addresses for itself.
type Ends = ([(IpAddr, u16); 2], u32);

/// Cookies of the ends of connections.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    clients: HashMap<Ends, u64>,
    servers: HashMap<Ends, u64>,
}

fn ends(open: &Open) -> Ends {
    let ends = match open.role {
        Role::Server => [open.remote, open.local],
        _ => [open.local, open.remote],
    };
    let is_loopback = open.local.0.is_loopback();
    (ends, if is_loopback { open.netns } else { 0 })
}

impl Mirror {
    /// Notes an end; the cookie of the other end, if that was noted before. Who is neither is taken for a client.
    pub(super) fn note(&mut self, cookie: u64, open: &Open) -> Option<u64> {
        let ends = ends(open);
        let (own, other) = match open.role {
            Role::Server => (&mut self.servers, &self.clients),
            _ => (&mut self.clients, &self.servers),
        };
        own.insert(ends, cookie);
        other.get(&ends).copied()
    }

    /// Forgets an end.
    pub(super) fn forget(&mut self, cookie: u64, open: &Open) {
        let ends = ends(open);
        let own = match open.role {
            Role::Server => &mut self.servers,
            _ => &mut self.clients,
        };
        // Numbers may have been used again by now, for a connection that is younger.
        if own.get(&ends) == Some(&cookie) {
            own.remove(&ends);
        }
    }
}
