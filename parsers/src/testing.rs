//! Replays conversations through an engine: for the tests of protocols.
//!
//! A protocol writes down a conversation once, as a [`Script`], and gets every split point, byte by byte,
//! every single gap, every mid-stream start and trailing garbage from [`Script::check`].

pub mod corpus;
mod recognition;

use crate::engine::{Begin, Chunk, Engine, SessionId, Standing, Verdict};
use crate::field::{Ended, Field, Kind, Status};
use crate::l7::Protocol;
use crate::parser::Direction;
use crate::plugin::PluginHost;
use crate::record::{FlowFacts, RecordView, flag};
use crate::settings::Settings;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// A record, spelled out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// `proto`.
    pub proto: &'static str,
    /// `kind`.
    pub kind: &'static str,
    /// `ended`.
    pub ended: &'static str,
    /// `status`.
    pub status: &'static str,
    /// Client and server port: who was taken for whom.
    pub ports: (u16, u16),
    /// Text fields; where a field was written more than once, the first.
    pub texts: BTreeMap<&'static str, String>,
    /// `attrs`.
    pub attrs: BTreeMap<String, String>,
    /// `request_id`.
    pub request_id: Option<u64>,
    /// `code`.
    pub code: Option<i64>,
    /// `rows`.
    pub rows: Option<u64>,
    /// `req_len`.
    pub req_len: Option<u64>,
    /// `resp_len`.
    pub resp_len: Option<u64>,
    /// `truncated`.
    pub truncated: bool,
    /// `gap_bytes`.
    pub gap_bytes: u64,
    /// `start_ns`, `end_ns`, `rrt_ns`.
    pub times: (u64, u64, Option<u64>),
    /// `req_seq`, `resp_seq`.
    pub seqs: (Option<u32>, Option<u32>),
}

impl Told {
    /// Reads a ring entry.
    ///
    /// # Panics
    /// When the entry is not a whole record: a test must fail then.
    pub fn new(entry: &[u8]) -> Self {
        let Some(view) = RecordView::new(entry) else {
            panic!("a record that is not whole: {entry:?}")
        };
        let header = view.header;
        let number = |bit, value| view.has(bit).then_some(value);
        let mut texts = BTreeMap::new();
        for (field, bytes) in view.texts().filter(|(field, _)| *field != Field::Attr) {
            texts
                .entry(field.name())
                .or_insert_with(|| String::from_utf8_lossy(bytes).into_owned());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            proto: view.protocol().map_or("?", Protocol::name),
            kind: view.kind().name(),
            ended: view.ended().name(),
            status: view.status().name(),
            ports: (header.flow.client_port, header.flow.server_port),
            texts,
            attrs: view
                .attrs()
                .map(|(key, value)| (text(key), text(value)))
                .collect(),
            request_id: number(flag::REQUEST_ID, header.request_id),
            code: view.has(flag::CODE).then_some(header.code),
            rows: number(flag::ROWS, header.rows),
            req_len: number(flag::REQUEST, header.request_len),
            resp_len: number(flag::RESPONSE, header.response_len),
            truncated: view.has(flag::TRUNCATED),
            gap_bytes: header.gap_bytes,
            times: (header.start_ns, header.end_ns, number(flag::RRT, header.rrt_ns)),
            seqs: (
                view.has(flag::REQUEST_SEQ).then_some(header.request_seq),
                view.has(flag::RESPONSE_SEQ).then_some(header.response_seq),
            ),
        }
    }

    /// A text field, or an empty string.
    pub fn text(&self, field: Field) -> &str {
        self.texts.get(field.name()).map_or("", String::as_str)
    }

    /// An attribute, or an empty string.
    pub fn attr(&self, key: &str) -> &str {
        self.attrs.get(key).map_or("", String::as_str)
    }

    fn is_whole_pair(&self) -> bool {
        self.kind == Kind::Matched.name() && !self.truncated && self.status != Status::Unknown.name()
    }
}

/// One conversation of a client and a server.
#[derive(Clone, Debug)]
pub struct Script {
    /// 0 tcp, 1 udp, 2 icmp.
    pub l4: u8,
    /// The server's port.
    pub server_port: u16,
    /// The server's address.
    pub server_ip: Ipv4Addr,
    /// Messages in the order in which they pass the tap. Over TCP, neighbours of one direction may as
    /// well travel in one segment.
    pub messages: Vec<(Direction, Vec<u8>)>,
    /// Settings of the parsers.
    pub settings: Settings,
    /// Of which protocols records are made.
    pub wanted: fn(Protocol) -> bool,
    /// Plugins that the engine has.
    pub plugins: Option<Arc<dyn PluginHost>>,
}

/// The client's port in every script.
pub const CLIENT_PORT: u16 = 40_000;
/// Sequence numbers of the first bytes of client and server in every script: the client's wrap soon.
pub const FIRST_SEQ: [u32; 2] = [u32::MAX - 20, 0x7000_0000];
/// Between two messages of a script, ns.
pub const STEP_NS: u64 = 1_000_000;
/// When the first message of a script passes, Unix ns.
pub const START_NS: u64 = 1_700_000_000_000_000_000;

impl Script {
    /// A conversation over TCP.
    pub fn tcp(server_port: u16) -> Self {
        Self {
            l4: 0,
            server_port,
            server_ip: Ipv4Addr::UNSPECIFIED,
            messages: Vec::new(),
            settings: Settings::default(),
            wanted: |_| true,
            plugins: None,
        }
    }

    /// A conversation over UDP.
    pub fn udp(server_port: u16) -> Self {
        Self {
            l4: 1,
            ..Self::tcp(server_port)
        }
    }

    /// The client says `bytes`.
    pub fn client(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.messages.push((Direction::ToServer, bytes.as_ref().to_vec()));
        self
    }

    /// The server says `bytes`.
    pub fn server(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.messages.push((Direction::ToClient, bytes.as_ref().to_vec()));
        self
    }

    /// Replays each message as one segment and ends with FIN.
    pub fn replay(&self) -> Vec<Told> {
        self.run(|_, bytes| vec![bytes.len()], None, 0)
    }

    /// Checks what must hold for every conversation, however it travels.
    ///
    /// # Panics
    /// When it does not hold.
    pub fn check(&self) {
        corpus::keep_seed(
            "engine",
            &format!("{:05}", self.server_port),
            &crate::engine::fuzz::seed(self),
        );
        let whole = self.replay();
        self.check_order(&whole);
        self.check_seqs(&whole);
        self.check_swapped();
        if self.l4 == 0 {
            let bytewise = self.run(|_, bytes| vec![1; bytes.len()], None, 0);
            assert_same(&whole, &bytewise, "byte by byte");
            for (index, (_, message)) in self.messages.iter().enumerate() {
                let stride = (message.len() / 400).max(1);
                for at in (1..message.len()).step_by(stride) {
                    let split = |i: usize, bytes: &[u8]| {
                        if i == index {
                            vec![at, bytes.len() - at]
                        } else {
                            vec![bytes.len()]
                        }
                    };
                    let got = self.run(split, None, 0);
                    assert_same(&whole, &got, &format!("message {index} split at {at}"));
                }
            }
        }
        for lost in 0..self.messages.len() {
            self.check_gap(&whole, lost);
        }
        for start in 1..self.messages.len() {
            let _ = self.run(|_, bytes| vec![bytes.len()], None, start);
        }
        self.check_cut_short();
        self.check_garbage();
    }

    /// Where a request begins in its stream is in the message that passed when it began, and a response begins
    /// in a message that passed.
    fn check_seqs(&self, whole: &[Told]) {
        let mut next = FIRST_SEQ;
        let mut messages = Vec::new();
        for (direction, bytes) in &self.messages {
            let next = &mut next[direction.index()];
            messages.push((*next, bytes.len() as u32));
            *next = next.wrapping_add(bytes.len() as u32);
        }
        let holds = |message: &(u32, u32), seq: u32| seq.wrapping_sub(message.0) < message.1;
        for told in whole {
            let first = (told.times.0 - START_NS) / STEP_NS - 1;
            let expected = |len: Option<u64>| len.is_some() && self.l4 == 0;
            let (request, response) = told.seqs;
            assert_eq!(request.is_some(), expected(told.req_len), "{told:#?}");
            assert_eq!(response.is_some(), expected(told.resp_len), "{told:#?}");
            let is_first = |seq| {
                messages
                    .get(first as usize)
                    .is_some_and(|message| holds(message, seq))
            };
            let is_any = |seq| messages.iter().any(|message| holds(message, seq));
            assert!(request.is_none_or(is_first), "{messages:?} {told:#?}");
            assert!(response.is_none_or(is_any), "{messages:?} {told:#?}");
        }
    }

    /// Without one message, no pair may appear that was not there before.
    fn check_gap(&self, whole: &[Told], lost: usize) {
        let got = self.run(|_, bytes| vec![bytes.len()], Some(lost), 0);
        for told in got
            .iter()
            .filter(|told| told.is_whole_pair() && told.gap_bytes == 0)
        {
            let known = whole.iter().any(|w| same_but_for_what_is_unknown(w, told));
            assert!(
                known,
                "without message {lost} a pair appears that never was: {told:#?}"
            );
        }
    }

    /// Every message may be the last, at any byte.
    fn check_cut_short(&self) {
        for (index, (_, message)) in self.messages.iter().enumerate() {
            let stride = (message.len() / 50).max(1);
            for at in (0..message.len()).step_by(stride) {
                let mut cut = self.clone();
                cut.messages.truncate(index + 1);
                cut.messages[index].1.truncate(at);
                let _ = cut.replay();
            }
        }
    }

    /// Garbage behind a conversation changes nothing of what was said before.
    fn check_garbage(&self) {
        let whole = self.replay();
        for direction in Direction::BOTH {
            for seed in 1..6u64 {
                let mut longer = self.clone();
                longer.messages.push((direction, noise(seed, 700)));
                let got = longer.replay();
                for told in whole.iter().filter(|told| told.is_whole_pair()) {
                    let kept = got
                        .iter()
                        .any(|g| same_content(told, g) || g.times.0 == told.times.0);
                    assert!(kept, "garbage took a record away: {told:#?}\nleft: {got:#?}");
                }
            }
        }
    }

    /// Replays with each message cut into segments of the lengths that `cut` says, without message
    /// `lost`, from message `start` on.
    pub fn run(
        &self,
        cut: impl Fn(usize, &[u8]) -> Vec<usize>,
        lost: Option<usize>,
        start: usize,
    ) -> Vec<Told> {
        self.run_as(cut, lost, start, false)
    }

    /// [`run`](Self::run); `swapped`: nobody told the caller who is the client, and it takes the server for it.
    fn run_as(
        &self,
        cut: impl Fn(usize, &[u8]) -> Vec<usize>,
        lost: Option<usize>,
        start: usize,
        swapped: bool,
    ) -> Vec<Told> {
        let mut engine = Engine::new(self.settings.clone(), self.wanted);
        if let Some(plugins) = &self.plugins {
            engine.set_plugins(plugins.for_lcore());
        }
        let mut records: Vec<Vec<u8>> = Vec::new();
        let mut flow = ReplayedFlow::new(self, swapped);
        let mut time_ns = START_NS;
        for (index, (direction, bytes)) in self.messages.iter().enumerate() {
            time_ns += STEP_NS;
            if index < start {
                continue;
            }
            if lost == Some(index) {
                flow.lose(&mut engine, *direction, bytes.len() as u64, time_ns, &mut records);
                continue;
            }
            let mut rest = bytes.as_slice();
            for len in cut(index, bytes) {
                let (now, later) = rest.split_at(len);
                flow.say(&mut engine, *direction, now, time_ns, start == 0, &mut records);
                rest = later;
            }
        }
        flow.finish(&mut engine, time_ns, &mut records);
        assert_eq!(engine.sessions(), 0, "a session was left behind");
        assert_eq!(engine.exchanges(), 0, "an exchange was left behind");
        let counted = engine.counters().records();
        assert_eq!(
            counted,
            records.len() as u64,
            "records made and records handed out differ"
        );
        records.iter().map(|entry| Told::new(entry)).collect()
    }
}

/// The flow of a script as a stream layer keeps it.
struct ReplayedFlow {
    facts: FlowFacts,
    session: Option<SessionId>,
    ignored: bool,
    recognised: bool,
    offset: [u64; 2],
    stream: bool,
    swapped: bool,
}

impl ReplayedFlow {
    fn new(script: &Script, swapped: bool) -> Self {
        let mut facts = FlowFacts {
            client_port: CLIENT_PORT,
            server_port: script.server_port,
            server_ip: script.server_ip.to_ipv6_mapped().octets(),
            l4: script.l4,
            flow_id: 1,
            ..FlowFacts::default()
        };
        if script.l4 == 0 {
            for direction in Direction::BOTH {
                facts.set_first_seq(direction, FIRST_SEQ[direction.index()]);
            }
        }
        Self {
            facts: if swapped { facts.reversed() } else { facts },
            swapped,
            session: None,
            ignored: false,
            recognised: false,
            offset: [0; 2],
            stream: script.l4 == 0,
        }
    }

    /// The direction as the caller of the engine takes it.
    fn as_seen(&self, direction: Direction) -> Direction {
        if self.swapped {
            direction.opposite()
        } else {
            direction
        }
    }

    fn say(
        &mut self,
        engine: &mut Engine,
        direction: Direction,
        bytes: &[u8],
        time_ns: u64,
        at_start: bool,
        records: &mut Vec<Vec<u8>>,
    ) {
        let [to_server, to_client] = self.offset;
        let (offset, peer) = match direction {
            Direction::ToServer => (to_server, to_client),
            Direction::ToClient => (to_client, to_server),
        };
        let chunk = Chunk {
            bytes,
            time_ns,
            offset,
            peer_offset: self.stream.then_some(peer),
        };
        self.offset[direction.index()] += bytes.len() as u64;
        let direction = self.as_seen(direction);
        if self.ignored {
            return;
        }
        if let Some(id) = self.session {
            match engine.data(id, direction, &chunk, records) {
                Verdict::Continue => {}
                Verdict::Ignore => self.ignored = true,
                Verdict::Rest => (self.session, self.recognised) = (None, true),
            }
        } else {
            let at_start = at_start && offset == 0;
            let standing = Standing {
                direction_is_sure: at_start && !self.swapped,
                at_stream_start: at_start,
                recognised_before: self.recognised,
                behind_loss: false,
                other_offset: None,
            };
            match engine.begin(&self.facts, direction, standing, &chunk, records) {
                Begin::Session(id) => self.session = Some(id),
                Begin::NoMatch => {}
                Begin::Rest => self.recognised = true,
                Begin::Ignore => self.ignored = true,
            }
        }
    }

    fn lose(
        &mut self,
        engine: &mut Engine,
        direction: Direction,
        len: u64,
        time_ns: u64,
        records: &mut Vec<Vec<u8>>,
    ) {
        self.offset[direction.index()] += len;
        let direction = self.as_seen(direction);
        if let Some(id) = self.session.filter(|_| !self.ignored && self.stream) {
            self.ignored = engine.gap(id, direction, len, time_ns, records) == Verdict::Ignore;
        }
    }

    fn finish(&mut self, engine: &mut Engine, time_ns: u64, records: &mut Vec<Vec<u8>>) {
        if let Some(id) = self.session.filter(|_| !self.ignored) {
            for direction in Direction::BOTH {
                engine.half_close(id, direction, records);
            }
            engine.close(id, Ended::Fin, time_ns, records);
        }
    }
}

fn same_content(a: &Told, b: &Told) -> bool {
    let untimed = |told: &Told| Told {
        times: (told.times.0, 0, None),
        ..told.clone()
    };
    untimed(a) == untimed(b)
}

/// Like [`same_content`], but a loss may also have taken what earlier messages had told (the database of
/// a login, the text of a prepared statement), or where a frame began: such may be missing, never different.
fn same_but_for_what_is_unknown(whole: &Told, told: &Told) -> bool {
    let known = |told: &Told| Told {
        texts: told
            .texts
            .keys()
            .filter_map(|key| Some((*key, whole.texts.get(key)?.clone())))
            .collect(),
        attrs: told
            .attrs
            .keys()
            .filter_map(|key| Some((key.clone(), whole.attrs.get(key)?.clone())))
            .collect(),
        seqs: (told.seqs.0.and(whole.seqs.0), told.seqs.1.and(whole.seqs.1)),
        ..whole.clone()
    };
    same_content(&known(told), told)
}

fn assert_same(want: &[Told], got: &[Told], how: &str) {
    for (index, (w, g)) in want.iter().zip(got).enumerate() {
        assert_eq!(w, g, "record {index} differs when sent {how}");
    }
    assert_eq!(
        want.len(),
        got.len(),
        "number of records differs when sent {how}: {got:#?}"
    );
}

/// Reproducible noise (a linear congruential generator).
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..len).map(|_| next()).collect()
}
