//! By what records are found to be of the same exchange.

use arrayvec::ArrayVec;
use tapir_parsers::field::{Joined, Kind};
use tapir_parsers::record::{FlowFacts, RecordView, flag};

// Numbers of transports in a record.
const TCP: u8 = 0;
const UDP: u8 = 1;

/// What a record is known by; equal for two records of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    ips: [[u8; 16]; 2],
    ports: [u16; 2],
    l4: u8,
    protocol: u8,
    /// An exchange is not told apart by how much was seen of it.
    kind: Option<Kind>,
    by: By,
    value: u64,
}

/// What `value` of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum By {
    Request,
    Response,
    Id,
}

/// How much a key proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// It is a sequence number: the exchange is the same.
    Number,
    /// It is an id, which is used again: the exchange is the same if it began at the same time.
    Id,
}

impl Rule {
    pub(super) fn name(self) -> Joined {
        match self {
            Self::Number => Joined::Seq,
            Self::Id => Joined::Time,
        }
    }
}

impl Key {
    pub(super) fn rule(&self) -> Rule {
        match self.by {
            By::Request | By::Response => Rule::Number,
            By::Id => Rule::Id,
        }
    }
}

/// The keys of one record.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(ArrayVec<Key, 2>);

impl Keys {
    pub(super) fn of(view: &RecordView<'_>) -> Self {
        let header = &view.header;
        let flow = &header.flow;
        let key = |by, value| Key {
            ips: [flow.client_ip, flow.server_ip],
            ports: [flow.client_port, flow.server_port],
            l4: flow.l4,
            protocol: header.protocol,
            kind: match view.kind() {
                Kind::Matched | Kind::NoResponse | Kind::Orphan => None,
                other => Some(other),
            },
            by,
            value,
        };
        let mut keys = Self::default();
        // Nobody else sees what never leaves a host.
        if flow.bits & FlowFacts::UNIX != 0 {
            return keys;
        }
        if flow.l4 == TCP && view.has(flag::REQUEST_SEQ) {
            keys.add(key(By::Request, header.request_seq.into()));
        }
        if flow.l4 == TCP && view.has(flag::RESPONSE_SEQ) {
            keys.add(key(By::Response, header.response_seq.into()));
        }
        if flow.l4 == UDP && view.has(flag::REQUEST_ID) {
            keys.add(key(By::Id, header.request_id));
        }
        keys
    }

    /// False when there is no room, which there is for all that one exchange can have.
    pub(super) fn add(&mut self, key: Key) -> bool {
        self.0.try_push(key).is_ok()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.0.iter()
    }
}
