//! TLS handshakes. Sources: RFC 8446 (1.3), RFC 5246 (1.2), RFC 6066 (SNI), RFC 7301 (ALPN), RFC 6101
//! (SSL 3.0), GB/T 38636-2020 (TLCP). DTLS is not among them.
//!
//! One record a handshake: the ClientHello is the request, the ServerHello the response. The response is
//! held open until both sides have gone over to encryption, because until then either may refuse the
//! other with an alert in the clear (an unknown CA, a bad client certificate). Then the flow is `Done`.
//! A second ClientHello, which a HelloRetryRequest asks for, belongs to the same handshake.
//!
//! `req_len` and `resp_len` count the hellos with the headers of the records that carried them.

pub mod alert;
pub mod cipher_suites;
pub mod client_hello;
pub mod extension;
pub mod fingerprint;
mod probe;
mod record;
pub mod server_hello;
#[cfg(test)]
mod tests;
pub mod version;

use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::limits::{TLS_PLAIN_RECORDS_MAX, TLS_SEARCH_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Transports};
use client_hello::{ClientHello, ssl2};
use fingerprint::Carrier;
use record::{Content, HEADER_BYTES, Header, Joined, Message};
use server_hello::ServerHello;

const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;

/// A TLS connection up to where it is encrypted.
pub struct Tls {
    client_hello: bool,
    server_hello: bool,
    /// The server has asked for a second ClientHello.
    retried: bool,
    /// Request and response belong together and are not told yet.
    held: bool,
    /// Which directions have gone over to encryption since the ServerHello.
    encrypted: [bool; 2],
    /// Directions in which bytes were lost that are not needed to go on.
    blind: [bool; 2],
    /// The server has sent nothing since its hello but perhaps a ticket: when it encrypts now, it has
    /// resumed a session of TLS 1.2 or older.
    may_resume: bool,
    /// Nothing more is wanted.
    over: bool,
    /// Records passed that were no hello.
    passed: u8,
    /// Bytes searched for a hello.
    searched: u32,
}

impl Parser for Tls {
    const NAME: &'static str = "tls";
    const ABOUT: &'static str = "TLS, SSL and TLCP handshakes (RFC 8446, RFC 5246, RFC 6101, GB/T 38636)";
    const TRANSPORTS: Transports = Transports::TCP;
    const PORTS: &'static [u16] = &[443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 5061, 8443];
    const PAIRING: Pairing = Pairing::InOrder;
    const FIRST_BYTES: [ByteSet; 4] = probe::FIRST_BYTES;
    const ATTRS: &'static [&'static str] = &[
        "alpn",
        "alpn_offered",
        "cipher",
        "ja3",
        "ja4",
        "resumed",
        "tls_version",
    ];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        if context.behind_unknown {
            // RDP, SMTP, LDAP and others turn to TLS within; such a flow is theirs. Protocols that are read
            // here hand over.
            return Probe::NoMatch;
        }
        match probe::probe(head) {
            Some(probe) => probe,
            None if context.complete => Probe::NoMatch,
            None => Probe::NeedMore,
        }
    }

    fn new() -> Self {
        Self {
            client_hello: false,
            server_hello: false,
            retried: false,
            held: false,
            encrypted: [false; 2],
            blind: [false; 2],
            may_resume: false,
            over: false,
            passed: 0,
            searched: 0,
        }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if self.over {
            return self.finish(out);
        }
        if self.blind[direction.index()] {
            return self.pass_blindly(out);
        }
        let Some(head) = input.bytes.get(..HEADER_BYTES) else {
            return if input.ended && self.server_hello {
                self.finish(out)
            } else {
                Advance::Need(HEADER_BYTES)
            };
        };
        let Some(header) = Header::read(head) else {
            return match direction {
                Direction::ToServer if !self.client_hello => self.read_ssl2(input, out),
                _ if self.server_hello => self.finish(out),
                _ => Advance::Malformed,
            };
        };
        if self.encrypted[direction.index()] {
            return self.pass(header, out);
        }
        match header.content {
            Content::Handshake => self.handshake(direction, header, input, out),
            Content::Alert => self.alert(direction, header, input, out),
            _ => self.no_longer_plain(direction, header, out),
        }
    }

    fn on_gap(&mut self, direction: Direction, _len: u64) -> OnGap {
        let needed = match direction {
            Direction::ToServer => !self.client_hello && !self.server_hello,
            Direction::ToClient => !self.server_hello,
        };
        if needed {
            return OnGap::Resync;
        }
        self.blind[direction.index()] = true;
        OnGap::Resume
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        if self.searched > TLS_SEARCH_BYTES_MAX {
            self.over = true;
            return Some(0);
        }
        self.searched = self.searched.saturating_add(bytes.len() as u32);
        find_hello(direction, bytes)
    }
}

/// Where in `bytes` a hello of this direction begins.
fn find_hello(direction: Direction, bytes: &[u8]) -> Option<usize> {
    const HANDSHAKE: u8 = 22;
    let speaker = match direction {
        Direction::ToServer => crate::parser::Speaker::Client,
        Direction::ToClient => crate::parser::Speaker::Server,
    };
    memchr::memchr_iter(HANDSHAKE, bytes).find(|at| {
        let head = bytes.get(*at..).unwrap_or(&[]);
        probe::probe(head) == Some(Probe::Match(speaker))
    })
}

impl Tls {
    fn handshake(
        &mut self,
        direction: Direction,
        header: Header,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        let Some(&kind) = input.bytes.get(HEADER_BYTES) else {
            return Advance::Need(HEADER_BYTES + 1);
        };
        let wanted = match direction {
            Direction::ToServer => kind == CLIENT_HELLO && !self.client_hello,
            Direction::ToClient => kind == SERVER_HELLO && !self.server_hello,
        };
        if !wanted {
            self.may_resume &= direction == Direction::ToServer || kind == NEW_SESSION_TICKET;
            return self.pass(header, out);
        }
        let mut joined = Joined::new();
        let message = match record::read_message(input, &mut joined) {
            Ok(message) => message,
            Err(instead) => return instead,
        };
        match direction {
            Direction::ToServer => self.read_client_hello(&message, out),
            Direction::ToClient => self.read_server_hello(&message, out),
        }
    }

    fn read_client_hello(&mut self, message: &Message<'_>, out: &mut Out<'_>) -> Advance {
        let Some(hello) = ClientHello::read(message.body) else {
            return Advance::Malformed;
        };
        self.client_hello = true;
        out.open(Role::Request, None);
        out.text(Field::ReqType, b"handshake");
        write_client_hello(&hello, Carrier::Tcp, out);
        // Behind a retry: the hello with which this handshake began was never seen.
        if !message.is_whole || self.retried {
            out.truncated();
        }
        out.close();
        Advance::Skip(message.record_end as u64)
    }

    /// A ClientHello in SSL 2.0 format, which carries nothing that a record could hold.
    fn read_ssl2(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(head) = input.bytes.get(..ssl2::HEAD_BYTES) else {
            return Advance::Need(ssl2::HEAD_BYTES);
        };
        let Some(len) = ssl2::message_len(head) else {
            return Advance::Malformed;
        };
        self.client_hello = true;
        out.open(Role::Request, None);
        out.text(Field::ReqType, b"handshake");
        out.close();
        Advance::Skip(len as u64)
    }

    fn read_server_hello(&mut self, message: &Message<'_>, out: &mut Out<'_>) -> Advance {
        let Some(hello) = ServerHello::read(message.body) else {
            return Advance::Malformed;
        };
        if hello.is_retry {
            self.retried = true;
            return Advance::Skip(message.record_end as u64);
        }
        self.server_hello = true;
        out.open(Role::Response, None);
        write_server_hello(&hello, out);
        let encrypts_at_once = hello.version.is_none_or(version::is_1_3);
        if encrypts_at_once {
            self.encrypted[Direction::ToClient.index()] = true;
        }
        let alone = message.end == message.record_end || message.next_kind == Some(NEW_SESSION_TICKET);
        self.may_resume = alone && !encrypts_at_once;
        out.add_len(message.end as u64);
        if !(message.is_whole && hello.is_whole) {
            out.truncated();
        }
        if out.has_request() {
            self.held = true;
            out.until_close();
        } else {
            // The request may still come, by another mirror port.
            out.close();
        }
        Advance::Skip(message.record_end as u64)
    }

    fn alert(
        &mut self,
        direction: Direction,
        header: Header,
        input: Input<'_>,
        out: &mut Out<'_>,
    ) -> Advance {
        const LEVEL_AND_DESCRIPTION: usize = 2;
        let end = HEADER_BYTES + LEVEL_AND_DESCRIPTION;
        if header.len != LEVEL_AND_DESCRIPTION {
            return self.no_longer_plain(direction, header, out);
        }
        let Some(&[level, description]) = input.bytes.get(HEADER_BYTES..end) else {
            return Advance::Need(end);
        };
        if level != alert::FATAL {
            return if description == alert::CLOSE_NOTIFY {
                self.finish(out)
            } else {
                self.pass(header, out)
            };
        }
        let answers = direction == Direction::ToClient && !self.server_hello;
        if answers {
            out.open(Role::Response, None);
            if !out.has_request() {
                out.text(Field::ReqType, b"handshake");
            }
            out.add_len(end as u64);
        } else if out.select_under_way().is_none() {
            return Advance::Done;
        }
        out.code(i64::from(description));
        out.status(Status::ClientError);
        if let Some(name) = alert::name(description) {
            out.text(Field::Exception, name.as_bytes());
        }
        if answers {
            out.close();
            return Advance::Done;
        }
        self.finish(out)
    }

    /// What follows in `direction` is encrypted, if the ServerHello was there.
    fn no_longer_plain(&mut self, direction: Direction, header: Header, out: &mut Out<'_>) -> Advance {
        // Before it a client may send early data, and both a ChangeCipherSpec that means nothing
        // (RFC 8446 appendix D.4).
        if self.server_hello {
            if std::mem::take(&mut self.may_resume) && direction == Direction::ToClient && self.held {
                out.attr("resumed", b"true");
            }
            self.encrypted[direction.index()] = true;
            let client_hello_missed = direction == Direction::ToServer && !self.held;
            if self.encrypted == [true; 2] && self.held || client_hello_missed {
                return self.finish(out);
            }
        }
        self.pass(header, out)
    }

    /// Passes a record by arithmetic; too many of them in the wait for something are the end.
    fn pass(&mut self, header: Header, out: &mut Out<'_>) -> Advance {
        self.passed = self.passed.saturating_add(1);
        if self.passed > TLS_PLAIN_RECORDS_MAX {
            return self.finish(out);
        }
        Advance::Skip(header.record_len() as u64)
    }

    /// Where in its records this direction is, is not known; the other one may still tell something.
    fn pass_blindly(&mut self, out: &mut Out<'_>) -> Advance {
        if self.server_hello {
            return self.finish(out);
        }
        Advance::Skip(u64::MAX)
    }

    /// Tells of the handshake; the flow costs nothing from now on.
    fn finish(&mut self, out: &mut Out<'_>) -> Advance {
        if self.held && out.select_under_way() == Some(Role::Response) {
            out.close();
        }
        Advance::Done
    }
}

/// What a ClientHello tells: the name asked for, protocols offered, and who the client may be. Fingerprints
/// only of a whole one; one that was cut makes the record `truncated`.
pub(crate) fn write_client_hello(hello: &ClientHello<'_>, carrier: Carrier, out: &mut Out<'_>) {
    if let Some(name) = hello.server_name {
        out.text(Field::Domain, name);
        out.text(Field::Resource, name);
    }
    let mut offered = out.write_attr("alpn_offered");
    for (index, protocol) in extension::alpn_protocols(hello.alpn).enumerate() {
        if index > 0 {
            offered.push(b",");
        }
        offered.push(protocol);
    }
    drop(offered);
    if !hello.is_whole {
        out.truncated();
        return;
    }
    out.attr("ja3", fingerprint::ja3(hello).as_bytes());
    if let Some(ja4) = fingerprint::ja4(hello, carrier) {
        out.attr("ja4", ja4.as_bytes());
    }
}

fn write_server_hello(hello: &ServerHello<'_>, out: &mut Out<'_>) {
    if !out.has_request() {
        out.text(Field::ReqType, b"handshake");
    }
    if let Some(version) = hello.version {
        let name = version::name(version);
        out.text(Field::Version, name.as_bytes());
        out.attr("tls_version", name.as_bytes());
    }
    match cipher_suites::name(hello.cipher_suite) {
        Some(name) => out.attr("cipher", name.as_bytes()),
        None => out.attr("cipher", version::number(hello.cipher_suite).as_bytes()),
    }
    if let Some(alpn) = hello.alpn {
        out.attr("alpn", alpn);
    }
    if hello.has_pre_shared_key && hello.version.is_some_and(version::is_1_3) {
        out.attr("resumed", b"true");
    }
    out.status(Status::Ok);
}
