//! What the collector's tests have in common.

#![allow(dead_code, clippy::unwrap_used)] // Not every test uses all of it; one that fails panics.

use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use tapir_collector::CollectorOptions;
use tapir_collector::sink::Address;
use tapir_collector::testing::Entry;

/// The writing end of a ring.
pub(crate) struct Lcore(Producer<u8>);

impl Lcore {
    pub(crate) fn new(ring_bytes: usize) -> (Self, Consumer<u8>) {
        let (producer, consumer) = RingBuffer::new(ring_bytes);
        (Self(producer), consumer)
    }

    /// Commits an entry whole; false when there is no room.
    pub(crate) fn make(&mut self, entry: &Entry) -> bool {
        let bytes = entry.bytes();
        assert!(
            bytes.len() <= self.0.buffer().capacity(),
            "an entry of {} bytes",
            bytes.len()
        );
        match self.0.write_chunk_uninit(bytes.len()) {
            Ok(chunk) => chunk.fill_from_iter(bytes) > 0,
            Err(_) => false,
        }
    }

    /// Waits for room, as no lcore would.
    pub(crate) fn make_waiting(&mut self, entry: &Entry) {
        eventually(|| self.make(entry));
    }
}

/// Options under which tests don't wait long.
pub(crate) fn quiet_options() -> CollectorOptions {
    CollectorOptions {
        batch_interval: Duration::from_millis(5),
        ..CollectorOptions::default()
    }
}

/// Waits until `condition` holds; fails after a while.
pub(crate) fn eventually(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never happened");
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub(crate) fn connect(address: &Address) -> Box<dyn Read + Send> {
    match address {
        Address::Unix(path) => Box::new(UnixStream::connect(path).unwrap()),
        Address::Tcp(address) => Box::new(TcpStream::connect(address).unwrap()),
    }
}

/// Sends a request; head and body of the answer, empty when the connection just ended.
pub(crate) fn get(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

/// Reads the text format of Prometheus strictly: HELP and TYPE once and before a family's points, points
/// of a family together, every name with its family's.
pub(crate) fn parse_exposition(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let mut family = String::new();
    let mut seen = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && !seen.contains(&name), "{line}");
            seen.push(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(seen.last(), Some(&name));
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            family = name.to_owned();
        } else {
            let (point, value) = line.rsplit_once(' ').unwrap();
            assert!(point.starts_with(&family), "{line} in {family}");
            assert_eq!(
                values.insert(point.to_owned(), value.parse().unwrap()),
                None,
                "{line}"
            );
        }
    }
    values
}
