//! What the kernel's programs add to system calls that are of no interest to them.
//!
//! `cargo run --release -p tapir-sidecar --example syscalls -- target/release/tapir-sidecar [ROUNDS]`, as root. Each round
//! measures without a sidecar, with one that watches everything, and with one whose filters let nothing here pass. Of
//! every case the fastest of many pieces counts: whatever else the machine does can only make them slower.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // A program to measure with.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Calls that are timed together, and how often.
const PIECE: u32 = 400;
const PIECES: u32 = 500;

/// Begins no protocol.
const BYTES: [u8; 16] = [0xfe; 16];

/// A way to make system calls: says how many one turn takes.
type Case = (&'static str, u32, fn() -> Box<dyn FnMut()>);

const CASES: [Case; 6] = [
    ("write to /dev/null", 1, || {
        let mut null = OpenOptions::new().write(true).open("/dev/null").unwrap();
        Box::new(move || null.write_all(&BYTES).unwrap())
    }),
    ("read from /dev/zero", 1, || {
        let mut zero = File::open("/dev/zero").unwrap();
        Box::new(move || zero.read_exact(&mut [0; BYTES.len()]).unwrap())
    }),
    ("write to and read from a pipe", 2, || {
        let (mut from, mut to) = std::io::pipe().unwrap();
        Box::new(move || there(&mut to, &mut from))
    }),
    ("the same by a pair of Unix sockets", 2, || {
        let (mut from, mut to) = UnixStream::pair().unwrap();
        Box::new(move || there(&mut to, &mut from))
    }),
    ("the same by TCP on loopback", 2, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut to = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut from = listener.accept().unwrap().0;
        to.set_nodelay(true).unwrap();
        // Both ways, until nobody looks at what is said any more: user space has its say between.
        for _ in 0..40 {
            there(&mut to, &mut from);
            there(&mut from, &mut to);
            std::thread::sleep(Duration::from_millis(10));
        }
        Box::new(move || there(&mut to, &mut from))
    }),
    ("the same by UDP on loopback", 2, || {
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let to = UdpSocket::bind("127.0.0.1:0").unwrap();
        to.connect(from.local_addr().unwrap()).unwrap();
        from.connect(to.local_addr().unwrap()).unwrap();
        Box::new(move || {
            to.send(&BYTES).unwrap();
            from.recv(&mut [0; BYTES.len()]).unwrap();
        })
    }),
];

fn there(to: &mut impl Write, from: &mut impl Read) {
    to.write_all(&BYTES).unwrap();
    from.read_exact(&mut [0; BYTES.len()]).unwrap();
}

/// ns a call of the fastest piece.
fn measure((_, calls, make): &Case) -> f64 {
    let mut turn = make();
    let pieces = (0..PIECES).map(|_| {
        let begin = Instant::now();
        (0..PIECE / calls).for_each(|_| turn());
        begin.elapsed().as_nanos() as f64 / f64::from(PIECE)
    });
    pieces.fold(f64::INFINITY, f64::min)
}

/// A sidecar that writes nothing, until dropped.
struct Sidecar(Child);

impl Sidecar {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(["--format", "none"]).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let watches = lines.any(|line| line.unwrap().contains("watching sockets"));
        assert!(watches, "{program} does not run; {program} doctor tells why");
        // What it says otherwise must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let program = arguments
        .next()
        .unwrap_or_else(|| "target/release/tapir-sidecar".to_owned());
    let rounds = arguments.next().map_or(5, |rounds| rounds.parse().unwrap());
    let kinds: [Option<&[&str]>; 3] = [None, Some(&[]), Some(&["--pid", "1", "--port", "1"])];
    let mut best = [[f64::INFINITY; 3]; CASES.len()];
    for _ in 0..rounds {
        for (kind, arguments) in kinds.iter().enumerate() {
            let _sidecar = arguments.map(|arguments| Sidecar::start(&program, arguments));
            for (case, best) in CASES.iter().zip(&mut best) {
                best[kind] = best[kind].min(measure(case));
            }
        }
    }
    println!(
        "{:36} {:>9} {:>9} {:>9}",
        "ns a call", "without", "with", "filtered"
    );
    for ((name, ..), [without, with, filtered]) in CASES.iter().zip(best) {
        println!(
            "{name:36} {without:9.0} {:+9.0} {:+9.0}",
            with - without,
            filtered - without
        );
    }
}
