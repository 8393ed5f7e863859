//! Feeds the bytes of flows to their parsers: one engine an lcore.
//!
//! The caller hands in the bytes of each direction in stream order, and gaps as facts. The engine infers
//! the protocol, stitches heads that span segments, passes bodies by arithmetic, looks for the next
//! message after a gap, and hands records to a [`RecordSink`]. It allocates only while its pools grow.

mod claim;
mod feed;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod recovery;
mod session;
mod stitch;
mod sweep;
mod unknown;
mod wrapped;

use crate::conversation::{Conversation, Exchanges, HandOver, Talk};
use crate::counters::EngineCounters;
use crate::field::Ended;
use crate::inference::{Candidates, Inference, ProtocolSet, ServerCache, bit};
use crate::l7::{DECLARATIONS, Parsers, Protocol};
use crate::limits::{PROBE_BYTES_MAX, SESSIONS_PER_LCORE_MAX, STITCH_BUFFERS_MAX, UNMASK_BYTES};
use crate::parser::{Direction, ProbeContext, Speaker, Transports};
use crate::plugin::{Claim, Plugged};
use crate::record::{FlowFacts, RecordSink};
use crate::settings::Settings;
use crate::slab::{NONE, Slab};
use session::{Session, Stream};
use stitch::StitchPool;
use wrapped::Wrapping;

/// Handle of a session; valid until [`Verdict::Ignore`] or [`Engine::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionId(pub u32);

/// What the caller should do with the flow's further bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hand them in.
    Continue,
    /// Nothing more is wanted of this flow; its session is gone.
    Ignore,
    /// Nothing is remembered of this flow and its session is gone; hand further bytes to
    /// [`Engine::begin`].
    Rest,
}

/// What became of the first bytes of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A session: hand further bytes to it.
    Session(SessionId),
    /// No protocol begins like this.
    NoMatch,
    /// Recognised, read and done with: nothing more is wanted.
    Ignore,
    /// Recognised and read, and nothing of it is remembered: hand further bytes to
    /// [`Engine::begin`] again.
    Rest,
}

/// What the caller knows of a flow that has no session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// A handshake told who is the client.
    pub direction_is_sure: bool,
    /// The bytes are the first of their direction.
    pub at_stream_start: bool,
    /// The flow was recognised before, and has rested since.
    pub recognised_before: bool,
    /// What came before in their direction was lost, and not of another protocol.
    pub behind_loss: bool,
    /// Offset of the next byte that will be handed in, or told to be missing, of the other direction;
    /// `None`: what the sender of the first bytes had received of it was all.
    pub other_offset: Option<u64>,
}

/// Some bytes of one direction, as captured.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The bytes; in stream order, each once.
    pub bytes: &'a [u8],
    /// Capture time, Unix ns.
    pub time_ns: u64,
    /// Offset of the first byte in its direction's stream.
    pub offset: u64,
    /// How much of the other direction's stream the sender had received (from the acknowledgement
    /// number); `None` where that is not known.
    pub peer_offset: Option<u64>,
}

/// Inference, parsers and pairing of one lcore.
pub struct Engine {
    sessions: Slab<Session>,
    parsers: Parsers,
    exchanges: Exchanges,
    stitches: StitchPool,
    wrappings: Slab<Wrapping>,
    /// Payload of a frame without its mask.
    unmasked: Vec<u8>,
    candidates: Candidates,
    wanted: ProtocolSet,
    servers: ServerCache,
    /// What the latest flow speaks that was recognised.
    latest: Protocol,
    settings: Settings,
    counters: EngineCounters,
    sweep_at: u32,
    plugins: Option<Plugged>,
    /// Of the flow whose protocol is being settled.
    claimed: Option<Claim>,
    /// What the parser called last said that its flow turns into.
    hand_over: Option<HandOver>,
}

/// As much of a flow's facts as inference asks for each time.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// See [`FlowFacts::l4`].
    pub l4: u8,
    /// The ports of both ends in either order, 0 for ICMP.
    pub ports: [u16; 2],
}

impl Ends {
    /// Of a flow.
    pub fn of(facts: &FlowFacts) -> Self {
        Self {
            l4: facts.l4,
            ports: [facts.server_port, facts.client_port],
        }
    }
}

impl Engine {
    /// An engine that makes records of the protocols that `wanted` says.
    pub fn new(settings: Settings, wanted: impl Fn(Protocol) -> bool) -> Self {
        let wanted = DECLARATIONS
            .iter()
            .filter(|declaration| wanted(declaration.protocol))
            .fold(0, |set, declaration| set | bit(declaration.protocol));
        Self {
            sessions: Slab::with_limit(SESSIONS_PER_LCORE_MAX),
            parsers: Parsers::default(),
            exchanges: Exchanges::new(),
            stitches: StitchPool::with_limit(STITCH_BUFFERS_MAX),
            wrappings: Slab::with_limit(SESSIONS_PER_LCORE_MAX),
            unmasked: Vec::with_capacity(UNMASK_BYTES),
            candidates: Candidates::new(wanted),
            wanted,
            servers: ServerCache::default(),
            latest: Protocol::Http1,
            settings,
            counters: EngineCounters::default(),
            sweep_at: 0,
            plugins: None,
            claimed: None,
            hand_over: None,
        }
    }

    /// What was counted so far.
    pub fn counters(&self) -> &EngineCounters {
        &self.counters
    }

    /// The table that inference narrows its candidates by.
    pub fn candidates(&self) -> &Candidates {
        &self.candidates
    }

    /// Sessions in use.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Memory of sessions, parsers and exchanges that was ever in use, bytes.
    pub fn state_bytes(&self) -> usize {
        self.sessions.bytes()
            + self.parsers.bytes()
            + self.exchanges.bytes()
            + self.stitches.bytes()
            + self.wrappings.bytes()
    }

    /// Requests and early responses that wait.
    pub fn exchanges(&self) -> usize {
        self.exchanges.len()
    }

    /// Hands out the addresses of a session's cache lines, for a caller that can prefetch: a burst's
    /// sessions are then waited for together, not one after another.
    #[inline(always)]
    pub fn session_lines(&self, id: SessionId, hint: &impl Fn(*const u8)) {
        self.sessions.lines(id.0, hint);
    }

    /// Hands out the addresses of the cache lines of a session's parser and of its oldest request; reads the
    /// session. Says whether the bytes that come next are read, as far as is known: there is a parser, and no body
    /// is under way in either direction.
    #[inline(always)]
    pub fn parser_lines(&self, id: SessionId, hint: &impl Fn(*const u8)) -> bool {
        let Some(session) = self.sessions.get(id.0) else {
            return false;
        };
        let Some(protocol) = session.protocol else {
            return false;
        };
        self.parsers.lines(protocol, session.parser, hint);
        self.exchanges.lines(session.conversation.oldest(), hint);
        session.streams[0].skip | session.streams[1].skip == 0
    }

    /// Hands out the addresses of the cache lines of the session that will begin after `before` others, and of its
    /// parser if it speaks what the latest flow did: they were left long ago as a rule.
    #[inline(always)]
    pub fn vacant_lines(&self, before: usize, hint: &impl Fn(*const u8)) {
        self.sessions.vacant_lines(before, hint);
        self.parsers.vacant_lines(self.latest, before, hint);
    }

    /// The protocol of a session, once known.
    pub fn protocol(&self, id: SessionId) -> Option<Protocol> {
        self.sessions.get(id.0)?.protocol
    }

    /// Looks at payload of a flow without a session. `facts` holds the caller's best knowledge of who is
    /// the client.
    pub fn begin(
        &mut self,
        facts: &FlowFacts,
        direction: Direction,
        standing: Standing,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Begin {
        self.begin_with(Ends::of(facts), || *facts, direction, standing, chunk, sink)
    }

    /// [`begin`](Self::begin) of a flow whose `facts` cost something to put together: they are asked for only
    /// when they are needed, which those of most flows of no protocol never are.
    #[inline]
    pub fn begin_with(
        &mut self,
        ends: Ends,
        facts: impl Fn() -> FlowFacts,
        direction: Direction,
        standing: Standing,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Begin {
        let transport = Transports::of_l4(ends.l4);
        let is_first = chunk.offset == 0 && !standing.recognised_before;
        self.counters.first_payloads += u64::from(is_first);
        let on_ports = self.candidates.on_ports(ends.ports);
        let candidates = self.candidates.of(chunk.bytes, transport, on_ports);
        let interest = self.interest(ends);
        if candidates == 0 && !interest.checks {
            return Begin::NoMatch;
        }
        let before = self.counters.probes;
        let mut context = ProbeContext {
            transport,
            direction,
            direction_is_sure: standing.direction_is_sure,
            on_known_port: false,
            at_stream_start: standing.at_stream_start,
            behind_unknown: chunk.offset > 0,
            complete: transport != Transports::TCP,
        };
        let inference = self.infer_or_claim(
            ends,
            &facts,
            (candidates, interest.refused()),
            &mut context,
            chunk.bytes,
            chunk.time_ns,
        );
        if is_first {
            self.counters.first_probes += self.counters.probes - before;
        }
        if inference == Inference::NoMatch {
            return Begin::NoMatch;
        }
        let Some(index) = self.sessions.take(|| Session::VACANT) else {
            self.counters.sessions_refused += 1;
            return Begin::NoMatch;
        };
        if let Some(session) = self.sessions.get_mut(index) {
            session.facts = facts();
            session.plugins = interest.note;
            session.in_use = true;
            session.direction_is_sure = standing.direction_is_sure;
            // What the other side said before was of no protocol, else there were a session already.
            session.behind_unknown = chunk.offset > 0 || chunk.peer_offset.is_some_and(|heard| heard > 0);
            let this = &mut session.streams[direction.index()];
            this.offset = chunk.offset;
            this.started = !standing.at_stream_start;
            let other = standing.other_offset.or(chunk.peer_offset).unwrap_or(0);
            session.streams[direction.opposite().index()].offset = other;
        }
        let id = SessionId(index);
        if let Inference::Match(protocol, speaker) = inference {
            self.adopt(index, protocol, speaker, direction, chunk.time_ns);
            if standing.recognised_before {
                self.counters.of_mut(protocol).flows -= 1;
            }
        }
        if standing.behind_loss
            && let Some(direction) = self.sessions.get(index).map(|s| s.logical(direction))
            && let Some(mut talk) = self.talk(index, sink)
        {
            talk.lost_messages(direction, 0);
        }
        match self.data(id, direction, chunk, sink) {
            Verdict::Continue => Begin::Session(id),
            Verdict::Ignore => Begin::Ignore,
            Verdict::Rest => Begin::Rest,
        }
    }

    /// Bytes of `direction` (as the caller sees it), next in stream order.
    #[inline]
    pub fn data(
        &mut self,
        id: SessionId,
        direction: Direction,
        chunk: &Chunk<'_>,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let Some(session) = self.sessions.get(id.0) else {
            return Verdict::Ignore;
        };
        let direction = session.logical(direction);
        if session.protocol.is_none() {
            return self.data_unknown(id.0, direction, chunk, sink);
        }
        if session.wrapping != NONE {
            return self.feed_wrapped(id.0, direction, chunk, sink);
        }
        let datagram = session.facts.l4 != 0;
        let verdict = self.feed_here(id.0, direction, chunk, datagram, sink);
        if datagram && verdict == Verdict::Continue {
            self.rest(id.0)
        } else {
            verdict
        }
    }

    /// After a datagram: lets go of a session in which nothing waits and nothing is remembered.
    fn rest(&mut self, index: u32) -> Verdict {
        let Some(session) = self.sessions.get(index) else {
            return Verdict::Ignore;
        };
        let keeps = session
            .protocol
            .is_none_or(|p| p.declaration().keeps_datagram_state);
        if keeps || !session.conversation.is_idle() {
            return Verdict::Continue;
        }
        self.release(index);
        Verdict::Rest
    }

    /// `len` bytes of `direction` will never be seen; `time_ns` is when that was decided.
    pub fn gap(
        &mut self,
        id: SessionId,
        direction: Direction,
        len: u64,
        time_ns: u64,
        sink: &mut dyn RecordSink,
    ) -> Verdict {
        let Some(session) = self.sessions.get(id.0) else {
            return Verdict::Ignore;
        };
        let direction = session.logical(direction);
        if session.wrapping != NONE {
            return self.gap_wrapped(id.0, direction, len, time_ns, sink);
        }
        self.feed_gap(id.0, direction, len, time_ns, sink)
    }

    /// The TCP sequence number at offset 0 of `direction` is `seq`, which the session's facts did not tell.
    pub fn set_first_seq(&mut self, id: SessionId, direction: Direction, seq: u32) {
        if let Some(session) = self.sessions.get_mut(id.0) {
            let direction = session.logical(direction);
            session.facts.set_first_seq(direction, seq);
        }
    }

    /// `direction` has ended in order: messages that last until then are whole.
    pub fn half_close(&mut self, id: SessionId, direction: Direction, sink: &mut dyn RecordSink) {
        let Some(session) = self.sessions.get(id.0) else {
            return;
        };
        let direction = session.logical(direction);
        self.feed_end(id.0, direction, sink);
    }

    /// The flow is over: everything that is open or waits becomes a record.
    pub fn close(&mut self, id: SessionId, ended: Ended, time_ns: u64, sink: &mut dyn RecordSink) {
        for direction in Direction::BOTH {
            self.feed_end(id.0, direction, sink);
        }
        self.end_all(id.0, ended, time_ns, sink);
        self.release(id.0);
    }

    #[inline]
    fn infer(
        &mut self,
        ends: Ends,
        facts: impl Fn() -> FlowFacts,
        candidates: ProtocolSet,
        context: &mut ProbeContext,
        head: &[u8],
        now_ns: u64,
    ) -> Inference {
        // The memory of servers only orders candidates.
        let remembered = if candidates.is_power_of_two() {
            None
        } else {
            self.remembered(&facts(), context.direction_is_sure, now_ns)
        };
        // A datagram is probed as a whole; of a stream the head is enough.
        context.complete |= head.len() >= PROBE_BYTES_MAX;
        self.candidates.infer(
            head,
            candidates,
            context,
            self.candidates.on_ports(ends.ports),
            remembered,
            &mut self.counters,
        )
    }

    /// What the server spoke before. Without a handshake either end may be the server.
    fn remembered(&self, facts: &FlowFacts, sure: bool, now_ns: u64) -> Option<Protocol> {
        let servers = &self.servers;
        let known = servers.get(&facts.server_ip, facts.server_port, facts.l4, now_ns);
        match known {
            None if !sure => servers.get(&facts.client_ip, facts.client_port, facts.l4, now_ns),
            known => known,
        }
    }

    /// Gives the session a parser. False when the protocol's slab is at its limit.
    fn adopt(
        &mut self,
        index: u32,
        protocol: Protocol,
        speaker: Speaker,
        direction: Direction,
        now_ns: u64,
    ) -> bool {
        let Some(parser) = self.parsers.insert(protocol) else {
            self.counters.of_mut(protocol).exchanges_refused += 1;
            return false;
        };
        let Some(session) = self.sessions.get_mut(index) else {
            return false;
        };
        self.latest = protocol;
        session.protocol = Some(protocol);
        session.behind_unknown = false;
        session.parser = parser;
        let wrong_way = match speaker {
            Speaker::Client => direction == Direction::ToClient,
            Speaker::Server => direction == Direction::ToServer,
            Speaker::Either => false,
        };
        if wrong_way {
            session.flip();
        }
        let facts = &session.facts;
        self.servers
            .put(&facts.server_ip, facts.server_port, facts.l4, protocol, now_ns);
        self.counters.of_mut(protocol).flows += 1;
        if protocol == Protocol::Custom {
            self.settle_claim(parser);
        }
        true
    }

    /// Takes the parser away: the flow is back to inference.
    fn disown(&mut self, index: u32) {
        let Some(session) = self.sessions.get_mut(index) else {
            return;
        };
        if let Some(protocol) = session.protocol.take() {
            self.parsers.remove(protocol, session.parser);
        }
        session.parser = NONE;
        if session.wrapping != NONE {
            self.wrappings.remove(session.wrapping, Wrapping::default());
            session.wrapping = NONE;
        }
        session.malformed = 0;
        session.conversation = Conversation::EMPTY;
        for stream in &mut session.streams {
            self.stitches.release(&mut stream.stitch);
            *stream = Stream {
                offset: stream.offset,
                last_ns: stream.last_ns,
                started: true,
                ..Stream::NEW
            };
        }
    }

    fn release(&mut self, index: u32) {
        let Some(session) = self.sessions.get_mut(index).filter(|session| session.in_use) else {
            return;
        };
        if let Some(protocol) = session.protocol {
            self.parsers.remove(protocol, session.parser);
        }
        for stream in &mut session.streams {
            self.stitches.release(&mut stream.stitch);
        }
        self.sessions.remove(index, Session::VACANT);
    }

    fn talk<'a>(&'a mut self, index: u32, sink: &'a mut dyn RecordSink) -> Option<Talk<'a>> {
        let session = self.sessions.get_mut(index)?;
        let protocol = session.protocol?;
        Some(Talk {
            exchanges: &mut self.exchanges,
            pairing: session.conversation.pairing(protocol),
            conversation: &mut session.conversation,
            counters: &mut self.counters,
            facts: &session.facts,
            protocol,
            wanted: self.wanted,
            session: index,
            settings: &self.settings,
            sink,
        })
    }

    fn end_all(&mut self, index: u32, ended: Ended, time_ns: u64, sink: &mut dyn RecordSink) {
        let Some(session) = self.sessions.get(index) else {
            return;
        };
        let last_ns = session.streams.map(|s| s.last_ns);
        let offset = session.streams.map(|s| s.offset);
        if let Some(mut talk) = self.talk(index, sink) {
            talk.end_all(ended, time_ns, last_ns, offset);
        }
    }
}
