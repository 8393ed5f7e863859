//! How flows end: every session becomes records, every held segment is handed on or given up.

use super::Pipeline;
use super::deliver::direction_of;
use crate::flow::{Flow, FlowIndex, FlowState, NO_FLOW, side_flag};
use crate::prefetch::prefetch_address;
use crate::source::Buffer;
use tapir_parsers::engine::SessionId;
use tapir_parsers::field::Ended;

/// Flows whose memory is waited for together when they end.
const FLOWS_ENDED_TOGETHER: usize = 32;

impl<B: Buffer> Pipeline<B> {
    /// One direction has ended in order.
    pub(super) fn half_close(&mut self, index: FlowIndex, side: usize) {
        let Some(flow) = self.table.get(index) else { return };
        if flow.session != NO_FLOW {
            let direction = direction_of(flow, side);
            self.engine
                .half_close(SessionId(flow.session), direction, &mut self.sink);
        }
    }

    /// Takes a flow out of the table, its records made.
    pub(super) fn retire(&mut self, index: FlowIndex, ended: Ended, time_ns: u64) {
        let Some(flow) = self.table.get(index) else { return };
        // A closed one was counted when it closed.
        if flow.state != FlowState::Closed as u8 {
            match ended {
                Ended::Timeout => self.counters.flows_expired += 1,
                Ended::Evicted => self.counters.flows_evicted += 1,
                _ => self.counters.flows_left += 1,
            }
        }
        self.end_flow(index, ended, time_ns);
        self.table.remove(index);
    }

    /// Hands on what is held, closes the session, and leaves the flow without interest in payload.
    pub(super) fn end_flow(&mut self, index: FlowIndex, ended: Ended, time_ns: u64) {
        while let Some(side) = self.side_held_longest(index) {
            self.counters.tcp_gaps_timeout += 1;
            self.give_up_hole(index, side, time_ns);
        }
        let Some(flow) = self.table.get_mut(index) else {
            return;
        };
        flow.set(Flow::IGNORED, true);
        let session = std::mem::replace(&mut flow.session, NO_FLOW);
        if session != NO_FLOW {
            self.engine
                .close(SessionId(session), ended, time_ns, &mut self.sink);
        }
    }

    /// The direction whose first held segment was captured first: what it says comes before what the other
    /// says.
    fn side_held_longest(&self, index: FlowIndex) -> Option<usize> {
        let flow = self.table.get(index).filter(|flow| flow.is_tcp())?;
        let since = |side: usize| {
            let held = flow.sides[side].flags & side_flag::HELD != 0;
            let (_, since_ns) = held.then(|| self.held.first(index, side as u8))??;
            Some((since_ns, side))
        };
        let (_, side) = [0, 1].into_iter().filter_map(since).min()?;
        Some(side)
    }

    /// Ends everything: the run is over. `now_ns` is the time of the whole run's last packet, so that
    /// what had timed out by then says so, whichever worker it was on.
    pub fn finish(&mut self, now_ns: u64) {
        self.now_ns = self.now_ns.max(now_ns);
        if let Some(reassembler) = &mut self.reassembler {
            reassembler.flush();
        }
        let end = self.table.high_water();
        for first in (0..end).step_by(FLOWS_ENDED_TOGETHER) {
            let some = first..end.min(first + FLOWS_ENDED_TOGETHER as FlowIndex);
            self.prefetch_ends(some.clone());
            for index in some {
                self.finish_flow(index);
            }
        }
        self.table.clear_timers();
        // A next run has its own time.
        (self.now_ns, self.next_tick_ns) = (0, 0);
    }
    /// Starts to load what ending these flows touches.
    pub(super) fn prefetch_ends(&self, flows: impl Iterator<Item = FlowIndex> + Clone) {
        for index in flows.clone() {
            self.table.prefetch_removal(index);
            if let Some(flow) = self.table.get(index) {
                self.engine
                    .session_lines(SessionId(flow.session), &prefetch_address);
            }
        }
        for index in flows {
            if let Some(flow) = self.table.get(index) {
                self.engine
                    .parser_lines(SessionId(flow.session), &prefetch_address);
            }
        }
    }

    fn finish_flow(&mut self, index: FlowIndex) {
        let Some(flow) = self.table.get(index) else {
            return;
        };
        if !flow.is(Flow::LIVE) {
            return;
        }
        let over = flow.is_over(self.now_ns, &self.options.timeouts);
        let ended = if over { Ended::Timeout } else { Ended::Shutdown };
        self.retire(index, ended, self.now_ns);
    }
}
