//! The kernel's first look at payload against the engine's own: of all first payloads of real peers, and of some that no
//! protocol begins with, exactly those are told of that user space would look at.

use crate::host::{backend, folder, skipped};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tapir_parsers::inference::Candidates;
use tapir_parsers::l7::Protocol;
use tapir_parsers::parser::Transports;
use tapir_parsers::wire::{DecodeOptions, Decoded, L4, LinkType, decode};
use tapir_sidecar::event::{Event, What};
use tapir_sidecar::kernel::{Filters, Kernel, KernelOptions};

/// Bytes of a payload that are sent: heads, far beyond the four that decide.
const HEAD_BYTES: usize = 64;

/// Says a byte for each connection that it has read to the end of what came at first.
const SINK: &str = "
import socket
s = socket.create_server(('127.0.0.1', 0))
print(s.getsockname()[1], flush=True)
while True:
    c, _ = s.accept()
    c.recv(4096)
    c.close()
";

/// Takes datagrams at a port, and says a byte for each.
const DATAGRAM_SINK: &str = "
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('127.0.0.1', int(sys.argv[1])))
print(s.getsockname()[1], flush=True)
while True:
    _, other = s.recvfrom(4096)
    s.sendto(b'.', other)
";

/// The frames of a capture file (draft-ietf-opsawg-pcap), which are Ethernet in all of ours.
fn frames(capture: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut frames) = (&capture[24..], Vec::new());
    while let Some((head, after)) = rest.split_at_checked(16) {
        let len = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        frames.push(&after[..len]);
        rest = &after[len..];
    }
    frames
}

/// The first payload of each direction of each TCP connection in the captures of real peers, and of each datagram.
fn first_payloads() -> BTreeSet<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../parsers/tests/captures");
    let mut payloads = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "pcap") {
            continue;
        }
        let capture = std::fs::read(&path).unwrap();
        let mut seen = HashSet::new();
        for frame in frames(&capture) {
            let decoded = decode(LinkType::Ethernet, frame, frame.len(), &DecodeOptions::default());
            let Ok(Decoded::Packet(packet)) = decoded else {
                continue;
            };
            let ends = (packet.src_port, packet.dst_port);
            let is_first = packet.payload_len > 0 && seen.insert(ends);
            if packet.l4 == L4::Icmp || !is_first {
                continue;
            }
            let at = packet.payload_offset as usize;
            let len = (packet.payload_len as usize).min(HEAD_BYTES);
            payloads.insert(frame[at..at + len].to_vec());
        }
    }
    payloads
}

struct Sink(Child, u16);

impl Sink {
    fn start(script: &str, port: u16) -> Self {
        let mut child = Command::new("python3")
            .args(["-c", script, &port.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self(child, line.trim().parse().unwrap())
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What is said to a kernel that watches one port: the first payloads of real peers, short ones, and bytes without a
/// meaning (a generator of Lehmer's).
fn payloads() -> BTreeSet<Vec<u8>> {
    let mut payloads = first_payloads();
    assert!(payloads.len() > 100, "{}", payloads.len());
    payloads.extend((0..=255u8).map(|byte| vec![byte]));
    let mut state = 48_271u64;
    for _ in 0..500 {
        state = state * 48_271 % 0x7FFF_FFFF;
        payloads.insert(state.to_be_bytes()[4..].to_vec());
    }
    payloads
}

/// Says payloads by `say` to `port`: those must be told of, and no others, that user space would look at by `table` where
/// no port tells of a protocol.
fn exactly_those_are_told_of(
    port: u16,
    (table, transport): (&Candidates, Transports),
    mut say: impl FnMut(&[u8]),
) {
    let payloads = payloads();
    let is_wanted = |payload: &&Vec<u8>| table.of(payload, transport, 0) != 0;
    let wanted: BTreeSet<Vec<u8>> = payloads.iter().filter(is_wanted).cloned().collect();
    assert!(
        wanted.len() > 50 && wanted.len() < payloads.len(),
        "{}",
        wanted.len()
    );
    let options = KernelOptions {
        backend: backend(),
        filters: Filters {
            ports: vec![port],
            ..Filters::default()
        },
        ..KernelOptions::default()
    };
    let kernel = match Kernel::start(&options, table) {
        Ok(kernel) => kernel,
        Err(error) => return skipped(&error.to_string()),
    };
    let told = RefCell::new(BTreeSet::new());
    let events = kernel
        .events(|bytes| {
            let bytes = match Event::read(bytes).map(|event| event.what) {
                Some(What::Data(data)) => data.bytes,
                Some(What::Datagram(datagram)) => datagram.bytes,
                _ => return,
            };
            told.borrow_mut().insert(bytes.to_vec());
        })
        .unwrap();
    for payload in &payloads {
        say(payload);
        events.drain(usize::MAX >> 33).unwrap();
    }
    let begin = Instant::now();
    while told.borrow().len() < wanted.len() && begin.elapsed() < Duration::from_secs(2) {
        events.drain(usize::MAX >> 33).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(*told.borrow(), wanted);
}

#[test]
fn the_kernel_tells_of_what_user_space_would_look_at() {
    let Some(_folder) = folder(&["python3"]) else {
        return;
    };
    // A message of DNS may begin with anything.
    let dns = Protocol::from_name("dns").unwrap();
    let table = Candidates::new(!(1 << dns as u8));
    let sink = Sink::start(SINK, 0);
    exactly_those_are_told_of(sink.1, (&table, Transports::TCP), |payload| {
        let mut client = TcpStream::connect(("127.0.0.1", sink.1)).unwrap();
        client.write_all(payload).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let _ = client.read(&mut [0; 1]);
    });
}

/// A datagram's ports tell more: those of no protocol leave the fewest.
#[test]
fn the_kernel_tells_of_datagrams_that_user_space_would_look_at() {
    let Some(_folder) = folder(&["python3"]) else {
        return;
    };
    let table = Candidates::new(!0);
    let is_nobodys = |socket: &UdpSocket| table.on_ports([socket.local_addr().unwrap().port(), 0]) == 0;
    let of_nobody = || {
        let sockets = std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap());
        sockets.take(100).find(is_nobodys).unwrap()
    };
    let port = of_nobody().local_addr().unwrap().port();
    let sink = Sink::start(DATAGRAM_SINK, port);
    let socket = of_nobody();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    exactly_those_are_told_of(sink.1, (&table, Transports::UDP), |payload| {
        socket.send_to(payload, ("127.0.0.1", sink.1)).unwrap();
        // Its answer is among what is said anyway.
        socket.recv(&mut [0; 8]).unwrap();
    });
}
