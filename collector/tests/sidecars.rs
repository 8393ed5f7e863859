//! Sidecars' records in: over Unix sockets and mutual TLS, from senders of all kinds.

#![allow(clippy::unwrap_used)] // A test that fails panics.

mod common;

use common::{Lcore, eventually, quiet_options};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tapir_collector::flat::BatchEncoder;
use tapir_collector::ingest::{IngestEnd, IngestOptions};
use tapir_collector::join::JoinOptions;
use tapir_collector::session::Session;
use tapir_collector::sink::{Address, LossReason, Remote};
use tapir_collector::testing::Entry;
use tapir_collector::text::TextLimits;
use tapir_collector::tls::TlsFiles;
use tapir_collector::{
    Collector, CollectorHandle, CollectorReport, ConnectorOptions, FileOptions, Format, SinkOptions, Target,
};
use tapir_parsers::field::{Kind, Source};
use tapir_parsers::host::{HostFacts, Process};
use tapir_parsers::l7::Protocol;
use tapir_parsers::record::{RecordView, flag};

/// Exchange `number`, on the wire or as the server's host tells it.
fn exchange(number: u32, source: Source) -> Entry {
    let entry = Entry::default().with(|header| {
        header.protocol = Protocol::Redis as u8;
        header.kind = Kind::Matched as u8;
        header.flow.source = source as u8;
        header.flags = flag::REQUEST | flag::RESPONSE | flag::REQUEST_SEQ | flag::RESPONSE_SEQ;
        (header.request_seq, header.response_seq) = (1000 * number, 70 * number);
        header.request_len = u64::from(number);
    });
    match source {
        Source::Wire => entry,
        Source::Host => entry.host(&HostFacts {
            process: Some(Process {
                pid: 6379,
                comm: "redis-server",
                ..Process::default()
            }),
            ..HostFacts::default()
        }),
    }
}

/// A collector that takes records of sidecars, and writes what becomes of them into a file.
struct Central {
    collector: CollectorHandle,
    wire: Lcore,
    file: PathBuf,
}

impl Central {
    fn start(folder: &Path, listener: IngestOptions, wait: Duration) -> Self {
        let file = folder.join("records.json");
        let mut options = quiet_options();
        options.sinks = vec![SinkOptions::new(
            "file",
            Format::Json,
            Target::File(FileOptions::new(&file)),
        )];
        options.sidecars = vec![listener];
        options.join = JoinOptions {
            wait,
            ..JoinOptions::default()
        };
        let (wire, ring) = Lcore::new(1 << 20);
        let collector = Collector::start(options, vec![ring], Vec::new()).unwrap();
        Self {
            collector,
            wire,
            file,
        }
    }

    fn address(&self) -> Address {
        self.collector.sidecar_addresses()[0].clone()
    }

    /// Records of sidecars so far.
    fn received(&self) -> u64 {
        self.collector.report().sidecars[0].1.records
    }

    fn stop(self) -> (CollectorReport, Vec<Value>) {
        let health = self.collector.health();
        assert_eq!(health["join"]["balanced"], true, "{health}");
        let report = self.collector.stop();
        let join = report.join;
        assert_eq!(join.waiting, 0);
        assert_eq!(
            join.entered_wire + join.entered_host,
            join.alone_wire + join.alone_host + join.merged
        );
        assert_eq!(join.entered_host, report.sidecars[0].1.records);
        let text = fs::read_to_string(&self.file).unwrap();
        let records = text.lines().map(|line| serde_json::from_str(line).unwrap());
        (report, records.collect())
    }
}

/// A collector as a sidecar has it: its ring, and a sink that connects.
fn sidecar(remote: Remote, tls: Option<TlsFiles>) -> (CollectorHandle, Lcore) {
    let mut options = quiet_options();
    let connector = ConnectorOptions { remote, tls };
    let mut sink = SinkOptions::new("central", Format::FlatBuffers, Target::Collector(connector));
    sink.retry_for = Duration::from_secs(20);
    options.sinks = vec![sink];
    options.stop_timeout = Duration::from_secs(20);
    let (ring, consumer) = Lcore::new(1 << 20);
    (
        Collector::start(options, vec![consumer], Vec::new()).unwrap(),
        ring,
    )
}

fn unix(folder: &Path) -> (IngestOptions, Remote) {
    let path = folder.join("sidecars.sock");
    (
        IngestOptions::new(Address::Unix(path.clone()), None),
        Remote::Unix(path),
    )
}

/// A batch of host records.
fn batch(numbers: std::ops::Range<u32>) -> Vec<u8> {
    let mut encoder = BatchEncoder::new();
    for number in numbers {
        let entry = exchange(number, Source::Host).bytes();
        encoder.push(&Session::new(
            &RecordView::new(&entry).unwrap(),
            TextLimits::default(),
        ));
    }
    encoder.finish(<[u8]>::to_vec).unwrap()
}

#[test]
fn an_exchange_seen_by_two_is_one_record() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, remote) = unix(folder.path());
    let mut central = Central::start(folder.path(), listener, Duration::from_secs(60));
    let (sidecar, mut host) = sidecar(remote, None);
    // The wire has seen 0 to 299, the host 100 to 399.
    for number in 0..300 {
        central.wire.make_waiting(&exchange(number, Source::Wire));
    }
    for number in 100..400 {
        host.make_waiting(&exchange(number, Source::Host));
    }
    eventually(|| central.received() == 300);
    let sent = sidecar.stop();
    assert_eq!(sent.sinks[0].1.delivered, 300);
    eventually(|| central.collector.report().join.entered_wire == 300);
    let (report, records) = central.stop();
    assert_eq!(records.len(), 400);
    for record in &records {
        let number = record["req_len"].as_u64().unwrap();
        let (wire, host) = (number < 300, number >= 100);
        assert_eq!(record["source"], if wire { "wire" } else { "host" });
        assert_eq!(
            record["process"]["pid"].as_u64(),
            host.then_some(6379),
            "{record}"
        );
        assert_eq!(record["joined"].as_str(), (wire && host).then_some("seq"));
    }
    assert_eq!(report.join.joined, [200, 0]);
    let ended = report.sidecars[0].1.ended;
    assert_eq!(ended[IngestEnd::Left as usize], 1);
}

#[test]
fn a_sidecar_outlives_its_collector_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, remote) = unix(folder.path());
    let (sidecar, mut host) = sidecar(remote, None);
    // Nobody listens yet.
    host.make_waiting(&exchange(1, Source::Host));
    std::thread::sleep(Duration::from_millis(50));
    let mut taken = 0;
    for round in 0..3u32 {
        let central = Central::start(folder.path(), listener.clone(), Duration::from_millis(20));
        for number in 0..50 {
            host.make_waiting(&exchange(2 + 50 * round + number, Source::Host));
        }
        eventually(|| central.received() > 0 || round > 0 && central.received() > 10);
        let (report, records) = central.stop();
        assert_eq!(records.len() as u64, report.join.entered_host);
        fs::rename(
            folder.path().join("records.json"),
            folder.path().join(format!("{round}")),
        )
        .ok();
        taken += records.len();
    }
    let central = Central::start(folder.path(), listener, Duration::from_millis(20));
    let counts = sidecar.stop().sinks[0].1.clone();
    assert_eq!(
        (counts.offered, counts.delivered, counts.lost),
        (151, 151, [0; LossReason::ALL.len()])
    );
    taken += central.stop().1.len();
    // One whose answer was lost comes twice; none is lost.
    assert!(taken >= 151, "{taken}");
}

#[test]
fn who_sends_something_else_is_cut_off_and_the_others_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (listener, _) = unix(folder.path());
    let central = Central::start(folder.path(), listener, Duration::from_millis(10));
    let Address::Unix(path) = central.address() else {
        panic!()
    };
    let connect = || {
        let stream = UnixStream::connect(&path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    };
    let mut good = connect();
    let mut say = |numbers: std::ops::Range<u32>| {
        good.write_all(&batch(numbers)).unwrap();
        let mut answer = [0];
        good.read_exact(&mut answer).unwrap();
    };
    say(0..10);
    let mut broken = batch(0..10);
    let middle = broken.len() / 2;
    broken[middle..].fill(0xFF);
    let half = batch(0..10)[..100].to_vec();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &broken, &[0; 64], &half] {
        let mut bad = connect();
        bad.write_all(bytes).unwrap();
        bad.shutdown(std::net::Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = bad.read_to_end(&mut rest);
        assert_eq!(rest, b"");
    }
    // One that begins a batch and sleeps is no reason for anybody to wait.
    let mut sleeper = connect();
    sleeper.write_all(&half).unwrap();
    say(10..20);
    drop(good);
    let ended = |end: IngestEnd| central.collector.report().sidecars[0].1.ended[end as usize];
    eventually(|| ended(IngestEnd::Broken) == 4 && ended(IngestEnd::Left) == 1);
    eventually(|| ended(IngestEnd::Slow) == 1);
    let (report, records) = central.stop();
    assert_eq!((records.len(), report.sidecars[0].1.records), (20, 20));
}

#[test]
fn there_are_as_many_sidecars_as_were_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut listener, _) = unix(folder.path());
    listener.sidecars_max = 2;
    let central = Central::start(folder.path(), listener, Duration::from_millis(10));
    let Address::Unix(path) = central.address() else {
        panic!()
    };
    let connected: Vec<_> = (0..3).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let refused = || central.collector.report().sidecars[0].1.ended[IngestEnd::Refused as usize];
    eventually(|| refused() == 1);
    drop(connected);
    central.stop();
}

/// An authority, and certificates that it has signed, in files.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    name: &'static str,
}

impl Authority {
    fn new(folder: &Path, name: &'static str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        fs::write(folder.join(format!("{name}.pem")), issuer.pem()).unwrap();
        let folder = folder.to_owned();
        Self { issuer, folder, name }
    }

    /// Files of `owner`, who trusts `other`.
    fn files(&self, owner: &str, other: &Self) -> TlsFiles {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        let file = |what: &str| self.folder.join(format!("{owner}-{what}.pem"));
        fs::write(file("certificate"), signed.pem()).unwrap();
        fs::write(file("key"), key.serialize_pem()).unwrap();
        TlsFiles {
            certificate: file("certificate"),
            key: file("key"),
            ca: self.folder.join(format!("{}.pem", other.name)),
        }
    }
}

#[test]
fn over_tcp_either_side_shows_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (house, stranger) = (
        Authority::new(folder.path(), "house"),
        Authority::new(folder.path(), "stranger"),
    );
    let listener = IngestOptions::new(
        Address::Tcp("127.0.0.1:0".parse().unwrap()),
        Some(house.files("central", &house)),
    );
    let mut central = Central::start(folder.path(), listener, Duration::from_secs(60));
    let Address::Tcp(address) = central.address() else {
        panic!()
    };
    let remote = Remote::Tcp("localhost".into(), address.port());
    central.wire.make_waiting(&exchange(1, Source::Wire));
    let (known, mut host) = sidecar(remote.clone(), Some(house.files("known", &house)));
    host.make_waiting(&exchange(1, Source::Host));
    eventually(|| central.received() == 1);
    assert_eq!(known.stop().sinks[0].1.delivered, 1);
    // Of another authority: refused. Who trusts another one: it refuses. Without TLS: cut off.
    for tls in [
        Some(stranger.files("stranger", &house)),
        Some(house.files("doubter", &stranger)),
        None,
    ] {
        let mut options = quiet_options();
        let connector = ConnectorOptions {
            remote: remote.clone(),
            tls,
        };
        let mut sink = SinkOptions::new("central", Format::FlatBuffers, Target::Collector(connector));
        sink.retry_for = Duration::from_millis(1);
        options.sinks = vec![sink];
        let (mut ring, consumer) = Lcore::new(1 << 20);
        let refused = Collector::start(options, vec![consumer], Vec::new()).unwrap();
        ring.make_waiting(&exchange(2, Source::Host));
        eventually(|| refused.report().sinks[0].1.lost_for(LossReason::IoError) == 1);
        refused.stop();
    }
    let ended = |end: IngestEnd| central.collector.report().sidecars[0].1.ended[end as usize];
    eventually(|| ended(IngestEnd::Tls) == 3);
    assert_eq!(central.received(), 1);
    eventually(|| central.collector.report().join.entered_wire == 1);
    let (report, records) = central.stop();
    assert_eq!((records.len(), report.join.joined), (1, [1, 0]));
}

#[test]
fn what_is_wrong_with_a_file_of_tls_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let house = Authority::new(folder.path(), "house");
    let (first, second) = (house.files("first", &house), house.files("second", &house));
    let told = |files: TlsFiles| {
        let listener = IngestOptions::new(Address::Tcp("127.0.0.1:0".parse().unwrap()), Some(files));
        let mut options = quiet_options();
        options.sidecars = vec![listener];
        match Collector::start(options, Vec::new(), Vec::new()) {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        }
    };
    let missing = TlsFiles {
        ca: folder.path().join("none.pem"),
        ..first.clone()
    };
    assert!(told(missing).contains("none.pem"));
    let no_key = TlsFiles {
        key: first.certificate.clone(),
        ..first.clone()
    };
    assert!(told(no_key).contains("it must hold one private key"));
    let other_key = TlsFiles {
        key: second.key,
        ..first.clone()
    };
    assert!(told(other_key).contains("it must be the certificate's own"));
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let empty = TlsFiles {
        ca: folder.path().join("empty.pem"),
        ..first
    };
    assert!(told(empty).contains("there is no certificate in it"));
}
