//! ICMP and ICMPv6 echo. Source: RFC 792 (echo), RFC 4443 section 4.
//!
//! The input is one ICMP message from its type byte on. Lengths in bytes.

use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::parser::{Advance, Direction, Input, Pairing, Parser, Probe, ProbeContext, Speaker, Transports};

const ECHO_REQUEST: u8 = 8;
const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST_V6: u8 = 128;
const ECHO_REPLY_V6: u8 = 129;
/// Type, code, checksum, identifier, sequence number.
const HEADER_BYTES: usize = 8;

/// Echo has no state: every message stands alone.
pub struct Ping;

fn speaker(kind: u8) -> Option<Speaker> {
    match kind {
        ECHO_REQUEST | ECHO_REQUEST_V6 => Some(Speaker::Client),
        ECHO_REPLY | ECHO_REPLY_V6 => Some(Speaker::Server),
        _ => None,
    }
}

impl Parser for Ping {
    const NAME: &'static str = "ping";
    const ABOUT: &'static str = "ICMP and ICMPv6 echo (RFC 792, RFC 4443)";
    const TRANSPORTS: Transports = Transports::ICMP;
    const PORTS: &'static [u16] = &[];
    const PAIRING: Pairing = Pairing::ById;
    const RESPONSE_TIMEOUT_NS: u64 = 10_000_000_000;
    const FIRST_BYTES: [ByteSet; 4] = [
        ByteSet::of(&[ECHO_REQUEST, ECHO_REPLY, ECHO_REQUEST_V6, ECHO_REPLY_V6]),
        ByteSet::of(&[0]),
        ByteSet::ANY,
        ByteSet::ANY,
    ];

    fn probe(head: &[u8], _context: &ProbeContext) -> Probe {
        match head.first().and_then(|kind| speaker(*kind)) {
            Some(speaker) if head.len() >= HEADER_BYTES => Probe::Match(speaker),
            _ => Probe::NoMatch,
        }
    }

    fn new() -> Self {
        Self
    }

    fn advance(&mut self, _direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(&[kind, _, _, _, id_high, id_low, seq_high, seq_low]) =
            input.bytes.first_chunk::<HEADER_BYTES>()
        else {
            return Advance::Malformed;
        };
        let pair_id = u64::from(u32::from_be_bytes([id_high, id_low, seq_high, seq_low]));
        match speaker(kind) {
            Some(Speaker::Client) => {
                out.open(Role::Request, Some(pair_id));
                out.text(Field::ReqType, b"echo");
            }
            Some(Speaker::Server) => {
                out.open(Role::Response, Some(pair_id));
                out.status(Status::Ok);
            }
            _ => return Advance::Malformed,
        }
        out.close();
        Advance::Consumed(input.bytes.len())
    }

    fn resync(&mut self, _direction: Direction, _bytes: &[u8]) -> Option<usize> {
        // A message is a datagram: the next one begins by itself.
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Script;

    fn echo(kind: u8, sequence: u8) -> Vec<u8> {
        [&[kind, 0, 0xAB, 0xCD, 0x12, 0x34, 0x00, sequence][..], b"payload"].concat()
    }

    #[test]
    fn each_reply_finds_its_request() {
        let mut script = Script::udp(0);
        script.l4 = 2;
        let script = script
            .client(echo(8, 1))
            .client(echo(8, 2))
            .server(echo(0, 2))
            .server(echo(0, 1))
            .client(echo(8, 3));
        let told = script.replay();
        let ids: Vec<_> = told
            .iter()
            .map(|t| (t.kind, t.request_id.map(|id| id & 0xFFFF)))
            .collect();
        assert_eq!(
            ids,
            [
                ("matched", Some(2)),
                ("matched", Some(1)),
                ("no_response", Some(3))
            ]
        );
        assert_eq!(told[0].request_id, Some(0x1234_0002));
        assert_eq!((told[0].req_len, told[0].resp_len), (Some(15), Some(15)));
        assert_eq!(told[1].times.2, Some(3_000_000));
        script.check();
    }
}
