//! Start lines, and how they tell HTTP/1 from everything else. Source: RFC 9112 sections 2, 3 and 4.

use crate::l7::http::{header, is_token, method};
use crate::limits::{METHOD_BYTES_MAX, PROBE_BYTES_MAX, STATUS_LINE_BYTES_MAX};
use crate::parser::{Direction, Probe, Speaker};

/// What the beginning of some bytes is as a start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line<T> {
    /// One, of so many bytes with its line end.
    Whole(T, usize),
    /// It may become one.
    Part,
    /// Not one.
    Wrong,
}

/// `method SP target SP HTTP/1.digit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: &'a [u8],
    /// Blanks within it are against the rules and happen.
    pub(super) target: &'a [u8],
    /// `1.1`.
    pub(super) version: &'a [u8],
}

/// `HTTP/1.digit SP code SP reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatusLine<'a> {
    /// `1.1`.
    pub(super) version: &'a [u8],
    pub(super) code: u16,
    /// As it stands, with blanks around it.
    pub(super) reason: &'a [u8],
}

/// The line that a head begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartLine<'a> {
    Request(RequestLine<'a>),
    Status(StatusLine<'a>),
}

impl<T> Line<T> {
    #[inline(always)]
    fn map<U>(self, of: impl FnOnce(T) -> U) -> Line<U> {
        match self {
            Self::Whole(line, len) => Line::Whole(of(line), len),
            Self::Part => Line::Part,
            Self::Wrong => Line::Wrong,
        }
    }
}

/// Reads the line that a head of `direction` begins with: see [`request_line`] and [`status_line`].
#[inline(always)]
pub(super) fn read(
    direction: Direction,
    bytes: &[u8],
    end: Option<usize>,
    ended: bool,
) -> Line<StartLine<'_>> {
    match direction {
        Direction::ToServer => request_line(bytes, end, ended).map(StartLine::Request),
        Direction::ToClient => status_line(bytes, end, ended).map(StartLine::Status),
    }
}

const VERSION: &[u8; 7] = b"HTTP/1.";
/// `HTTP/1.1`, bytes.
const VERSION_BYTES: usize = 8;
/// `HTTP/1.1 200`, bytes.
const STATUS_BYTES: usize = 12;

/// The line at the start of `bytes`, whose LF is at `end`, without its end, and its length with it.
#[inline]
fn first_line(bytes: &[u8], end: Option<usize>) -> Option<(&[u8], usize)> {
    let end = end?;
    let line = bytes.get(..end)?;
    Some((line.strip_suffix(b"\r").unwrap_or(line), end + 1))
}

/// Where the first LF of `bytes` stands.
#[inline]
fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr(b'\n', bytes)
}

/// The method at the start of `bytes`: a token and a blank behind it.
#[inline]
fn leading_method(bytes: &[u8]) -> Line<&[u8]> {
    let len = match bytes.first_chunk() {
        Some(b"GET " | b"PUT ") => 3,
        Some(b"POST" | b"HEAD") if bytes.get(4) == Some(&b' ') => 4,
        _ => return leading_token(bytes),
    };
    bytes
        .get(..len)
        .map_or(Line::Part, |method| Line::Whole(method, len))
}

/// The same of any method.
fn leading_token(bytes: &[u8]) -> Line<&[u8]> {
    for (at, byte) in bytes.iter().take(METHOD_BYTES_MAX + 1).enumerate() {
        if is_token(*byte) {
            continue;
        }
        return match bytes.get(..at) {
            Some(method) if at > 0 && *byte == b' ' => Line::Whole(method, at),
            _ => Line::Wrong,
        };
    }
    if bytes.len() > METHOD_BYTES_MAX {
        Line::Wrong
    } else {
        Line::Part
    }
}

/// Reads the request line at the start of `bytes`, whose first LF is at `end`. With `ended`, no more of it
/// will come: the method and the beginning of a path have to do.
#[inline(always)]
pub(super) fn request_line(bytes: &[u8], end: Option<usize>, ended: bool) -> Line<RequestLine<'_>> {
    let (method, at) = match leading_method(bytes) {
        Line::Whole(method, at) => (method, at),
        Line::Part => return Line::Part,
        Line::Wrong => return Line::Wrong,
    };
    let rest = bytes.get(at + 1..).unwrap_or(&[]);
    // None stands within the method.
    let Some((line, len)) = first_line(rest, end.and_then(|end| end.checked_sub(at + 1))) else {
        return match rest.first() {
            Some(_) if ended && method::is_known(method) && begins_path(rest) => Line::Whole(
                RequestLine {
                    method,
                    target: rest,
                    version: &[],
                },
                bytes.len(),
            ),
            None | Some(b'!'..=b'~' | 0x80..) => Line::Part,
            _ => Line::Wrong,
        };
    };
    let Some((target, version)) = split_version(line) else {
        return Line::Wrong;
    };
    let line = RequestLine {
        method,
        target,
        version,
    };
    Line::Whole(line, at + 1 + len)
}

/// Whether `target` begins as an origin form, or an absolute form of HTTP.
fn begins_path(target: &[u8]) -> bool {
    let scheme = target.get(..4).unwrap_or(b"");
    target.starts_with(b"/") || scheme.eq_ignore_ascii_case(b"http")
}

/// Takes ` HTTP/1.1` off the end: what stands before it, and `1.1`.
#[inline]
fn split_version(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = match line {
        [rest @ .., b' '] => header::trim(rest),
        _ => line,
    };
    let (target, version) = line.split_at_checked(line.len().checked_sub(VERSION_BYTES)?)?;
    let (&digit, name) = version.split_last()?;
    let target = target.strip_suffix(b" ")?;
    (name == VERSION && digit.is_ascii_digit() && !target.is_empty())
        .then(|| (target, version.get(VERSION_BYTES - 3..).unwrap_or(b"")))
}

/// Reads the status line at the start of `bytes`, whose first LF is at `end`. With `ended`, no more of it
/// will come: the code has to do.
#[inline(always)]
pub(super) fn status_line(bytes: &[u8], end: Option<usize>, ended: bool) -> Line<StatusLine<'_>> {
    let Some((&[name @ .., minor], &[blank, digits @ ..])) = bytes
        .first_chunk::<STATUS_BYTES>()
        .and_then(|line| Some((line.first_chunk::<VERSION_BYTES>()?, line.last_chunk::<4>()?)))
    else {
        return status_line_part(bytes);
    };
    let is_digit = digits.map(|digit: u8| digit.is_ascii_digit());
    let named = name == *VERSION && minor.is_ascii_digit() && blank == b' ';
    if !named || is_digit != [true; 3] || digits[0] == b'0' {
        return Line::Wrong;
    }
    match bytes.get(STATUS_BYTES) {
        None => return Line::Part,
        Some(b' ' | b'\r' | b'\n') => {}
        Some(_) => return Line::Wrong,
    }
    let rest = bytes.get(STATUS_BYTES..).unwrap_or(&[]);
    // None stands before the code's end.
    let (reason, len) = match first_line(rest, end.and_then(|end| end.checked_sub(STATUS_BYTES))) {
        Some(line) => line,
        None if ended => (rest, rest.len()),
        None => return Line::Part,
    };
    let line = StatusLine {
        version: bytes.get(VERSION_BYTES - 3..VERSION_BYTES).unwrap_or(b""),
        code: digits
            .iter()
            .fold(0, |code, digit| code * 10 + u16::from(digit - b'0')),
        reason,
    };
    Line::Whole(line, STATUS_BYTES + len)
}

/// Fewer bytes than `HTTP/1.1 200`: whether they are its beginning.
fn status_line_part(bytes: &[u8]) -> Line<StatusLine<'static>> {
    let fits = bytes.iter().enumerate().all(|(at, byte)| match at {
        7 | 9..=11 => byte.is_ascii_digit(),
        8 => *byte == b' ',
        _ => VERSION.get(at) == Some(byte),
    });
    if fits { Line::Part } else { Line::Wrong }
}

/// Line ends that stand before a request (RFC 9112 section 2.2), bytes.
#[inline]
pub(super) fn leading_line_ends(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count()
}

/// Whether `bytes` begin a request or a response.
pub(super) fn probe(bytes: &[u8]) -> Probe {
    match status_line(bytes, line_end(bytes), bytes.len() > STATUS_BYTES) {
        Line::Whole(..) => return Probe::Match(Speaker::Server),
        Line::Part => return Probe::NeedMore,
        Line::Wrong => {}
    }
    let bytes = bytes.get(leading_line_ends(bytes)..).unwrap_or(&[]);
    let plausible = match leading_method(bytes) {
        Line::Whole(method, at) => is_plausible(method, bytes.get(at + 1..).unwrap_or(&[])),
        Line::Part => true,
        Line::Wrong => false,
    };
    if !plausible {
        return Probe::NoMatch;
    }
    // A target without end: the method and the beginning of a path have to do.
    let long = bytes.len() >= PROBE_BYTES_MAX;
    match request_line(bytes, line_end(bytes), long) {
        Line::Whole(line, _) if is_clean(line.target) => Probe::Match(Speaker::Client),
        Line::Part if !long => Probe::NeedMore,
        _ => Probe::NoMatch,
    }
}

/// Whether a target may begin like this: origin, asterisk or absolute form, and authority form where
/// the method wants it. An unknown method proves nothing by itself, so it has to be in capitals like
/// all others, and its target a path.
pub(super) fn is_plausible(method: &[u8], target: &[u8]) -> bool {
    match target.first() {
        None | Some(b'/' | b'*') => method::is_known(method) || !method.iter().any(u8::is_ascii_lowercase),
        Some(first) => method::is_known(method) && first.is_ascii_alphanumeric() || method == b"CONNECT",
    }
}

/// Free of control characters.
fn is_clean(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_control)
}

/// Where in `bytes` a response begins. Behind a body nothing separates it, so without a line end before
/// it, a field has to follow.
pub(super) fn find_response(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, VERSION).find(|at| {
        let rest = bytes.get(*at..).unwrap_or(&[]);
        let line = rest.get(..STATUS_LINE_BYTES_MAX).unwrap_or(rest);
        match status_line(line, line_end(line), false) {
            Line::Whole(_, len) => begins_line(bytes, *at) || begins_field(rest.get(len..).unwrap_or(&[])),
            _ => false,
        }
    })
}

/// Where in `bytes` a request begins; see [`find_response`].
pub(super) fn find_request(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(bytes, b" HTTP/1.").find_map(|at| {
        // A line without end is not looked at twice: the cost of a search stays linear.
        let end = bytes.get(at + 1 + VERSION_BYTES..)?;
        if !(end.starts_with(b"\r\n") || end.starts_with(b"\n")) {
            return None;
        }
        let start = memchr::memrchr(b'\n', bytes.get(..at)?).map_or(0, |end| end + 1);
        let blank = start + memchr::memrchr(b' ', bytes.get(start..at)?)?;
        let method = method::at_end_of(bytes.get(start..blank)?)?;
        let start = blank - method.len();
        let bytes_from = bytes.get(start..)?;
        let Line::Whole(line, len) = request_line(bytes_from, line_end(bytes_from), false) else {
            return None;
        };
        let likely = is_plausible(method, line.target) && is_clean(line.target);
        let placed = begins_line(bytes, start) || begins_field(bytes.get(start + len..)?);
        (likely && placed).then_some(start)
    })
}

fn begins_line(bytes: &[u8], at: usize) -> bool {
    at == 0 || bytes.get(at - 1) == Some(&b'\n')
}

/// Whether a field, or the empty line behind the last one, stands at the start of `bytes`.
fn begins_field(bytes: &[u8]) -> bool {
    let name = bytes.iter().take_while(|byte| is_token(**byte)).count();
    match bytes.get(name) {
        Some(b':') => name > 0,
        Some(b'\r' | b'\n') => name == 0,
        _ => false,
    }
}
