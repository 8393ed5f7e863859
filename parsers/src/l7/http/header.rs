//! The headers that say something of a message, recognised by how their names begin.

use crate::conversation::Out;
use crate::field::Field;
use arrayvec::ArrayVec;

use super::trace;

/// A header worth reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Host,
    UserAgent,
    Referer,
    ForwardedFor,
    XRequestId,
    /// W3C Trace Context.
    TraceParent,
    /// Zipkin, all in one.
    B3,
    /// Zipkin, the trace alone.
    B3TraceId,
    /// Zipkin, the span alone.
    B3SpanId,
    /// SkyWalking.
    Sw8,
    /// Jaeger.
    UberTraceId,
    /// SOFATracer, the trace alone.
    SofaTraceId,
    /// SOFATracer, the span alone.
    SofaRpcId,
    /// SOFATracer, both.
    RpcTraceContext,
    /// EagleEye, the trace alone.
    EagleEyeTraceId,
    /// EagleEye, the span alone.
    EagleEyeSpanId,
    /// Outcome of a gRPC call.
    GrpcStatus,
    /// Why it failed.
    GrpcMessage,
    ContentType,
    ContentLength,
    TransferEncoding,
    Upgrade,
}

/// Bytes that are enough to know a name with its colon: those of [`Name`]'s words.
pub(crate) const NAME_BYTES: usize = 24;

/// Every name, that of B3 first, those that begin alike next to each other.
static NAMES: [Name; 22] = [
    Name::new("b3:", Header::B3),
    Name::new("content-length:", Header::ContentLength),
    Name::new("content-type:", Header::ContentType),
    Name::new("eagleeye-traceid:", Header::EagleEyeTraceId),
    Name::new("eagleeye-spanid:", Header::EagleEyeSpanId),
    Name::new("grpc-status:", Header::GrpcStatus),
    Name::new("grpc-message:", Header::GrpcMessage),
    Name::new("host:", Header::Host),
    Name::new("new_rpc_trace_context:", Header::RpcTraceContext),
    Name::new("referer:", Header::Referer),
    Name::new("sw8:", Header::Sw8),
    Name::new("sofa-traceid:", Header::SofaTraceId),
    Name::new("sofa-rpcid:", Header::SofaRpcId),
    Name::new("traceparent:", Header::TraceParent),
    Name::new("transfer-encoding:", Header::TransferEncoding),
    Name::new("user-agent:", Header::UserAgent),
    Name::new("upgrade:", Header::Upgrade),
    Name::new("uber-trace-id:", Header::UberTraceId),
    Name::new("x-request-id:", Header::XRequestId),
    Name::new("x-forwarded-for:", Header::ForwardedFor),
    Name::new("x-b3-traceid:", Header::B3TraceId),
    Name::new("x-b3-spanid:", Header::B3SpanId),
];

/// The bit that makes letters lower case, in the first four bytes. It is set in all that is compared, and confuses
/// what else names are made of with control characters only.
const LOWER_CASE: u32 = 0x2020_2020;

/// The name of a header, as it is compared: in words. It ends in the colon: `X-Request-IDs` is another header.
pub(crate) struct Name {
    pub(crate) header: Header,
    /// Bytes, with the colon.
    pub(crate) len: usize,
    words: [u64; 3],
    /// Which of their bytes are the name's, without the bit that makes letters lower case.
    masks: [u64; 3],
}

impl Name {
    /// No line begins with it.
    const NONE: Self = Self {
        header: Header::Upgrade,
        len: 0,
        words: [u64::MAX; 3],
        masks: [u64::MAX; 3],
    };

    const fn new(text: &str, header: Header) -> Self {
        let text = text.as_bytes();
        let (mut words, mut masks) = ([0; 3], [0; 3]);
        let mut i = 0;
        while i < text.len() {
            words[i / 8] |= (text[i] as u64 | 0x20) << (i % 8 * 8);
            masks[i / 8] |= 0xDF << (i % 8 * 8);
            i += 1;
        }
        Self {
            header,
            len: text.len(),
            words,
            masks,
        }
    }

    /// Whether a line begins with this name. The last word is looked at when the others are the name's: it says
    /// nothing of most names.
    #[inline(always)]
    fn begins(&self, line: &[u64; 3]) -> bool {
        let differ = |i: usize| (line[i] ^ self.words[i]) & self.masks[i];
        differ(0) == 0 && differ(1) == 0 && (self.masks[2] == 0 || differ(2) == 0)
    }
}

/// The names that begin with the same four bytes, of [`NAMES`]: there are two at most.
#[derive(Clone, Copy)]
struct Alike {
    beginning: u32,
    names: [&'static Name; 2],
}

/// Where names that begin alike stand, by [`place`], and the multiplier that gives each its own place.
static PLACES: ([Alike; 64], u32) = places();

/// The place of a beginning: the upper bits of a product.
#[inline(always)]
const fn place(beginning: u32, multiplier: u32) -> usize {
    (beginning.wrapping_mul(multiplier) >> 26) as usize
}

const fn places() -> ([Alike; 64], u32) {
    const NOWHERE: Alike = Alike {
        beginning: 0,
        names: [&Name::NONE; 2],
    };
    let mut multiplier = 0x9E37_79B1;
    'multipliers: loop {
        let mut places = [NOWHERE; 64];
        let mut i = 0;
        while i < NAMES.len() {
            // That of B3, which is shorter, keeps a place that no line leads to.
            let beginning = NAMES[i].words[0] as u32;
            let alike = &mut places[place(beginning, multiplier)];
            if alike.beginning == 0 {
                alike.beginning = beginning;
                alike.names[0] = &NAMES[i];
            } else if alike.beginning == beginning && alike.names[1].len == 0 {
                alike.names[1] = &NAMES[i];
            } else {
                multiplier = multiplier.wrapping_add(0x1_0002);
                continue 'multipliers;
            }
            i += 1;
        }
        return (places, multiplier);
    }
}

/// The name that a line begins with, of which `line` is as much as could be one: it may reach into the next
/// line. Nearly all other lines are known by their first four bytes.
#[inline(always)]
pub(crate) fn name_of(line: &[u8; NAME_BYTES]) -> Option<&'static Name> {
    let (words, _) = line.as_chunks::<8>();
    let line = words.first_chunk::<3>()?.map(u64::from_le_bytes);
    let (places, multiplier) = &PLACES;
    let beginning = line[0] as u32 | LOWER_CASE;
    let alike = &places[place(beginning, *multiplier)];
    if alike.beginning != beginning {
        // That of B3 is too short for a place.
        return NAMES.first().filter(|b3| b3.begins(&line));
    }
    alike.names.into_iter().find(|name| name.begins(&line))
}

impl Header {
    /// The header of a line `name:value`, and where its value begins.
    #[inline]
    pub(crate) fn of_line(line: &[u8]) -> Option<(Self, usize)> {
        let name = match line.first_chunk() {
            Some(line) => name_of(line),
            None => {
                let mut room = [0; NAME_BYTES];
                room.get_mut(..line.len())?.copy_from_slice(line);
                name_of(&room)
            }
        };
        name.map(|name| (name.header, name.len))
    }

    /// The header of this name.
    pub(crate) fn of_name(name: &[u8]) -> Option<Self> {
        let mut line = [0; NAME_BYTES];
        line.get_mut(..name.len())?.copy_from_slice(name);
        *line.get_mut(name.len())? = b':';
        name_of(&line).map(|name| name.header)
    }

    /// The field that its value is as it stands, and whether that tells of users.
    #[inline]
    fn field(self) -> Option<(Field, bool)> {
        match self {
            Self::Host => Some((Field::Domain, false)),
            Self::XRequestId => Some((Field::XRequestId, false)),
            Self::UserAgent => Some((Field::UserAgent, true)),
            Self::Referer => Some((Field::Referer, true)),
            Self::ForwardedFor => Some((Field::ForwardedFor, true)),
            _ => None,
        }
    }

    /// Whether it is kept for what it says, not for what it makes of the message.
    #[inline]
    pub(crate) fn is_kept(self) -> bool {
        !matches!(
            self,
            Self::ContentType | Self::ContentLength | Self::TransferEncoding | Self::Upgrade
        )
    }
}

/// `value` without blanks and line ends around it (RFC 9110 section 5.5).
#[inline]
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    match value {
        // One blank before and a CR behind it is how nearly all are written.
        [b' ', b'!'..=0xFF, .., b'!'..=0xFF, b'\r'] => value.get(1..value.len() - 1).unwrap_or(value),
        _ => trim_all(value),
    }
}

#[inline(never)]
fn trim_all(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t' | b'\r' | b'\n'] = value {
        value = rest;
    }
    value
}

/// A value that goes over several lines on one line, in `room`; what does not fit is left out.
pub(crate) fn unfold<'r, const N: usize>(value: &[u8], room: &'r mut ArrayVec<u8, N>) -> &'r [u8] {
    room.clear();
    for line in value.split(|byte| *byte == b'\n') {
        let blank: &[u8] = if room.is_empty() { b"" } else { b" " };
        let pieces = blank.iter().chain(trim(line));
        room.extend(pieces.copied().take(room.remaining_capacity()));
    }
    room
}

/// Writes what a header tells of the selected message; headers that frame it or decide what it
/// is write nothing.
#[inline(always)]
pub(crate) fn write(out: &mut Out<'_>, header: Header, value: &[u8]) {
    let Some((field, says_who)) = header.field() else {
        trace::write(out, header, value);
        return;
    };
    let hide = says_who && out.settings().redaction.http_headers && !value.is_empty();
    out.text(field, if hide { b"?" } else { value });
}

/// Writes what a header of this name tells of the trace that the selected message belongs to, where other
/// protocols carry such headers among what applications add to messages.
pub(crate) fn write_trace(out: &mut Out<'_>, name: &[u8], value: &[u8]) {
    match Header::of_name(name) {
        Some(Header::XRequestId) => out.text(Field::XRequestId, value),
        Some(header) => trace::write(out, header, value),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Header, NAMES, trim, unfold};
    use arrayvec::ArrayVec;

    #[test]
    fn every_name_is_found_wherever_it_stands() {
        for name in &NAMES {
            let text: Vec<u8> = (0..name.len)
                .map(|i| name.words[i / 8].to_le_bytes()[i % 8])
                .map(|byte| if byte == 0x7F { b'_' } else { byte })
                .collect();
            for text in [text.clone(), text.to_ascii_uppercase()] {
                for behind in [&b""[..], b" ", b"v", b"\r\nhost: a long value that is no name"] {
                    let line = [&text, behind].concat();
                    assert_eq!(Header::of_line(&line), Some((name.header, name.len)));
                }
                assert_eq!(Header::of_name(&text[..name.len - 1]), Some(name.header));
                assert_eq!(Header::of_line(&text[..name.len - 1]), None);
            }
        }
    }

    #[test]
    fn names_are_recognised_in_any_case_and_as_a_whole() {
        let of = |line: &str| Header::of_line(line.as_bytes());
        assert_eq!(of("Host: v"), Some((Header::Host, 5)));
        assert_eq!(of("hOST:v"), Some((Header::Host, 5)));
        assert_eq!(of("X-FORWARDED-FOR:"), Some((Header::ForwardedFor, 16)));
        assert_eq!(
            of("NEW_RPC_TRACE_CONTEXT: v"),
            Some((Header::RpcTraceContext, 22))
        );
        let named = |name: &str| Header::of_name(name.as_bytes());
        assert_eq!(named("host"), Some(Header::Host));
        assert_eq!(named("new_rpc_trace_context"), Some(Header::RpcTraceContext));
        assert_eq!(named("hosts"), None);
        assert_eq!(named(""), None);
        assert_eq!(named("a-name-longer-than-any-that-is-worth-reading"), None);
        for other in [
            "",
            "h",
            "Host",
            "Host : v",
            "Hosts: v",
            "Accept: v",
            ": v",
            " Host: v",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn blanks_around_values_go() {
        assert_eq!(trim(b" \t a b\t \r"), b"a b");
        assert_eq!(trim(b"  "), b"");
    }

    #[test]
    fn folded_values_become_one_line_and_fit() {
        let of = |value: &[u8]| unfold(value, &mut ArrayVec::<u8, 8>::new()).to_vec();
        assert_eq!(of(b"a\r\n b\r\n\t c"), b"a b c");
        assert_eq!(of(b"\r\n b"), b"b");
        assert_eq!(of(b"12345\r\n 6789"), b"12345 67");
    }
}
