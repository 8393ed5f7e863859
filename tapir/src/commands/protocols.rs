//! `tapir protocols`: the protocols, from what they declare of themselves.

use crate::cli::TableFormat;
use crate::failure::Failure;
use crate::output::{to_stdout, write_columns};
use serde_json::json;
use tapir_parsers::l7::{DECLARATIONS, Declaration};
use tapir_parsers::parser::{Pairing, Transports};

/// Arguments of `tapir protocols`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How the list is written.
    #[arg(long, value_enum, default_value = "table")]
    format: TableFormat,
}

const HEAD: [&str; 7] = ["NAME", "L4", "PORTS", "PAIRING", "TIMEOUT", "ABOUT", "ATTRS"];

/// Prints the list in order of names.
pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut sorted: Vec<&Declaration> = DECLARATIONS.iter().collect();
    sorted.sort_by_key(|declaration| declaration.name);
    match args.format {
        TableFormat::Table => {
            let head = HEAD.map(str::to_owned);
            let rows: Vec<_> = std::iter::once(head).chain(sorted.into_iter().map(row)).collect();
            to_stdout(|out| write_columns(out, &rows))
        }
        TableFormat::Markdown => to_stdout(|out| {
            writeln!(out, "| {} |", HEAD.map(str::to_lowercase).join(" | "))?;
            writeln!(out, "|{}", "---|".repeat(HEAD.len()))?;
            for declaration in sorted {
                writeln!(out, "| {} |", row(declaration).join(" | "))?;
            }
            Ok(())
        }),
        TableFormat::Json => {
            let list: Vec<_> = sorted.into_iter().map(object).collect();
            to_stdout(|out| writeln!(out, "{:#}", serde_json::Value::Array(list)))
        }
    }
}

fn row(declaration: &Declaration) -> [String; 7] {
    let ports: Vec<_> = declaration.ports.iter().map(u16::to_string).collect();
    [
        declaration.name.to_owned(),
        transports(declaration.transports).join(","),
        dash_if_empty(ports.join(",")),
        pairing(declaration.pairing).to_owned(),
        seconds(declaration.response_timeout_ns),
        declaration.about.to_owned(),
        dash_if_empty(declaration.attrs.join(",")),
    ]
}

fn object(declaration: &Declaration) -> serde_json::Value {
    json!({
        "name": declaration.name,
        "transports": transports(declaration.transports),
        "ports": declaration.ports,
        "pairing": pairing(declaration.pairing),
        "response_timeout_ns": declaration.response_timeout_ns,
        "attrs": declaration.attrs,
        "about": declaration.about,
    })
}

fn transports(set: Transports) -> Vec<&'static str> {
    [
        (Transports::TCP, "tcp"),
        (Transports::UDP, "udp"),
        (Transports::ICMP, "icmp"),
    ]
    .into_iter()
    .filter(|&(transport, _)| set.contains(transport))
    .map(|(_, name)| name)
    .collect()
}

fn pairing(pairing: Pairing) -> &'static str {
    match pairing {
        Pairing::InOrder => "in order",
        Pairing::ById => "by id",
    }
}

fn seconds(ns: u64) -> String {
    format!("{}s", ns as f64 / 1e9)
}

fn dash_if_empty(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}
