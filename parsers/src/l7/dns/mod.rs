//! The Domain Name System over UDP and TCP, with mDNS and LLMNR. Source: RFC 1035 and 7766 (transport),
//! 6891 (EDNS), 1996 (NOTIFY), 2136 (UPDATE), 6762 (mDNS), 4795 (LLMNR); record types in [`rdata`].
//!
//! A request and its response share the id of 16 bits and, because that is short, the question. Messages
//! to a multicast group are answered in other flows, if at all: queries are `oneway` there, answers
//! `stream`. Over TCP every message stands behind its length (2 bytes, big-endian), which counts in
//! `req_len` and `resp_len` as it is on the wire.

mod encoding;
mod message;
mod name;
#[cfg(test)]
mod name_tests;
mod names;
#[cfg(test)]
mod probe_tests;
mod rdata;
#[cfg(test)]
mod speed;
mod svcb;
#[cfg(test)]
mod tests;
mod transfer;

use crate::byte_set::ByteSet;
use crate::conversation::{Out, Role};
use crate::field::{Field, Status};
use crate::limits::{DNS_MESSAGE_HEAD_BYTES_MAX, DNS_RESPONSE_TIMEOUT_NS, PROBE_BYTES_MAX};
use crate::parser::{Advance, Direction, Input, Pairing, Parser, Probe, ProbeContext, Speaker, Transports};
use message::{Fit, HEADER_BYTES, Header, Question, Record, Rules, bytes_min, fit, is_cut};
use names::{A, AAAA, AXFR, DSO, IXFR, OPT, QUERY};
use rdata::SEPARATOR;
use transfer::Transfer;

/// Bytes of the length before a message over TCP.
const LENGTH_BYTES: usize = 2;
/// The longest header and question, bytes: as much as is wanted of a later message of a transfer.
const QUESTION_END_MAX: usize = HEADER_BYTES + 255 + 4;

/// The state of a flow: datagrams have none.
pub struct Dns {
    /// The zone transfer that the server is sending.
    transfer: Option<Transfer>,
}

impl Parser for Dns {
    const NAME: &'static str = "dns";
    const ABOUT: &'static str = "Domain Name System, mDNS and LLMNR (RFC 1035, 6891, 7766, 6762, 4795)";
    const TRANSPORTS: Transports = Transports::UDP.or(Transports::TCP);
    const PORTS: &'static [u16] = &[53, 5353, 5355];
    const PAIRING: Pairing = Pairing::ById;
    const RESPONSE_TIMEOUT_NS: u64 = DNS_RESPONSE_TIMEOUT_NS;
    // An id or a length, then flags, or an id: any byte anywhere. The probe's first look is as cheap.
    const FIRST_BYTES: [ByteSet; 4] = [ByteSet::ANY; 4];
    const FIRST_BYTES_ELSEWHERE: [ByteSet; 4] = [
        ByteSet::ANY,
        ByteSet::ANY,
        message::STRICT_FLAGS[0],
        message::STRICT_FLAGS[1],
    ];
    const ATTRS: &'static [&'static str] = &["opcode", "tc"];

    fn probe(head: &[u8], context: &ProbeContext) -> Probe {
        match (context.transport.contains(Transports::TCP), context.on_known_port) {
            (false, true) => probe_datagram(head),
            (false, false) => probe_datagram_elsewhere(head),
            (true, true) => probe_stream(head, Rules::Lenient),
            (true, false) => probe_stream(head, Rules::Strict),
        }
    }

    fn new() -> Self {
        Self { transfer: None }
    }

    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if !out.is_datagram() {
            return self.advance_stream(direction, input, out);
        }
        match read(input.bytes, input.bytes.len(), out) {
            Some(_) => {
                out.close();
                Advance::Consumed(input.bytes.len())
            }
            None => Advance::Malformed,
        }
    }

    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        if direction == Direction::ToClient {
            self.transfer = None;
        }
        (0..bytes.len()).find(|at| bytes.get(*at..).is_some_and(|rest| begins(rest, direction)))
    }
}

impl Dns {
    // Apart, as what else is rare below: so that datagrams need not save and restore what it works with.
    #[inline(never)]
    fn advance_stream(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        if direction == Direction::ToClient && self.transfer.as_ref().is_some_and(Transfer::in_message) {
            return self.advance_transfer(input, out);
        }
        self.advance_message(direction, input, out)
    }

    /// Reads a message of a TCP stream behind its length.
    fn advance_message(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let bytes = input.bytes;
        let Some(length) = bytes.first_chunk::<LENGTH_BYTES>() else {
            return Advance::Need(LENGTH_BYTES);
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let whole = LENGTH_BYTES + length;
        if length < HEADER_BYTES {
            return Advance::Malformed;
        }
        let Some(header) = bytes.get(LENGTH_BYTES..).and_then(Header::read) else {
            return Advance::Need(LENGTH_BYTES + HEADER_BYTES);
        };
        let continues = direction == Direction::ToClient
            && header.is_response()
            && self
                .transfer
                .as_ref()
                .is_some_and(|transfer| transfer.id == header.id);
        let wanted = if continues {
            QUESTION_END_MAX
        } else {
            DNS_MESSAGE_HEAD_BYTES_MAX
        };
        let wanted = whole.min(LENGTH_BYTES + wanted);
        if bytes.len() < wanted && !input.ended {
            return Advance::Need(wanted);
        }
        let message = bytes
            .get(LENGTH_BYTES..wanted)
            .or(bytes.get(LENGTH_BYTES..))
            .unwrap_or(&[]);
        if continues {
            return self.continue_transfer(header, message, length, out);
        }
        let Some(answers_at) = read(message, length, out) else {
            return Advance::Malformed;
        };
        out.add_len(whole as u64);
        if begins_transfer(header, message) && out.has_request() {
            self.transfer = Some(Transfer::new(header.id, header.answers(), length - answers_at));
            return Advance::Consumed(LENGTH_BYTES + answers_at);
        }
        out.close();
        Advance::Skip(whole as u64)
    }

    /// Another message of the transfer: it may repeat the question or not (RFC 5936 section 2.2.1).
    fn continue_transfer(
        &mut self,
        header: Header,
        message: &[u8],
        length: usize,
        out: &mut Out<'_>,
    ) -> Advance {
        let whole = (LENGTH_BYTES + length) as u64;
        let answers_at = match header.questions() {
            0 => Some(HEADER_BYTES),
            _ => Question::read(message, HEADER_BYTES).map(|question| question.end),
        };
        let transfer = self
            .transfer
            .as_mut()
            .filter(|_| out.select(Role::Response, u64::from(header.id)));
        let (Some(answers_at), Some(transfer)) = (answers_at, transfer) else {
            self.transfer = None;
            return Advance::Malformed;
        };
        out.add_len(whole);
        if header.rcode() != 0 {
            self.transfer = None;
            write_outcome(header.rcode(), out);
            out.close();
            return Advance::Skip(whole);
        }
        transfer.next_message(header.answers(), length - answers_at);
        Advance::Consumed(LENGTH_BYTES + answers_at)
    }

    fn advance_transfer(&mut self, input: Input<'_>, out: &mut Out<'_>) -> Advance {
        let Some(transfer) = &mut self.transfer else {
            return Advance::Malformed;
        };
        let (advance, over) = transfer.advance(input, out);
        if over {
            self.transfer = None;
        }
        advance
    }
}

/// Whether more messages of this response follow, or may. An incremental transfer of one record says that
/// there is nothing to transfer (RFC 1995 section 4).
fn begins_transfer(header: Header, message: &[u8]) -> bool {
    if !header.is_response() || header.questions() != 1 || header.rcode() != 0 {
        return false;
    }
    match Question::read(message, HEADER_BYTES).map(|question| question.kind) {
        Some(AXFR) => header.answers() > 0,
        Some(IXFR) => header.answers() > 1,
        _ => false,
    }
}

/// Opens the message and writes what it says. `message` is what is at hand of its `length` bytes. Returns
/// where its answers begin; `None`, with nothing opened, where it is no DNS.
#[inline]
fn read(message: &[u8], length: usize, out: &mut Out<'_>) -> Option<usize> {
    let header = Header::read(message).filter(|header| header.is_plausible(Rules::Lenient))?;
    let question = match header.questions() {
        0 => None,
        _ => match Question::read(message, HEADER_BYTES) {
            Some(question) if names::is_class(question.class) => Some(question),
            None if is_cut(message, HEADER_BYTES) => None,
            _ => return None,
        },
    };
    let role = match (header.is_response(), out.is_multicast()) {
        // RFC 8490 section 5.1: a message of id 0 wants no answer.
        (false, false) if header.opcode() == DSO && header.id == 0 => Role::OneWay,
        (false, false) => Role::Request,
        (false, true) => Role::OneWay,
        (true, false) => Role::Response,
        (true, true) => Role::Stream,
    };
    let tag = question.map_or(0, |question| question.tag());
    out.open_here(role, Some(u64::from(header.id)), tag);
    if role != Role::Response || !out.has_request() {
        write_question(header, question, message, out);
    }
    if message.len() < length || bytes_min(header) > length {
        out.truncated();
    }
    let answers_at = question.map_or(HEADER_BYTES, |question| question.end);
    if header.is_response() {
        write_answers(header, answers_at, message, out);
    }
    Some(answers_at)
}

/// Writes what is asked, or of what a message without a question speaks.
fn write_question(header: Header, question: Option<Question<'_>>, message: &[u8], out: &mut Out<'_>) {
    if header.opcode() != QUERY {
        write_opcode(header.opcode(), out);
    }
    if let Some(question) = question {
        write_type(question.kind, out);
        write_name(message, HEADER_BYTES, question.name(), out);
    } else {
        write_subject(header, message, out);
    }
}

#[inline(never)]
fn write_opcode(opcode: u8, out: &mut Out<'_>) {
    if let Some(name) = names::opcode_name(opcode) {
        return out.attr("opcode", name.as_bytes());
    }
    let digits = [b'0' + opcode / 10, b'0' + opcode % 10];
    out.attr(
        "opcode",
        digits.get(usize::from(opcode < 10)..).unwrap_or(&digits),
    );
}

/// Writes of what a message without a whole question speaks.
#[inline(never)]
fn write_subject(header: Header, message: &[u8], out: &mut Out<'_>) {
    if header.questions() > 0 {
        // The bytes end within the question.
        out.truncated();
        write_rare_name(message, HEADER_BYTES, out);
    } else if let Some(record) = Record::read(message, HEADER_BYTES).filter(|_| header.answers() > 0) {
        write_rare_type(record.kind, out);
        write_rare_name(message, HEADER_BYTES, out);
    } else if let Some(name) = names::opcode_name(header.opcode()).filter(|_| header.opcode() != QUERY) {
        out.text(Field::ReqType, name.as_bytes());
    }
}

#[inline]
fn write_type(kind: u16, out: &mut Out<'_>) {
    match kind {
        A => out.text(Field::ReqType, b"A"),
        AAAA => out.text(Field::ReqType, b"AAAA"),
        _ => write_rare_type(kind, out),
    }
}

#[inline(never)]
fn write_rare_type(kind: u16, out: &mut Out<'_>) {
    match names::type_name(kind) {
        Some(name) => out.text(Field::ReqType, name.as_bytes()),
        None => rdata::push_type(kind, &mut out.write(Field::ReqType)),
    }
}

/// Writes the name at `at`, whose octets are `name`.
#[inline]
fn write_name(message: &[u8], at: usize, name: &[u8], out: &mut Out<'_>) {
    let mut room = name::NO_TEXT;
    let Some(text) = name::plain(name, &mut room) else {
        return write_rare_name(message, at, out);
    };
    out.text(Field::Domain, text);
    out.text(Field::Resource, text);
    out.text(Field::Endpoint, text);
}

#[inline(never)]
fn write_rare_name(message: &[u8], at: usize, out: &mut Out<'_>) {
    let mut whole = true;
    for field in [Field::Domain, Field::Resource, Field::Endpoint] {
        whole = name::write(message, at, &mut out.write(field));
    }
    if !whole {
        out.truncated();
    }
}

/// Writes the response code and the answers, which begin behind a first question that ends at `at`, as
/// `A=1.2.3.4;A=…`.
fn write_answers(header: Header, at: usize, message: &[u8], out: &mut Out<'_>) {
    if header.is_truncated() {
        out.attr("tc", b"true");
    }
    let mut rcode = header.rcode();
    if let Some(at) = write_records(header, at, message, out)
        && header.additionals() > 0
    {
        rcode |= extended_rcode(header, message, at);
    }
    write_outcome(rcode, out);
}

/// Writes the answers; where they end, if they are all there.
fn write_records(header: Header, mut at: usize, message: &[u8], out: &mut Out<'_>) -> Option<usize> {
    for _ in 1..header.questions() {
        at = Question::read(message, at)?.end;
    }
    if header.answers() == 0 {
        return Some(at);
    }
    let mut room = rdata::NO_ADDRESS;
    if header.answers() == 1
        && let Some((text, end)) = rdata::address(message, at, &mut room)
    {
        out.text(Field::Result, text.get(SEPARATOR.len()..).unwrap_or(&[]));
        return Some(end);
    }
    let mut text = out.write(Field::Result);
    for number in 0..header.answers() {
        if !text.is_full()
            && let Some((address, end)) = rdata::address(message, at, &mut room)
        {
            let from = if number > 0 { 0 } else { SEPARATOR.len() };
            text.push(address.get(from..).unwrap_or(&[]));
            at = end;
            continue;
        }
        let Some(record) = Record::read(message, at) else {
            text.mark_truncated();
            return None;
        };
        at = record.end;
        if text.is_full() {
            text.mark_truncated();
            continue;
        }
        if number > 0 {
            text.push(SEPARATOR);
        }
        rdata::write(message, &record, &mut text);
    }
    Some(at)
}

/// The upper bits of the response code, in the OPT record's TTL (RFC 6891 section 6.1.3), in place.
fn extended_rcode(header: Header, message: &[u8], mut at: usize) -> u16 {
    for _ in 0..u32::from(header.authorities()) + u32::from(header.additionals()) {
        let Some(record) = Record::read(message, at) else {
            return 0;
        };
        if record.kind == OPT {
            return (record.ttl >> 24 << 4) as u16;
        }
        at = record.end;
    }
    0
}

fn write_outcome(rcode: u16, out: &mut Out<'_>) {
    match rcode {
        0 => out.ends_with(0, Status::Ok),
        _ => write_error(rcode, out),
    }
}

#[inline(never)]
fn write_error(rcode: u16, out: &mut Out<'_>) {
    let status = match rcode {
        1 | 3 => Status::ClientError,
        _ => Status::ServerError,
    };
    out.ends_with(i64::from(rcode), status);
    if let Some(name) = names::rcode_name(rcode) {
        out.text(Field::Exception, name.as_bytes());
    }
}

fn speaker(header: Header) -> Probe {
    Probe::Match(if header.is_response() {
        Speaker::Server
    } else {
        Speaker::Client
    })
}

/// Whether a datagram of a known port is DNS.
#[inline]
fn probe_datagram(message: &[u8]) -> Probe {
    match (Header::read(message), Question::read(message, HEADER_BYTES)) {
        (Some(header), Some(question)) if header.is_usual() && names::is_class(question.class) => {
            speaker(header)
        }
        _ => probe_rare_datagram(message),
    }
}

/// The same of what is not a message of an ordinary question.
#[inline(never)]
fn probe_rare_datagram(message: &[u8]) -> Probe {
    let Some(header) = Header::read(message).filter(|header| header.is_plausible(Rules::Lenient)) else {
        return Probe::NoMatch;
    };
    let matches = match Question::read(message, HEADER_BYTES) {
        _ if header.questions() == 0 => fit(message, header, Rules::Lenient) != Fit::Broken,
        Some(question) => names::is_class(question.class),
        None => message.len() > HEADER_BYTES && is_cut(message, HEADER_BYTES),
    };
    if matches { speaker(header) } else { Probe::NoMatch }
}

/// Whether a datagram is DNS that no port tells of.
#[inline(never)]
fn probe_datagram_elsewhere(message: &[u8]) -> Probe {
    let Some(header) = Header::read(message).filter(|header| header.is_plausible(Rules::Strict)) else {
        return Probe::NoMatch;
    };
    let matches = bytes_min(header) <= message.len()
        && !is_netbios(message)
        && fit(message, header, Rules::Strict) == Fit::Exact;
    if matches { speaker(header) } else { Probe::NoMatch }
}

/// Whether this is the NetBIOS name service, which has DNS's format: a name of 32 letters from A to P
/// (RFC 1002 section 4.1) whose types, NB and NBSTAT, are NIMLOC and SRV here.
fn is_netbios(message: &[u8]) -> bool {
    let Some((&[32, ref name @ ..], rest)) = message
        .get(HEADER_BYTES..)
        .and_then(|m| m.split_first_chunk::<33>())
    else {
        return false;
    };
    let is_encoded = name.iter().all(|byte| (b'A'..=b'P').contains(byte));
    let type_at = name::skip(rest, 0).and_then(|end| rest.get(end..)?.first_chunk::<2>());
    is_encoded && matches!(type_at, Some([0, 32 | 33]))
}

#[inline(never)]
fn probe_stream(head: &[u8], rules: Rules) -> Probe {
    let Some((length, rest)) = head.split_first_chunk::<LENGTH_BYTES>() else {
        return Probe::NeedMore;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    if length < HEADER_BYTES {
        return Probe::NoMatch;
    }
    let Some(header) = Header::read(rest) else {
        return Probe::NeedMore;
    };
    if !header.is_plausible(rules) || bytes_min(header) > length {
        return Probe::NoMatch;
    }
    if let Some(message) = rest.get(..length) {
        let fits = match fit(message, header, rules) {
            Fit::Exact => true,
            Fit::Trailing => rules == Rules::Lenient,
            Fit::Cut | Fit::Broken => false,
        };
        return if fits { speaker(header) } else { Probe::NoMatch };
    }
    match fit(rest, header, rules) {
        Fit::Exact | Fit::Cut if header.questions() > 0 => speaker(header),
        Fit::Cut if rest.len() > HEADER_BYTES && rules == Rules::Lenient => speaker(header),
        Fit::Broken if head.len() < PROBE_BYTES_MAX && is_cut(rest, HEADER_BYTES) => Probe::NeedMore,
        _ => Probe::NoMatch,
    }
}

/// Whether a message of `direction` begins a stream's `bytes`: one question, and all that is there fits.
fn begins(bytes: &[u8], direction: Direction) -> bool {
    let asks = direction == Direction::ToServer;
    bytes
        .get(LENGTH_BYTES..)
        .and_then(Header::read)
        .is_some_and(|header| header.questions() == 1 && header.is_response() != asks)
        && matches!(probe_stream(bytes, Rules::Strict), Probe::Match(_))
}
