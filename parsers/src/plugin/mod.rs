//! What the engine asks of plugins, and what they answer.
//!
//! Nothing here runs plugins: whoever does (the crate `tapir-plugins`) implements [`PluginHost`] and
//! [`Plugins`], and is handed to the engine by its owner, so this crate knows no sandbox. A flow that plugins
//! do not want pays one look at [`Wanted`] where its protocol is inferred, and a test of what is noted of that
//! at each call of its parser.
//!
//! The words are those of DeepFlow's plugin interface: a plugin *checks* payloads of flows without a
//! protocol, *parses* those of flows that it claimed, and *enriches* messages of built-in protocols.

mod plugged;
mod status;
mod tell;
mod wanted;

use crate::field::Status;
use crate::parser::{Direction, Speaker};
use crate::record::FlowFacts;
use arrayvec::ArrayVec;
use std::fmt::Debug;

pub use crate::limits::{PLUGIN_ATTRS_MAX, PLUGIN_NAME_BYTES_MAX, PLUGIN_TRACE_IDS_MAX};
pub(crate) use plugged::{Interest, Note, Plugged};
pub use status::{status_number, status_of};
pub use wanted::Wanted;

/// Makes what each lcore runs plugins with.
pub trait PluginHost: Debug + Send + Sync {
    /// The plugins as one lcore has them, shared with no other.
    fn for_lcore(&self) -> Box<dyn Plugins>;
}

/// The plugins of one lcore, in the order in which they are asked.
pub trait Plugins: Send {
    /// What they want to be asked about, unless it is what was told when this was asked last. Asked now and
    /// then; other plugins may take over only here.
    fn wanted(&mut self) -> Option<Wanted>;

    /// Asks each plugin in turn whether the payload is of its protocol.
    fn check(&mut self, call: &Call<'_>) -> Option<Claim>;

    /// Asks each plugin in turn to read a payload of a flow that was claimed as protocol `number`, and
    /// hands on the records that the first to take it made.
    fn parse(&mut self, call: &Call<'_>, number: u8, each: &mut dyn FnMut(&Info<'_>)) -> Parsed;

    /// Shows the message to each plugin in turn, until one has something to add.
    fn enrich(&mut self, call: &Call<'_>, event: &Event<'_>, each: &mut dyn FnMut(&Info<'_>));

    /// Bytes that a payload may have; what is longer is cut.
    fn payload_bytes_max(&self) -> usize;
}

/// What every call of a plugin is about.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Who talks to whom.
    pub facts: &'a FlowFacts,
    /// Which way the payload travels.
    pub direction: Direction,
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// The bytes, in stream order.
    pub payload: &'a [u8],
}

/// A plugin has said that a flow is its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The plugin's number for the protocol, never 0.
    pub number: u8,
    /// Who sent the payload.
    pub speaker: Speaker,
    /// `proto` of the flow's records, in UTF-8; may be empty.
    pub name: ArrayVec<u8, PLUGIN_NAME_BYTES_MAX>,
}

/// What became of a payload that plugins were asked to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A plugin has read it. With its own framing, `Some` tells how many bytes, from the first on, its
    /// messages have; else all that was given is done with.
    Read(Option<u64>),
    /// No plugin knew what to do with it, or not yet.
    Unknown,
    /// No plugin was asked: their time is used up, or they are set aside.
    Passed,
}

/// Where plugins enrich what built-in parsers read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Requests of the HTTP family.
    HttpRequest,
    /// Their responses.
    HttpResponse,
    /// Messages of other protocols, by [`Event::Message`].
    Message,
}

/// DeepFlow's numbers of the protocols whose messages plugins enrich.
pub mod l7 {
    /// HTTP/1.
    pub const HTTP1: u8 = 20;
    /// HTTP/2 without gRPC.
    pub const HTTP2: u8 = 21;
    /// Dubbo.
    pub const DUBBO: u8 = 40;
    /// gRPC.
    pub const GRPC: u8 = 41;
    /// Triple.
    pub const TRIPLE: u8 = 49;
    /// NATS.
    pub const NATS: u8 = 104;
    /// ZMTP.
    pub const ZMTP: u8 = 106;
    /// RocketMQ.
    pub const ROCKETMQ: u8 = 107;
}

/// A message that a built-in parser has read.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A request; texts are empty where there are none.
    HttpRequest {
        /// Number among [`l7`].
        protocol: u8,
        /// Path with query.
        path: &'a [u8],
        /// Authority or `Host`.
        host: &'a [u8],
        /// `User-Agent`.
        user_agent: &'a [u8],
        /// `Referer`.
        referer: &'a [u8],
    },
    /// A response.
    HttpResponse {
        /// Number among [`l7`].
        protocol: u8,
        /// Status code, 0 where there is none.
        code: u16,
        /// What the code means.
        status: Status,
        /// `endpoint` of the request, where it is known.
        endpoint: &'a [u8],
    },
    /// A message of another protocol.
    Message {
        /// Number among [`l7`].
        protocol: u8,
        /// What the parser tells of it, in the protobuf form of the protocol; may be empty.
        message: &'a [u8],
    },
}

impl Event<'_> {
    /// The hook that it goes to.
    pub const fn hook(&self) -> Hook {
        match self {
            Self::HttpRequest { .. } => Hook::HttpRequest,
            Self::HttpResponse { .. } => Hook::HttpResponse,
            Self::Message { .. } => Hook::Message,
        }
    }
}

/// What a plugin tells of a message. Texts are empty where it tells nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info<'a> {
    /// Bytes of the request.
    pub req_len: Option<u32>,
    /// Bytes of the response.
    pub resp_len: Option<u32>,
    /// Pairs a request and its response.
    pub request_id: Option<u32>,
    /// `version`.
    pub version: &'a [u8],
    /// `req_type`.
    pub req_type: &'a [u8],
    /// `domain`.
    pub domain: &'a [u8],
    /// `resource`.
    pub resource: &'a [u8],
    /// `endpoint`.
    pub endpoint: &'a [u8],
    /// How the exchange went, where the plugin says so.
    pub status: Option<Status>,
    /// `code`.
    pub code: Option<i32>,
    /// `exception`.
    pub exception: &'a [u8],
    /// `result`.
    pub result: &'a [u8],
    /// A name for the protocol other than the one it was claimed with.
    pub protocol: &'a [u8],
    /// Some: the message goes on over several payloads, and whether this was the last of them.
    pub is_end: Option<bool>,
    /// The answer comes later, by another way.
    pub is_async: Option<bool>,
    /// Client and server have changed places.
    pub is_reversed: Option<bool>,
    /// `trace_id`: the first one counts, all are kept.
    pub trace_ids: ArrayVec<&'a [u8], PLUGIN_TRACE_IDS_MAX>,
    /// `span_id`.
    pub span_id: &'a [u8],
    /// The span that it is part of.
    pub parent_span_id: &'a [u8],
    /// `x_request_id`.
    pub x_request_id: &'a [u8],
    /// The client, as a proxy tells it.
    pub client_ip: &'a [u8],
    /// The plugin's own class of business; 0: none.
    pub biz_type: u8,
    /// The plugin's own code of business.
    pub biz_code: &'a [u8],
    /// The plugin's own scenario of business.
    pub biz_scenario: &'a [u8],
    /// The plugin's own response code of business.
    pub biz_response_code: &'a [u8],
    /// More: key, value.
    pub attrs: ArrayVec<(&'a [u8], &'a [u8]), PLUGIN_ATTRS_MAX>,
    /// The plugin told more than there is room for.
    pub cut: bool,
}
