//! What events cost in user space: `events [redis|http] [ROUNDS]` makes records of one exchange on each of 50 connections
//! in every round, from the bytes that the kernel's ring would hold, and prints ns for each. Under callgrind the
//! difference of two numbers of rounds gives instructions (docs/performance.md).

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tapir_parsers::engine::Engine;
use tapir_parsers::ring::{RingSink, WhenFull};
use tapir_parsers::settings::Settings;
use tapir_sidecar::event::Event;
use tapir_sidecar::sink::ProcessSink;
use tapir_sidecar::streams::Streams;

const CONNECTIONS: u64 = 50;

/// What is said: the port of who answers, a request and its response.
type Talk = (u16, &'static [u8], &'static [u8]);

const REDIS: Talk = (
    6379,
    b"*2\r\n$3\r\nGET\r\n$16\r\nkey:__rand_int__\r\n",
    b"$3\r\nxxx\r\n",
);
const HTTP: Talk = (
    80,
    b"GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: wrk\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 21 Nov 2025 18:00:00 GMT\r\n\
    Content-Type: text/plain\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
);

/// `struct event_open` of bpf/events.h, of the server's end of connection `n`.
fn open(n: u64, port: u16) -> Vec<u8> {
    let who = |pid: u32| {
        let ids = [
            &0u64.to_ne_bytes()[..],
            &1u64.to_ne_bytes(),
            &pid.to_ne_bytes(),
            &[0; 4],
        ]
        .concat();
        [ids, b"redis-server\0\0\0\0".to_vec()].concat()
    };
    let ip = [&[127, 0, 0, 1][..], &[0; 12]].concat();
    let own = std::process::id();
    [
        &[1, 2, 0, 4, 0, 0, 0, 0][..],
        &(1 + n).to_ne_bytes(),
        &1u64.to_ne_bytes(),
        &who(own),
        &who(own),
        &ip,
        &ip,
        &port.to_ne_bytes(),
        &(30_000 + n as u16).to_ne_bytes(),
        &[0; 16],
        &[1, 0, 0, 0],
    ]
    .concat()
}

/// `struct event_data` with its bytes: sent (0) or received (1).
fn write_data(to: &mut Vec<u8>, n: u64, way: u8, time_ns: u64, seqs: [u32; 2], bytes: &[u8]) {
    to.clear();
    to.extend_from_slice(&[2, way, 0, 0, 0, 0, 0, 0]);
    for number in [1 + n, time_ns, time_ns - 1000] {
        to.extend_from_slice(&number.to_ne_bytes());
    }
    let len = bytes.len() as u32;
    for number in [seqs[usize::from(way)], seqs[usize::from(1 - way)], len, len] {
        to.extend_from_slice(&number.to_ne_bytes());
    }
    to.extend_from_slice(bytes);
}

fn main() -> Result<(), Box<dyn Error>> {
    let kind = std::env::args().nth(1).unwrap_or_else(|| "redis".into());
    let rounds: u32 = std::env::args().nth(2).map_or(Ok(20_000), |text| text.parse())?;
    let (port, request, response) = if kind == "http" { HTTP } else { REDIS };
    let (ring, mut records) = RingSink::new(1 << 20, WhenFull::Drop);
    let engine = Engine::new(Settings::default(), |_| true);
    let mut streams = Streams::new(
        engine,
        ProcessSink::new(ring, Arc::default(), Path::new("/")),
        None,
    );
    let mut take = |bytes: &[u8]| {
        let event = Event::read(bytes).ok_or("no event")?;
        streams.event(&event, event.time_ns);
        Ok::<(), &str>(())
    };
    for n in 0..CONNECTIONS {
        take(&open(n, port))?;
    }
    let (mut seqs, mut event) = ([0u32; 2], Vec::new());
    let began = Instant::now();
    for round in 0..u64::from(rounds) {
        let now_ns = 1_000_000_000 + 1_000_000 * round;
        for n in 0..CONNECTIONS {
            write_data(&mut event, n, 1, now_ns, seqs, request);
            take(&event)?;
        }
        seqs[1] = seqs[1].wrapping_add(request.len() as u32);
        for n in 0..CONNECTIONS {
            write_data(&mut event, n, 0, now_ns + 50_000, seqs, response);
            take(&event)?;
        }
        seqs[0] = seqs[0].wrapping_add(response.len() as u32);
        let waiting = records.slots();
        records.read_chunk(waiting)?.commit_all();
    }
    let (sent, _) = streams.sink().counts();
    let ns = began.elapsed().as_nanos() as f64 / sent as f64;
    println!("{kind}: {sent} records, {ns:.0} ns a record");
    Ok(())
}
