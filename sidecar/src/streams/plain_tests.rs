//! Plain bytes above connections: whoever tells of them when, the records are those of the bytes.

use super::{HostSink, Parties, Streams};
use crate::event::{Closed, Data, Event, Open, Plain, Role, TlsObject, Way, What, Who};
use crate::limits::{HOLE_TIMEOUT_NS, PLAIN_LINGER_NS, PLAIN_TURN_NS, PLAIN_WAIT_NS, PLAIN_WAITING_MAX};
use crate::tls::library::Library;
use tapir_parsers::engine::Engine;
use tapir_parsers::field::{Ended, Field, Kind};
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::RecordView;
use tapir_parsers::settings::Settings;

const SOCKET: u64 = 77;
const REQUEST: &[u8] = b"GET /secret HTTP/1.1\r\nHost: h\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const HELLO: &[u8] = &[22, 3, 1, 0, 1, 0];

#[derive(Default)]
struct Seen {
    entries: Vec<Vec<u8>>,
    /// Of TLS connections that are over: read or not.
    closed: Vec<bool>,
}

impl HostSink for Seen {
    fn record(&mut self, entry: &[u8], _: &Parties) {
        self.entries.push(entry.to_vec());
    }

    fn tls_closed(&mut self, _: &Parties, is_read: bool) {
        self.closed.push(is_read);
    }
}

struct Host {
    streams: Streams<Seen>,
    now_ns: u64,
    offsets: [u64; 2],
}

impl Host {
    fn new() -> Self {
        let engine = Engine::new(Settings::default(), |protocol| protocol == Protocol::Http1);
        Self {
            streams: Streams::new(engine, Seen::default(), None),
            now_ns: 1_000_000_000,
            offsets: [0, 0],
        }
    }

    fn event(&mut self, cookie: u64, what: What<'_>) {
        self.now_ns += 1000;
        let event = Event {
            cookie,
            time_ns: self.now_ns,
            what,
        };
        self.streams.event(&event, self.now_ns);
    }

    fn tick_after(&mut self, ns: u64) {
        self.now_ns += ns;
        self.streams.tick(self.now_ns);
    }

    /// A server's end, with the first bytes of a handshake.
    fn open(&mut self) {
        self.open_as(Role::Server);
    }

    fn open_as(&mut self, role: Role) {
        let open = Open {
            role,
            l4: 0,
            netns: 1,
            this: Who::default(),
            peer: None,
            local: ([10, 0, 0, 1].into(), 443),
            remote: ([10, 0, 0, 2].into(), 50_000),
            seq: [100, 200],
            passed: [0, 0],
            from_start: true,
        };
        self.event(SOCKET, What::Open(open));
        let hello = Data {
            way: Way::Received,
            seq: 200,
            peer_seq: 100,
            len: HELLO.len() as u32,
            withheld: 0,
            arrived_ns: None,
            bytes: HELLO,
            library: Some(Library::OpenSsl),
        };
        self.event(SOCKET, What::Data(hello));
    }

    fn plain(&mut self, cookie: u64, way: Way, bytes: &[u8]) {
        self.plain_of(1, cookie, way, bytes);
    }

    fn plain_of(&mut self, address: u64, cookie: u64, way: Way, bytes: &[u8]) {
        let piece = self.piece(address, way, bytes, false);
        self.event(cookie, What::Plain(piece));
    }

    fn piece<'a>(&mut self, address: u64, way: Way, bytes: &'a [u8], is_sending: bool) -> Plain<'a> {
        let plain = Plain {
            way,
            library: Library::OpenSsl,
            object: TlsObject {
                pid: 5,
                address,
                epoch_ns: 9,
            },
            offset: self.offsets[way as usize],
            other_offset: self.offsets[way.opposite() as usize],
            seq: None,
            is_sending,
            len: bytes.len() as u32,
            bytes,
        };
        self.offsets[way as usize] += bytes.len() as u64;
        plain
    }

    fn close(&mut self) {
        let seq = [100, 200 + HELLO.len() as u32];
        self.event(
            SOCKET,
            What::Close {
                how: Closed::InOrder,
                seq,
            },
        );
    }

    /// Kind and resource of each record.
    fn records(&mut self) -> Vec<(Kind, Option<String>)> {
        let seen = self.streams.sink();
        let read = |entry: &Vec<u8>| {
            let view = RecordView::new(entry).unwrap();
            assert_eq!(view.header.flow.flow_id, SOCKET);
            assert_eq!(view.header.flow.tls_library, Library::OpenSsl as u8);
            let resource = view
                .text(Field::Resource)
                .map(|text| String::from_utf8_lossy(text).into_owned());
            (view.kind(), resource)
        };
        seen.entries.iter().map(read).collect()
    }

    fn one_exchange(&mut self) {
        assert_eq!(self.records(), [(Kind::Matched, Some("/secret".to_owned()))]);
    }
}

#[test]
fn plain_bytes_make_records_of_the_connection_below() {
    let mut host = Host::new();
    host.open();
    host.plain(SOCKET, Way::Received, REQUEST);
    host.plain(SOCKET, Way::Sent, RESPONSE);
    host.one_exchange();
    host.close();
    host.tick_after(PLAIN_LINGER_NS);
    host.one_exchange();
    assert_eq!(host.streams.sink().closed, [true]);
    assert_eq!(host.streams.connections(), 0);
}

#[test]
fn cut_anywhere_they_make_the_same_record() {
    for cut in 1..REQUEST.len() {
        let mut host = Host::new();
        host.open();
        host.plain(SOCKET, Way::Received, &REQUEST[..cut]);
        host.plain(SOCKET, Way::Received, &REQUEST[cut..]);
        host.plain(SOCKET, Way::Sent, RESPONSE);
        host.one_exchange();
    }
}

/// A client whose threads write and read: the writing one is interrupted before its call is over.
#[test]
fn an_answer_waits_for_its_question() {
    let mut host = Host::new();
    host.open_as(Role::Client);
    let (head, body) = RESPONSE.split_at(20);
    let answer = [(head, true), (body, false)]
        .map(|(part, is_sending)| host.piece(1, Way::Received, part, is_sending));
    for part in answer {
        host.event(SOCKET, What::Plain(part));
    }
    assert_eq!(host.records(), []);
    let question = Plain {
        other_offset: 0,
        ..host.piece(1, Way::Sent, REQUEST, false)
    };
    host.event(SOCKET, What::Plain(question));
    host.one_exchange();
}

#[test]
fn an_answer_does_not_wait_for_ever() {
    let mut host = Host::new();
    host.open();
    let answer = host.piece(1, Way::Received, REQUEST, true);
    host.event(SOCKET, What::Plain(answer));
    host.tick_after(PLAIN_TURN_NS / 2);
    host.plain(SOCKET, Way::Received, REQUEST);
    host.tick_after(PLAIN_TURN_NS / 2);
    host.plain(SOCKET, Way::Sent, RESPONSE);
    host.one_exchange();
}

#[test]
fn what_is_told_after_the_end_still_counts() {
    let mut host = Host::new();
    host.open();
    host.plain(SOCKET, Way::Received, REQUEST);
    host.event(SOCKET, What::End(Way::Sent, 100));
    host.close();
    host.tick_after(PLAIN_LINGER_NS / 2);
    host.plain(SOCKET, Way::Sent, RESPONSE);
    host.one_exchange();
    host.tick_after(PLAIN_LINGER_NS);
    host.one_exchange();
    assert_eq!(host.streams.connections(), 0);
}

#[test]
fn a_connection_without_plain_bytes_is_told_as_unread() {
    let mut host = Host::new();
    host.open();
    host.close();
    host.tick_after(PLAIN_LINGER_NS);
    assert_eq!(host.streams.sink().closed, [false]);
}

#[test]
fn an_answer_that_never_comes_ends_with_the_connection() {
    let mut host = Host::new();
    host.open();
    host.plain(SOCKET, Way::Received, REQUEST);
    host.close();
    host.tick_after(PLAIN_LINGER_NS);
    assert_eq!(host.records(), [(Kind::NoResponse, Some("/secret".to_owned()))]);
    let view = RecordView::new(&host.streams.sink().entries[0]).unwrap();
    assert_eq!(view.ended(), Ended::Fin);
}

#[test]
fn pieces_wait_for_their_connection_in_order() {
    let mut host = Host::new();
    host.open();
    host.plain(0, Way::Received, &REQUEST[..9]);
    host.plain(0, Way::Received, &REQUEST[9..]);
    assert_eq!(host.records(), []);
    host.plain(SOCKET, Way::Sent, RESPONSE);
    host.one_exchange();
    assert_eq!(host.streams.counters().bytes_unbound, 0);
}

#[test]
fn pieces_whose_connection_stays_unknown_are_counted() {
    let mut host = Host::new();
    host.plain(0, Way::Received, REQUEST);
    host.tick_after(PLAIN_WAIT_NS);
    assert_eq!(host.streams.counters().bytes_unbound, REQUEST.len() as u64);
    for _ in 0..PLAIN_WAITING_MAX + 3 {
        host.plain(0, Way::Sent, b"x");
    }
    let unbound = host.streams.counters().bytes_unbound;
    assert_eq!(unbound, REQUEST.len() as u64 + 3, "there is room for so many");
    host.streams.finish(host.now_ns);
    let unbound = host.streams.counters().bytes_unbound;
    assert_eq!(unbound, (REQUEST.len() + PLAIN_WAITING_MAX + 3) as u64);
}

#[test]
fn plain_bytes_of_a_stranger_are_counted() {
    let mut host = Host::new();
    host.plain(SOCKET + 1, Way::Received, REQUEST);
    let counters = host.streams.counters();
    assert_eq!(counters.bytes_of_strangers, REQUEST.len() as u64);
    assert_eq!(host.records(), []);
}

#[test]
fn two_objects_of_one_socket_are_two_streams() {
    let mut host = Host::new();
    host.open();
    host.plain_of(1, SOCKET, Way::Received, REQUEST);
    host.plain_of(1, SOCKET, Way::Sent, RESPONSE);
    host.offsets = [0, 0];
    host.plain_of(2, SOCKET, Way::Received, REQUEST);
    host.plain_of(2, SOCKET, Way::Sent, RESPONSE);
    assert_eq!(host.records().len(), 2);
    host.close();
    host.tick_after(PLAIN_LINGER_NS);
    assert_eq!((host.records().len(), host.streams.connections()), (2, 0));
}

#[test]
fn lost_plain_bytes_are_a_gap() {
    let mut host = Host::new();
    host.open();
    host.plain(SOCKET, Way::Received, REQUEST);
    let (start, end) = RESPONSE.split_at(RESPONSE.len() - 1);
    host.plain(SOCKET, Way::Sent, &start[..start.len() - 2]);
    host.offsets[Way::Sent as usize] += 2;
    host.plain(SOCKET, Way::Sent, end);
    host.tick_after(HOLE_TIMEOUT_NS);
    host.plain(SOCKET, Way::Received, REQUEST);
    host.plain(SOCKET, Way::Sent, RESPONSE);
    assert_eq!(host.records().len(), 2);
    let gap = |entry: &Vec<u8>| RecordView::new(entry).unwrap().header.gap_bytes;
    let gaps: Vec<u64> = host.streams.sink().entries.iter().map(gap).collect();
    assert_eq!(gaps, [2, 0]);
}
