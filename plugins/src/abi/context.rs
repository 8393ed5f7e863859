//! What every call is about: `CtxBase`.

use super::writer::Writer;
use std::net::Ipv6Addr;
use tapir_parsers::parser::Direction;
use tapir_parsers::record::FlowFacts;

/// A packet's own time, seen by capture and not by eBPF.
const FROM_PACKETS: u8 = 255;
/// The process is not known.
const NO_NAME: u8 = 0;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// The context of one call.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Who talks to whom.
    pub facts: FlowFacts,
    /// Which way the payload travels.
    pub direction: Direction,
    /// Number of the protocol, 0 while it is not known.
    pub l7: u8,
    /// Capture time, Unix µs.
    pub time_us: u64,
    /// Bytes that a payload may have.
    pub buf_size: u16,
}

impl Context {
    /// Writes the structure; `None` when it does not fit.
    pub fn write(&self, to: &mut [u8]) -> Option<usize> {
        let facts = &self.facts;
        let client = (&facts.client_ip, facts.client_port);
        let server = (&facts.server_ip, facts.server_port);
        let (src, dst) = match self.direction {
            Direction::ToServer => (client, server),
            Direction::ToClient => (server, client),
        };
        let mut to = Writer::new(to);
        if facts.bits & FlowFacts::IPV6 != 0 {
            to.u8(6);
            to.bytes(src.0);
            to.bytes(dst.0);
        } else {
            to.u8(4);
            for ip in [src.0, dst.0] {
                to.bytes(&v4(ip));
            }
        }
        to.u16(src.1);
        to.u16(dst.1);
        to.u8(if facts.l4 == 0 { TCP } else { UDP });
        to.u8(self.l7);
        to.u8(FROM_PACKETS);
        to.u64(self.time_us);
        to.u8(self.direction as u8);
        to.u8(NO_NAME);
        to.u64(facts.flow_id);
        to.u16(self.buf_size);
        to.finish()
    }
}

/// The IPv4 address that an IPv6 one stands for.
fn v4(ip: &[u8; 16]) -> [u8; 4] {
    Ipv6Addr::from(*ip)
        .to_ipv4_mapped()
        .map_or([0; 4], |ip| ip.octets())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::record::hex;
    use std::net::Ipv4Addr;

    /// The interface's example has a process and other sources; what differs here is said in each test.
    #[test]
    fn an_ipv4_context_is_the_example() {
        let context = Context {
            facts: FlowFacts {
                client_ip: Ipv4Addr::new(1, 2, 3, 4).to_ipv6_mapped().octets(),
                server_ip: Ipv4Addr::new(5, 6, 7, 8).to_ipv6_mapped().octets(),
                client_port: 12345,
                server_port: 8080,
                flow_id: 1_234_567,
                ..FlowFacts::default()
            },
            direction: Direction::ToServer,
            l7: 0,
            time_us: 12_345_678,
            buf_size: 999,
        };
        let mut room = [0; 1024];
        let len = context.write(&mut room).unwrap();
        // The example's source is a system call (0) of the process "test_wasm"; ours is a packet (255).
        let wanted =
            hex("04 01020304 05060708 3039 1f90 06 00 ff 0000000000bc614e 00 00 000000000012d687 03e7");
        assert_eq!(room[..len], wanted);
        assert_eq!(context.write(&mut [0; 35]), None);
        assert_eq!(context.write(&mut [0; 36]), Some(36));
    }

    #[test]
    fn an_ipv6_context_is_the_example() {
        let context = Context {
            facts: FlowFacts {
                client_ip: "::2".parse::<Ipv6Addr>().unwrap().octets(),
                server_ip: "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets(),
                client_port: 443,
                server_port: 40_000,
                flow_id: 0xabcdef,
                l4: 1,
                bits: FlowFacts::IPV6,
                ..FlowFacts::default()
            },
            direction: Direction::ToClient,
            l7: 5,
            time_us: 1_700_000_000_000_000,
            buf_size: 1024,
        };
        let mut room = [0; 60];
        assert_eq!(context.write(&mut room), Some(60));
        let wanted = hex(
            "06 20010db8000000000000000000000001 00000000000000000000000000000002 9c40 01bb 11 05 ff \
             00060a24181e4000 01 00 0000000000abcdef 0400",
        );
        assert_eq!(room[..], wanted);
    }
}
