//! Fingerprints of clients.
//!
//! * JA3 (Salesforce, 2017): MD5 of `version,suites,extensions,groups,point formats` in decimal.
//! * JA4 (FoxIO, `technical_details/JA4.md`): version, counts and ALPN in plain, then SHA-256 of the
//!   sorted suites, and of the sorted extensions with the signature algorithms.
//!
//! GREASE values (RFC 8701) count for neither.

use super::client_hello::ClientHello;
use super::extension::{self, Extensions, alpn_protocols, is_grease};
use super::version;
use crate::l7::cursor::numbers;
use crate::limits::{TLS_CIPHER_SUITES_MAX, TLS_EXTENSIONS_MAX};
use arrayvec::{ArrayString, ArrayVec};
use md5::Md5;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// What a ClientHello travelled over: the first letter of a JA4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TLS over TCP.
    Tcp,
    /// QUIC.
    Quic,
}

/// JA3 of a whole ClientHello: 32 hexadecimal digits.
pub fn ja3(hello: &ClientHello<'_>) -> ArrayString<32> {
    let mut text = Hashed::<Md5>::new();
    text.list(std::iter::once(hello.legacy_version), b'-', push_decimal);
    text.push(b',');
    text.list(real(numbers(hello.cipher_suites)), b'-', push_decimal);
    text.push(b',');
    text.list(real(codes(hello)), b'-', push_decimal);
    text.push(b',');
    text.list(real(numbers(hello.groups)), b'-', push_decimal);
    text.push(b',');
    text.list(
        hello.point_formats.iter().map(|format| u16::from(*format)),
        b'-',
        push_decimal,
    );
    hex(text.finish().as_ref())
}

/// JA4 of a whole ClientHello: 36 characters. `None` where it holds more suites or extensions than any
/// client has.
pub fn ja4(hello: &ClientHello<'_>, carrier: Carrier) -> Option<ArrayString<36>> {
    let suites = sorted::<TLS_CIPHER_SUITES_MAX>(real(numbers(hello.cipher_suites)))?;
    let mut extensions = sorted::<TLS_EXTENSIONS_MAX>(real(codes(hello)))?;
    let mut ja4 = ArrayString::new();
    let (first, last) = alpn_characters(hello.alpn);
    write!(
        ja4,
        "{}{}{}{:02}{:02}{first}{last}",
        if carrier == Carrier::Quic { 'q' } else { 't' },
        version_code(hello.newest_version()),
        if hello.has_server_name { 'd' } else { 'i' },
        suites.len().min(99),
        extensions.len().min(99),
    )
    .ok()?;
    extensions.retain(|code| !matches!(*code, extension::SERVER_NAME | extension::ALPN));
    let signatures = || real(numbers(hello.signature_algorithms));
    write!(ja4, "_{}", short_hash(&suites, std::iter::empty())).ok()?;
    write!(ja4, "_{}", short_hash(&extensions, signatures())).ok()?;
    Some(ja4)
}

/// Without GREASE.
fn real(values: impl Iterator<Item = u16>) -> impl Iterator<Item = u16> {
    values.filter(|value| !is_grease(*value))
}

fn codes<'a>(hello: &ClientHello<'a>) -> impl Iterator<Item = u16> + use<'a> {
    Extensions::new(hello.extensions).map(|(code, _)| code)
}

fn sorted<const N: usize>(values: impl Iterator<Item = u16>) -> Option<ArrayVec<u16, N>> {
    let mut list = ArrayVec::new();
    for value in values {
        list.try_push(value).ok()?;
    }
    list.sort_unstable();
    Some(list)
}

fn version_code(version: u16) -> &'static str {
    match version {
        version::TLS_1_3 => "13",
        version::TLS_1_2 => "12",
        0x0302 => "11",
        0x0301 => "10",
        version::SSL_3_0 => "s3",
        version::SSL_2_0 => "s2",
        _ => "00",
    }
}

/// First and last character of the first ALPN value, of its hexadecimal form where they are not
/// alphanumeric, `00` where there is none.
fn alpn_characters(alpn: &[u8]) -> (char, char) {
    let name = alpn_protocols(alpn).next().unwrap_or(&[]);
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else {
        return ('0', '0');
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 0xF))
}

/// The first twelve digits of the hash of `list`, and of `tail` behind an underscore; zeros where the
/// list is empty.
fn short_hash(list: &[u16], tail: impl Iterator<Item = u16>) -> ArrayString<12> {
    if list.is_empty() {
        let mut zeros = ArrayString::new();
        zeros.push_str("000000000000");
        return zeros;
    }
    let mut text = Hashed::<Sha256>::new();
    text.list(list.iter().copied(), b',', push_hexadecimal);
    let mut tail = tail.peekable();
    if tail.peek().is_some() {
        text.push(b'_');
        text.list(tail, b',', push_hexadecimal);
    }
    let digest = text.finish();
    hex(digest.as_ref())
}

const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

/// `bytes` in hexadecimal, as far as `N` digits go.
fn hex<const N: usize>(bytes: &[u8]) -> ArrayString<N> {
    let mut text = ArrayString::new();
    for digit in bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]).take(N) {
        text.push(char::from(HEX_DIGITS[usize::from(digit)]));
    }
    text
}

/// Text that is hashed as it is written, in pieces that are worth a call.
struct Hashed<D> {
    hash: D,
    piece: ArrayVec<u8, 256>,
}

impl<D: Digest> Hashed<D> {
    fn new() -> Self {
        Self {
            hash: D::new(),
            piece: ArrayVec::new(),
        }
    }

    fn push(&mut self, byte: u8) {
        if self.piece.is_full() {
            self.hash.update(&self.piece);
            self.piece.clear();
        }
        self.piece.push(byte);
    }

    /// The numbers, each as `number` writes it, with `separator` between them.
    fn list(&mut self, numbers: impl Iterator<Item = u16>, separator: u8, number: fn(&mut Self, u16)) {
        for (index, value) in numbers.enumerate() {
            if index > 0 {
                self.push(separator);
            }
            number(self, value);
        }
    }

    fn finish(mut self) -> impl AsRef<[u8]> {
        self.hash.update(&self.piece);
        self.hash.finalize()
    }
}

fn push_decimal<D: Digest>(text: &mut Hashed<D>, number: u16) {
    let mut begun = false;
    for unit in [10_000, 1000, 100, 10, 1] {
        let digit = (number / unit % 10) as u8;
        begun |= digit != 0 || unit == 1;
        if begun {
            text.push(b'0' + digit);
        }
    }
}

fn push_hexadecimal<D: Digest>(text: &mut Hashed<D>, number: u16) {
    for shift in [12, 8, 4, 0] {
        text.push(HEX_DIGITS[usize::from(number >> shift & 0xF)]);
    }
}
