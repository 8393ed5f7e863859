//! Connections whose end nobody told of.

use super::datagrams::FIRST_FLOW;
use super::{HostSink, Streams};
use hashbrown::HashSet;
use tapir_parsers::field::Ended;

impl<S: HostSink> Streams<S> {
    /// Of all sockets that the kernel told of, these are there. What is missing for the second time is over: the first
    /// time its end may be under way, or it is younger than the list.
    pub fn living(&mut self, cookies: &HashSet<u64>, now_ns: u64) {
        let sockets = self.connections.keys().filter(|key| **key < FIRST_FLOW);
        let missing: HashSet<u64> = sockets.filter(|key| !cookies.contains(*key)).copied().collect();
        for cookie in self.missing.intersection(&missing).copied().collect::<Vec<_>>() {
            self.counters.closes_missed += 1;
            self.close(cookie, Ended::Fin, None, now_ns);
        }
        self.missing = missing;
    }
}
