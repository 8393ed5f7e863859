//! What must hold of joining, whatever comes in whatever order.

use super::{JoinCounters, JoinOptions, Joiner, WAITING_BYTES};
use crate::session::Session;
use crate::testing::{Dice, Entry};
use crate::text::TextLimits;
use std::sync::Arc;
use std::time::Duration;
use tapir_parsers::field::{Field, Joined, Kind, Source};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::{RecordView, flag};

const MS: u64 = 1_000_000;

/// Who sees an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Observer {
    Wire,
    Server,
    Client,
}
use Observer::{Client, Server, Wire};

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Whole,
    Request,
    Response,
}

/// Exchange `number` of a TCP connection, as `observer` tells it.
fn exchange(number: u32, observer: Observer, seen: Seen) -> Entry {
    let kind = match seen {
        Seen::Whole => Kind::Matched,
        Seen::Request => Kind::NoResponse,
        Seen::Response => Kind::Orphan,
    };
    let entry = Entry::default().with(|header| {
        header.protocol = Protocol::Redis as u8;
        header.kind = kind as u8;
        header.flow.client_port = 40_000 + (number % 7) as u16;
        header.flow.flow_id = if observer == Wire { 1 } else { 1000 };
        header.request_seq = (u32::MAX - 50).wrapping_add(100 * number);
        header.response_seq = 7000 + 10 * number;
        (header.request_len, header.response_len) = (u64::from(number) + 1, 5);
        if seen != Seen::Response {
            header.flags |= flag::REQUEST | flag::REQUEST_SEQ;
        }
        if seen != Seen::Request {
            header.flags |= flag::RESPONSE | flag::RESPONSE_SEQ;
        }
        if seen == Seen::Whole {
            header.flags |= flag::RRT;
        }
        header.rrt_ns = match observer {
            Wire => 200,
            Server => 100,
            Client => 300,
        };
    });
    let process = Some(process_of(observer));
    match observer {
        Wire => entry,
        Server => of_host(
            entry,
            HostFacts {
                process,
                app_ns: Some(90),
                ..HostFacts::default()
            },
        ),
        // A sidecar says whose sockets it read; whose end that was is found out.
        Client => of_host(
            entry,
            HostFacts {
                process,
                ..HostFacts::default()
            },
        ),
    }
}

fn process_of(observer: Observer) -> Process<'static> {
    let (pid, comm) = if observer == Server {
        (6379, "redis-server")
    } else {
        (17, "redis-cli")
    };
    Process {
        pid,
        comm,
        ..Process::default()
    }
}

fn of_host(entry: Entry, facts: HostFacts<'_>) -> Entry {
    entry
        .with(|header| header.flow.source = Source::Host as u8)
        .host(&facts)
}

struct Table {
    joiner: Joiner,
    counters: Arc<JoinCounters>,
    out: Vec<Vec<u8>>,
    entered: u64,
}

impl Table {
    fn new(options: JoinOptions) -> Self {
        let counters = Arc::new(JoinCounters::default());
        Self {
            joiner: Joiner::new(options, Arc::clone(&counters)),
            counters,
            out: Vec::new(),
            entered: 0,
        }
    }

    fn push(&mut self, entry: &Entry, now_ns: u64) {
        self.entered += 1;
        let bytes = entry.bytes();
        let out = &mut self.out;
        self.joiner
            .push(&RecordView::new(&bytes).unwrap(), now_ns, |entry| {
                out.push(entry.to_vec());
            });
        self.check();
    }

    fn expire(&mut self, now_ns: u64) {
        let out = &mut self.out;
        self.joiner.expire(now_ns, |entry| out.push(entry.to_vec()));
        self.check();
    }

    /// Nothing is lost and nothing doubled, at any time.
    fn check(&self) {
        let counts = self.counters.counts();
        assert_eq!(counts.entered_wire + counts.entered_host, self.entered);
        let left = counts.alone_wire + counts.alone_host + counts.merged;
        assert_eq!(self.entered, left + counts.waiting, "{counts:?}");
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        let out = &mut self.out;
        self.joiner.flush(|entry| out.push(entry.to_vec()));
        self.check();
        assert_eq!(self.counters.counts().waiting, 0);
        assert_eq!(self.joiner.bytes(), 0);
        assert_eq!(self.joiner.index.len(), 0);
        self.out
    }
}

fn read(entry: &[u8]) -> Session<'_> {
    let view = RecordView::new(entry).unwrap();
    assert_eq!(view.header.entry_len as usize, entry.len());
    Session::new(&view, TextLimits::default())
}

#[test]
fn any_observers_in_any_order_make_one_record_of_an_exchange() {
    for seed in 0..400 {
        let mut dice = Dice::new(seed);
        let count = 1 + dice.below(20);
        let mut observers = Vec::new();
        let mut all = Vec::new();
        for number in 0..count {
            let mut who: Vec<Observer> = [Wire, Server, Client]
                .into_iter()
                .filter(|_| dice.below(2) == 0)
                .collect();
            if who.is_empty() {
                who.push(Wire);
            }
            // One of them may have missed a part.
            let partly = dice.below(3);
            for (at, observer) in who.iter().enumerate() {
                let seen = match dice.below(3) {
                    0 if at == partly => Seen::Request,
                    1 if at == partly => Seen::Response,
                    _ => Seen::Whole,
                };
                let entry = exchange(number as u32, *observer, seen);
                // A sidecar that was started again, or whose answer was lost, says things twice.
                let times = if *observer == Wire { 1 } else { 1 + dice.below(2) };
                all.extend(std::iter::repeat_n(entry, times));
            }
            observers.push(who);
        }
        for at in (1..all.len()).rev() {
            all.swap(at, dice.below(at + 1));
        }
        let mut table = Table::new(JoinOptions::default());
        for (at, entry) in (0..).zip(&all) {
            table.push(entry, at * MS);
        }
        let out = table.finish();
        let mut found: Vec<(u32, Session<'_>)> = out
            .iter()
            .map(|entry| {
                let session = read(entry);
                let by_request = session
                    .request_seq
                    .map(|seq| seq.wrapping_sub(u32::MAX - 50) / 100);
                let number = by_request.or(session.response_seq.map(|seq| (seq - 7000) / 10));
                (number.unwrap(), session)
            })
            .collect();
        found.sort_by_key(|(number, _)| *number);
        assert_eq!(found.len(), count, "seed {seed}");
        for ((number, session), (expected, who)) in found.iter().zip((0..).zip(&observers)) {
            let seen_by = |observer| who.contains(&observer);
            assert_eq!(*number, expected, "seed {seed}");
            assert_eq!(
                session.source == Source::Wire,
                seen_by(Wire),
                "{seed} {who:?} {session:?}"
            );
            assert_eq!(session.flow_id, if seen_by(Wire) { 1 } else { 1000 });
            assert_eq!(
                session.joined,
                (who.len() > 1).then_some(Joined::Seq),
                "{seed} {who:?}"
            );
            let mut told: Vec<_> = [session.host.process, session.host.client_process]
                .into_iter()
                .flatten()
                .collect();
            let mut known: Vec<_> = who
                .iter()
                .filter(|o| **o != Wire)
                .map(|o| process_of(*o))
                .collect();
            told.sort_by_key(|process| process.pid);
            known.sort_by_key(|process| process.pid);
            assert_eq!(told, known, "seed {seed} {who:?}");
            assert_eq!(session.host.app_ns.is_some(), seen_by(Server));
            if who.len() > 1 && session.kind != Kind::Matched {
                panic!("seed {seed}: somebody has seen all of it: {who:?} {session:?}");
            }
        }
    }
}

#[test]
fn the_end_that_waits_less_for_the_response_is_the_server() {
    for order in [[Server, Client], [Client, Server]] {
        let mut table = Table::new(JoinOptions::default());
        for observer in order {
            table.push(&exchange(1, observer, Seen::Whole), 0);
        }
        let out = table.finish();
        let host = read(&out[0]).host;
        assert_eq!(host.process, Some(process_of(Server)));
        assert_eq!(host.client_process, Some(process_of(Client)));
    }
}

#[test]
fn what_the_wire_missed_a_host_tells_and_the_connection_stays_that_of_the_wire() {
    let wire = exchange(1, Wire, Seen::Request).with(|header| {
        (header.flow.vlan[0], header.flow.vlan_count) = (42, 1);
    });
    let host = of_host(
        exchange(1, Wire, Seen::Whole).text(Field::Result, b"late"),
        HostFacts {
            process: Some(process_of(Server)),
            ..HostFacts::default()
        },
    );
    for pair in [[&wire, &host], [&host, &wire]] {
        let mut table = Table::new(JoinOptions::default());
        for entry in pair {
            table.push(entry, 0);
        }
        let out = table.finish();
        let session = read(&out[0]);
        assert_eq!((session.kind, session.source), (Kind::Matched, Source::Wire));
        assert_eq!((session.vlan[0], session.text(Field::Result)), (42, &b"late"[..]));
        assert_eq!(session.response_seq, Some(7010));
    }
}

#[test]
fn records_leave_when_their_time_is_over_and_not_before() {
    let options = JoinOptions {
        wait: Duration::from_millis(100),
        ..JoinOptions::default()
    };
    let mut table = Table::new(options);
    table.push(&exchange(1, Wire, Seen::Whole), 0);
    table.push(&exchange(2, Wire, Seen::Whole), 60 * MS);
    table.expire(100 * MS - 1);
    assert_eq!(table.out.len(), 0);
    table.push(&exchange(1, Server, Seen::Whole), 100 * MS - 1);
    table.expire(100 * MS);
    assert_eq!(table.out.len(), 1);
    assert_eq!(read(&table.out[0]).joined, Some(Joined::Seq));
    table.expire(160 * MS);
    assert_eq!(table.out.len(), 2);
    // Too late: by itself.
    table.push(&exchange(2, Server, Seen::Whole), 161 * MS);
    let out = table.finish();
    assert_eq!((out.len(), read(&out[2]).joined), (3, None));
}

#[test]
fn a_full_table_lets_the_oldest_go() {
    let one = exchange(0, Wire, Seen::Whole).bytes().len() + WAITING_BYTES;
    let options = JoinOptions {
        bytes_max: 10 * one,
        ..JoinOptions::default()
    };
    let mut table = Table::new(options);
    for number in 0..500 {
        table.push(&exchange(number, Wire, Seen::Whole), 0);
        assert!(table.joiner.bytes() <= options.bytes_max);
        assert_eq!(table.out.len(), (number as usize + 1).saturating_sub(10));
    }
    assert_eq!(table.counters.counts().pushed_out, 490);
    let numbers: Vec<u64> = table
        .finish()
        .iter()
        .map(|entry| read(entry).request_len.unwrap() - 1)
        .collect();
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
}

#[test]
fn datagrams_belong_together_by_id_and_time() {
    let query = |id: u64, start_ms: u64, observer: Observer| {
        let entry = Entry::default().with(|header| {
            header.flow.l4 = 1;
            header.protocol = Protocol::Dns as u8;
            header.flags = flag::REQUEST_ID | flag::REQUEST;
            header.request_id = id;
            header.start_ns += start_ms * MS;
        });
        if observer == Wire {
            return entry;
        }
        let process = Some(process_of(observer));
        of_host(
            entry,
            HostFacts {
                process,
                ..HostFacts::default()
            },
        )
    };
    // The wire's are joined with the nearest of a host; the same id a second later is another query.
    let mut table = Table::new(JoinOptions::default());
    for entry in [
        query(7, 0, Wire),
        query(7, 1000, Wire),
        query(7, 1001, Server),
        query(7, 1, Server),
        query(8, 0, Wire),
        query(8, 60, Server),
        query(9, 0, Server),
        query(9, 20, Server),
        query(9, 20, Server),
    ] {
        table.push(&entry, 0);
    }
    let out = table.finish();
    let told: Vec<_> = out
        .iter()
        .map(|entry| {
            let session = read(entry);
            let start_ms = (session.start_ns - Entry::default().header.start_ns) / MS;
            (session.request_id.unwrap(), start_ms, session.joined)
        })
        .collect();
    let joined = Some(Joined::Time);
    assert_eq!(
        told,
        [
            (7, 0, joined),
            (7, 1000, joined),
            (8, 0, None),
            (8, 60, None),
            (9, 0, None),
            (9, 20, None)
        ]
    );
}

#[test]
fn other_protocols_kinds_and_connections_stay_apart() {
    let wire = exchange(1, Wire, Seen::Whole);
    for other in [
        exchange(1, Server, Seen::Whole).with(|header| header.protocol = Protocol::Http1 as u8),
        exchange(1, Server, Seen::Whole).with(|header| header.kind = Kind::Stream as u8),
        exchange(1, Server, Seen::Whole).with(|header| header.flow.server_port = 1),
        exchange(1, Server, Seen::Whole).with(|header| header.flow.client_ip[15] ^= 1),
        exchange(1, Server, Seen::Whole)
            .with(|header| header.flags &= !(flag::REQUEST_SEQ | flag::RESPONSE_SEQ)),
        exchange(1, Wire, Seen::Whole),
    ] {
        let mut table = Table::new(JoinOptions::default());
        table.push(&wire, 0);
        table.push(&other, 0);
        let out = table.finish();
        assert_eq!(out.len(), 2);
        assert!(out.iter().all(|entry| read(entry).joined.is_none()));
    }
}
