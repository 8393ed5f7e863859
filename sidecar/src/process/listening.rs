//! Which TCP ports are listened on: who the server is of connections that are older than the sidecar.

use hashbrown::{HashMap, HashSet};
use std::fs;
use std::time::{Duration, Instant};

/// How long what was read is taken for true. Only connections that are older than the sidecar ask.
const FRESH: Duration = Duration::from_secs(2);

/// Network namespaces that are remembered.
const NAMESPACES_MAX: usize = 1024;

/// State LISTEN in /proc/net/tcp (include/net/tcp_states.h).
const LISTEN: &str = "0A";

/// Ports by network namespace.
#[derive(Default)]
pub struct Listening {
    ports: HashMap<u32, (Instant, HashSet<u16>)>,
}

impl Listening {
    /// Whether somebody listens on `port` in the network namespace number `netns`, which `pid` is in.
    pub fn is_listening(&mut self, netns: u32, pid: u32, port: u16) -> bool {
        let known = self
            .ports
            .get(&netns)
            .filter(|(since, _)| since.elapsed() < FRESH);
        if let Some((_, ports)) = known {
            return ports.contains(&port);
        }
        if self.ports.len() >= NAMESPACES_MAX {
            self.ports.clear();
        }
        let mut ports = HashSet::new();
        for file in ["tcp", "tcp6"] {
            let text = fs::read_to_string(format!("/proc/{pid}/net/{file}")).unwrap_or_default();
            ports.extend(listening_in(&text));
        }
        let is_listening = ports.contains(&port);
        self.ports.insert(netns, (Instant::now(), ports));
        is_listening
    }
}

/// The ports that the text of /proc/net/tcp says are listened on (proc_pid_net(5)).
fn listening_in(text: &str) -> impl Iterator<Item = u16> {
    text.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace().skip(1);
        let (local, _, state) = (words.next()?, words.next()?, words.next()?);
        let (_, port) = local.split_once(':')?;
        (state == LISTEN).then(|| u16::from_str_radix(port, 16).ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_the_table() {
        let text = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n   \
            0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n   \
            1: 0100007F:18EB 0100007F:D2C4 01 00000000:00000000 00:00000000 00000000\n   \
            2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n";
        assert_eq!(listening_in(text).collect::<Vec<_>>(), [0x18EB, 80]);
        assert_eq!(listening_in("").count(), 0);
    }

    #[test]
    fn this_process_listens() {
        let listener = std::net::TcpListener::bind("[::1]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(Listening::default().is_listening(1, std::process::id(), port));
        drop(listener);
        assert!(!Listening::default().is_listening(1, std::process::id(), port));
    }
}
