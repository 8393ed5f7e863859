//! Tells the protocol from the first bytes of either side, and finds messages again after a gap.
//!
//! A message is believed when all of it that is at hand fits its layout: lengths, texts, counts, error codes, and
//! its end. A request names its layout; a response must fit some layout, and say enough to be no chance.

use super::cursor::{Cursor, Lack};
use super::errors;
use super::header::{self, LENGTH_BYTES, REQUEST_BYTES_MIN, RESPONSE_BYTES_MIN, Request};
use super::layout::{Api, Note};
use super::layouts;
use super::response::correlation;
use super::under_way::UnderWay;
use super::walk::{Notes, Stop, Walk, pass_tag};
use crate::limits::PROBE_BYTES_MAX;
use crate::parser::{Direction, Probe, ProbeContext, Speaker};

/// Longest name of a client that is believed, bytes.
const CLIENT_BYTES_MAX: usize = 255;
/// Shortest name of a client by which a request is believed whose layout is not known, bytes.
const CLIENT_BYTES_MIN: usize = 4;
/// Versions beyond the newest known that are believed: two years of releases.
const NEWER_VERSIONS_MAX: u8 = 6;
/// Bytes of evidence that a response must give: of texts and values that are what they should be.
const EVIDENCE_BYTES_MIN: usize = 12;
/// The same where Kafka is expected: an error code and its message's end will do.
const EVIDENCE_BYTES_MIN_ON_PORT: usize = 2;
/// Bytes behind the last field of a layout, where a response is to be believed by its end: how long a client was
/// held back, and that there are no tagged fields.
const TAIL_BYTES_MAX: u64 = 5;
/// APIs that the answer to ApiVersions is judged by.
const VERSIONS_READ: u32 = 16;
/// Correlation ids that are believed where nothing else tells: clients count.
const CORRELATION_MAX: u32 = 1 << 24;

/// Whose message `head` begins with.
pub(super) fn probe(head: &[u8], context: &ProbeContext) -> Probe {
    let Some(bytes) = header::message_bytes(head) else {
        return if head.len() < LENGTH_BYTES && !context.complete {
            Probe::NeedMore
        } else {
            Probe::NoMatch
        };
    };
    if bytes < RESPONSE_BYTES_MIN as u64 {
        return Probe::NoMatch;
    }
    let may_grow = !context.complete && head.len() < PROBE_BYTES_MAX && (head.len() as u64) < bytes;
    match request(head, may_grow) {
        Judgement::Fits => return Probe::Match(Speaker::Client),
        Judgement::Unclear => return Probe::NeedMore,
        Judgement::Breaks => {}
    }
    if context.direction_is_sure && context.direction == Direction::ToServer {
        return Probe::NoMatch;
    }
    response(head, bytes, may_grow, context)
}

/// What was found out about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    Fits,
    Breaks,
    /// More bytes will tell.
    Unclear,
}

/// Whether `bytes` begin with a request; `None` when more bytes will tell.
pub(super) fn is_request(bytes: &[u8], ended: bool) -> Option<bool> {
    let whole = header::message_bytes(bytes).unwrap_or(0);
    let may_grow = !ended && bytes.len() < PROBE_BYTES_MAX && (bytes.len() as u64) < whole;
    match request(bytes, may_grow) {
        Judgement::Fits => Some(true),
        Judgement::Breaks => Some(false),
        Judgement::Unclear => None,
    }
}

/// Whether `head` begins with a request.
fn request(head: &[u8], may_grow: bool) -> Judgement {
    let unclear = if may_grow {
        Judgement::Unclear
    } else {
        Judgement::Breaks
    };
    // Key and version tell most others apart at once.
    if let Some([_, _, _, _, high, low, version_high, version]) = head.first_chunk() {
        let api = layouts::api(u16::from_be_bytes([*high, *low]));
        if !api.is_some_and(|api| *version_high == 0 && *version <= api.newest + NEWER_VERSIONS_MAX) {
            return Judgement::Breaks;
        }
    }
    let request = match Request::read(head) {
        Ok(request) => request,
        Err(Lack::Bytes(_)) => return unclear,
        Err(Lack::Broken) => return Judgement::Breaks,
    };
    let Some(api) = request.api else {
        return Judgement::Breaks;
    };
    // Clients count up from 0 or 1; those that don't stay positive, and have a name.
    if request.correlation > i32::MAX as u32
        || request.client.len() > CLIENT_BYTES_MAX
        || !is_text(request.client)
    {
        return Judgement::Breaks;
    }
    if !request.is_known() {
        return if request.client.len() >= CLIENT_BYTES_MIN {
            Judgement::Fits
        } else {
            Judgement::Breaks
        };
    }
    let mut cursor = Cursor::new(head, request.fields_at, request.bytes);
    let mut walk = Walk::NONE;
    let flexible = header::is_flexible(api, request.version);
    walk.begin(api.request, request.version as u8, flexible);
    let mut evidence = Evidence::default();
    let stop = walk.run(&mut cursor, &mut evidence);
    if evidence.is_odd {
        return Judgement::Breaks;
    }
    // What a layout leaves out is as long as it likes, but where nothing is left out it must end with the message.
    match stop {
        Stop::Broken => Judgement::Breaks,
        // Nothing stands behind what is produced. The first responses to a client, whose correlation ids would be
        // versions of Produce, would end before their topic's first partition.
        Stop::Done if request.key == header::PRODUCE && cursor.left() > TAIL_BYTES_MAX => Judgement::Breaks,
        Stop::Need(_) if may_grow => Judgement::Unclear,
        Stop::Need(_) | Stop::Done if request.client.len() + evidence.bytes >= 3 => Judgement::Fits,
        // A request without a name and a word: its length must say that it is one.
        Stop::Done if head.len() as u64 >= request.bytes && cursor.left() < TAIL_BYTES_MAX => Judgement::Fits,
        _ => unclear,
    }
}

/// Whether `head` begins with a response, of `bytes` as it says.
fn response(head: &[u8], bytes: u64, may_grow: bool, context: &ProbeContext) -> Probe {
    let whole = head.len() as u64 == bytes;
    // A long one is told by its head, others must end where their segment does: a client waits for its answer.
    let long = bytes > PROBE_BYTES_MAX as u64 && head.len() >= PROBE_BYTES_MAX;
    if !whole && !long {
        return if may_grow && (head.len() as u64) < bytes {
            Probe::NeedMore
        } else {
            Probe::NoMatch
        };
    }
    if correlation(head).is_none_or(|id| id >= CORRELATION_MAX) {
        return Probe::NoMatch;
    }
    let enough = if context.on_known_port && whole {
        EVIDENCE_BYTES_MIN_ON_PORT
    } else {
        EVIDENCE_BYTES_MIN
    };
    let (mut fits, mut may_be) = (tells_versions(head, bytes), false);
    for api in layouts::all() {
        for version in 0..=api.newest {
            let evidence = evidence(api, version, head, bytes);
            let evidence = evidence.filter(|evidence| evidence.errors > 0 && evidence.ends);
            fits |= evidence.as_ref().is_some_and(|evidence| evidence.bytes >= enough);
            may_be |= evidence.is_some();
        }
    }
    if fits {
        Probe::Match(Speaker::Server)
    } else if may_be && whole && !context.complete && head.len() < PROBE_BYTES_MAX {
        // It is kept until the other side says whether this is Kafka.
        Probe::NeedMore
    } else {
        Probe::NoMatch
    }
}

/// What shows `head` to be a response of this API and version; `None` where it is none. At the end of what is
/// at hand nothing is odd yet.
fn evidence(api: &Api, version: u8, head: &[u8], bytes: u64) -> Option<Evidence> {
    let mut cursor = Cursor::new(head, RESPONSE_BYTES_MIN as u64, bytes);
    let flexible = header::is_flexible(api, u16::from(version));
    if header::has_tags(api, u16::from(version)) {
        for _ in 0..cursor.length_of_tags().ok()? {
            pass_tag(&mut cursor).ok()?;
        }
    }
    let mut walk = Walk::NONE;
    walk.begin(api.response, version, flexible);
    let mut evidence = Evidence::default();
    let ends = match walk.run(&mut cursor, &mut evidence) {
        Stop::Broken => return None,
        Stop::Need(_) if head.len() as u64 >= bytes => return None,
        Stop::Need(_) => true,
        Stop::Done => cursor.left() <= TAIL_BYTES_MAX,
    };
    (!evidence.is_odd).then_some(Evidence { ends, ..evidence })
}

/// Whether `head` begins with the answer to ApiVersions, the first that most brokers give: no error, and APIs with
/// their versions, each key above the one before.
fn tells_versions(head: &[u8], bytes: u64) -> bool {
    let tells = |flexible: bool| {
        let mut cursor = Cursor::new(head, RESPONSE_BYTES_MIN as u64, bytes);
        let error = cursor.int16().ok()?;
        let count = cursor.length(flexible, false).ok()??;
        let mut last = -1;
        let mut seen = 0;
        for _ in 0..count.min(VERSIONS_READ) {
            let Ok(key) = cursor.int16() else { break };
            let (oldest, newest) = (cursor.int16().ok()?, cursor.int16().ok()?);
            if flexible && cursor.length_of_tags().ok()? > 0 {
                return None;
            }
            if key <= last || !(0..=newest).contains(&oldest) || newest > 100 {
                return None;
            }
            (last, seen) = (key, seen + 1);
        }
        (error == 0 && seen == count.min(VERSIONS_READ) && seen >= 4).then_some(())
    };
    tells(false).or_else(|| tells(true)).is_some()
}

/// Weighs what a walk comes by.
#[derive(Default)]
struct Evidence {
    /// Bytes that are what they should be.
    bytes: usize,
    /// Error codes seen.
    errors: usize,
    /// The message ends with its layout, or goes on beyond what is at hand.
    ends: bool,
    /// Something is not what it should be.
    is_odd: bool,
}

impl Notes for Evidence {
    const ALL: bool = true;

    fn text(&mut self, _note: Note, text: &[u8], _cut: bool) {
        if is_text(text) {
            self.bytes += text.len();
        } else {
            self.is_odd = true;
        }
    }

    fn value(&mut self, note: Note, bytes: &[u8]) {
        match (note, bytes) {
            (Note::Error, [high, low]) => {
                self.is_odd |= !errors::is_likely(i16::from_be_bytes([*high, *low]));
                // Zeros are cheap: the first tells, no other.
                self.bytes += if self.errors == 0 { 2 } else { 0 };
                self.errors += 1;
            }
            (Note::Partition, [high, ..]) => self.is_odd |= *high > 0,
            (Note::Acks, [high, low]) => self.is_odd |= !matches!([*high, *low], [0, 0 | 1] | [255, 255]),
            (Note::KeyType, [key_type]) => self.is_odd |= *key_type > 2,
            _ => {}
        }
    }

    fn header(&mut self, _name: &[u8], _value: &[u8]) {}

    fn wants_headers(&self) -> bool {
        false
    }
}

/// Whether this may be a name: printable, and UTF-8 as far as can be told.
fn is_text(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| *byte >= b' ' && *byte != 0x7F && *byte < 0xF8)
}

/// What a message at `at` is judged by: a bound for the work at each place.
fn head_at(bytes: &[u8], at: usize) -> &[u8] {
    let rest = bytes.get(at..).unwrap_or(&[]);
    rest.get(..PROBE_BYTES_MAX).unwrap_or(rest)
}

/// Where in `bytes` the next request begins.
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(REQUEST_BYTES_MIN)?;
    (0..=last).find(|at| {
        let rest = head_at(bytes, *at);
        matches!(rest, [0..=7, _, _, _, 0 | 3, _, 0, _, ..]) && request(rest, false) == Judgement::Fits
    })
}

/// Where in `bytes` the next response begins: one that is waited for, and laid out as its request says.
pub(super) fn find_response(bytes: &[u8], under_way: &UnderWay) -> Option<usize> {
    let last = bytes.len().checked_sub(RESPONSE_BYTES_MIN)?;
    (0..=last).find(|at| {
        let rest = head_at(bytes, *at);
        let request = correlation(rest).and_then(|id| under_way.find(id));
        let whole = header::message_bytes(rest).filter(|whole| *whole > RESPONSE_BYTES_MIN as u64);
        let (Some(tag), Some(whole)) = (request, whole) else {
            return false;
        };
        // Numbers within another response may look like one. What begins where a segment does, or ends here, has
        // that to say for itself.
        let ends_here = rest.len() as u64 >= whole;
        match layouts::api(tag.key()) {
            Some(api) if header::is_known(api, u16::from(tag.version())) => {
                evidence(api, tag.version(), rest, whole)
                    .is_some_and(|evidence| *at == 0 || ends_here || evidence.bytes >= EVIDENCE_BYTES_MIN)
            }
            _ => *at == 0 || ends_here,
        }
    })
}
