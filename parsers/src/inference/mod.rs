//! Finds out which protocol a flow speaks, from the bytes first and ports second.
//!
//! A table over the first four bytes narrows the candidates to a bit set before any probe runs. Then
//! probes run in the order of the list (strict before loose), a protocol that the server's address has
//! spoken before, or whose port it is, first.

mod server_cache;

pub use server_cache::ServerCache;

use crate::byte_set::ByteSet;
use crate::counters::EngineCounters;
use crate::l7::{DECLARATIONS, Declaration, Protocol};
use crate::parser::{Probe, ProbeContext, Speaker, Transports};

/// A set of protocols, a bit each.
pub type ProtocolSet = u64;

/// What inference says of the head of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inference {
    /// This protocol, and who spoke.
    Match(Protocol, Speaker),
    /// None of them.
    NoMatch,
    /// Some of them need more bytes.
    NeedMore,
}

/// Which protocols each value of each of the first four bytes allows.
type ByByte = [[ProtocolSet; 256]; 4];

/// The candidates' table of the protocols that are switched on.
pub struct Candidates {
    by_byte: Box<ByByte>,
    /// Those of datagrams, as far as no port tells of the protocol.
    by_byte_elsewhere: Box<ByByte>,
    /// Protocols whose usual ports include one, by port. Large, but only the few entries whose bit in
    /// `known_ports` is set are ever touched.
    by_port: Vec<ProtocolSet>,
    by_transport: [ProtocolSet; 3],
    /// A bit for every port that `by_port` knows: most ports are in no protocol's list.
    known_ports: Box<[u64; 1024]>,
}

/// The set of one protocol.
pub(crate) const fn bit(protocol: Protocol) -> ProtocolSet {
    1 << (protocol as u8)
}

/// Those whose parsers must run so that records of `wanted` are made: themselves, and those that read
/// their messages or hand flows over to them.
fn readers(wanted: ProtocolSet) -> ProtocolSet {
    let mut set = wanted;
    loop {
        let found_by = DECLARATIONS
            .iter()
            .filter(|d| set & bit(d.protocol) != 0)
            .flat_map(|d| d.found_by)
            .fold(set, |set, by| set | bit(*by));
        if found_by == set {
            return set;
        }
        set = found_by;
    }
}

impl Candidates {
    /// The table for the parsers that records of `wanted` need.
    pub fn new(wanted: ProtocolSet) -> Self {
        let readers = readers(wanted);
        let mut by_byte = Box::new([[0; 256]; 4]);
        let mut by_byte_elsewhere = Box::new([[0; 256]; 4]);
        let mut by_transport = [0; 3];
        let mut by_port = vec![0; 1 << 16];
        let mut known_ports = Box::new([0; 1024]);
        for declaration in DECLARATIONS.iter().filter(|d| readers & bit(d.protocol) != 0) {
            let bit = bit(declaration.protocol);
            allow(&mut by_byte, &declaration.first_bytes, bit);
            allow(&mut by_byte_elsewhere, &declaration.first_bytes_elsewhere, bit);
            for transport in [Transports::TCP, Transports::UDP, Transports::ICMP] {
                if declaration.transports.contains(transport) {
                    by_transport[transport.number()] |= bit;
                }
            }
            for port in declaration.ports {
                by_port[usize::from(*port)] |= bit;
                known_ports[usize::from(*port >> 6)] |= 1 << (port & 63);
            }
        }
        Self {
            by_byte,
            by_byte_elsewhere,
            by_port,
            by_transport,
            known_ports,
        }
    }

    /// The protocols that may have each value at each of the first four places, for whoever looks at payload before
    /// it is here. One that has no bit at any of the bytes that there are is no candidate.
    pub fn by_byte(&self) -> &ByByte {
        &self.by_byte
    }

    /// The same of datagrams, for those protocols that no port tells of.
    pub fn by_byte_elsewhere(&self) -> &ByByte {
        &self.by_byte_elsewhere
    }

    /// The ports that are any protocol's: a bit each, 64 a word.
    pub fn known_ports(&self) -> &[u64; 1024] {
        &self.known_ports
    }

    /// The protocols that travel on a transport, by its number in records.
    pub fn by_transport(&self) -> &[ProtocolSet; 3] {
        &self.by_transport
    }

    /// Which protocols may begin with `head` on this transport, where those of `on_ports` are told of by a port.
    #[inline]
    pub fn of(&self, head: &[u8], transport: Transports, on_ports: ProtocolSet) -> ProtocolSet {
        let mut set = self.by_transport[transport.number()];
        if let Some(head) = head.first_chunk() {
            set &= allowed(&self.by_byte, *head);
            if set & !on_ports != 0 && transport != Transports::TCP {
                set &= on_ports | allowed(&self.by_byte_elsewhere, *head);
            }
            return set;
        }
        for (table, byte) in self.by_byte.iter().zip(head) {
            set &= table[usize::from(*byte)];
        }
        set
    }

    /// Protocols that usually use one of these ports.
    #[inline]
    pub fn on_ports(&self, ports: [u16; 2]) -> ProtocolSet {
        self.on_port(ports[0]) | self.on_port(ports[1])
    }

    #[inline]
    fn on_port(&self, port: u16) -> ProtocolSet {
        if self.known_ports[usize::from(port >> 6)] & (1 << (port & 63)) == 0 {
            return 0;
        }
        self.by_port.get(usize::from(port)).copied().unwrap_or(0)
    }

    /// Runs the probes of `candidates` on `head`; of `context`, the port is this one's to say.
    #[inline]
    pub fn infer(
        &self,
        head: &[u8],
        candidates: ProtocolSet,
        context: &mut ProbeContext,
        on_port: ProtocolSet,
        remembered: Option<Protocol>,
        counters: &mut EngineCounters,
    ) -> Inference {
        let remembered = remembered.map_or(0, bit);
        let mut need_more = false;
        let mut left = candidates;
        while left != 0 {
            // Remembered first, then those of the port, then the rest; within each, list order.
            let foremost = match (left & remembered, left & on_port) {
                (0, 0) => left,
                (0, on_port) => on_port,
                (remembered, _) => remembered,
            };
            let number = foremost.trailing_zeros();
            left &= !(1 << number);
            let Some(declaration) = declaration(number) else {
                break;
            };
            context.on_known_port = on_port & (1 << number) != 0;
            counters.probes += 1;
            match (declaration.probe)(head, context) {
                Probe::Match(speaker) => return Inference::Match(declaration.protocol, speaker),
                Probe::NeedMore => need_more = true,
                Probe::NoMatch => {}
            }
        }
        if need_more && !context.complete {
            Inference::NeedMore
        } else {
            Inference::NoMatch
        }
    }
}

/// Enters into `table` what the first four bytes of those of `bit` may be.
fn allow(table: &mut ByByte, bytes: &[ByteSet; 4], bit: ProtocolSet) {
    for (sets, bytes) in table.iter_mut().zip(bytes) {
        for (value, set) in (0..=255).zip(sets) {
            *set |= if bytes.contains(value) { bit } else { 0 };
        }
    }
}

/// Those that may begin like this.
#[inline(always)]
fn allowed([by_a, by_b, by_c, by_d]: &ByByte, [a, b, c, d]: [u8; 4]) -> ProtocolSet {
    by_a[usize::from(a)] & by_b[usize::from(b)] & by_c[usize::from(c)] & by_d[usize::from(d)]
}

fn declaration(number: u32) -> Option<&'static Declaration> {
    DECLARATIONS.get(number as usize)
}
