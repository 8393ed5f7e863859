//! The fields of a head, and how they frame its body. Source: RFC 9112 sections 5 and 6.

use crate::l7::http::grpc_web::{self, Encoding};
use crate::l7::http::header::{self, Header, NAME_BYTES, Name};
use crate::line_ends::LineEnds;
use arrayvec::ArrayVec;

/// Headers kept of one message; of more, the first count.
const KEPT_MAX: usize = 12;

/// How many bytes of body the fields announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announced {
    /// Nothing is said.
    Nothing,
    /// `Content-Length`.
    Bytes(u64),
    /// `Transfer-Encoding` that ends in `chunked`, whatever `Content-Length` says.
    Chunked,
    /// `Transfer-Encoding` of another kind: only the connection's end can end it.
    Endless,
    /// Lengths that contradict each other or are none.
    Broken,
}

/// The fields of a head, down to its empty line.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    /// The headers worth keeping, in the order of the wire.
    pub(super) kept: ArrayVec<(Header, &'a [u8]), KEPT_MAX>,
    pub(super) announced: Announced,
    /// Of the `Upgrade` field.
    pub(super) upgrade: &'a [u8],
    /// The `Content-Type` is that of gRPC-Web.
    pub(super) grpc_web: Option<Encoding>,
    /// Some value goes over several lines.
    pub(super) folded: bool,
    /// Bytes up to and with the empty line, or of what is there.
    pub(super) len: usize,
    /// The empty line is there.
    pub(super) whole: bool,
}

impl<'a> Fields<'a> {
    /// None yet.
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            kept: ArrayVec::new_const(),
            announced: Announced::Nothing,
            upgrade: &[],
            grpc_web: None,
            folded: false,
            len: 0,
            whole: false,
        }
    }

    /// Reads the fields that begin at `start` of `bytes`, as far as they go. `ends` gives the line ends from
    /// there on; `len` counts from there. Not a constructor: what it returned would be copied.
    #[inline(always)]
    pub(super) fn read(&mut self, bytes: &'a [u8], start: usize, ends: LineEnds<'a>) {
        if !self.read_lines::<false>(bytes, start, ends) {
            self.read_folded(bytes, start);
        }
    }

    /// Reads them anew, where the value of some may go over several lines.
    #[cold]
    fn read_folded(&mut self, bytes: &'a [u8], start: usize) {
        *self = Self::new();
        let mut ends = LineEnds::new(bytes);
        ends.skip_to(start);
        self.read_lines::<true>(bytes, start, ends);
    }

    /// Reads the fields. False: with `FOLDED` not set, a line was met that continues another.
    #[inline(always)]
    fn read_lines<const FOLDED: bool>(
        &mut self,
        bytes: &'a [u8],
        start: usize,
        mut ends: LineEnds<'a>,
    ) -> bool {
        self.len = bytes.len().saturating_sub(start);
        let mut at = start;
        while let Some(mut end) = ends.next() {
            let line = at;
            let Some(rest) = bytes.get(line..) else {
                return true;
            };
            at = end + 1;
            let name = match rest.first_chunk() {
                Some(line) => header::name_of(line),
                None if end > line + 1 => last_name_of(rest),
                None => None,
            };
            let Some(name) = name else {
                match rest.first() {
                    // Nearly all others.
                    Some(b'!'..=0xFF) => continue,
                    Some(b' ' | b'\t') if !FOLDED => return false,
                    Some(b'\n') => {}
                    Some(b'\r') if end == line + 1 => {}
                    // Lines that continue one that says nothing here say nothing either.
                    _ => continue,
                }
                self.len = at - start;
                self.whole = true;
                return true;
            };
            if FOLDED && continues(bytes, end) {
                self.folded = true;
                let Some(last) = end_of_folded(bytes, at) else {
                    return true;
                };
                end = last;
                at = end + 1;
                ends.skip_to(at);
            }
            let Some(value) = bytes.get(line + name.len..end) else {
                return true;
            };
            self.field(name.header, header::trim(value));
        }
        true
    }

    #[inline(always)]
    fn field(&mut self, header: Header, value: &'a [u8]) {
        if header.is_kept() {
            // One header too many is left out.
            let _ = self.kept.try_push((header, value));
            return;
        }
        match header {
            Header::ContentLength => self.content_length(value),
            Header::ContentType => self.grpc_web = grpc_web::encoding(value),
            Header::TransferEncoding => self.transfer_encoding(value),
            _ => self.upgrade = value,
        }
    }

    #[inline]
    fn content_length(&mut self, value: &[u8]) {
        match (self.announced, decimal(value)) {
            (Announced::Nothing, Some(len)) => self.announced = Announced::Bytes(len),
            _ => self.content_lengths(value),
        }
    }

    /// RFC 9112 section 6.3: a list of equal lengths is one length, anything else is an error.
    #[cold]
    fn content_lengths(&mut self, value: &[u8]) {
        for part in value.split(|byte| *byte == b',') {
            self.announced = match (self.announced, decimal(header::trim(part))) {
                (Announced::Chunked | Announced::Endless, _) => return,
                (Announced::Nothing, Some(len)) => Announced::Bytes(len),
                (Announced::Bytes(known), Some(len)) if known == len => Announced::Bytes(len),
                _ => Announced::Broken,
            };
        }
    }

    fn transfer_encoding(&mut self, value: &[u8]) {
        let last = value.rsplit(|byte| *byte == b',').next().unwrap_or(value);
        let last = header::trim(last);
        self.announced = match self.announced {
            _ if last.eq_ignore_ascii_case(b"chunked") => Announced::Chunked,
            // Withdrawn by RFC 7230, and never meant more than nothing.
            announced if last.eq_ignore_ascii_case(b"identity") => announced,
            _ => Announced::Endless,
        };
    }

    /// Whether the `Upgrade` field lists `protocol`.
    pub(super) fn upgrades_to(&self, protocol: &[u8]) -> bool {
        let mut list = self.upgrade.split(|byte| *byte == b',');
        list.any(|name| header::trim(name).eq_ignore_ascii_case(protocol))
    }
}

/// Whether the line behind the LF at `end` continues the one before it (obs-fold, RFC 9112 section 5.2).
#[inline(always)]
fn continues(bytes: &[u8], end: usize) -> bool {
    matches!(bytes.get(end + 1), Some(b' ' | b'\t'))
}

/// The end of the last line of a value that goes over several, from the one at `at` on. `None`: not whole.
#[cold]
fn end_of_folded(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let end = at + memchr::memchr(b'\n', bytes.get(at..)?)?;
        if !continues(bytes, end) {
            return Some(end);
        }
        at = end + 1;
    }
}

/// The name of one of the last lines of `bytes`, which may end within it.
#[cold]
fn last_name_of(bytes: &[u8]) -> Option<&'static Name> {
    let mut line = [0; NAME_BYTES];
    line.get_mut(..bytes.len())?.copy_from_slice(bytes);
    header::name_of(&line)
}

/// A number in decimal digits and nothing else.
#[inline]
fn decimal(text: &[u8]) -> Option<u64> {
    /// So many nines fit into 64 bits.
    const DIGITS_MAX: usize = 19;
    if text.len() > DIGITS_MAX {
        return decimal_checked(text);
    }
    let mut number = 0;
    for digit in text {
        let value = digit.wrapping_sub(b'0');
        if value > 9 {
            return None;
        }
        number = number * 10 + u64::from(value);
    }
    (!text.is_empty()).then_some(number)
}

/// The same of any length: leading zeros make no number too large.
#[cold]
fn decimal_checked(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |number, digit| {
        let value = digit.wrapping_sub(b'0');
        (value < 10).then_some(())?;
        number.checked_mul(10)?.checked_add(u64::from(value))
    })
}
