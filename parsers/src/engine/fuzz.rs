//! The way in for fuzzers: any bytes are the life of one flow, and what must always hold is checked.
//!
//! A fuzz target is one line: `fuzz_target!(|input: &[u8]| tapir_parsers::engine::fuzz::run(input));`.
//! Seeds are the scripts of the protocols' own tests: see [`seed`].

#![allow(clippy::missing_panics_doc)] // Finding panics is what it is for.

use super::{Begin, Chunk, Engine, SessionId, Standing, Verdict};
use crate::field::{Ended, Field};
use crate::l7::{DECLARATIONS, Declaration};
use crate::parser::Direction;
use crate::record::{FlowFacts, RecordView};
use crate::settings::{Redaction, Settings};
use crate::testing::{CLIENT_PORT, START_NS, Script, Told};

/// Reads an input from its front; what is missing at the end is zero or short.
struct Program<'a> {
    rest: &'a [u8],
}

impl<'a> Program<'a> {
    fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    fn u16(&mut self) -> u16 {
        u16::from(self.u8()) | u16::from(self.u8()) << 8
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn is_over(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Bits of the first byte.
mod head {
    pub(super) const L4: u8 = 0b11;
    pub(super) const JOINED: u8 = 1 << 2;
    pub(super) const SURE: u8 = 1 << 3;
    pub(super) const KEEPALIVE: u8 = 1 << 4;
    pub(super) const REDACTED: u8 = 1 << 5;
    /// Only the protocols of the server's port are switched on.
    pub(super) const BY_PORT: u8 = 1 << 6;
    pub(super) const RESET: u8 = 1 << 7;
}

/// Kinds of a step: bits 1 to 3 of its first byte. Bit 0 is the direction, the others an argument.
mod step {
    /// A chunk: length u8, bytes.
    pub(super) const SHORT: u8 = 0;
    /// A chunk: length u16, bytes.
    pub(super) const LONG: u8 = 1;
    /// A chunk that repeats its bytes `1 << argument` times: length u8, bytes.
    pub(super) const REPEATED: u8 = 2;
    /// Byte by byte: length u8, bytes.
    pub(super) const BYTEWISE: u8 = 3;
    /// Bytes that are never seen: length u16, shifted by the argument.
    pub(super) const GAP: u8 = 4;
    /// Time passes: `1 << (2 * argument)` µs; requests expire.
    pub(super) const TIME: u8 = 5;
    /// The direction ends.
    pub(super) const END: u8 = 6;
}

/// Lives one flow and checks that nothing is left behind and that its records are whole.
///
/// `input` is a byte of bits (see `head`), the server's port (u16, little-endian), then steps (see `step`).
pub fn run(input: &[u8]) {
    let mut program = Program { rest: input };
    let bits = program.u8();
    let port = program.u16();
    let by_port = bits & head::BY_PORT != 0 && DECLARATIONS.iter().any(|d| d.ports.contains(&port));
    let redacted = bits & head::REDACTED != 0;
    let settings = Settings {
        keepalive_records: bits & head::KEEPALIVE != 0,
        redaction: Redaction {
            sql_literals: redacted,
            redis_values: redacted,
            url_query: redacted,
            http_headers: redacted,
        },
        ..Settings::default()
    };
    let limits = (settings.resource_bytes_max, settings.text_bytes_max);
    let enabled = |d: &Declaration| !by_port || d.ports.contains(&port);
    let mut flow = Flow {
        engine: Engine::new(settings, |p| enabled(p.declaration())),
        facts: FlowFacts {
            client_port: CLIENT_PORT,
            server_port: port,
            l4: (bits & head::L4) % 3,
            flow_id: 1,
            ..FlowFacts::default()
        },
        session: None,
        ignored: false,
        offset: [0; 2],
        joined: bits & head::JOINED != 0,
        sure: bits & head::SURE != 0,
        now_ns: START_NS,
        records: Vec::new(),
    };
    while !program.is_over() {
        flow.step(&mut program);
    }
    let ended = if bits & head::RESET != 0 {
        Ended::Rst
    } else {
        Ended::Fin
    };
    flow.finish(ended);
    assert_eq!(flow.engine.sessions(), 0, "a session was left behind");
    assert_eq!(flow.engine.exchanges(), 0, "an exchange was left behind");
    assert_eq!(flow.engine.counters().records(), flow.records.len() as u64);
    for entry in &flow.records {
        check_record(entry, limits);
    }
}

fn check_record(entry: &[u8], (resource_max, text_max): (usize, usize)) {
    let told = Told::new(entry);
    let Some(view) = RecordView::new(entry) else {
        return;
    };
    let attrs = view.protocol().map_or(&[][..], |p| p.declaration().attrs);
    for (field, bytes) in view.texts() {
        let max = match field {
            Field::Resource => resource_max,
            Field::Attr => text_max + 256,
            _ => text_max,
        };
        assert!(!bytes.is_empty() && bytes.len() <= max, "{field:?} of {told:#?}");
    }
    for key in told.attrs.keys() {
        assert!(attrs.contains(&key.as_str()), "{key} is not declared: {told:#?}");
    }
    assert!(
        told.times.0 >= START_NS && told.times.1 >= told.times.0,
        "{told:#?}"
    );
}

struct Flow {
    engine: Engine,
    facts: FlowFacts,
    session: Option<SessionId>,
    ignored: bool,
    offset: [u64; 2],
    joined: bool,
    sure: bool,
    now_ns: u64,
    records: Vec<Vec<u8>>,
}

impl Flow {
    fn step(&mut self, program: &mut Program<'_>) {
        let control = program.u8();
        let direction = Direction::BOTH[usize::from(control & 1)];
        let argument = control >> 4;
        self.now_ns += 1000;
        match control >> 1 & 7 {
            step::SHORT => {
                let len = usize::from(program.u8());
                self.say(direction, program.take(len));
            }
            step::REPEATED => {
                let len = usize::from(program.u8());
                let bytes = program.take(len).repeat(1 << argument.min(8));
                self.say(direction, &bytes);
            }
            step::BYTEWISE => {
                let len = usize::from(program.u8());
                for byte in program.take(len).chunks(1) {
                    self.say(direction, byte);
                }
            }
            step::GAP => {
                let len = u64::from(program.u16()) << argument;
                self.lose(direction, len);
            }
            step::TIME => {
                self.now_ns += 1000 << (2 * argument);
                self.engine.sweep(self.now_ns, 16, &mut self.records);
            }
            step::END => {
                if let Some(id) = self.session.filter(|_| !self.ignored) {
                    self.engine.half_close(id, direction, &mut self.records);
                }
            }
            // Long, and what has no meaning of its own.
            _ => {
                let len = usize::from(program.u16());
                self.say(direction, program.take(len));
            }
        }
    }

    fn say(&mut self, direction: Direction, bytes: &[u8]) {
        let offset = self.offset[direction.index()];
        let peer = self.offset[direction.opposite().index()];
        let stream = self.facts.l4 == 0;
        self.offset[direction.index()] += bytes.len() as u64;
        // A stream layer hands in no empty chunk.
        if self.ignored || bytes.is_empty() {
            return;
        }
        let chunk = Chunk {
            bytes,
            time_ns: self.now_ns,
            offset: if stream { offset } else { 0 },
            peer_offset: stream.then_some(peer),
        };
        if let Some(id) = self.session {
            match self.engine.data(id, direction, &chunk, &mut self.records) {
                Verdict::Continue => {}
                Verdict::Ignore => self.ignored = true,
                Verdict::Rest => self.session = None,
            }
            return;
        }
        let at_start = !self.joined && offset == 0;
        let begun = self.engine.begin(
            &self.facts,
            direction,
            Standing {
                direction_is_sure: self.sure,
                at_stream_start: at_start,
                recognised_before: false,
            },
            &chunk,
            &mut self.records,
        );
        match begun {
            Begin::Session(id) => self.session = Some(id),
            Begin::NoMatch | Begin::Rest => {}
            Begin::Ignore => self.ignored = true,
        }
    }

    fn lose(&mut self, direction: Direction, len: u64) {
        self.offset[direction.index()] += len;
        let lost = len > 0 && self.facts.l4 == 0 && !self.ignored;
        if let Some(id) = self.session.filter(|_| lost) {
            let verdict = self
                .engine
                .gap(id, direction, len, self.now_ns, &mut self.records);
            self.ignored = verdict == Verdict::Ignore;
        }
    }

    fn finish(&mut self, ended: Ended) {
        if let Some(id) = self.session.filter(|_| !self.ignored) {
            self.engine.close(id, ended, self.now_ns, &mut self.records);
        }
    }
}

/// The input that says what `script` says.
pub fn seed(script: &Script) -> Vec<u8> {
    let [low, high] = script.server_port.to_le_bytes();
    let mut seed = vec![script.l4 | head::SURE | head::BY_PORT, low, high];
    for (direction, bytes) in &script.messages {
        for chunk in bytes.chunks(usize::from(u16::MAX)) {
            let direction = *direction as u8;
            let len = chunk.len() as u16;
            match u8::try_from(chunk.len()) {
                Ok(len) => seed.extend([direction | step::SHORT << 1, len]),
                Err(_) => {
                    let [low, high] = len.to_le_bytes();
                    seed.extend([direction | step::LONG << 1, low, high]);
                }
            }
            seed.extend_from_slice(chunk);
        }
    }
    seed
}
