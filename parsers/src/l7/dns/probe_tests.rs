//! What is taken for DNS, and what is not.

use super::tests::{answer, framed, query, record};
use super::*;
use crate::testing::noise;

fn probe(bytes: &[u8], transport: Transports, on_known_port: bool) -> Probe {
    let context = ProbeContext {
        transport,
        direction: Direction::ToServer,
        direction_is_sure: false,
        on_known_port,
        at_stream_start: true,
        behind_unknown: false,
        complete: transport.contains(Transports::UDP),
    };
    Dns::probe(bytes, &context)
}

#[test]
fn probes_see_dns_on_any_port_and_nothing_else() {
    let response = answer(4, "www.example.com", 1, &[record(1, &[192, 0, 2, 1])]);
    let asked = query(4, "www.example.com", 1);
    for (message, speaker) in [(&asked, Speaker::Client), (&response, Speaker::Server)] {
        assert_eq!(probe(message, Transports::UDP, false), Probe::Match(speaker));
        assert_eq!(
            probe(&framed(message), Transports::TCP, false),
            Probe::Match(speaker)
        );
        for length in 0..framed(message).len() {
            let got = probe(&framed(message)[..length], Transports::TCP, false);
            assert!(
                matches!(got, Probe::NeedMore | Probe::Match(_)),
                "{length}: {got:?}"
            );
        }
        let longer = [&message[..], &[0]].concat();
        assert_eq!(probe(&longer, Transports::UDP, false), Probe::NoMatch);
        assert_eq!(probe(&longer, Transports::UDP, true), Probe::Match(speaker));
    }
    for seed in 0..20_000 {
        let random = noise(seed, 14 + seed as usize % 300);
        for transport in [Transports::UDP, Transports::TCP] {
            assert_eq!(probe(&random, transport, false), Probe::NoMatch, "{seed}");
        }
    }
    for text in [
        &b"GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaa",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
        b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n",
        &[0; 64],
        &[255; 64],
    ] {
        assert_eq!(probe(text, Transports::TCP, false), Probe::NoMatch);
        assert_eq!(probe(text, Transports::UDP, false), Probe::NoMatch);
        assert_eq!(probe(text, Transports::UDP, true), Probe::NoMatch);
    }
}

#[test]
fn what_strict_rules_allow_is_among_the_first_bytes() {
    let mut message = query(4, "www.example.com", 1);
    for flags in 0..=u16::MAX {
        let [first, second] = flags.to_be_bytes();
        message[2..4].copy_from_slice(&[first, second]);
        let allowed = Header::read(&message).is_some_and(|header| header.is_plausible(Rules::Strict));
        let [firsts, seconds] = message::STRICT_FLAGS;
        assert!(
            !allowed || firsts.contains(first) && seconds.contains(second),
            "{flags:x}"
        );
    }
}

#[test]
fn the_netbios_name_service_is_not_dns() {
    let status = query(4, "CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 33);
    assert_eq!(probe(&status, Transports::UDP, false), Probe::NoMatch);
    assert_eq!(
        probe(&status, Transports::UDP, true),
        Probe::Match(Speaker::Client)
    );
}
