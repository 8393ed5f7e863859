//! Record data as text, in the presentation form of each type. Source: RFC 1035 section 3.3 and 5.1, and
//! the RFC named at each type; unknown types as RFC 3597 section 5 writes them.
//!
//! Signatures (RRSIG) are left out: they are long and tell nothing of what was answered.

use super::encoding::{
    ADDRESS_ROOM_BYTES, push_base32, push_base64, push_hex, push_ipv4, push_ipv6, put_ipv4, put_ipv6,
};
use super::message::Record;
use super::name;
use super::names::{self, A, AAAA};
use super::svcb;
use crate::conversation::TextWriter;

/// What stands between records.
pub(super) const SEPARATOR: &[u8] = b";";

/// Room for the text of a record of an address.
pub(super) type AddressText = [u8; ADDRESS_ROOM_BYTES];
/// What [`AddressText`] holds before.
pub(super) const NO_ADDRESS: AddressText = [0; ADDRESS_ROOM_BYTES];

/// The record at `at` as `;TYPE=data` in `room`, and where it ends, if it is one of an address whose owner
/// is named by a pointer: most are.
#[inline]
pub(super) fn address<'r>(message: &[u8], at: usize, room: &'r mut AddressText) -> Option<(&'r [u8], usize)> {
    let (head, data) = message.get(at..)?.split_first_chunk::<12>()?;
    let &[pointer, _, t1, t0, _, _, _, _, _, _, l1, l0] = head;
    if pointer < name::POINTER {
        return None;
    }
    let end = at + head.len();
    match (u16::from_be_bytes([t1, t0]), u16::from_be_bytes([l1, l0])) {
        (A, 4) => {
            room[..3].copy_from_slice(b";A=");
            let text = put_ipv4(data.first_chunk()?, room, 3);
            Some((text, end + 4))
        }
        (AAAA, 16) => {
            room[..6].copy_from_slice(b";AAAA=");
            let text = put_ipv6(data.first_chunk()?, room, 6);
            Some((text, end + 16))
        }
        _ => None,
    }
}

/// Writes `TYPE=data` of a record of `message`.
#[inline(never)]
pub(super) fn write(message: &[u8], record: &Record, text: &mut TextWriter<'_>) {
    push_type(record.kind, text);
    text.push(b"=");
    let mut reader = Reader {
        message: message.get(..record.end).unwrap_or(message),
        at: record.data,
    };
    if reader.write(record.kind, text).is_none() {
        text.mark_truncated();
    }
}

/// Writes the name of a type, or `TYPE123` (RFC 3597 section 5).
pub(super) fn push_type(kind: u16, text: &mut TextWriter<'_>) {
    match names::type_name(kind) {
        Some(name) => text.push(name.as_bytes()),
        None => {
            text.push(b"TYPE");
            text.push_number(u64::from(kind));
        }
    }
}

/// Reads the data of one record. Each method takes what it names and is `None` where it is not there.
pub(super) struct Reader<'a> {
    /// Up to the end of the record's data: names may point to what stands before it.
    message: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn rest(&mut self) -> &'a [u8] {
        let rest = self.message.get(self.at..).unwrap_or(&[]);
        self.at = self.message.len();
        rest
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.message.len()
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..self.at + count)?;
        self.at += count;
        Some(bytes)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    pub(super) fn name(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        let end = name::skip(self.message, self.at)?;
        let whole = name::write(self.message, self.at, text);
        self.at = end;
        whole.then_some(())
    }

    /// A character string: a length and its bytes, RFC 1035 section 3.3.
    fn string(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        let len = usize::from(self.u8()?);
        push_string(self.take(len)?, text);
        Some(())
    }

    fn strings(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        let mut first = true;
        while !self.is_at_end() {
            if !first {
                text.push(b" ");
            }
            first = false;
            self.string(text)?;
        }
        Some(())
    }

    fn number8(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        text.push_number(u64::from(self.u8()?));
        text.push(b" ");
        Some(())
    }

    fn number16(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        text.push_number(u64::from(self.u16()?));
        text.push(b" ");
        Some(())
    }

    fn number32(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        text.push_number(u64::from(self.u32()?));
        text.push(b" ");
        Some(())
    }

    fn hex(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        push_hex(self.rest(), text);
        Some(())
    }

    fn base64(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        push_base64(self.rest(), text);
        Some(())
    }

    fn write(&mut self, kind: u16, text: &mut TextWriter<'_>) -> Option<()> {
        match kind {
            A => push_ipv4(self.take(4)?.first_chunk()?, text),
            AAAA => push_ipv6(self.take(16)?.first_chunk()?, text),
            // NS MD MF CNAME MB MG MR PTR NSAP-PTR DNAME
            2 | 3 | 4 | 5 | 7 | 8 | 9 | 12 | 23 | 39 => self.name(text)?,
            6 => self.soa(text)?,
            // HINFO TXT SPF RESINFO WALLET: strings
            13 | 16 | 99 | 261 | 262 => self.strings(text)?,
            // MINFO RP: two names
            14 | 17 => {
                self.name(text)?;
                text.push(b" ");
                self.name(text)?;
            }
            // MX AFSDB RT KX LP: preference and name
            15 | 18 | 21 | 36 | 107 => {
                self.number16(text)?;
                self.name(text)?;
            }
            // SRV, RFC 2782
            33 => {
                (0..3).try_for_each(|_| self.number16(text))?;
                self.name(text)?;
            }
            // NAPTR, RFC 3403 section 4
            35 => {
                (0..2).try_for_each(|_| self.number16(text))?;
                for _ in 0..3 {
                    self.string(text)?;
                    text.push(b" ");
                }
                self.name(text)?;
            }
            29 => self.location(text)?,
            // CERT, RFC 4398
            37 => {
                (0..2).try_for_each(|_| self.number16(text))?;
                self.number8(text)?;
                self.base64(text)?;
            }
            // DS CDS DLV TA, RFC 4034 section 5.3
            43 | 59 | 32768 | 32769 => {
                self.number16(text)?;
                (0..2).try_for_each(|_| self.number8(text))?;
                self.hex(text)?;
            }
            // SSHFP, RFC 4255 section 3.2
            44 => {
                (0..2).try_for_each(|_| self.number8(text))?;
                self.hex(text)?;
            }
            24 | 46 => self.signature(text)?,
            // NSEC, RFC 4034 section 4.2
            47 => {
                self.name(text)?;
                self.type_bitmap(text)?;
            }
            // KEY DNSKEY CDNSKEY, RFC 4034 section 2.2
            25 | 48 | 60 => {
                self.number16(text)?;
                (0..2).try_for_each(|_| self.number8(text))?;
                self.base64(text)?;
            }
            50 => self.nsec3(text)?,
            // NSEC3PARAM, RFC 5155 section 4.3
            51 => {
                (0..2).try_for_each(|_| self.number8(text))?;
                self.number16(text)?;
                self.salt(text)?;
            }
            // TLSA SMIMEA, RFC 6698 section 2.2
            52 | 53 => {
                (0..3).try_for_each(|_| self.number8(text))?;
                self.hex(text)?;
            }
            // DHCID OPENPGPKEY
            49 | 61 => self.base64(text)?,
            // CSYNC, RFC 7477 section 2.1
            62 => {
                self.number32(text)?;
                text.push_number(u64::from(self.u16()?));
                self.type_bitmap(text)?;
            }
            // ZONEMD, RFC 8976 section 2.3
            63 => {
                self.number32(text)?;
                (0..2).try_for_each(|_| self.number8(text))?;
                self.hex(text)?;
            }
            64 | 65 => svcb::write(self, text)?,
            // EUI48 EUI64, RFC 7043
            108 | 109 => self.hardware_address(text),
            // URI, RFC 7553 section 4.5
            256 => {
                (0..2).try_for_each(|_| self.number16(text))?;
                push_string(self.rest(), text);
            }
            // CAA, RFC 8659 section 4.1.1
            257 => {
                self.number8(text)?;
                let len = usize::from(self.u8()?);
                text.push(self.take(len)?);
                text.push(b" ");
                push_string(self.rest(), text);
            }
            _ => {
                let data = self.rest();
                text.push(b"\\# ");
                text.push_number(data.len() as u64);
                if !data.is_empty() {
                    text.push(b" ");
                    push_hex(data, text);
                }
            }
        }
        Some(())
    }

    /// RFC 1035 section 3.3.13: two names, serial, refresh, retry, expire, minimum.
    fn soa(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        self.name(text)?;
        text.push(b" ");
        self.name(text)?;
        for _ in 0..5 {
            text.push(b" ");
            text.push_number(u64::from(self.u32()?));
        }
        Some(())
    }

    /// RFC 4034 section 3.1, without the signature.
    fn signature(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        push_type(self.u16()?, text);
        text.push(b" ");
        (0..2).try_for_each(|_| self.number8(text))?;
        (0..3).try_for_each(|_| self.number32(text))?;
        self.number16(text)?;
        self.name(text)
    }

    /// RFC 5155 section 3.3.
    fn nsec3(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        (0..2).try_for_each(|_| self.number8(text))?;
        self.number16(text)?;
        self.salt(text)?;
        text.push(b" ");
        let len = usize::from(self.u8()?);
        push_base32(self.take(len)?, text);
        self.type_bitmap(text)
    }

    fn salt(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        match self.u8()? {
            0 => text.push(b"-"),
            len => push_hex(self.take(usize::from(len))?, text),
        }
        Some(())
    }

    /// Windows of a bitmap of types, RFC 4034 section 4.1.2, each type after a blank.
    fn type_bitmap(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        while !self.is_at_end() && !text.is_full() {
            let window = u16::from(self.u8()?) << 8;
            let len = usize::from(self.u8()?);
            for (byte, bits) in (0u16..).zip(self.take(len.min(32))?) {
                for bit in (0..8u16).filter(|bit| bits & (0x80 >> bit) != 0) {
                    text.push(b" ");
                    push_type(window | byte << 3 | bit, text);
                }
            }
        }
        Some(())
    }

    fn hardware_address(&mut self, text: &mut TextWriter<'_>) {
        let mut first = true;
        for byte in self.rest() {
            if !first {
                text.push(b"-");
            }
            first = false;
            push_hex(&[*byte], text);
        }
    }

    /// LOC, RFC 1876 section 3: `d m s N d m s E altitude size precisions`, lengths in metres.
    fn location(&mut self, text: &mut TextWriter<'_>) -> Option<()> {
        let version = self.u8()?;
        let sizes = *self.take(3)?.first_chunk::<3>()?;
        let (latitude, longitude, altitude) = (self.u32()?, self.u32()?, self.u32()?);
        if version != 0 {
            return None;
        }
        push_angle(latitude, [b"N", b"S"], text);
        push_angle(longitude, [b"E", b"W"], text);
        // Centimetres above 100 000 m below the reference spheroid.
        let centimetres = i64::from(altitude) - 10_000_000;
        if centimetres < 0 {
            text.push(b"-");
        }
        push_metres(centimetres.unsigned_abs(), text);
        for size in sizes {
            text.push(b" ");
            // Mantissa and power of ten, in centimetres.
            push_metres(
                u64::from(size >> 4) * 10u64.pow(u32::from(size & 0xF).min(9)),
                text,
            );
        }
        Some(())
    }
}

/// Thousandths of an arc second from 2^31 on, RFC 1876 section 2.
fn push_angle(angle: u32, sides: [&[u8]; 2], text: &mut TextWriter<'_>) {
    const CENTRE: u32 = 1 << 31;
    let side = usize::from(angle < CENTRE);
    let thousandths = angle.abs_diff(CENTRE);
    let seconds = thousandths / 1000;
    text.push_number(u64::from(seconds / 3600));
    text.push(b" ");
    text.push_number(u64::from(seconds / 60 % 60));
    text.push(b" ");
    text.push_number(u64::from(seconds % 60));
    push_fraction(thousandths % 1000, 100, text);
    text.push(b" ");
    text.push(sides.get(side).copied().unwrap_or(b""));
    text.push(b" ");
}

fn push_metres(centimetres: u64, text: &mut TextWriter<'_>) {
    text.push_number(centimetres / 100);
    if !centimetres.is_multiple_of(100) {
        push_fraction((centimetres % 100) as u32, 10, text);
    }
    text.push(b"m");
}

/// `.` and the digits of `value`, whose first digit counts `unit`s.
fn push_fraction(value: u32, mut unit: u32, text: &mut TextWriter<'_>) {
    text.push(b".");
    while unit > 0 {
        text.push_number(u64::from(value / unit % 10));
        unit /= 10;
    }
}

/// `"text"`, with quotes, backslashes and unprintable bytes quoted (RFC 1035 section 5.1).
pub(super) fn push_string(bytes: &[u8], text: &mut TextWriter<'_>) {
    text.push(b"\"");
    for run in bytes.chunk_by(|a, b| is_plain(*a) && is_plain(*b)) {
        match run {
            [byte] if !is_plain(*byte) => name::push_quoted(*byte, text),
            run => text.push(run),
        }
    }
    text.push(b"\"");
}

fn is_plain(byte: u8) -> bool {
    (0x20..0x7F).contains(&byte) && byte != b'"' && byte != b'\\'
}
