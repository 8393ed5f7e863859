//! Events of TCP connections in every order and with every gap: the records are those of the bytes, and each byte told
//! of is accounted for.

use super::{HostSink, Parties, Streams};
use crate::event::{Closed, Data, Event, Open, Role, Way, What, Who};
use crate::limits::{HELD_PER_SIDE_MAX, HOLE_TIMEOUT_NS};
use tapir_parsers::engine::Engine;
use tapir_parsers::field::{Field, Kind};
use tapir_parsers::record::RecordView;
use tapir_parsers::settings::Settings;

/// Each with what it must be answered by, so that a wrong pair shows.
const EXCHANGES: [(&[u8], &str, &[u8]); 3] = [
    (b"*1\r\n$4\r\nPING\r\n", "PING", b"+PONG\r\n"),
    (b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", "GET a", b"$5\r\nhello\r\n"),
    (b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n", "INCR n", b":12\r\n"),
];

/// First numbers of what the server sends and receives: the second wraps within the conversation.
const FIRST: [u32; 2] = [1000, u32::MAX - 20];

#[derive(Default)]
struct Records(Vec<Vec<u8>>);

impl HostSink for Records {
    fn record(&mut self, entry: &[u8], _: &Parties<'_>) {
        self.0.push(entry.to_vec());
    }

    fn tls_closed(&mut self, _: &Parties<'_>, _: bool) {}
}

/// Bytes of one event, and how much the other way had passed before.
#[derive(Clone, Debug, PartialEq)]
struct Piece {
    way: Way,
    at: u32,
    peer: u32,
    bytes: Vec<u8>,
}

/// The conversation as the server's socket tells of it: request, response, and so on.
fn conversation() -> Vec<Piece> {
    let (mut pieces, mut at) = (Vec::new(), [0u32; 2]);
    for (request, _, response) in EXCHANGES {
        for (way, bytes) in [(Way::Received, request), (Way::Sent, response)] {
            pieces.push(Piece {
                way,
                at: at[way as usize],
                peer: at[way.opposite() as usize],
                bytes: bytes.to_vec(),
            });
            at[way as usize] += bytes.len() as u32;
        }
    }
    pieces
}

struct Host {
    streams: Streams<Records>,
    now_ns: u64,
    told: u64,
}

impl Host {
    fn new() -> Self {
        let engine = Engine::new(Settings::default(), |protocol| protocol.name() == "redis");
        let mut host = Self {
            streams: Streams::new(engine, Records::default(), None),
            now_ns: 1_000_000_000,
            told: 0,
        };
        host.event(What::Open(Open {
            role: Role::Server,
            l4: 0,
            netns: 1,
            this: Who::default(),
            peer: None,
            local: ([10, 0, 0, 1].into(), 6379),
            remote: ([10, 0, 0, 2].into(), 50_000),
            seq: FIRST,
            passed: [0, 0],
            from_start: true,
        }));
        host
    }

    fn event(&mut self, what: What<'_>) {
        self.now_ns += 1000;
        let event = Event {
            cookie: 7,
            time_ns: self.now_ns,
            what,
        };
        self.streams.event(&event, self.now_ns);
    }

    fn data(&mut self, piece: &Piece) {
        self.told += piece.bytes.len() as u64;
        self.event(What::Data(Data {
            way: piece.way,
            seq: FIRST[piece.way as usize].wrapping_add(piece.at),
            peer_seq: FIRST[piece.way.opposite() as usize].wrapping_add(piece.peer),
            len: piece.bytes.len() as u32,
            withheld: 0,
            arrived_ns: None,
            bytes: &piece.bytes,
            library: None,
        }));
    }

    /// Waits for what may still come, ends the connection, and checks the accounts.
    fn finish(mut self) -> Vec<(Kind, String, u64)> {
        self.now_ns += HOLE_TIMEOUT_NS;
        self.streams.tick(self.now_ns);
        let end = |way: Way| {
            let pieces = conversation();
            let ends = pieces.iter().filter(|piece| piece.way == way);
            let end = ends.map(|piece| piece.at + piece.bytes.len() as u32).max();
            FIRST[way as usize].wrapping_add(end.unwrap_or(0))
        };
        let seq = Way::BOTH.map(end);
        self.event(What::Close {
            how: Closed::InOrder,
            seq,
        });
        assert_eq!(self.streams.connections(), 0);
        let counters = *self.streams.counters();
        let known = counters.bytes_fed
            + counters.bytes_idle
            + counters.bytes_seen
            + counters.bytes_not_captured
            + counters.bytes_of_strangers;
        assert_eq!(self.told, known, "{counters:?}");
        let read = |entry: &Vec<u8>| {
            let view = RecordView::new(entry).unwrap();
            let resource = view.text(Field::Resource).unwrap_or_default();
            let response = view.header.response_len;
            (
                view.kind(),
                String::from_utf8_lossy(resource).into_owned(),
                response,
            )
        };
        self.streams.sink().0.iter().map(read).collect()
    }
}

fn records_of(pieces: &[Piece]) -> Vec<(Kind, String, u64)> {
    let mut host = Host::new();
    for piece in pieces {
        host.data(piece);
    }
    let mut records = host.finish();
    records.sort_by(|a, b| a.1.cmp(&b.1));
    records
}

fn whole() -> Vec<(Kind, String, u64)> {
    let matched = |(_, resource, response): &(&[u8], &str, &[u8])| {
        (Kind::Matched, (*resource).to_owned(), response.len() as u64)
    };
    let mut records: Vec<_> = EXCHANGES.iter().map(matched).collect();
    records.sort_by(|a, b| a.1.cmp(&b.1));
    records
}

/// All orders of `count` things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(count - 1);
    let with = |order: &Vec<usize>| {
        let order = order.clone();
        (0..count).map(move |at| {
            let mut longer = order.clone();
            longer.insert(at, count - 1);
            longer
        })
    };
    shorter.iter().flat_map(with).collect()
}

#[test]
fn as_it_was_said() {
    assert_eq!(records_of(&conversation()), whole());
}

#[test]
fn cut_at_every_byte() {
    let pieces = conversation();
    for (n, piece) in pieces.iter().enumerate() {
        for cut in 1..piece.bytes.len() {
            let (front, back) = piece.bytes.split_at(cut);
            let mut parts = pieces.clone();
            parts[n].bytes = front.to_vec();
            let rest = Piece {
                at: piece.at + cut as u32,
                bytes: back.to_vec(),
                ..piece.clone()
            };
            parts.insert(n + 1, rest);
            assert_eq!(records_of(&parts), whole(), "piece {n} cut at {cut}");
            // Two threads that wrote, or read, at the same time.
            parts.swap(n, n + 1);
            assert_eq!(records_of(&parts), whole(), "piece {n} turned at {cut}");
        }
    }
}

#[test]
fn requests_and_responses_in_every_order_of_their_own() {
    let of = |way: Way| {
        let pieces = conversation();
        pieces
            .into_iter()
            .filter(move |piece| piece.way == way)
            .collect::<Vec<_>>()
    };
    let (requests, responses) = (of(Way::Received), of(Way::Sent));
    for asked in orders(requests.len()) {
        for answered in orders(responses.len()) {
            let asked = asked.iter().map(|n| requests[*n].clone());
            let answered = answered.iter().map(|n| responses[*n].clone());
            let pieces: Vec<_> = asked.chain(answered).collect();
            assert_eq!(records_of(&pieces), whole(), "{pieces:?}");
        }
    }
}

#[test]
fn every_gap_costs_what_was_in_it_and_pairs_nothing_wrong() {
    let pieces = conversation();
    for lost in 1..1u32 << pieces.len() {
        let left: Vec<_> = (0..pieces.len())
            .filter(|n| lost & (1 << n) == 0)
            .map(|n| pieces[n].clone())
            .collect();
        let records = records_of(&left);
        for (kind, resource, response) in &records {
            let expected = EXCHANGES.iter().find(|(_, asked, _)| asked == resource);
            if *kind == Kind::Matched {
                let (_, _, answer) = expected.unwrap();
                assert_eq!(
                    *response,
                    answer.len() as u64,
                    "{resource} without {lost:b}: {records:?}"
                );
            }
        }
        // What came after all that was lost is whole; of a first response that may answer two requests nothing is
        // said.
        let after = pieces.len() - (31 - lost.leading_zeros() as usize) - 1;
        let matched = records.iter().filter(|(kind, ..)| *kind == Kind::Matched).count();
        assert!(matched + 1 >= after / 2, "{lost:b}: {records:?}");
    }
}

#[test]
fn whatever_comes_is_accounted_for() {
    let pieces = conversation();
    let mut state = 1u64;
    let mut random = |below: usize| {
        // Lehmer's generator.
        state = state * 48_271 % 0x7FFF_FFFF;
        state as usize % below
    };
    for _ in 0..2000 {
        let mut host = Host::new();
        for _ in 0..random(2 * HELD_PER_SIDE_MAX) {
            let mut piece = pieces[random(pieces.len())].clone();
            match random(4) {
                0 => piece.at = piece.at.wrapping_add(random(64) as u32),
                1 => piece.at = piece.at.wrapping_sub(random(1 << 20) as u32),
                2 => piece.bytes.truncate(random(piece.bytes.len()) + 1),
                _ => {}
            }
            host.data(&piece);
            if random(8) == 0 {
                host.now_ns += HOLE_TIMEOUT_NS;
                host.streams.tick(host.now_ns);
            }
        }
        host.finish();
    }
}
