//! Writes captures for benchmarks: seeded, so that everybody measures the same bytes.
#![forbid(unsafe_code)]

mod dice;
mod frame;
mod pcap;
mod traffic;

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes a capture for `tapir bench`.
#[derive(Debug, Parser)]
#[command(name = "tapir-generate", version)]
struct Args {
    /// What kind of traffic.
    #[arg(value_enum)]
    kind: Kind,

    /// Capture file to write.
    output: PathBuf,

    /// How many flows; each kind has its own default.
    #[arg(long)]
    flows: Option<u32>,

    /// Exchanges (or packets) a flow.
    #[arg(long)]
    exchanges: Option<u32>,

    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// HTTP/1.1 keep-alive: 26 000 flows, 8 exchanges each, mean 225 bytes a packet.
    Http,
    /// DNS over UDP: 500 000 flows, one exchange each.
    Dns,
    /// 64-byte UDP of no protocol: a million flows, four packets each.
    Udp,
    /// HTTP with bodies of 1 MB in segments of 1448 bytes: 64 flows, 8 exchanges each.
    Bodies,
    /// HTTP, DNS and UDP of no protocol, mixed.
    Mixed,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let flows = |default| args.flows.unwrap_or(default);
    let exchanges = |default| args.exchanges.unwrap_or(default);
    let dice = dice::Dice::new(args.seed);
    let written = pcap::Writer::create(&args.output).and_then(|mut to| {
        match args.kind {
            Kind::Http => traffic::http(&mut to, dice, flows(26_000), exchanges(8))?,
            Kind::Dns => traffic::dns(&mut to, dice, flows(500_000), exchanges(1))?,
            Kind::Udp => traffic::udp(&mut to, dice, flows(1_000_000), exchanges(4))?,
            Kind::Bodies => traffic::bodies(&mut to, dice, flows(64), exchanges(8))?,
            Kind::Mixed => traffic::mixed(&mut to, dice, flows(20_000), exchanges(4))?,
        }
        to.finish()
    });
    match written {
        Ok((packets, bytes)) => {
            eprintln!("{}: {packets} packets, {bytes} bytes", args.output.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("tapir-generate: {}: {error}", args.output.display());
            ExitCode::FAILURE
        }
    }
}
