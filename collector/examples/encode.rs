//! What encoding costs: `encode [HTTP|REDIS] [ROUNDS]` reads and encodes batches of 400 like records, and prints ns for
//! each. Under callgrind the difference of two numbers of rounds gives instructions (docs/performance.md).

use std::hint::black_box;
use std::time::Instant;
use tapir_collector::flat::BatchEncoder;
use tapir_collector::session::Session;
use tapir_collector::testing::Entry;
use tapir_collector::text::TextLimits;
use tapir_parsers::field::{Field, Source};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::{RecordView, flag};

/// Records of one batch.
const RECORDS: u16 = 400;

/// What both kinds have.
fn entry(n: u16, protocol: Protocol) -> Entry {
    Entry::default()
        .between("192.0.2.1", 30_000 + n % 50, "192.0.2.2", 80)
        .with(|header| {
            header.protocol = protocol as u8;
            header.flags =
                flag::REQUEST | flag::RESPONSE | flag::RRT | flag::REQUEST_SEQ | flag::RESPONSE_SEQ;
            (header.rrt_ns, header.request_len, header.response_len) = (70_000, 36, 5);
            (header.request_seq, header.response_seq) = (u32::from(n) * 36, u32::from(n) * 5);
        })
}

/// A request in packets.
fn http(n: u16) -> Vec<u8> {
    entry(n, Protocol::Http1)
        .with(|header| {
            header.flags |= flag::CODE;
            header.code = 200;
        })
        .text(Field::ReqType, b"GET")
        .text(Field::Domain, b"shop.example.org")
        .text(Field::Resource, format!("/api/users/{n}?full=1").as_bytes())
        .text(Field::Endpoint, b"/api/users/{id}")
        .text(Field::Version, b"1.1")
        .text(
            Field::UserAgent,
            b"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        )
        .text(Field::TraceId, format!("{n:032x}").as_bytes())
        .text(Field::SpanId, format!("{n:016x}").as_bytes())
        .attr(b"content_type", b"application/json")
        .bytes()
}

/// A command at a host's sockets.
fn redis(n: u16) -> Vec<u8> {
    let process = |pid, comm, executable| Process {
        pid,
        comm,
        executable,
        ..Process::default()
    };
    entry(n, Protocol::Redis)
        .with(|header| header.flow.source = Source::Host as u8)
        .text(Field::ReqType, b"GET")
        .text(Field::Resource, b"key:__rand_int__")
        .text(Field::Result, b"xxx")
        .host(&HostFacts {
            process: Some(process(100, "redis-server", "/usr/bin/redis-check-rdb")),
            client_process: Some(process(101, "redis-benchmark", "/usr/bin/redis-benchmark")),
            queue_ns: Some(20_000 + u64::from(n)),
            app_ns: Some(9_000),
        })
        .bytes()
}

fn main() {
    let kind = std::env::args().nth(1).unwrap_or_else(|| "http".into());
    let rounds = std::env::args()
        .nth(2)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5_000);
    let make = if kind == "redis" { redis } else { http };
    let entries: Vec<Vec<u8>> = (0..RECORDS).map(make).collect();
    let sessions = || {
        let views = entries.iter().filter_map(|entry| RecordView::new(entry));
        views.map(|view| Session::new(&view, TextLimits::default()))
    };
    let records = f64::from(RECORDS) * f64::from(rounds);
    let mut encoder = BatchEncoder::new();
    let mut bytes = 0;
    let began = Instant::now();
    for _ in 0..rounds {
        sessions().for_each(|session| encoder.push(black_box(&session)));
        bytes = encoder.finish(|batch| black_box(batch).len()).unwrap_or(0);
    }
    let both = began.elapsed().as_nanos() as f64 / records;
    let began = Instant::now();
    for _ in 0..rounds {
        sessions().for_each(|session| {
            black_box(&session);
        });
    }
    let read = began.elapsed().as_nanos() as f64 / records;
    let encoded = both - read;
    let each = bytes / usize::from(RECORDS);
    println!("{kind}: reading {read:.0} ns, encoding {encoded:.0} ns, {each} bytes a record");
}
