//! Which flows any of several plugins wants: one look for all of them together, at every message.

use crate::spec::PluginSpec;
use tapir_parsers::engine::Ends;

/// Numbers of transports ([`tapir_parsers::record::FlowFacts::l4`]): TCP, UDP, any other.
const TRANSPORTS: usize = 3;
const WORD_BITS: usize = 64;
/// A bit for each port.
type Ports = [u64; (1 << 16) / WORD_BITS];

/// Flows of one transport.
#[derive(Clone, Debug, Default)]
enum Flows {
    #[default]
    None,
    /// Those with one of these ports.
    Ports(Box<Ports>),
    All,
}

/// Which flows are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter([Flows; TRANSPORTS]);

impl Filter {
    /// What any of these plugins wants.
    pub(crate) fn of<'s>(specs: impl Iterator<Item = &'s PluginSpec>) -> Self {
        let mut filter = Self::default();
        for spec in specs {
            let wanted = filter
                .0
                .iter_mut()
                .zip(0..)
                .filter(|(_, number)| spec.l4.is(*number));
            wanted.for_each(|(flows, _)| flows.add(&spec.ports));
        }
        filter
    }

    /// Whether a flow between these ends is.
    #[inline]
    pub(crate) fn wants(&self, ends: Ends) -> bool {
        match self.0.get(usize::from(ends.l4).min(TRANSPORTS - 1)) {
            Some(Flows::All) => true,
            Some(Flows::Ports(ports)) => ends.ports.iter().any(|port| has(ports, *port)),
            _ => false,
        }
    }
}

impl Flows {
    fn add(&mut self, ports: &[u16]) {
        match self {
            _ if ports.is_empty() => *self = Self::All,
            Self::All => {}
            Self::None => {
                *self = Self::Ports(Box::new([0; (1 << 16) / WORD_BITS]));
                self.add(ports);
            }
            Self::Ports(bits) => {
                for port in ports {
                    let (word, bit) = place(*port);
                    if let Some(word) = bits.get_mut(word) {
                        *word |= bit;
                    }
                }
            }
        }
    }
}

/// Word and bit of a port.
const fn place(port: u16) -> (usize, u64) {
    (port as usize / WORD_BITS, 1 << (port as usize % WORD_BITS))
}

#[inline]
fn has(ports: &Ports, port: u16) -> bool {
    let (word, bit) = place(port);
    ports.get(word).is_some_and(|word| word & bit != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::L4;
    use tapir_parsers::record::FlowFacts;

    #[test]
    fn a_filter_wants_what_one_of_its_plugins_wants() {
        let spec = |l4, ports: &[u16]| PluginSpec {
            l4,
            ports: ports.to_vec(),
            ..PluginSpec::new("test", "")
        };
        let sets: [&[PluginSpec]; 6] = [
            &[],
            &[spec(L4::Any, &[])],
            &[spec(L4::Udp, &[])],
            &[spec(L4::Tcp, &[0, 63, 64]), spec(L4::Tcp, &[65_535])],
            &[spec(L4::Any, &[80]), spec(L4::Udp, &[])],
            &[spec(L4::Tcp, &[]), spec(L4::Tcp, &[80])],
        ];
        for specs in sets {
            let filter = Filter::of(specs.iter());
            for l4 in 0..4 {
                for (server_port, client_port) in [(0, 1), (63, 2), (2, 64), (80, 5), (5, 65_535), (81, 79)] {
                    let facts = FlowFacts {
                        l4,
                        server_port,
                        client_port,
                        ..FlowFacts::default()
                    };
                    let wanted = specs.iter().any(|spec| spec.matches(&facts));
                    assert_eq!(filter.wants(Ends::of(&facts)), wanted, "{specs:?} {facts:?}");
                }
            }
        }
    }
}
