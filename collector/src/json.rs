//! Records as JSON, one object a line: the record format, version 1.
//!
//! Written by hand into a buffer that is used again: a record costs no allocation.

use crate::session::{SCHEMA, Session};
use crate::text::{TextLimits, lossy};
use std::io::Write;
use std::net::IpAddr;
use tapir_parsers::field::Field;
use tapir_parsers::host::Process;
use tapir_parsers::record::RecordView;

/// Appends the record as one JSON object and a newline, texts cut at the format's default limits.
pub fn write_json(view: &RecordView<'_>, out: &mut Vec<u8>) {
    write_session_json(&Session::new(view, TextLimits::default()), out);
}

/// Appends the record as one JSON object and a newline.
pub fn write_session_json(session: &Session<'_>, out: &mut Vec<u8>) {
    let mut truncated = session.truncated;
    out.extend_from_slice(b"{\"schema\":");
    unsigned(out, u64::from(SCHEMA));
    name(out, "kind", session.kind.name());
    name(out, "ended", session.ended.name());
    name(out, "source", session.source.name());
    if let Some(protocol) = session.protocol {
        name(out, "proto", protocol);
    }
    truncated |= text(out, session, Field::Version);
    name(out, "l4", session.l4);
    address(out, "client", session.client_ip, session.client_port);
    address(out, "server", session.server_ip, session.server_port);
    encapsulation(out, session);
    number(out, "flow_id", Some(session.flow_id));
    number(out, "start_ns", Some(session.start_ns));
    number(out, "end_ns", Some(session.end_ns));
    number(out, "rrt_ns", session.rrt_ns);
    number(out, "queue_ns", session.host.queue_ns);
    number(out, "app_ns", session.host.app_ns);
    for field in [Field::ReqType, Field::Domain, Field::Resource, Field::Endpoint] {
        truncated |= text(out, session, field);
    }
    number(out, "request_id", session.request_id);
    name(out, "status", session.status.name());
    if let Some(code) = session.code {
        key(out, "code");
        if code < 0 {
            out.push(b'-');
        }
        unsigned(out, code.unsigned_abs());
    }
    truncated |= text(out, session, Field::Exception);
    truncated |= text(out, session, Field::Result);
    number(out, "req_len", session.request_len);
    number(out, "resp_len", session.response_len);
    number(out, "req_seq", session.request_seq.map(u64::from));
    number(out, "resp_seq", session.response_seq.map(u64::from));
    number(out, "rows", session.rows);
    for field in [
        Field::TraceId,
        Field::SpanId,
        Field::XRequestId,
        Field::UserAgent,
        Field::Referer,
        Field::ForwardedFor,
    ] {
        truncated |= text(out, session, field);
    }
    truncated |= attrs(out, session);
    if truncated {
        out.extend_from_slice(b",\"truncated\":true");
    }
    number(
        out,
        "gap_bytes",
        Some(session.gap_bytes).filter(|bytes| *bytes > 0),
    );
    process(out, "process", session.host.process);
    process(out, "client_process", session.host.client_process);
    if let Some(joined) = session.joined {
        name(out, "joined", joined.name());
    }
    out.extend_from_slice(b"}\n");
}

/// `,"key":`, for keys after the first.
fn key(out: &mut Vec<u8>, key: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn number(out: &mut Vec<u8>, k: &str, value: Option<u64>) {
    if let Some(value) = value {
        key(out, k);
        unsigned(out, value);
    }
}

/// A string that needs no limit.
fn name(out: &mut Vec<u8>, k: &str, value: &str) {
    key(out, k);
    out.push(b'"');
    escaped(out, value);
    out.push(b'"');
}

/// A text field; left out when empty. Returns whether it was cut.
fn text(out: &mut Vec<u8>, session: &Session<'_>, field: Field) -> bool {
    let bytes = session.text(field);
    if bytes.is_empty() {
        return false;
    }
    key(out, field.name());
    string(out, bytes, session.limit(field))
}

fn string(out: &mut Vec<u8>, bytes: &[u8], max: usize) -> bool {
    out.push(b'"');
    let cut = lossy(bytes, max, |piece| escaped(out, piece));
    out.push(b'"');
    cut
}

fn address(out: &mut Vec<u8>, side: &str, ip: Option<IpAddr>, port: Option<u16>) {
    let key = |out: &mut Vec<u8>, what: &[u8]| {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(side.as_bytes());
        out.extend_from_slice(what);
    };
    if let Some(ip) = ip {
        key(out, b"_ip\":\"");
        write_ip(out, ip);
        out.push(b'"');
    }
    if let Some(port) = port {
        key(out, b"_port\":");
        unsigned(out, u64::from(port));
    }
}

/// Appends an address in its text form.
pub(crate) fn write_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(v4) => {
            for (index, octet) in v4.octets().into_iter().enumerate() {
                if index > 0 {
                    out.push(b'.');
                }
                unsigned(out, u64::from(octet));
            }
        }
        // Writing to a Vec can't fail.
        IpAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
}

fn encapsulation(out: &mut Vec<u8>, session: &Session<'_>) {
    if !session.vlan.is_empty() {
        key(out, "vlan");
        for (index, id) in session.vlan.iter().enumerate() {
            out.push(if index == 0 { b'[' } else { b',' });
            unsigned(out, u64::from(*id));
        }
        out.push(b']');
    }
    if let Some(tunnel) = &session.tunnel {
        key(out, "tunnel");
        out.extend_from_slice(b"{\"type\":\"");
        escaped(out, tunnel.kind);
        out.push(b'"');
        number(out, "id", tunnel.id.map(u64::from));
        out.push(b'}');
    }
}

fn attrs(out: &mut Vec<u8>, session: &Session<'_>) -> bool {
    let mut truncated = false;
    for (index, (k, value)) in session.attrs.iter().enumerate() {
        if index == 0 {
            key(out, "attrs");
        }
        out.push(if index == 0 { b'{' } else { b',' });
        truncated |= string(out, k, session.limits.other);
        out.push(b':');
        truncated |= string(out, value, session.limits.other);
    }
    if !session.attrs.is_empty() {
        out.push(b'}');
    }
    truncated
}

fn process(out: &mut Vec<u8>, k: &str, process: Option<Process<'_>>) {
    let Some(process) = process else { return };
    key(out, k);
    out.extend_from_slice(b"{\"pid\":");
    unsigned(out, u64::from(process.pid));
    for (k, value) in [
        ("comm", process.comm),
        ("executable", process.executable),
        ("container", process.container),
        ("pod", process.pod),
    ] {
        if !value.is_empty() {
            name(out, k, value);
        }
    }
    out.push(b'}');
}

/// The numbers 00 to 99: two digits at a time halve the divisions.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// Appends a number in decimal.
pub(crate) fn unsigned(out: &mut Vec<u8>, mut value: u64) {
    /// Of the largest number.
    const DIGITS_MAX: usize = 20;
    let mut digits = [0u8; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    while value >= 10 {
        at -= 2;
        digits[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    // One digit is left, or none where the pairs came out even.
    if value > 0 || at == DIGITS_MAX {
        at -= 1;
        digits[at] = b'0' + value as u8;
    }
    out.extend_from_slice(&digits[at..]);
}

/// Bytes looked at together: the compiler turns the check of a block into vector instructions.
const BLOCK: usize = 16;

/// Where in `bytes` the first one stands that needs an escape.
fn first_to_escape(bytes: &[u8]) -> Option<usize> {
    let needs_escape = |byte: &u8| (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
    let plain = |block: &&[u8]| !block.iter().fold(false, |any, byte| any | needs_escape(byte));
    let passed = BLOCK * bytes.chunks_exact(BLOCK).take_while(plain).count();
    let rest = bytes.get(passed..).unwrap_or_default();
    rest.iter().position(needs_escape).map(|at| passed + at)
}

/// Appends `text` with JSON's escapes, in runs of bytes that need none.
fn escaped(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    while let Some(at) = first_to_escape(rest) {
        let (run, tail) = rest.split_at(at);
        out.extend_from_slice(run);
        let Some((&byte, tail)) = tail.split_first() else {
            return;
        };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xF)]);
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}
