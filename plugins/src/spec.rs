//! What a plugin is set up with.

use crate::limits;
use std::path::PathBuf;
use std::time::Duration;
use tapir_parsers::engine::Ends;
use tapir_parsers::record::FlowFacts;

/// Transports whose payloads a plugin checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum L4 {
    /// TCP and UDP.
    #[default]
    Any,
    /// TCP alone.
    Tcp,
    /// UDP alone.
    Udp,
}

impl L4 {
    /// Whether flows of this number ([`FlowFacts::l4`]) are of this transport.
    pub(crate) const fn is(self, number: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Tcp => number == 0,
            Self::Udp => number == 1,
        }
    }
}

/// One plugin: its module, which flows it is asked about, and what it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginSpec {
    /// In logs and metrics; no two plugins have the same.
    pub name: String,
    /// The module.
    pub path: PathBuf,
    /// Ports of which a flow must have one so that the plugin is asked about it; empty: any.
    pub ports: Vec<u16>,
    /// Its transport.
    pub l4: L4,
    /// The lengths that it tells (`req_len`, `resp_len`) are those of whole messages: what lies behind is
    /// shown again, and what is still to come is passed.
    pub framed: bool,
    /// How long a call may take.
    pub deadline: Duration,
    /// Most linear memory of an instance, bytes.
    pub memory_bytes_max: usize,
    /// Failures in a row before it is set aside.
    pub failures_max: u32,
    /// How long it is set aside, ns of capture time.
    pub retry_ns: u64,
}

impl PluginSpec {
    /// A plugin with the usual bounds that is asked about every flow.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            path: path.into(),
            ports: Vec::new(),
            l4: L4::Any,
            framed: false,
            deadline: limits::DEADLINE_DEFAULT,
            memory_bytes_max: limits::MEMORY_BYTES_DEFAULT,
            failures_max: limits::FAILURES_DEFAULT,
            retry_ns: limits::RETRY_NS_DEFAULT,
        }
    }

    /// Whether it is asked about such a flow.
    #[inline]
    pub fn matches(&self, facts: &FlowFacts) -> bool {
        let ends = Ends::of(facts);
        let port = |port: &u16| ends.ports.contains(port);
        self.l4.is(ends.l4) && (self.ports.is_empty() || self.ports.iter().any(port))
    }

    /// Ticks after which a call is over: at least the deadline, wherever in a tick it begins.
    pub(crate) fn deadline_ticks(&self) -> u64 {
        ticks(self.deadline)
    }
}

/// Ticks that last at least `time`.
pub(crate) fn ticks(time: Duration) -> u64 {
    let ticks = time.as_nanos().div_ceil(limits::TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1)
}
