//! The way in for fuzzers: any bytes are the life of one flow, and what must always hold is checked.
//!
//! A fuzz target is one line: `fuzz_target!(|input: &[u8]| tapir_parsers::engine::fuzz::run(input));`.
//! Seeds are the scripts of the protocols' own tests: see [`seed`].

#![allow(clippy::missing_panics_doc)] // Finding panics is what it is for.

mod life;

pub use life::{Life, Step, What, seed};

use super::{Begin, Chunk, Engine, SessionId, Standing, Verdict};
use crate::field::{Ended, Field};
use crate::l7::{DECLARATIONS, Declaration};
use crate::parser::Direction;
use crate::record::{FlowFacts, RecordView};
use crate::settings::{Redaction, Settings};
use crate::testing::{CLIENT_PORT, START_NS, Told};

/// Lives one flow and checks that nothing is left behind and that its records are whole.
pub fn run(input: &[u8]) {
    let life = Life::new(input);
    let port = life.port;
    let by_port = life.by_port && DECLARATIONS.iter().any(|d| d.ports.contains(&port));
    let settings = Settings {
        keepalive_records: life.keepalive,
        grpc_stream_records: life.keepalive,
        redaction: Redaction {
            sql_literals: life.redacted,
            redis_values: life.redacted,
            url_query: life.redacted,
            http_headers: life.redacted,
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
            l4: life.l4,
            flow_id: 1,
            ..FlowFacts::default()
        },
        session: None,
        ignored: false,
        offset: [0; 2],
        joined: life.joined,
        sure: life.sure,
        now_ns: START_NS,
        records: Vec::new(),
    };
    let reset = life.reset;
    for step in life {
        flow.step(&step);
    }
    let ended = if reset { Ended::Rst } else { Ended::Fin };
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
    fn step(&mut self, step: &Step<'_>) {
        let (direction, argument) = (step.direction, step.argument);
        self.now_ns += 1000;
        match step.what {
            What::Chunk(bytes) => self.say(direction, bytes),
            What::Repeated(bytes) => self.say(direction, &bytes.repeat(1 << argument.min(8))),
            What::Bytewise(bytes) => bytes.chunks(1).for_each(|byte| self.say(direction, byte)),
            What::Lost(len) => self.lose(direction, u64::from(len) << argument),
            What::Time => {
                self.now_ns += 1000 << (2 * argument);
                self.engine.sweep(self.now_ns, 16, &mut self.records);
            }
            What::End => {
                if let Some(id) = self.session.filter(|_| !self.ignored) {
                    self.engine.half_close(id, direction, &mut self.records);
                }
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
                behind_loss: false,
                other_offset: None,
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
