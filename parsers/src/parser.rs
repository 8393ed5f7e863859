//! The contract between the engine and an application protocol.
//!
//! A protocol is one value per flow that implements [`Parser`]. It sees the bytes of each direction in
//! stream order and says what it found through [`Out`](crate::conversation::Out). It never keeps input,
//! never buffers, and knows nothing of packets, time or pairing. The rules, in full:
//!
//! * **One message an [`advance`](Parser::advance) at most.** The engine calls again at once with what is
//!   left. A message may take many calls (a head, then chunks of a body). A protocol that multiplexes
//!   several messages in one frame gives their lengths itself.
//! * **Whole or `Need`.** When the unit at hand (a head, a frame, a line) is not whole, return
//!   [`Advance::Need`] with the number of bytes, counted from the start of the input, that are wanted
//!   before the next call; any number above `input.len()` will do where the length is not known. The
//!   engine stitches up to [`STITCH_BYTES_MAX`](crate::limits::STITCH_BYTES_MAX) bytes and then calls
//!   with [`Input::ended`] set.
//! * **`ended` means: make do.** When [`Input::ended`] is set no further byte of this unit will be seen
//!   (end of a datagram, of the stream, before a gap, or the stitching limit). `Need` is then taken as
//!   [`Advance::Malformed`]. A parser that can tell something from the part says so and marks it with
//!   `out.truncated()`.
//! * **Bodies are skipped.** [`Advance::Skip`] counts from the start of the input and may reach far beyond
//!   it. A message closed in the same call ends where the skip ends, at the time that byte is captured.
//! * **Progress.** `Consumed(0)` is allowed only when the parser's own state has moved on; the engine
//!   bounds how often that may happen in a row.
//! * **Hostile input** ends in `Malformed`, never in a panic, an endless loop or growth without bound.

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::l7::Protocol;

/// Which way bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Direction {
    /// From the client, who sends requests.
    ToServer = 0,
    /// From the server.
    ToClient = 1,
}

impl Direction {
    /// Both directions, in the order of their numbers.
    pub const BOTH: [Self; 2] = [Self::ToServer, Self::ToClient];

    /// The other way.
    #[inline]
    pub const fn opposite(self) -> Self {
        match self {
            Self::ToServer => Self::ToClient,
            Self::ToClient => Self::ToServer,
        }
    }

    /// 0 or 1, for arrays of two.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What the bytes of a protocol travel in, where that is not the transport itself. The engine takes it off:
/// a parser does not see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// WebSocket messages (RFC 6455).
    WebSocket,
}

/// The transports a protocol runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transports(u8);

impl Transports {
    /// TCP streams.
    pub const TCP: Self = Self(1);
    /// UDP datagrams.
    pub const UDP: Self = Self(2);
    /// ICMP and ICMPv6 messages.
    pub const ICMP: Self = Self(4);

    /// The transport of a record's number: 0 TCP, 1 UDP, 2 ICMP.
    #[inline]
    pub(crate) fn of_l4(l4: u8) -> Self {
        Self(1 << l4.min(2))
    }

    /// The number of a transport, as in records; of several, the least.
    #[inline]
    pub(crate) fn number(self) -> usize {
        self.0.trailing_zeros().min(2) as usize
    }

    /// Either of both.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the sets share a transport.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// How requests and responses of a protocol find each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairing {
    /// The n-th response answers the n-th request of the flow.
    InOrder,
    /// By the id given to `out.open`.
    ById,
}

/// Who sent the bytes that a probe looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// They can only come from a client.
    Client,
    /// They can only come from a server.
    Server,
    /// Either side may send them; the caller's knowledge stands.
    Either,
}

/// What a probe says of the head of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// This protocol, and who spoke.
    Match(Speaker),
    /// Not this protocol.
    NoMatch,
    /// Cannot be told from so few bytes; never returned once 512 bytes are there.
    NeedMore,
}

/// What a probe may look at besides the bytes.
#[derive(Clone, Copy, Debug)]
pub struct ProbeContext {
    /// Transport of the flow.
    pub transport: Transports,
    /// Direction as far as known: from the TCP handshake it is sure, else a guess from ports.
    pub direction: Direction,
    /// Whether `direction` is sure.
    pub direction_is_sure: bool,
    /// Whether one of the flow's ports is among the protocol's [`Parser::PORTS`].
    pub on_known_port: bool,
    /// Whether these bytes are the first of their direction (false when joined mid-stream).
    pub at_stream_start: bool,
    /// Bytes of this direction have passed before in which no protocol was found: what comes now may be
    /// the inside of one that is not read here.
    pub behind_unknown: bool,
    /// The head is all there is: a datagram, or nothing more will come.
    pub complete: bool,
}

/// Bytes of one direction in stream order.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is at hand, beginning where the last call's consumption ended. May be empty after a skip.
    pub bytes: &'a [u8],
    /// No further byte of this unit will be seen: make do with what is here.
    pub ended: bool,
}

/// How far a parser got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// This many bytes of the input are done with (at most all of them).
    Consumed(usize),
    /// Not before this many bytes, counted from the start of the input, are at hand.
    Need(usize),
    /// This many bytes from the start of the input are done with, seen or not yet.
    Skip(u64),
    /// This many bytes are done with, and the flow changes its protocol to what `out.hand_over` said.
    HandOver(usize),
    /// Nothing of interest will come in either direction: the flow costs nothing from now on.
    Done,
    /// Not this protocol, or broken. The engine looks for the next message, or infers anew.
    Malformed,
}

/// What a parser makes of bytes that were never seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnGap {
    /// It can go on at the next byte.
    Resume,
    /// The message at hand ends within them: [`Parser::advance`] is called without bytes, and skips what is left of
    /// it. What is missing behind that is another gap.
    Pass,
    /// The engine should look for the next message with [`Parser::resync`].
    Resync,
    /// This flow cannot be read any further.
    Lost,
}

/// An application protocol: declaration, recognition and reading. See the module for the rules.
pub trait Parser: Sized {
    /// `proto` in records, label in metrics, name on the command line.
    const NAME: &'static str;
    /// One line for the protocol table: what is read, and the source of the format.
    const ABOUT: &'static str;
    /// Transports it runs on.
    const TRANSPORTS: Transports;
    /// Usual server ports: a prior for the order of probes, never a filter.
    const PORTS: &'static [u16];
    /// How its messages pair.
    const PAIRING: Pairing;
    /// How long a request waits for its response, ns.
    const RESPONSE_TIMEOUT_NS: u64 = crate::limits::RESPONSE_TIMEOUT_NS;
    /// What the first four bytes of either direction's first payload (or of any message, joined
    /// mid-stream) may be. The narrower, the fewer probes a packet pays for.
    const FIRST_BYTES: [ByteSet; 4];
    /// What those of a datagram may be where neither port is among [`PORTS`](Self::PORTS): for formats of
    /// which any bytes may be the beginning, and only the port lets them be taken for it.
    const FIRST_BYTES_ELSEWHERE: [ByteSet; 4] = [ByteSet::ANY; 4];
    /// The `attrs` keys it writes.
    const ATTRS: &'static [&'static str] = &[];
    /// Protocols whose parsers hand flows over to this one: they run where this one is wanted.
    const FOUND_BY: &'static [Protocol] = &[];

    /// WebSocket subprotocols (RFC 6455 section 1.9) in whose messages it travels; it must be
    /// [`FOUND_BY`](Self::FOUND_BY) HTTP/1 then.
    const SUBPROTOCOLS: &'static [&'static str] = &[];

    /// Whether it remembers something between the exchanges of a flow over UDP or ICMP. Where it does
    /// not, an idle flow costs no memory here.
    const KEEPS_DATAGRAM_STATE: bool = false;

    /// Whether the head of one direction is this protocol. Strict: a false match costs a wrong record. Where
    /// the bytes tell who spoke, say so: then nothing depends on for whom the caller takes the sides.
    fn probe(head: &[u8], context: &ProbeContext) -> Probe;

    /// The state of a new flow. Allocates nothing.
    fn new() -> Self;

    /// Takes over a flow from another protocol (an upgrade): to whom and for what it was.
    fn inherit(&mut self, _domain: &[u8], _resource: &[u8]) {}

    /// Reads the next unit of `direction`.
    fn advance(&mut self, direction: Direction, input: Input<'_>, out: &mut Out<'_>) -> Advance;

    /// `len` bytes of `direction` will never be seen. A gap within a skip is not reported.
    fn on_gap(&mut self, _direction: Direction, _len: u64) -> OnGap {
        OnGap::Resync
    }

    /// Finds where in `bytes` the next message of `direction` begins; the parser forgets what it was
    /// in the middle of. `None`: not in here.
    fn resync(&mut self, direction: Direction, bytes: &[u8]) -> Option<usize>;
}

/// A protocol without a parser of its own: its messages travel in another's, whose parser reads them and
/// names it with [`Out::proto`](crate::conversation::Out::proto). Transport, ports, pairing and timeout are
/// those of that parser.
pub trait Sibling {
    /// See [`Parser::NAME`].
    const NAME: &'static str;
    /// See [`Parser::ABOUT`].
    const ABOUT: &'static str;
    /// See [`Parser::ATTRS`].
    const ATTRS: &'static [&'static str] = &[];
    /// Protocols whose parsers read its messages: they run where this one is wanted.
    const FOUND_BY: &'static [Protocol];
}
