//! The whole collector: rings in, sinks, metrics and health out.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that fails panics.

mod common;

use common::{Lcore, connect, eventually, get, quiet_options};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tapir_collector::flat::BatchReader;
use tapir_collector::ingest::IngestOptions;
use tapir_collector::metrics::{Family, Ledger, MetricKind, MetricPoint, MetricSource, MetricValue};
use tapir_collector::sink::{Address, CutOff, LossReason, StreamSink};
use tapir_collector::testing::Entry;
use tapir_collector::{
    Collector, CollectorError, CollectorOptions, FileOptions, Format, ListenerOptions, SinkOptions, Target,
};
use tapir_parsers::field::{Field, Kind, Status};
use tapir_parsers::l7::DECLARATIONS;
use tapir_parsers::record::flag;

fn file_sink(path: impl Into<std::path::PathBuf>, format: Format) -> SinkOptions {
    SinkOptions::new("file", format, Target::File(FileOptions::new(path)))
}

fn tcp_sink(format: Format) -> SinkOptions {
    let address = Address::Tcp("127.0.0.1:0".parse().unwrap());
    SinkOptions::new("tcp", format, Target::Listener(ListenerOptions::new(address)))
}

#[test]
fn every_record_of_every_ring_reaches_every_sink() {
    let folder = tempfile::tempdir().unwrap();
    let (json, flat) = (folder.path().join("a.json"), folder.path().join("b.fb"));
    let mut options = quiet_options();
    let mut second = file_sink(&flat, Format::FlatBuffers);
    second.name = "second".into();
    options.sinks = vec![file_sink(&json, Format::Json), second];
    let (mut lcores, rings): (Vec<_>, Vec<_>) = (0..3).map(|_| Lcore::new(100_000)).unzip();
    let collector = Collector::start(options, rings, Vec::new()).unwrap();
    let each = 500;
    for id in 0..each {
        for (index, lcore) in (0u64..).zip(&mut lcores) {
            lcore.make_waiting(&Entry::synthetic(id).with(|header| header.flow.flow_id = index << 32 | id));
        }
    }
    let report = collector.stop();
    assert_eq!(report.received, [each; 3]);
    for (_, counts) in &report.sinks {
        assert_eq!(
            (counts.offered, counts.delivered, counts.waiting),
            (3 * each, 3 * each, 0)
        );
        assert_eq!(counts.lost, [0; LossReason::ALL.len()]);
    }
    let mut ids: Vec<u64> = std::fs::read_to_string(&json)
        .unwrap()
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["flow_id"]
                .as_u64()
                .unwrap()
        })
        .collect();
    let mut reader = BatchReader::new(std::fs::File::open(&flat).unwrap());
    let mut others = Vec::new();
    while reader.next_batch(|session| others.push(session.flow_id)).unwrap() {}
    assert_eq!(ids, others);
    ids.sort_unstable();
    let want: Vec<u64> = (0..3u64)
        .flat_map(|index| (0..each).map(move |id| index << 32 | id))
        .collect();
    assert_eq!(ids, want);
}

#[test]
fn a_slow_subscriber_is_cut_off_while_another_gets_everything() {
    let mut options = quiet_options();
    let mut sink = tcp_sink(Format::Json);
    if let Target::Listener(listener) = &mut sink.target {
        listener.subscriber_queue_bytes = 1 << 20;
    }
    options.sinks = vec![sink];
    let (mut lcore, ring) = Lcore::new(1 << 20);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    let address = collector.sink_address("tcp").unwrap().clone();
    let slow = connect(&address);
    let quick = connect(&address);
    eventually(|| collector.report().sinks[0].1.subscribers == 2);

    let read = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&read);
    let reader = std::thread::spawn(move || {
        for _ in BufReader::new(quick).lines().map_while(Result::ok) {
            count.fetch_add(1, Relaxed);
        }
    });
    let mut made = 0;
    // Several times what the kernel buffers for a connection.
    while collector.report().sinks[0].1.cut_for(CutOff::Slow) == 0 {
        lcore.make_waiting(&Entry::default().text(Field::Resource, &[b'x'; 4000]));
        made += 1;
        assert!(made < 100_000, "nobody was cut off");
        // However busy the machine is, the quick one keeps up.
        eventually(|| made - read.load(Relaxed) < 100);
    }
    eventually(|| collector.report().sinks[0].1.subscribers == 1);
    for _ in 0..100 {
        lcore.make_waiting(&Entry::default());
        made += 1;
    }
    let counts = collector.stop().sinks[0].1.clone();
    reader.join().unwrap();
    assert_eq!(read.load(Relaxed), made);
    assert_eq!(
        (counts.delivered, counts.lost_for(LossReason::QueueFull)),
        (made, 0)
    );
    // The slow one can still read what the kernel holds, then meets the end.
    let mut rest = Vec::new();
    let mut slow = slow;
    let _ = slow.read_to_end(&mut rest);
    assert!((rest.len() as u64) < made * 4000);
}

#[test]
fn subscribers_of_a_unix_socket_read_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records.sock");
    // Left behind by a process that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut options = quiet_options();
    let listener = ListenerOptions::new(Address::Unix(path.clone()));
    options.sinks = vec![SinkOptions::new(
        "unix",
        Format::FlatBuffers,
        Target::Listener(listener),
    )];
    let (mut lcore, ring) = Lcore::new(1 << 20);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    lcore.make_waiting(&Entry::default());
    eventually(|| collector.report().sinks[0].1.lost_for(LossReason::NoSubscriber) == 1);

    let connection = connect(collector.sink_address("unix").unwrap());
    eventually(|| collector.report().sinks[0].1.subscribers == 1);
    for id in 0..500 {
        lcore.make_waiting(&Entry::default().with(|header| header.flow.flow_id = id));
    }
    let mut again = quiet_options();
    let second = ListenerOptions::new(Address::Unix(path.clone()));
    again.sinks = vec![SinkOptions::new("unix", Format::Json, Target::Listener(second))];
    let refused = Collector::start(again, Vec::new(), Vec::new())
        .err()
        .unwrap()
        .to_string();
    assert!(refused.contains("stop the process that has it"), "{refused}");
    let counts = collector.stop().sinks[0].1.clone();
    assert_eq!((counts.delivered, counts.offered), (500, 501));
    let mut reader = BatchReader::new(connection);
    let mut ids = Vec::new();
    while reader.next_batch(|session| ids.push(session.flow_id)).unwrap() {}
    assert_eq!(ids, (0..500).collect::<Vec<u64>>());
    assert!(!path.exists());
}

#[test]
fn a_reader_that_goes_away_ends_its_sink_quietly() {
    let (read, write) = std::io::pipe().unwrap();
    let mut options = quiet_options();
    let sink = Box::new(StreamSink::new(
        write,
        Format::Table {
            width: 120,
            processes: false,
        },
    ));
    options.sinks = vec![SinkOptions::new(
        "stdout",
        Format::Table {
            width: 120,
            processes: false,
        },
        Target::Custom(sink),
    )];
    let (mut lcore, ring) = Lcore::new(1 << 20);
    let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
    lcore.make_waiting(&Entry::default());
    let mut lines = BufReader::new(read).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("TIME (UTC)"));
    assert!(lines.next().unwrap().unwrap().contains("10.0.0.1:40000"));
    drop(lines);
    assert!(!collector.is_abandoned());
    lcore.make_waiting(&Entry::default());
    eventually(|| collector.is_abandoned());
    lcore.make_waiting(&Entry::default());
    let counts = collector.stop().sinks[0].1.clone();
    assert_eq!(
        (
            counts.offered,
            counts.delivered,
            counts.lost_for(LossReason::Closed)
        ),
        (3, 1, 2)
    );
}

/// An lcore's counters as the dataplane would tell them.
struct Counters {
    made: AtomicU64,
    ring_full: AtomicU64,
}

static PACKETS: Family = Family {
    name: "tapir_packets_received_total",
    kind: MetricKind::Counter,
    help: "Packets.",
    labels: &["port"],
};

impl MetricSource for Counters {
    fn collect(&self, out: &mut dyn FnMut(&MetricPoint<'_>)) {
        out(&MetricPoint {
            family: &PACKETS,
            labels: &["0000:01:00.0"],
            value: MetricValue::Count(123),
        });
    }

    fn account(&self, ledger: &mut Ledger) {
        ledger.packets_received += 123;
        ledger.add_packets("decoded", 120);
        ledger.add_packets("truncated", 3);
        ledger.records_made += self.made.load(Relaxed);
        ledger.add_records("ring_full", self.ring_full.load(Relaxed));
    }
}

#[test]
fn metrics_and_health_over_http() {
    let mut options = quiet_options();
    options.http = Some("127.0.0.1:0".parse().unwrap());
    options.sinks = vec![tcp_sink(Format::Json)];
    let for_sidecars = Address::Tcp("127.0.0.1:0".parse().unwrap());
    options.sidecars = vec![IngestOptions::new(for_sidecars, None)];
    let (mut lcore, ring) = Lcore::new(1 << 20);
    let counters = Arc::new(Counters {
        made: AtomicU64::new(12),
        ring_full: AtomicU64::new(2),
    });
    let source: Arc<dyn MetricSource> = Arc::clone(&counters) as _;
    let collector = Collector::start(options, vec![ring], vec![source]).unwrap();
    let address = collector.http_address().unwrap();
    for rrt_ns in [40_000, 60_000, 20_000_000_000, 90_000_000_000] {
        lcore.make_waiting(&Entry::default().with(|header| {
            (header.protocol, header.kind, header.status) = (0, Kind::Matched as u8, Status::Ok as u8);
            header.flags = flag::RRT | flag::REQUEST;
            (header.rrt_ns, header.request_len) = (rrt_ns, 100);
        }));
    }
    for _ in 0..6 {
        lcore.make_waiting(&Entry::default().with(|header| {
            (header.kind, header.status) = (Kind::NoResponse as u8, Status::Timeout as u8);
        }));
    }
    eventually(|| collector.report().received == [10]);

    let (head, body) = get(address, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(
        head.starts_with("HTTP/1.1 200 OK") && head.contains("version=0.0.4"),
        "{head}"
    );
    let values = common::parse_exposition(&body);
    let proto = DECLARATIONS[0].name;
    let value = |name: &str| *values.get(name).unwrap_or_else(|| panic!("no {name} in {body}"));
    let equal = |name: &str, want: f64| assert!((value(name) - want).abs() < 1e-9, "{name}: {}", value(name));
    equal(
        &format!("tapir_records_total{{proto=\"{proto}\",kind=\"matched\",status=\"ok\"}}"),
        4.0,
    );
    equal(
        &format!("tapir_records_total{{proto=\"{proto}\",kind=\"no_response\",status=\"timeout\"}}"),
        6.0,
    );
    let bucket =
        |le| format!("tapir_response_time_seconds_bucket{{proto=\"{proto}\",status=\"ok\",le=\"{le}\"}}");
    equal(&bucket("0.000025"), 0.0);
    equal(&bucket("0.00005"), 1.0);
    equal(&bucket("0.0001"), 2.0);
    equal(&bucket("30"), 3.0);
    equal(&bucket("+Inf"), 4.0);
    equal(
        &format!("tapir_response_time_seconds_sum{{proto=\"{proto}\",status=\"ok\"}}"),
        110.0001,
    );
    equal(&format!("tapir_request_bytes_total{{proto=\"{proto}\"}}"), 400.0);
    equal("tapir_collector_records_received_total{ring=\"0\"}", 10.0);
    equal("tapir_packets_received_total{port=\"0000:01:00.0\"}", 123.0);
    equal(
        "tapir_sink_records_lost_total{sink=\"tcp\",reason=\"no_subscriber\"}",
        10.0,
    );
    for family in tapir_collector::metrics::FAMILIES {
        let seen = body.contains(&format!("# TYPE {} {}", family.name, family.kind.name()));
        let only_when_counted = ["response_bytes", "gap_bytes", "truncated"]
            .iter()
            .any(|part| family.name.contains(part));
        assert!(seen || only_when_counted, "{} is missing", family.name);
    }

    let (_, body) = get(address, "GET /healthz HTTP/1.1\r\n\r\n");
    let health: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(health["balanced"], true, "{body}");
    assert_eq!(health["records"]["parts"]["received"], 10);
    assert_eq!(health["packets"]["parts"]["truncated"], 3);
    assert_eq!(health["sinks"]["tcp"]["balanced"], true);
    counters.made.store(13, Relaxed);
    let health = collector.health();
    assert_eq!(
        (&health["balanced"], &health["records"]["difference"]),
        (&false.into(), &1.into())
    );
    collector.stop();
}

#[test]
fn http_requests_of_any_kind_get_an_answer_or_the_end() {
    let mut options = quiet_options();
    options.http = Some("127.0.0.1:0".parse().unwrap());
    let collector = Collector::start(options, Vec::new(), Vec::new()).unwrap();
    let address = collector.http_address().unwrap();
    let status = |request: &str| {
        get(address, request)
            .0
            .split_whitespace()
            .nth(1)
            .unwrap_or("none")
            .to_owned()
    };
    assert_eq!(status("GET / HTTP/1.0\r\n\r\n"), "200");
    assert_eq!(status("GET /nothing HTTP/1.1\r\n\r\n"), "404");
    assert_eq!(status("POST /metrics HTTP/1.1\r\n\r\n"), "405");
    assert_eq!(status("SSH-2.0-x\r\n\r\n"), "400");
    assert_eq!(
        status(&format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(20_000))),
        "431"
    );
    let (head, body) = get(address, "HEAD /metrics HTTP/1.1\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty());
    // Clients that say nothing keep nobody waiting for long.
    let silent: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    eventually(|| status("GET /healthz HTTP/1.1\r\n\r\n") == "503");
    drop(silent);
    eventually(|| status("GET /healthz HTTP/1.1\r\n\r\n") == "200");
    collector.stop();
}

#[test]
fn what_cannot_be_had_is_said_in_one_line_with_what_to_do() {
    let start = |change: &dyn Fn(&mut CollectorOptions)| {
        let mut options = quiet_options();
        change(&mut options);
        let error: CollectorError = Collector::start(options, Vec::new(), Vec::new())
            .err()
            .expect("an error");
        let said = error.to_string();
        assert!(!said.contains('\n'), "{said}");
        said
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let said = start(&|options| options.http = Some(address));
    assert!(
        said.contains(&address.to_string()) && said.contains("choose another"),
        "{said}"
    );
    let said = start(&|options| options.sinks = vec![file_sink("/nonexistent/a.json", Format::Json)]);
    assert!(
        said.contains("/nonexistent/a.json") && said.contains("create the folder first"),
        "{said}"
    );
    let said = start(&|options| options.sinks = vec![tcp_sink(Format::Json), tcp_sink(Format::Json)]);
    assert!(said.contains("`tcp`"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let mut options = quiet_options();
    options.sinks = vec![file_sink(&path, Format::Json)];
    let (mut lcore, ring) = Lcore::new(4096);
    let first = Collector::start(options, vec![ring], Vec::new()).unwrap();
    lcore.make_waiting(&Entry::default());
    eventually(|| first.report().sinks[0].1.delivered == 1);
    let said = start(&|options| options.sinks = vec![file_sink(&path, Format::Json)]);
    assert!(said.contains("another process writes to it"), "{said}");
    first.stop();
}
