//! Requests that wait too long.

use super::Engine;
use crate::limits::{SESSIONS_PER_SWEEP_MIN, SWEEPS_PER_ROUND};
use crate::record::RecordSink;

impl Engine {
    /// Looks after some sessions more, `sessions_max` at most: requests whose time is over become records. Plugins
    /// that were exchanged take over. Call it at intervals of capture time.
    pub fn sweep(&mut self, time_ns: u64, sessions_max: usize, sink: &mut dyn RecordSink) {
        if let Some(plugged) = &mut self.plugins {
            plugged.refresh();
        }
        let count = self.sessions.high_water();
        let share = count.div_ceil(SWEEPS_PER_ROUND).max(SESSIONS_PER_SWEEP_MIN);
        for _ in 0..share.min(sessions_max).min(count) {
            if self.sweep_at as usize >= count {
                self.sweep_at = 0;
            }
            let index = self.sweep_at;
            self.sweep_at += 1;
            let waits = self
                .sessions
                .get(index)
                .is_some_and(|s| s.in_use && !s.conversation.is_idle());
            if waits && let Some(mut talk) = self.talk(index, sink) {
                talk.expire(time_ns);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SESSIONS_PER_SWEEP_MIN, SWEEPS_PER_ROUND};
    use crate::engine::{Begin, Chunk, Engine, Standing};
    use crate::measure::Count;
    use crate::parser::Direction;
    use crate::record::FlowFacts;
    use crate::settings::Settings;

    const LATE_NS: u64 = 3_600_000_000_000;

    /// An engine with as many flows of HTTP, in each of which a request waits.
    fn waiting(flows: usize, sink: &mut Count) -> Engine {
        let mut engine = Engine::new(Settings::default(), |_| true);
        for flow_id in 0..flows as u64 {
            let facts = FlowFacts {
                flow_id,
                server_port: 80,
                ..FlowFacts::default()
            };
            let chunk = Chunk {
                bytes: b"GET / HTTP/1.1\r\n\r\n",
                time_ns: 0,
                offset: 0,
                peer_offset: None,
            };
            let begun = engine.begin(&facts, Direction::ToServer, Standing::default(), &chunk, sink);
            assert!(matches!(begun, Begin::Session(_)));
        }
        engine
    }

    #[test]
    fn a_round_of_sweeps_looks_at_every_session() {
        let mut sink = Count::default();
        let flows = SWEEPS_PER_ROUND * SESSIONS_PER_SWEEP_MIN + 1;
        let mut engine = waiting(flows, &mut sink);
        engine.sweep(LATE_NS, usize::MAX, &mut sink);
        assert_eq!(sink.records, flows.div_ceil(SWEEPS_PER_ROUND) as u64);
        for _ in 1..SWEEPS_PER_ROUND {
            engine.sweep(LATE_NS, usize::MAX, &mut sink);
        }
        assert_eq!(sink.records, flows as u64);
    }

    #[test]
    fn a_sweep_looks_at_few_sessions_at_once_and_at_no_more_than_it_may() {
        let mut sink = Count::default();
        let mut engine = waiting(3, &mut sink);
        engine.sweep(LATE_NS, 2, &mut sink);
        assert_eq!(sink.records, 2);
        engine.sweep(LATE_NS, usize::MAX, &mut sink);
        assert_eq!(sink.records, 3);
    }
}
