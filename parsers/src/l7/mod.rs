//! The protocols, and the one ordered list of them.
//!
//! To add a protocol: write its file here, and give it a line in the list below. Everything that lists
//! protocols (filters, help, documentation, metric labels, JSON) reads this list.

use crate::byte_set::ByteSet;
use crate::conversation::Out;
use crate::parser::{
    Advance, Direction, Input, OnGap, Pairing, Parser, Probe, ProbeContext, Sibling, Transports,
};
use crate::slab::Slab;

/// What a protocol declares of itself.
#[derive(Clone, Copy, Debug)]
pub struct Declaration {
    /// Which protocol this is.
    pub protocol: Protocol,
    /// See [`Parser::NAME`].
    pub name: &'static str,
    /// See [`Parser::ABOUT`].
    pub about: &'static str,
    /// See [`Parser::TRANSPORTS`].
    pub transports: Transports,
    /// See [`Parser::PORTS`].
    pub ports: &'static [u16],
    /// See [`Parser::PAIRING`].
    pub pairing: Pairing,
    /// See [`Parser::RESPONSE_TIMEOUT_NS`].
    pub response_timeout_ns: u64,
    /// See [`Parser::FIRST_BYTES`].
    pub first_bytes: [ByteSet; 4],
    /// See [`Parser::FIRST_BYTES_ELSEWHERE`].
    pub first_bytes_elsewhere: [ByteSet; 4],
    /// See [`Parser::KEEPS_DATAGRAM_STATE`].
    pub keeps_datagram_state: bool,
    /// See [`Parser::ATTRS`].
    pub attrs: &'static [&'static str],
    /// See [`Parser::FOUND_BY`].
    pub found_by: &'static [Protocol],
    /// See [`Parser::SUBPROTOCOLS`].
    pub subprotocols: &'static [&'static str],
    /// See [`Parser::probe`].
    pub probe: fn(&[u8], &ProbeContext) -> Probe,
}

impl Declaration {
    /// Of a protocol that has a parser.
    const fn of<P: Parser>(protocol: Protocol) -> Self {
        Self {
            protocol,
            name: P::NAME,
            about: P::ABOUT,
            transports: P::TRANSPORTS,
            ports: P::PORTS,
            pairing: P::PAIRING,
            response_timeout_ns: P::RESPONSE_TIMEOUT_NS,
            first_bytes: P::FIRST_BYTES,
            first_bytes_elsewhere: P::FIRST_BYTES_ELSEWHERE,
            keeps_datagram_state: P::KEEPS_DATAGRAM_STATE,
            attrs: P::ATTRS,
            found_by: P::FOUND_BY,
            subprotocols: P::SUBPROTOCOLS,
            probe: P::probe,
        }
    }

    /// Of a protocol whose messages the parser of another one reads: nothing begins with it.
    const fn of_sibling<P: Parser, S: Sibling>(protocol: Protocol) -> Self {
        Self {
            name: S::NAME,
            about: S::ABOUT,
            first_bytes: [ByteSet::NONE; 4],
            attrs: S::ATTRS,
            found_by: S::FOUND_BY,
            subprotocols: &[],
            probe: |_, _| Probe::NoMatch,
            ..Self::of::<P>(protocol)
        }
    }
}

/// Turns the list into modules, `enum Protocol`, the table of declarations and the state store.
///
/// For `dns: Dns` it writes `pub mod dns;`, the variant `Protocol::Dns`, a slab of `dns::Dns` values and
/// an arm in each method of [`Parsers`]. For `http2: Http2 { Grpc }` it writes the variant
/// `Protocol::Grpc` too: a [`Sibling`], whose messages `Http2` reads.
macro_rules! protocols {
    ($($module:ident: $type:ident $({ $($sibling:ident),+ })?,)*) => {
        $(pub mod $module;)*

        /// A protocol that Tapir reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Protocol { $(
            #[doc = concat!("See [`", stringify!($module), "`].")]
            $type,
            $($(
                #[doc = concat!("Read by the parser of [`", stringify!($module), "`].")]
                $sibling,
            )+)?
        )* }

        /// Every declaration, in the order in which probes run: strict before loose.
        pub static DECLARATIONS: &[Declaration] = &[$(
            Declaration::of::<$module::$type>(Protocol::$type),
            $($(Declaration::of_sibling::<$module::$type, $module::$sibling>(Protocol::$sibling),)+)?
        )*];

        /// The parser states of one lcore, a slab for each protocol.
        #[derive(Default)]
        pub(crate) struct Parsers { $($module: Slab<$module::$type>,)* }

        impl Parsers {
            /// A new state of `protocol`; `None` when its slab is at its limit.
            pub(crate) fn insert(&mut self, protocol: Protocol) -> Option<u32> {
                match protocol { $(
                    // What was given back was left new.
                    Protocol::$type => self.$module.take(<$module::$type as Parser>::new),
                    $($(Protocol::$sibling)|+ => None,)?
                )* }
            }

            /// Gives a state back.
            pub(crate) fn remove(&mut self, protocol: Protocol, index: u32) {
                match protocol { $(
                    Protocol::$type => self.$module.remove(index, <$module::$type as Parser>::new()),
                    $($(Protocol::$sibling)|+ => {})?
                )* }
            }

            /// Hands out the addresses of a state's cache lines.
            #[inline(always)]
            pub(crate) fn lines(&self, protocol: Protocol, index: u32, hint: &impl Fn(*const u8)) {
                match protocol { $(
                    Protocol::$type => self.$module.lines(index, hint),
                    $($(Protocol::$sibling)|+ => {})?
                )* }
            }

            /// The same of the state that will be given out after `before` others.
            #[inline(always)]
            pub(crate) fn vacant_lines(&self, protocol: Protocol, before: usize, hint: &impl Fn(*const u8)) {
                match protocol { $(
                    Protocol::$type => self.$module.vacant_lines(before, hint),
                    $($(Protocol::$sibling)|+ => {})?
                )* }
            }

            /// Memory of all states, bytes.
            pub(crate) fn bytes(&self) -> usize {
                0 $(+ self.$module.bytes())*
            }

            #[inline(always)]
            pub(crate) fn advance(
                &mut self, protocol: Protocol, index: u32, direction: Direction, input: Input<'_>, out: &mut Out<'_>,
            ) -> Advance {
                match protocol { $(
                    Protocol::$type => match self.$module.get_mut(index) {
                        Some(parser) => parser.advance(direction, input, out),
                        None => Advance::Malformed,
                    },
                    $($(Protocol::$sibling)|+ => Advance::Malformed,)?
                )* }
            }

            pub(crate) fn on_gap(&mut self, protocol: Protocol, index: u32, direction: Direction, len: u64) -> OnGap {
                match protocol { $(
                    Protocol::$type => match self.$module.get_mut(index) {
                        Some(parser) => parser.on_gap(direction, len),
                        None => OnGap::Lost,
                    },
                    $($(Protocol::$sibling)|+ => OnGap::Lost,)?
                )* }
            }

            pub(crate) fn resync(
                &mut self, protocol: Protocol, index: u32, direction: Direction, bytes: &[u8],
            ) -> Option<usize> {
                match protocol { $(
                    Protocol::$type => self.$module.get_mut(index)?.resync(direction, bytes),
                    $($(Protocol::$sibling)|+ => None,)?
                )* }
            }

            pub(crate) fn inherit(&mut self, protocol: Protocol, index: u32, domain: &[u8], resource: &[u8]) {
                match protocol { $(
                    Protocol::$type => {
                        if let Some(parser) = self.$module.get_mut(index) { parser.inherit(domain, resource); }
                    }
                    $($(Protocol::$sibling)|+ => {})?
                )* }
            }
        }

        /// Bytes of parser state a flow of each protocol costs, in list order.
        pub const STATE_BYTES: &[usize] = &[$(
            size_of::<$module::$type>(),
            $($({ let _ = Protocol::$sibling; 0 },)+)?
        )*];
    };
}

// Shared by several protocols.
pub(crate) mod bson;
pub(crate) mod cursor;
pub(crate) mod hessian2;
pub(crate) mod http;
pub(crate) mod inflate;
pub(crate) mod sql;

// Strict before loose: a protocol stands above those that would also match its messages.
protocols! {
    http1: Http1,
    http2: Http2 { Grpc, Triple },
    tls: Tls,
    dubbo: Dubbo,
    ping: Ping,
    websocket: Websocket,
    redis: Redis,
    dns: Dns,
    mongodb: MongoDb,
    mqtt: Mqtt,
    mysql: MySql,
    postgresql: PostgreSql,
    kafka: Kafka,
    custom: Custom,
}

impl Protocol {
    /// What it declares of itself.
    pub fn declaration(self) -> &'static Declaration {
        &DECLARATIONS[self as usize]
    }

    /// `proto` in records.
    pub fn name(self) -> &'static str {
        self.declaration().name
    }

    /// The protocol of this number, if there is one.
    pub fn from_number(number: u8) -> Option<Self> {
        DECLARATIONS.get(usize::from(number)).map(|d| d.protocol)
    }

    /// The protocol that travels in WebSocket messages of this subprotocol, if there is one.
    pub fn of_subprotocol(name: &[u8]) -> Option<Self> {
        let is_it = |d: &&Declaration| d.subprotocols.iter().any(|known| known.as_bytes() == name);
        DECLARATIONS.iter().find(is_it).map(|d| d.protocol)
    }

    /// The protocol of this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        DECLARATIONS.iter().find(|d| d.name == name).map(|d| d.protocol)
    }
}

const _: () = assert!(STATE_BYTES.len() <= 64, "sets of protocols are 64 bits wide");
