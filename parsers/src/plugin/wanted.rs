//! What plugins want to be asked about. It lies with the engine, which looks at it for every payload: most
//! plugins want few flows, and the others must not pay for them.

use super::Hook;
use crate::engine::Ends;

/// Transports that plugins speak ([`FlowFacts::l4`](crate::record::FlowFacts::l4)): TCP and UDP.
const TRANSPORTS: u8 = 2;
const HOOKS: usize = 3;
const WORD_BITS: usize = 64;
/// A bit for each port: most flows are looked up here to find nothing, in few instructions and few lines of cache.
type Ports = [u64; (1 << 16) / WORD_BITS];

/// Flows that any of several plugins wants.
#[derive(Clone, Debug)]
struct Filter(Box<[Ports; TRANSPORTS as usize]>);

/// Which questions plugins want to be asked, about which flows.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    checks: Filter,
    enriches: [Filter; HOOKS],
    any: Filter,
}

impl Wanted {
    /// Adds a plugin that checks payloads of flows on one of `ports`, or on any when there are none, whose
    /// transport's number is one `of_transport`.
    pub fn add_checks(&mut self, of_transport: impl Fn(u8) -> bool, ports: &[u16]) {
        self.checks.add(&of_transport, ports);
        self.any.add(&of_transport, ports);
    }

    /// Adds one that enriches such messages of such flows.
    pub fn add_enriches(&mut self, hook: Hook, of_transport: impl Fn(u8) -> bool, ports: &[u16]) {
        if let Some(filter) = self.enriches.get_mut(hook as usize) {
            filter.add(&of_transport, ports);
        }
        self.any.add(&of_transport, ports);
    }

    /// Whether some plugin checks payloads of such a flow.
    #[inline]
    pub fn checks(&self, ends: Ends) -> bool {
        self.checks.has(ends)
    }

    /// Whether some plugin enriches such messages of such a flow.
    #[inline]
    pub fn enriches(&self, hook: Hook, ends: Ends) -> bool {
        let filter = self.enriches.get(hook as usize);
        filter.is_some_and(|filter| filter.has(ends))
    }

    /// Whether some plugin wants anything of such a flow.
    #[inline]
    pub fn any(&self, ends: Ends) -> bool {
        self.any.has(ends)
    }
}

impl Default for Filter {
    fn default() -> Self {
        Self(Box::new([[0; _]; _]))
    }
}

impl Filter {
    fn add(&mut self, of_transport: &impl Fn(u8) -> bool, ports: &[u16]) {
        for number in (0..TRANSPORTS).filter(|number| of_transport(*number)) {
            let Some(bits) = self.0.get_mut(usize::from(number)) else {
                continue;
            };
            if ports.is_empty() {
                bits.fill(u64::MAX);
            }
            for port in ports {
                let (word, bit) = place(*port);
                if let Some(word) = bits.get_mut(word) {
                    *word |= bit;
                }
            }
        }
    }

    #[inline]
    fn has(&self, ends: Ends) -> bool {
        let Some(bits) = self.0.get(usize::from(ends.l4)) else {
            return false;
        };
        ends.ports.iter().any(|port| {
            let (word, bit) = place(*port);
            bits.get(word).is_some_and(|word| word & bit != 0)
        })
    }
}

/// Word and bit of a port.
const fn place(port: u16) -> (usize, u64) {
    (port as usize / WORD_BITS, 1 << (port as usize % WORD_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which transports.
    type Is = fn(u8) -> bool;

    #[test]
    fn what_is_wanted_is_what_one_plugin_wants() {
        let (any, tcp, udp): (Is, Is, Is) = (|_| true, |l4| l4 == 0, |l4| l4 == 1);
        let sets: [&[(Is, &[u16])]; 6] = [
            &[],
            &[(any, &[])],
            &[(udp, &[])],
            &[(tcp, &[0, 63, 64]), (tcp, &[65_535])],
            &[(any, &[80]), (udp, &[])],
            &[(tcp, &[]), (tcp, &[80])],
        ];
        for (set, plugins) in sets.iter().enumerate() {
            let mut wanted = Wanted::default();
            for (of_transport, ports) in *plugins {
                wanted.add_checks(of_transport, ports);
                wanted.add_enriches(Hook::HttpResponse, of_transport, ports);
            }
            for l4 in 0..4 {
                for ports in [[0, 1], [63, 2], [2, 64], [80, 5], [5, 65_535], [81, 79]] {
                    let ends = Ends { l4, ports };
                    let expected = plugins.iter().any(|(of_transport, wants)| {
                        let port = wants.is_empty() || ports.iter().any(|port| wants.contains(port));
                        port && l4 < TRANSPORTS && of_transport(l4)
                    });
                    let told = (
                        wanted.checks(ends),
                        wanted.enriches(Hook::HttpResponse, ends),
                        wanted.any(ends),
                    );
                    assert_eq!(told, (expected, expected, expected), "{set} {ends:?}");
                    assert!(!wanted.enriches(Hook::HttpRequest, ends));
                }
            }
        }
    }
}
