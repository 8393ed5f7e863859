//! The frame of a DNS message: header, questions, records. Source: RFC 1035 section 4.1, RFC 2535 section 6.1
//! (AD, CD), RFC 2136 section 2 (UPDATE), RFC 6762 section 18 (mDNS), RFC 8490 section 5.4 (DSO).

use super::name;
use super::names::{self, DSO, IQUERY, NOTIFY, QUERY, UPDATE};
use crate::byte_set::ByteSet;

/// Bytes of the header.
pub(super) const HEADER_BYTES: usize = 12;
/// Bytes of a record behind its owner's name: type, class, TTL, length of the data.
pub(super) const RECORD_HEAD_BYTES: usize = 10;
/// Bytes of a question behind its name.
const TYPE_AND_CLASS_BYTES: usize = 4;
/// A root name, type and class: the shortest question.
const QUESTION_BYTES_MIN: usize = 1 + TYPE_AND_CLASS_BYTES;
/// Questions that a message may have: mDNS asks for many, everything else for one.
const QUESTIONS_MAX: u16 = 64;

/// The header's fields.
///
/// ```text
/// 0 id  2 QR:1 opcode:4 AA:1 TC:1 RD:1 RA:1 Z:1 AD:1 CD:1 rcode:4  4 questions  6 answers  8 authorities  10 additionals
/// ```
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) id: u16,
    flags: u16,
    /// All four, as they stand on the wire: most are 0 or 1, and looked at together.
    counts: u64,
}

/// What the two bytes of flags may be under [`Rules::Strict`]: an opcode in use; no Z, and a response code that
/// was assigned.
pub(super) const STRICT_FLAGS: [ByteSet; 2] = {
    let (mut first, mut second) = ([false; 256], [false; 256]);
    let mut byte = 0;
    while byte < first.len() {
        first[byte] = matches!((byte >> 3) as u8 & 0xF, QUERY | 2 | NOTIFY | UPDATE | DSO);
        second[byte] = byte & 0x40 == 0 && byte & 0xF <= RCODE_MAX as usize;
        byte += 1;
    }
    [ByteSet::of_table(&first), ByteSet::of_table(&second)]
};

/// The last response code that was assigned of those in the header.
const RCODE_MAX: u16 = 11;

/// How much of the rules a message must keep to be taken for DNS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// All: nothing else speaks for DNS.
    Strict,
    /// What makes sense: the port, or the flow so far, says DNS.
    Lenient,
}

impl Header {
    #[inline]
    pub(super) fn read(message: &[u8]) -> Option<Self> {
        let &[i1, i0, f1, f0, ref counts @ ..] = message.first_chunk::<HEADER_BYTES>()?;
        Some(Self {
            id: u16::from_be_bytes([i1, i0]),
            flags: u16::from_be_bytes([f1, f0]),
            counts: u64::from_be_bytes(*counts),
        })
    }

    pub(super) fn questions(self) -> u16 {
        (self.counts >> 48) as u16
    }

    pub(super) fn answers(self) -> u16 {
        (self.counts >> 32) as u16
    }

    pub(super) fn authorities(self) -> u16 {
        (self.counts >> 16) as u16
    }

    pub(super) fn additionals(self) -> u16 {
        self.counts as u16
    }

    pub(super) fn is_response(self) -> bool {
        self.flags & 0x8000 != 0
    }

    pub(super) fn opcode(self) -> u8 {
        (self.flags >> 11) as u8 & 0xF
    }

    pub(super) fn is_authoritative(self) -> bool {
        self.flags & 0x0400 != 0
    }

    pub(super) fn is_truncated(self) -> bool {
        self.flags & 0x0200 != 0
    }

    /// The lower four bits of the response code; EDNS has the others.
    pub(super) fn rcode(self) -> u16 {
        self.flags & 0xF
    }

    fn records(self) -> u32 {
        u32::from(self.answers()) + u32::from(self.authorities()) + u32::from(self.additionals())
    }

    /// Whether a message may have this header.
    #[inline]
    pub(super) fn is_plausible(self, rules: Rules) -> bool {
        rules == Rules::Lenient && self.is_usual() || self.keeps(rules)
    }

    /// Whether it is of a kind that nearly all messages are of, of which only the strict ask for more.
    #[inline]
    pub(super) fn is_usual(self) -> bool {
        self.opcode() == QUERY && (1..=QUESTIONS_MAX).contains(&self.questions())
    }

    /// Whether it keeps the rules one by one.
    #[inline(never)]
    fn keeps(self, rules: Rules) -> bool {
        let strict = rules == Rules::Strict;
        let opcode = self.opcode();
        if self.questions() > QUESTIONS_MAX {
            return false;
        }
        if names::opcode_name(opcode).is_none() {
            // Servers answer what they don't know, and a fault finder wants to see it.
            return !strict && self.questions() == 1;
        }
        // Z, and response codes that were never assigned.
        if strict && (self.flags & 0x0040 != 0 || self.rcode() > RCODE_MAX || opcode == IQUERY) {
            return false;
        }
        if self.is_response() {
            return match self.questions() {
                // mDNS, later messages of a transfer, a refusal that repeats nothing.
                0 => {
                    self.answers() > 0
                        || self.rcode() != 0
                        || opcode == DSO
                        || (!strict && self.records() > 0)
                }
                _ => true,
            };
        }
        // RA and response codes are the server's.
        if self.flags & 0x008F != 0 && strict {
            return false;
        }
        match opcode {
            QUERY if strict => self.questions() == 1 && self.answers() == 0 && !self.is_authoritative(),
            // Without a question a client asks for a cookie only (RFC 7873 section 5.4), in its one record.
            QUERY if self.questions() == 0 => self.records() == 1 && self.additionals() == 1,
            QUERY => true,
            NOTIFY => self.questions() > 0,
            UPDATE => self.questions() == 1,
            IQUERY => self.answers() > 0 || self.questions() > 0,
            _ => true,
        }
    }
}

/// One question: a name, type and class.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// All of its bytes.
    bytes: &'a [u8],
    pub(super) kind: u16,
    pub(super) class: u16,
    /// Where it ends in its message.
    pub(super) end: usize,
}

impl<'a> Question<'a> {
    #[inline]
    pub(super) fn read(message: &'a [u8], at: usize) -> Option<Self> {
        let end = name::skip(message, at)? + TYPE_AND_CLASS_BYTES;
        let bytes = message.get(at..end)?;
        let &[t1, t0, c1, c0] = bytes.last_chunk()?;
        Some(Self {
            bytes,
            kind: u16::from_be_bytes([t1, t0]),
            class: u16::from_be_bytes([c1, c0]),
            end,
        })
    }

    /// The octets of its name.
    #[inline]
    pub(super) fn name(&self) -> &'a [u8] {
        self.bytes
            .split_last_chunk::<TYPE_AND_CLASS_BYTES>()
            .map_or(&[], |(name, _)| name)
    }

    /// A number that equal questions share, whatever the case of their letters; never 0.
    #[inline]
    pub(super) fn tag(&self) -> u32 {
        let octets = self.name_and_type();
        // The type once more as it is: A and SRV differ by the bit of the case alone.
        let mut sum = octets.len() as u64 ^ u64::from(self.kind) << 32;
        let mut left = octets;
        while let Some((pair, rest)) = left.split_first_chunk::<16>()
            && !rest.is_empty()
        {
            sum = mix(sum, u128::from_le_bytes(*pair));
            left = rest;
        }
        // The last sixteen, some of them for the second time; of fewer, the first and last eight, or what there is.
        let last = match (
            octets.last_chunk::<16>(),
            octets.first_chunk::<8>(),
            octets.last_chunk::<8>(),
        ) {
            (Some(pair), ..) => u128::from_le_bytes(*pair),
            (None, Some(first), Some(last)) => {
                u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64
            }
            _ => octets
                .iter()
                .fold(0, |word, octet| word << 8 | u128::from(*octet)),
        };
        (mix(sum, last) >> 32) as u32 | 1
    }

    fn name_and_type(&self) -> &'a [u8] {
        self.bytes
            .split_last_chunk::<2>()
            .map_or(self.bytes, |(octets, _)| octets)
    }
}

/// Mixes sixteen octets into `sum`, in which letters count as lower case: the halves of the product of theirs.
#[inline]
fn mix(sum: u64, octets: u128) -> u64 {
    // Odd, with about half of their bits set.
    const SPREAD: [u64; 2] = [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03];
    const LOWER_CASE: u64 = 0x2020_2020_2020_2020;
    let [low, high] = [octets as u64, (octets >> 64) as u64];
    let factors = [(low | LOWER_CASE) ^ sum, (high | LOWER_CASE) ^ SPREAD[1]];
    let product = u128::from(factors[0] ^ SPREAD[0]) * u128::from(factors[1]);
    product as u64 ^ (product >> 64) as u64
}

/// One resource record.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) kind: u16,
    pub(super) class: u16,
    pub(super) ttl: u32,
    /// Where its data begins.
    pub(super) data: usize,
    /// Where it ends.
    pub(super) end: usize,
}

impl Record {
    /// The record at `at` as far as its head: its data may reach beyond `message`.
    #[inline]
    pub(super) fn read_head(message: &[u8], at: usize) -> Option<Self> {
        let head = name::skip(message, at)?;
        let &[t1, t0, c1, c0, l3, l2, l1, l0, d1, d0] = message.get(head..)?.first_chunk()?;
        let data = head + RECORD_HEAD_BYTES;
        Some(Self {
            kind: u16::from_be_bytes([t1, t0]),
            class: u16::from_be_bytes([c1, c0]),
            ttl: u32::from_be_bytes([l3, l2, l1, l0]),
            data,
            end: data + usize::from(u16::from_be_bytes([d1, d0])),
        })
    }

    /// The record at `at`, whole.
    #[inline]
    pub(super) fn read(message: &[u8], at: usize) -> Option<Self> {
        Self::read_head(message, at).filter(|record| record.end <= message.len())
    }
}

/// How the parts of a message fit together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// Its parts fill it exactly.
    Exact,
    /// Its parts are whole, and more follows.
    Trailing,
    /// Its first question is whole (or it has none), then the bytes end.
    Cut,
    /// Something in it is no DNS.
    Broken,
}

/// Walks over the whole of `message`.
pub(super) fn fit(message: &[u8], header: Header, rules: Rules) -> Fit {
    let mut at = HEADER_BYTES;
    for number in 0..header.questions() {
        let Some(question) = Question::read(message, at) else {
            return if number > 0 && is_cut(message, at) {
                Fit::Cut
            } else {
                Fit::Broken
            };
        };
        let known = rules == Rules::Lenient || names::type_name(question.kind).is_some();
        if !names::is_class(question.class) || !known {
            return Fit::Broken;
        }
        at = question.end;
    }
    for _ in 0..header.records() {
        let Some(record) = Record::read(message, at) else {
            return if is_cut(message, at) {
                Fit::Cut
            } else {
                Fit::Broken
            };
        };
        // The class of OPT is the sender's buffer size.
        let known = names::type_name(record.kind).is_some() || rules == Rules::Lenient;
        if !known || !(record.kind == names::OPT || names::is_class(record.class)) {
            return Fit::Broken;
        }
        at = record.end;
    }
    if at == message.len() {
        Fit::Exact
    } else {
        Fit::Trailing
    }
}

/// Whether what begins at `at` is broken only because the bytes end.
pub(super) fn is_cut(message: &[u8], at: usize) -> bool {
    let mut next = at;
    while next - at < name::NAME_BYTES_MAX {
        match message.get(next) {
            None | Some(0 | 0xC0..) => return true,
            Some(len @ 1..=63) => next += 1 + usize::from(*len),
            Some(_) => return false,
        }
    }
    false
}

/// Bytes that a message of this header has at least: for telling lengths that can't be.
pub(super) fn bytes_min(header: Header) -> usize {
    HEADER_BYTES
        + usize::from(header.questions()) * QUESTION_BYTES_MIN
        + header.records() as usize * (1 + RECORD_HEAD_BYTES)
}
